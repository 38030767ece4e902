/* SPDX-License-Identifier: MIT */
/*
 * modeling_segformer.py, by the names of the hub's files.  All of it is maps
 * but what attention looks at.
 */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/vision.h"

#define EPS 1e-5 /* of every norm; layer_norm_eps is not used */

struct segformer {
	uint64_t channels;
	struct config_list sizes, depths, heads, patches, strides, ratios;
	struct config_list reductions; /* of what is looked at */
	const char *activation;
};

static void read_stages(struct emit *emit, const char *key, uint64_t max,
			size_t count, struct config_list *list)
{
	config_list(emit, key, max, list);
	if (list->count != count)
		config_refuse(emit, key);
}

static void segformer_read(struct emit *emit, struct segformer *model)
{
	size_t count = config_count(emit, "num_encoder_blocks", 4,
				    MODEL_STAGES_MAX);

	*model = (struct segformer){
		.sizes = { 4, { 32, 64, 160, 256 } },
		.depths = { 4, { 2, 2, 2, 2 } },
		.heads = { 4, { 1, 2, 5, 8 } },
		.patches = { 4, { 7, 3, 3, 3 } },
		.strides = { 4, { 4, 2, 2, 2 } },
		.ratios = { 4, { 4, 4, 4, 4 } },
		.reductions = { 4, { 8, 4, 2, 1 } },
	};
	model->channels = config_count(emit, "num_channels", 3,
				       MODEL_WIDTH_MAX);
	read_stages(emit, "hidden_sizes", MODEL_WIDTH_MAX, count,
		    &model->sizes);
	read_stages(emit, "depths", MODEL_LAYERS_MAX, count, &model->depths);
	read_stages(emit, "num_attention_heads", MODEL_HEADS_MAX, count,
		    &model->heads);
	read_stages(emit, "patch_sizes", MODEL_IMAGE_MAX, count,
		    &model->patches);
	read_stages(emit, "strides", MODEL_IMAGE_MAX, count, &model->strides);
	read_stages(emit, "mlp_ratios", MODEL_WIDTH_MAX, count, &model->ratios);
	read_stages(emit, "sr_ratios", MODEL_IMAGE_MAX, count,
		    &model->reductions);
	model->activation = config_text(emit, "hidden_act", "gelu");
	if (emit->graph->error < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (model->sizes.at[i] % model->heads.at[i] != 0)
			config_refuse(emit, "num_attention_heads");
}

/* The rows that are looked at: those of the map, or of fewer, larger ones. */
static struct value *reduced(struct emit *emit, uint64_t reduction,
			     const char *prefix, struct value *x,
			     struct value *rows)
{
	struct conv_shape shape = conv_square(x->channels, x->channels,
					      reduction, reduction, 0);

	if (reduction == 1)
		return rows;
	x = emit_conv(emit, x, &shape, true, prefix, "attention.self.sr");
	x = emit_map_norm(emit, x, EPS, prefix, "attention.self.layer_norm");
	return emit->sheet.form->tokens(&emit->sheet, x, x->channels,
					"reduced_patches", 0);
}

static struct value *attend(struct emit *emit, const struct segformer *model,
			    size_t stage, const char *prefix, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = x->channels;
	struct value *rows, *seen;
	struct attention attention = {
		.heads = (unsigned int)model->heads.at[stage],
	};

	rows = sheet->form->tokens(sheet, x, width, "patches", 0);
	seen = reduced(emit, model->reductions.at[stage], prefix, x, rows);
	attention.q = emit_linear(emit, rows, width, prefix,
				  "attention.self.query");
	attention.k = emit_linear(emit, seen, width, prefix,
				  "attention.self.key");
	attention.v = emit_linear(emit, seen, width, prefix,
				  "attention.self.value");
	rows = sheet->form->attention(sheet, &attention);
	rows = emit_linear(emit, rows, width, prefix, "attention.output.dense");
	return sheet->form->map(sheet, rows);
}

static struct value *mix(struct emit *emit, const struct segformer *model,
			 size_t stage, const char *prefix, struct value *x)
{
	uint64_t inner = x->channels * model->ratios.at[stage];
	struct conv_shape depthwise = conv_square(inner, inner, 3, 1, 1);
	uint64_t width = x->channels;

	depthwise.groups = inner;
	x = emit_pointwise(emit, x, inner, true, prefix, "mlp.dense1");
	x = emit_conv(emit, x, &depthwise, true, prefix, "mlp.dwconv.dwconv");
	x = block_activation(&emit->sheet, model->activation, x);
	return emit_pointwise(emit, x, width, true, prefix, "mlp.dense2");
}

static struct value *layer(struct emit *emit, const struct segformer *model,
			   size_t stage, unsigned int number, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y;

	snprintf(prefix, sizeof(prefix), "encoder.block.%zu.%u.", stage,
		 number);
	y = emit_map_norm(emit, x, EPS, prefix, "layer_norm_1");
	x = block_add(sheet, attend(emit, model, stage, prefix, y), x);
	y = emit_map_norm(emit, x, EPS, prefix, "layer_norm_2");
	return block_add(sheet, mix(emit, model, stage, prefix, y), x);
}

static struct value *stage(struct emit *emit, const struct segformer *model,
			   size_t number, struct value *x)
{
	uint64_t patch = model->patches.at[number];
	struct conv_shape shape =
		conv_square(model->sizes.at[number], x->channels, patch,
			    model->strides.at[number], patch / 2);
	char prefix[TENSOR_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "encoder.patch_embeddings.%zu.",
		 number);
	x = emit_conv(emit, x, &shape, true, prefix, "proj");
	x = emit_map_norm(emit, x, EPS, prefix, "layer_norm");
	for (unsigned int i = 0; i < model->depths.at[number]; i++) {
		if (emit->graph->error < 0)
			return x;
		x = layer(emit, model, number, i, x);
	}
	snprintf(prefix, sizeof(prefix), "encoder.layer_norm.%zu", number);
	return emit_map_norm(emit, x, EPS, "", prefix);
}

/* The maps of all stages, last first, in the size of the first one. */
static struct value *fuse(struct emit *emit, struct value *const *maps,
			  size_t count)
{
	uint64_t width = config_count(emit, "decoder_hidden_size", 256,
				      MODEL_WIDTH_MAX);
	struct conv_shape shape = conv_square(width, width * count, 1, 1, 0);
	struct value *parts[MODEL_STAGES_MAX], *x;
	char name[TENSOR_NAME_MAX];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "decode_head.linear_c.%zu.proj",
			 i);
		x = emit_pointwise(emit, maps[i], width, true, "", name);
		if (i > 0)
			x = emit->sheet.form->resize(&emit->sheet, x,
						     parts[count - 1]);
		parts[count - 1 - i] = x;
	}
	x = graph_node(emit->graph, "Concat", parts, count,
		       ATTRS(attr_int("axis", 1)));
	x = emit_conv(emit, x, &shape, false, "decode_head.", "linear_fuse");
	x = emit_batch_norm(emit, x, width, EPS, "decode_head.", "batch_norm");
	return block_activation(&emit->sheet, "relu", x);
}

