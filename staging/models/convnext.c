/* SPDX-License-Identifier: MIT */
/*
 * modeling_convnext.py, modeling_convnextv2.py.  All of it is maps: a linear
 * layer of channels is a convolution of single pixels.
 */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/vision.h"

#define EPS 1e-6	  /* of every norm but the last; no key names it */
#define RESPONSE_EPS 1e-6 /* of ConvNextV2GRN */
#define EXPANSION 4

struct convnext {
	uint64_t channels, patch[2];
	struct config_list sizes, depths;
	const char *activation;
	bool is_scaled;	    /* the first version's layer scale */
	bool is_responsive; /* the second's global response norm */
};

static void convnext_read(struct emit *emit, bool is_second,
			  struct convnext *model)
{
	*model = (struct convnext){
		.sizes = { 4, { 96, 192, 384, 768 } },
		.depths = { 4, { 3, 3, 9, 3 } },
		.is_responsive = is_second,
	};
	model->channels = config_count(emit, "num_channels", 3,
				       MODEL_WIDTH_MAX);
	config_pair(emit, "patch_size", 4, MODEL_IMAGE_MAX, model->patch);
	config_list(emit, "hidden_sizes", MODEL_WIDTH_MAX, &model->sizes);
	config_list(emit, "depths", MODEL_LAYERS_MAX, &model->depths);
	if (model->sizes.count != model->depths.count)
		config_refuse(emit, "depths");
	if (config_count(emit, "num_stages", 4, MODEL_STAGES_MAX) !=
	    model->depths.count)
		config_refuse(emit, "num_stages");
	model->activation = config_text(emit, "hidden_act", "gelu");
	model->is_scaled = !is_second &&
			   config_number(emit, "layer_scale_init_value", 1e-6) >
				   0;
}

static struct value *stem(struct emit *emit, const struct convnext *model)
{
	const struct conv_shape shape = {
		.out = model->sizes.at[0],
		.in = model->channels,
		.kernel = { model->patch[0], model->patch[1] },
		.stride = { model->patch[0], model->patch[1] },
	};
	struct value *x = emit_pixels(emit, model->channels, 0, 0);

	x = emit_conv(emit, x, &shape, true, "embeddings.", "patch_embeddings");
	return emit_map_norm(emit, x, EPS, "embeddings.", "layernorm");
}

/* [1, 1, 1, channels] as it is stored. */
static struct value *stored_last(struct emit *emit, uint64_t channels,
				 const char *prefix, const char *name)
{
	struct shape shown = SHAPE(channels, 1, 1);

	return bind_shaped(emit->bind, SHAPE(1, 1, 1, channels), &shown, "%s%s",
			   prefix, name);
}

/* x + bias + weight x n, n being how long a channel is among all. */
static struct value *response_norm(struct emit *emit, const char *prefix,
				   struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	struct value *weight, *bias, *length, *y;

	weight = stored_last(emit, x->channels, prefix, "grn.weight");
	bias = stored_last(emit, x->channels, prefix, "grn.bias");
	length = block_map_length(sheet, x);
	y = block_add(sheet, block_map_average(sheet, length, 1),
		      block_number(sheet, RESPONSE_EPS));
	y = block_mul(sheet, x, block_div(sheet, length, y));
	y = block_add(sheet, block_mul(sheet, y, weight), bias);
	return block_add(sheet, y, x);
}

static struct value *layer(struct emit *emit, const struct convnext *model,
			   const char *prefix, struct value *x)
{
	struct conv_shape depthwise = conv_square(x->channels, x->channels, 7,
						  1, 3);
	struct value *y;

	depthwise.groups = x->channels;
	y = emit_conv(emit, x, &depthwise, true, prefix, "dwconv");
	y = emit_map_norm(emit, y, EPS, prefix, "layernorm");
	y = emit_pointwise(emit, y, EXPANSION * x->channels, true, prefix,
			   "pwconv1");
	y = block_activation(&emit->sheet, model->activation, y);
	if (model->is_responsive)
		y = response_norm(emit, prefix, y);
	y = emit_pointwise(emit, y, x->channels, true, prefix, "pwconv2");
	if (model->is_scaled)
		y = block_mul(&emit->sheet, y,
			      bind_channels(emit, x->channels, prefix,
					    "layer_scale_parameter"));
	return block_add(&emit->sheet, y, x);
}

static struct value *halved(struct emit *emit, uint64_t out, size_t number,
			    struct value *x)
{
	struct conv_shape shape = conv_square(out, x->channels, 2, 2, 0);
	char prefix[TENSOR_NAME_MAX];

	snprintf(prefix, sizeof(prefix),
		 "encoder.stages.%zu.downsampling_layer.", number);
	x = emit_map_norm(emit, x, EPS, prefix, "0");
	return emit_conv(emit, x, &shape, true, prefix, "1");
}

static struct value *body(struct emit *emit, bool is_second)
{
	struct convnext model;
	char prefix[TENSOR_NAME_MAX];
	struct value *x;

	convnext_read(emit, is_second, &model);
	x = stem(emit, &model);
	for (size_t i = 0; i < model.sizes.count; i++) {
		if (i > 0)
			x = halved(emit, model.sizes.at[i], i, x);
		for (unsigned int j = 0; j < model.depths.at[i]; j++) {
			if (emit->graph->error < 0)
				return x;
			snprintf(prefix, sizeof(prefix),
				 "encoder.stages.%zu.layers.%u.", i, j);
			x = layer(emit, &model, prefix, x);
		}
	}
	return x;
}

static struct value *convnext_body(struct emit *emit)
{
	return body(emit, false);
}

static struct value *convnextv2_body(struct emit *emit)
{
	return body(emit, true);
}

static struct value *pool(struct emit *emit, struct value *x)
{
	double eps = config_epsilon(emit, "layer_norm_eps", 1e-12);

	x = block_map_mean(&emit->sheet, x, x->channels);
	return emit_norm(emit, x, eps, "", "layernorm");
}

static void convnext_features(struct emit *emit, struct value *x)
{
	struct value *pooled = pool(emit, x);

	emit_output_map(emit, x, "last_hidden_state", 0, 0);
	emit->sheet.form->output_each(&emit->sheet, pooled, "pooler_output");
}

static void convnext_classes(struct emit *emit, struct value *x)
{
	emit_each_logits(emit, pool(emit, x), "classifier");
}

static const char *const leftovers[] = { "classifier.", NULL };

#define HEADS                                          \
	{                                              \
		[TASK_IMAGE_CLASSIFICATION] = {        \
			.tensor = "classifier.weight", \
			.emit = convnext_classes,      \
		},                                     \
	}

const struct family family_convnext = {
	.name = "convnext",
	.class = "ConvNext",
	.base = "convnext",
	.leftovers = leftovers,
	.body = convnext_body,
	.features = convnext_features,
	.heads = HEADS,
};

const struct family family_convnextv2 = {
	.name = "convnextv2",
	.class = "ConvNextV2",
	.base = "convnextv2",
	.leftovers = leftovers,
	.body = convnextv2_body,
	.features = convnext_features,
	.heads = HEADS,
};
