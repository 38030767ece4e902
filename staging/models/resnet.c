/* SPDX-License-Identifier: MIT */
/* modeling_resnet.py; microsoft/resnet-50 is ResNet V1.5. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/vision.h"

#define EPS 1e-5    /* of BatchNorm2d; no key names it */
#define REDUCTION 4 /* of the channels within a bottleneck */

struct resnet {
	uint64_t channels, stem;
	struct config_list sizes, depths;
	bool is_bottleneck;
	bool first_stage_halves;
	bool first_layer_halves; /* of a bottleneck, else the second */
	const char *activation;	 /* of the stem, and after a sum */
};

static void resnet_read(struct emit *emit, struct resnet *model)
{
	const char *type = config_text(emit, "layer_type", "bottleneck");

	*model = (struct resnet){
		.sizes = { 4, { 256, 512, 1024, 2048 } },
		.depths = { 4, { 3, 4, 6, 3 } },
		.is_bottleneck = strcmp(type, "bottleneck") == 0,
	};
	if (!model->is_bottleneck && strcmp(type, "basic") != 0)
		config_refuse(emit, "layer_type");
	model->channels = config_count(emit, "num_channels", 3,
				       MODEL_WIDTH_MAX);
	model->stem = config_count(emit, "embedding_size", 64, MODEL_WIDTH_MAX);
	config_list(emit, "hidden_sizes", MODEL_WIDTH_MAX, &model->sizes);
	config_list(emit, "depths", MODEL_LAYERS_MAX, &model->depths);
	if (model->sizes.count != model->depths.count)
		config_refuse(emit, "depths");
	model->first_stage_halves =
		config_flag(emit, "downsample_in_first_stage", false);
	model->first_layer_halves =
		config_flag(emit, "downsample_in_bottleneck", false);
	model->activation = config_text(emit, "hidden_act", "relu");
}

/* A convolution without a bias, and its batch norm. */
static struct value *normed_conv(struct emit *emit, struct value *x,
				 struct conv_shape shape, const char *prefix)
{
	x = emit_conv(emit, x, &shape, false, prefix, "convolution");
	return emit_batch_norm(emit, x, shape.out, EPS, prefix,
			       "normalization");
}

struct residual {
	uint64_t in, out, stride;
	char prefix[TENSOR_NAME_MAX / 2];
};

/*
 * The convolution @number of a layer; the last one has no activation, the
 * others always relu.
 */
static struct value *step(struct emit *emit, const struct resnet *model,
			  const struct residual *layer, unsigned int number,
			  struct conv_shape shape, struct value *x)
{
	unsigned int last = model->is_bottleneck ? 2 : 1;
	char prefix[TENSOR_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "%slayer.%u.", layer->prefix, number);
	x = normed_conv(emit, x, shape, prefix);
	if (number == last)
		return x;
	return block_activation(&emit->sheet, "relu", x);
}

static struct value *bottleneck(struct emit *emit, const struct resnet *model,
				const struct residual *layer, struct value *x)
{
	uint64_t inner = layer->out / REDUCTION, stride = layer->stride;
	uint64_t first = model->first_layer_halves ? stride : 1;
	uint64_t second = model->first_layer_halves ? 1 : stride;

	if (inner == 0) {
		config_refuse(emit, "hidden_sizes");
		return &emit->graph->nowhere;
	}
	x = step(emit, model, layer, 0,
		 conv_square(inner, layer->in, 1, first, 0), x);
	x = step(emit, model, layer, 1, conv_square(inner, inner, 3, second, 1),
		 x);
	return step(emit, model, layer, 2,
		    conv_square(layer->out, inner, 1, 1, 0), x);
}

static struct value *basic(struct emit *emit, const struct resnet *model,
			   const struct residual *layer, struct value *x)
{
	x = step(emit, model, layer, 0,
		 conv_square(layer->out, layer->in, 3, layer->stride, 1), x);
	return step(emit, model, layer, 1,
		    conv_square(layer->out, layer->out, 3, 1, 1), x);
}

static struct value *residual(struct emit *emit, const struct resnet *model,
			      const struct residual *layer, struct value *x)
{
	char prefix[TENSOR_NAME_MAX];
	struct value *y;

	y = model->is_bottleneck ? bottleneck(emit, model, layer, x)
				 : basic(emit, model, layer, x);
	if (layer->in != layer->out || layer->stride != 1) {
		snprintf(prefix, sizeof(prefix), "%sshortcut.", layer->prefix);
		x = normed_conv(emit, x,
				conv_square(layer->out, layer->in, 1,
					    layer->stride, 0),
				prefix);
	}
	return block_activation(&emit->sheet, model->activation,
				block_add(&emit->sheet, y, x));
}

static struct value *stage(struct emit *emit, const struct resnet *model,
			   size_t number, struct value *x)
{
	bool halves = number > 0 || model->first_stage_halves;
	struct residual layer = {
		.in = number > 0 ? model->sizes.at[number - 1] : model->stem,
		.out = model->sizes.at[number],
		.stride = halves ? 2 : 1,
	};

	for (unsigned int i = 0; i < model->depths.at[number]; i++) {
		if (emit->graph->error < 0)
			break;
		snprintf(layer.prefix, sizeof(layer.prefix),
			 "encoder.stages.%zu.layers.%u.", number, i);
		x = residual(emit, model, &layer, x);
		layer.in = layer.out;
		layer.stride = 1;
	}
	return x;
}

static struct value *resnet_body(struct emit *emit)
{
	struct resnet model;
	struct value *x;

	resnet_read(emit, &model);
	x = emit_pixels(emit, model.channels, 0, 0);
	x = normed_conv(emit, x,
			conv_square(model.stem, model.channels, 7, 2, 3),
			"embedder.embedder.");
	x = block_activation(&emit->sheet, model.activation, x);
	x = block_max_pool(&emit->sheet, x, 3, 2, 1);
	for (size_t i = 0; i < model.sizes.count; i++)
		x = stage(emit, &model, i, x);
	return x;
}

static void resnet_features(struct emit *emit, struct value *x)
{
	struct value *mean = block_map_pool(&emit->sheet, x);

	emit_output_map(emit, x, "last_hidden_state", 0, 0);
	emit_output_map(emit, mean, "pooler_output", 1, 1);
}

static void resnet_classes(struct emit *emit, struct value *x)
{
	x = block_map_mean(&emit->sheet, x, x->channels);
	emit_each_logits(emit, x, "classifier.1");
}

static const char *const leftovers[] = { "classifier.", NULL };

const struct family family_resnet = {
	.name = "resnet",
	.class = "ResNet",
	.base = "resnet",
	.leftovers = leftovers,
	.body = resnet_body,
	.features = resnet_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.1.weight",
			.emit = resnet_classes,
		},
	},
};
