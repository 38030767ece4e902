/* SPDX-License-Identifier: MIT */
/*
 * modeling_siglip.py: both towers, and each alone.  A text is not masked: it
 * is padded to the length that it was trained with.
 */
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/towers.h"

static const struct tower base = {
	.encoder = {
		.names = &tower_names,
		.hidden = 768,
		.intermediate = 3072,
		.layers = 12,
		.heads = 12,
		.eps = 1e-6,
		.activation = "gelu_pytorch_tanh",
		.norm_first = true,
	},
};

static struct tower text_tower(struct emit *emit, const struct json *part,
			       const char *prefix)
{
	struct tower tower = base;

	tower.prefix = prefix;
	tower_read(emit, part, &tower);
	return tower;
}

static struct tower image_tower(struct emit *emit, const struct json *part,
				const char *prefix)
{
	struct tower tower = base;

	tower.prefix = prefix;
	tower.patches = (struct patches){ { 224, 224 }, { 16, 16 }, 3, false };
	tower_read(emit, part, &tower);
	return tower;
}

static struct value *text_hidden(struct emit *emit, const struct tower *tower,
				 struct value *ids)
{
	struct value *x = tower_words(emit, tower, ids);

	x = tower_layers(emit, tower, x);
	return tower_norm(emit, tower, x, "final_layer_norm");
}

/* The last token stands for the text, padding though it may be. */
static struct value *text_pooled(struct emit *emit, const struct tower *tower,
				 struct value *x)
{
	x = emit->sheet.form->last(&emit->sheet, x);
	return emit_linear(emit, x, 0, tower->prefix, "head");
}

static struct value *image_hidden(struct emit *emit, const struct tower *tower,
				  struct value *pixels)
{
	const struct patches *patches = &tower->patches;
	uint64_t width = tower->encoder.hidden;
	struct value *x, *table;

	x = patches_rows(emit, patches, pixels, width, true, tower->prefix,
			 "embeddings.patch_embedding");
	table = bind_matrix(emit->bind, patches_count(patches), width,
			    "%sembeddings.position_embedding.weight",
			    tower->prefix);
	x = emit->sheet.form->add_each(&emit->sheet, x, table);
	x = tower_layers(emit, tower, x);
	return tower_norm(emit, tower, x, "post_layernorm");
}

/* A learnt query as a sequence of one token. */
static struct value *probe_of(struct emit *emit, const struct tower *tower,
			      struct dim batch)
{
	uint64_t width = tower->encoder.hidden;
	const struct shape shown = SHAPE(1, width);
	struct value *probe;

	probe = bind_shaped(emit->bind, SHAPE(1, 1, width), &shown,
			    "%shead.probe", tower->prefix);
	if (emit->graph->error == 0)
		sheet_sequence_of(&emit->sheet, probe, 1, batch,
				  (struct dim){ .size = 1 });
	return probe;
}

/* torch.nn.MultiheadAttention: the weights of q, k and v are one. */
static struct value *look(struct emit *emit, const struct tower *tower,
			  struct value *probe, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	int64_t width = (int64_t)tower->encoder.hidden;
	struct attention attention = { .heads = tower->encoder.heads };
	struct value *weight, *bias;

	weight = bind_matrix(emit->bind, 3 * tower->encoder.hidden,
			     tower->encoder.hidden,
			     "%shead.attention.in_proj_weight", tower->prefix);
	bias = bind_vector(emit->bind, 3 * tower->encoder.hidden,
			   "%shead.attention.in_proj_bias", tower->prefix);
	probe = sheet->form->linear(sheet, probe, weight, bias);
	x = sheet->form->linear(sheet, x, weight, bias);
	attention.q = block_slice(sheet, probe, 0, width, 1);
	attention.k = block_slice(sheet, x, width, 2 * width, 1);
	attention.v = block_slice(sheet, x, 2 * width, 3 * width, 1);
	x = sheet->form->attention(sheet, &attention);
	return emit_linear(emit, x, tower->encoder.hidden, tower->prefix,
			   "head.attention.out_proj");
}