/* Of segmentation what its classifier takes, else the last stage's map. */
static struct value *segformer_body(struct emit *emit)
{
	struct value *maps[MODEL_STAGES_MAX], *x;
	struct segformer model;

	segformer_read(emit, &model);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = emit_pixels(emit, model.channels, 0, 0);
	for (size_t i = 0; i < model.sizes.count; i++)
		maps[i] = x = stage(emit, &model, i, x);
	if (emit->task != TASK_IMAGE_SEGMENTATION)
		return x;
	config_only_flag(emit, "reshape_last_stage", true);
	return fuse(emit, maps, model.sizes.count);
}

static void segformer_features(struct emit *emit, struct value *x)
{
	if (config_flag(emit, "reshape_last_stage", true))
		emit_output_map(emit, x, "last_hidden_state", 0, 0);
	else
		emit_hidden(emit, emit->sheet.form->tokens(&emit->sheet, x,
							   x->channels,
							   "last_patches", 0));
}

static void segformer_classes(struct emit *emit, struct value *x)
{
	x = block_map_mean(&emit->sheet, x, x->channels);
	emit_each_logits(emit, x, "classifier");
}

static void segformer_segments(struct emit *emit, struct value *x)
{
	struct shape shape = bind_shape(emit->bind,
					"decode_head.classifier.weight");
	struct conv_shape conv = conv_square(shape.dims[0], x->channels, 1, 1,
					     0);

	x = emit_conv(emit, x, &conv, true, "decode_head.", "classifier");
	emit_output_map(emit, x, "logits", 0, 0);
}

static const char *const leftovers[] = { "classifier.", "decode_head.", NULL };

const struct family family_segformer = {
	.name = "segformer",
	.class = "Segformer",
	.base = "segformer",
	.leftovers = leftovers,
	.body = segformer_body,
	.features = segformer_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = segformer_classes,
		},
		[TASK_IMAGE_SEGMENTATION] = {
			.tensor = "decode_head.classifier.weight",
			.emit = segformer_segments,
		},
	},
};
