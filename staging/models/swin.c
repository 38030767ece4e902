/* SPDX-License-Identifier: MIT */
/* modeling_swin.py, by the names of the hub's files. */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/patches.h"
#include "staging/models/swin_windows.h"
#include "staging/models/vision.h"

#define EPS 1e-5 /* of the norms that layer_norm_eps is not for */

struct swin {
	struct patches patches;
	uint64_t width; /* of the first stage; doubles with each */
	struct config_list depths, heads;
	uint64_t side; /* of a window */
	double ratio, eps;
	bool has_qkv_bias;
	const char *activation;
	struct value *buckets; /* of swin_buckets(); all windows have them */
};

/* A stage, its width being that of the rows. */
struct stage {
	const struct swin *model;
	unsigned int heads;
	uint64_t size[2];		/* in patches */
	struct swin_windows windows[2]; /* as they stand; shifted */
};

static void swin_read(struct emit *emit, struct swin *model)
{
	*model = (struct swin){
		.patches = { .image = { 224, 224 },
			     .patch = { 4, 4 },
			     .channels = 3 },
		.depths = { 4, { 2, 2, 6, 2 } },
		.heads = { 4, { 3, 6, 12, 24 } },
	};
	patches_read(emit, &model->patches);
	model->width = config_count(emit, "embed_dim", 96, MODEL_WIDTH_MAX);
	config_list(emit, "depths", MODEL_LAYERS_MAX, &model->depths);
	config_list(emit, "num_heads", MODEL_HEADS_MAX, &model->heads);
	if (model->depths.count != model->heads.count)
		config_refuse(emit, "num_heads");
	for (size_t i = 0; i < model->heads.count; i++)
		if ((model->width << i) % model->heads.at[i] != 0)
			config_refuse(emit, "num_heads");
	model->side = config_count(emit, "window_size", 7, MODEL_WINDOW_MAX);
	model->ratio = config_number(emit, "mlp_ratio", 4);
	model->eps = config_epsilon(emit, "layer_norm_eps", 1e-5);
	model->has_qkv_bias = config_flag(emit, "qkv_bias", true);
	model->activation = config_text(emit, "hidden_act", "gelu");
	if (!(model->ratio > 0 && model->ratio <= MODEL_WIDTH_MAX))
		config_refuse(emit, "mlp_ratio");
}

/* Rows of patches; an image that is no multiple of them is filled up. */
static struct value *embed(struct emit *emit, const struct swin *model,
			   uint64_t size[2])
{
	struct conv_shape shape = {
		.out = model->width,
		.in = model->patches.channels,
	};
	struct sheet *sheet = &emit->sheet;
	struct value *x = patches_pixels(emit, &model->patches);

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t image = model->patches.image[i];
		uint64_t patch = model->patches.patch[i];

		size[i] = (image + patch - 1) / patch;
		shape.kernel[i] = shape.stride[i] = patch;
		shape.after[i] = size[i] * patch - image;
	}
	x = emit_conv(emit, x, &shape, true, "embeddings.patch_embeddings.",
		      "projection");
	x = sheet->form->tokens(sheet, x, model->width, NULL,
				size[0] * size[1]);
	x = emit_norm(emit, x, EPS, "embeddings.", "norm");
	if (!config_flag(emit, "use_absolute_embeddings", false))
		return x;
	return sheet->form->add_each(
		sheet, x,
		patches_table(emit, size[0] * size[1], model->width,
			      "embeddings.position_embeddings"));
}

static struct value *look(struct emit *emit, const struct stage *stage,
			  const struct swin_windows *windows,
			  const char *prefix, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = x->width, across = 2 * stage->model->side - 1;
	bool biased = stage->model->has_qkv_bias;
	struct value *table;
	struct attention attention = {
		.q = emit_projection(emit, x, width, biased, prefix,
				     "attention.self.query"),
		.k = emit_projection(emit, x, width, biased, prefix,
				     "attention.self.key"),
		.v = emit_projection(emit, x, width, biased, prefix,
				     "attention.self.value"),
		.heads = stage->heads,
	};

	table = bind_matrix(emit->bind, across * across, stage->heads,
			    "%sattention.self.relative_position_bias_table",
			    prefix);
	attention.bias = sheet->form->relative_bias(sheet, table,
						    stage->model->buckets);
	x = sheet->form->windowed(sheet, &attention, &windows->windows);
	return emit_linear(emit, x, width, prefix, "attention.output.dense");
}