static struct value *image_pooled(struct emit *emit, const struct tower *tower,
				  struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	const struct encoder *encoder = &tower->encoder;
	struct value *y;

	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = look(emit, tower, probe_of(emit, tower, x->sequence->batch), x);
	y = tower_norm(emit, tower, x, "head.layernorm");
	y = emit_linear(emit, y, encoder->intermediate, tower->prefix,
			"head.mlp.fc1");
	y = block_activation(sheet, encoder->activation, y);
	y = emit_linear(emit, y, encoder->hidden, tower->prefix,
			"head.mlp.fc2");
	return block_add(sheet, x, y);
}

/* SiglipForImageClassification has no other tower, and no head. */
static struct value *image_alone(struct emit *emit)
{
	struct tower tower = image_tower(
		emit, json_get(emit->config, "vision_config"), "vision_model.");

	bind_ignore(emit->bind, "vision_model.head.");
	bind_ignore(emit->bind, "text_model.");
	bind_ignore(emit->bind, "logit_");
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return image_hidden(emit, &tower, patches_pixels(emit, &tower.patches));
}

static struct value *siglip_body(struct emit *emit)
{
	struct tower text, image;
	struct value *ids, *x;

	if (emit->task == TASK_IMAGE_CLASSIFICATION)
		return image_alone(emit);
	text = text_tower(emit, json_get(emit->config, "text_config"),
			  "text_model.");
	image = image_tower(emit, json_get(emit->config, "vision_config"),
			    "vision_model.");
	ids = towers_ids(emit);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = patches_pixels(emit, &image.patches);
	emit->text = text_pooled(emit, &text, text_hidden(emit, &text, ids));
	x = image_hidden(emit, &image, x);
	return image_pooled(emit, &image, x);
}

static void siglip_output(struct emit *emit, struct value *x)
{
	towers_output(emit, emit->text, x);
}

static void siglip_classes(struct emit *emit, struct value *x)
{
	patches_logits(emit, emit->sheet.form->mean(&emit->sheet, x));
}

static struct value *siglip_text_body(struct emit *emit)
{
	struct tower tower = text_tower(emit, emit->config, "");
	struct sheet *sheet = &emit->sheet;

	return text_hidden(emit, &tower, sheet->form->ids(sheet, "input_ids"));
}

static void siglip_text_features(struct emit *emit, struct value *x)
{
	struct tower tower = text_tower(emit, emit->config, "");

	emit_hidden(emit, x);
	x = text_pooled(emit, &tower, x);
	emit->sheet.form->output_each(&emit->sheet, x, "pooler_output");
}

static struct value *siglip_image_body(struct emit *emit)
{
	struct tower tower = image_tower(emit, emit->config, "");

	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return image_hidden(emit, &tower, patches_pixels(emit, &tower.patches));
}

static void siglip_image_features(struct emit *emit, struct value *x)
{
	struct tower tower = image_tower(emit, emit->config, "");

	emit_hidden(emit, x);
	if (!config_flag(emit, "vision_use_head", true))
		return;
	x = image_pooled(emit, &tower, x);
	emit->sheet.form->output_each(&emit->sheet, x, "pooler_output");
}

static const char *const leftovers[] = { "classifier.", NULL };
static const char *const of_text[] = { "vision_model.", "logit_", NULL };
static const char *const of_images[] = { "text_model.", "logit_", NULL };

const struct family family_siglip = {
	.name = "siglip",
	.class = "Siglip",
	.base = "siglip",
	.leftovers = leftovers,
	.body = siglip_body,
	.features = siglip_output,
	.heads = {
		[TASK_ZERO_SHOT_IMAGE_CLASSIFICATION] = {
			.tensor = "logit_scale",
			.emit = siglip_output,
		},
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = siglip_classes,
		},
	},
};

const struct family family_siglip_text = {
	.name = "siglip_text_model",
	.class = "SiglipText",
	.base = "text_model",
	.leftovers = of_text,
	.body = siglip_text_body,
	.features = siglip_text_features,
};

const struct family family_siglip_vision = {
	.name = "siglip_vision_model",
	.class = "SiglipVision",
	.base = "vision_model",
	.leftovers = of_images,
	.body = siglip_image_body,
	.features = siglip_image_features,
};