static struct value *attend(struct emit *emit, const struct stage *stage,
			    const struct swin_windows *windows,
			    const char *prefix, struct value *x)
{
	const struct form *form = emit->sheet.form;

	if (!windows->order)
		return look(emit, stage, windows, prefix, x);
	x = form->pick(&emit->sheet, x, windows->order, windows->kept,
		       windows->count);
	x = look(emit, stage, windows, prefix, x);
	return form->pick(&emit->sheet, x, windows->back, NULL,
			  stage->size[0] * stage->size[1]);
}

static struct value *block(struct emit *emit, const struct stage *stage,
			   const struct swin_windows *windows,
			   const char *prefix, struct value *x)
{
	const struct swin *model = stage->model;
	uint64_t width = x->width;
	uint64_t inner = (uint64_t)(model->ratio * (double)width);
	struct sheet *sheet = &emit->sheet;
	struct value *y;

	y = emit_norm(emit, x, model->eps, prefix, "layernorm_before");
	x = block_add(sheet, attend(emit, stage, windows, prefix, y), x);
	y = emit_norm(emit, x, model->eps, prefix, "layernorm_after");
	y = emit_linear(emit, y, inner, prefix, "intermediate.dense");
	y = block_activation(sheet, model->activation, y);
	y = emit_linear(emit, y, width, prefix, "output.dense");
	return block_add(sheet, y, x);
}

/* A map not larger than a window is one; a smaller one has no biases. */
static void make_windows(struct emit *emit, struct stage *stage)
{
	const uint64_t *size = stage->size;
	uint64_t side = stage->model->side, shift = side / 2;

	if (size[0] < side || size[1] < side)
		graph_refuse(emit->graph, "unsupported-config", "window_size",
			     "a map of %llu by %llu patches is smaller than a "
			     "window",
			     (unsigned long long)size[0],
			     (unsigned long long)size[1]);
	if (size[0] * size[1] > MODEL_POSITIONS_MAX ||
	    (size[0] + side) * (size[1] + side) * side * side >
		    MODEL_WINDOW_PAIRS_MAX)
		config_refuse(emit, "image_size");
	if (size[0] == side || size[1] == side)
		shift = 0;
	if (emit->graph->error < 0)
		return;
	swin_windows_make(emit, size, side, 0, &stage->windows[0]);
	if (shift > 0)
		swin_windows_make(emit, size, side, shift, &stage->windows[1]);
	else
		stage->windows[1] = stage->windows[0];
}

static struct value *blocks(struct emit *emit, struct stage *stage,
			    size_t number, struct value *x)
{
	char prefix[TENSOR_NAME_MAX];

	make_windows(emit, stage);
	for (unsigned int i = 0; i < stage->model->depths.at[number]; i++) {
		if (emit->graph->error < 0)
			break;
		snprintf(prefix, sizeof(prefix),
			 "encoder.layers.%zu.blocks.%u.", number, i);
		x = block(emit, stage, &stage->windows[i % 2], prefix, x);
	}
	return x;
}

static struct value *halve(struct emit *emit, struct stage *stage,
			   size_t number, struct value *x)
{
	uint64_t width = 2 * x->width;
	char prefix[TENSOR_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "encoder.layers.%zu.downsample.",
		 number);
	x = swin_merge(emit, x, stage->size);
	x = emit_norm(emit, x, EPS, prefix, "norm");
	return emit_projection(emit, x, width, false, prefix, "reduction");
}

static struct value *swin_body(struct emit *emit)
{
	struct stage stage = { 0 };
	struct swin model;
	struct value *x;

	swin_read(emit, &model);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	model.buckets = swin_buckets(emit, model.side);
	stage.model = &model;
	x = embed(emit, &model, stage.size);
	for (size_t i = 0; i < model.depths.count; i++) {
		if (emit->graph->error < 0)
			return x;
		stage.heads = (unsigned int)model.heads.at[i];
		x = blocks(emit, &stage, i, x);
		if (i + 1 < model.depths.count)
			x = halve(emit, &stage, i, x);
	}
	return emit_norm(emit, x, model.eps, "", "layernorm");
}

static void swin_features(struct emit *emit, struct value *x)
{
	const struct form *form = emit->sheet.form;
	struct value *mean = form->mean(&emit->sheet, x);

	emit_hidden(emit, x);
	form->output_each(&emit->sheet, mean, "pooler_output");
}

static void swin_classes(struct emit *emit, struct value *x)
{
	emit_each_logits(emit, emit->sheet.form->mean(&emit->sheet, x),
			 "classifier");
}

static const char *const leftovers[] = { "classifier.", "decoder.",
					 "embeddings.mask_token", NULL };

const struct family family_swin = {
	.name = "swin",
	.class = "Swin",
	.base = "swin",
	.leftovers = leftovers,
	.body = swin_body,
	.features = swin_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = swin_classes,
		},
	},
};
