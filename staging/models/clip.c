/* SPDX-License-Identifier: MIT */
/* modeling_clip.py: both towers, and each alone. */
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/towers.h"

#define EOS 49407 /* configuration_clip.py */
#define EOS_OLD 2 /* of old files; means the highest id there is */

static const struct tower text_base = {
	.encoder = {
		.names = &tower_names,
		.hidden = 512,
		.intermediate = 2048,
		.layers = 12,
		.heads = 8,
		.eps = 1e-5,
		.activation = "quick_gelu",
		.norm_first = true,
	},
};

static const struct tower image_base = {
	.encoder = {
		.names = &tower_names,
		.hidden = 768,
		.intermediate = 3072,
		.layers = 12,
		.heads = 12,
		.eps = 1e-5,
		.activation = "quick_gelu",
		.norm_first = true,
	},
	.patches = { { 224, 224 }, { 32, 32 }, 3, false },
};

/* The hidden states of a text, and those of the token that stands for it. */
struct clip_text {
	struct value *hidden, *pooled;
};

static uint64_t eos_of(struct emit *emit, const struct json *part)
{
	const struct json *whole = emit->config;
	uint64_t eos;

	emit->config = part;
	eos = config_index(emit, "eos_token_id", EOS, INT32_MAX);
	emit->config = whole;
	return eos;
}

/* 1 at the token that stands for the text, 0 at the others. */
static struct value *end_of_text(struct emit *emit, const struct json *part,
				 struct value *ids)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t eos = eos_of(emit, part);
	struct value *x;

	x = graph_node(emit->graph, "Cast", INPUTS(ids),
		       ATTRS(attr_int("to", ONNX_FLOAT)));
	if (eos != EOS_OLD)
		x = block_equals(sheet, x, (double)eos);
	return block_first_highest(sheet, x);
}

static struct clip_text text_tower(struct emit *emit, const struct json *part,
				   const char *prefix, struct value *ids)
{
	struct sheet *sheet = &emit->sheet;
	struct tower tower = text_base;
	struct value *seen, *places, *x;

	tower.prefix = prefix;
	tower_read(emit, part, &tower);
	seen = sheet->form->seen(sheet, "attention_mask");
	places = block_places(sheet, sheet->sequence);
	seen = block_causal(sheet, seen, places, places, 0);
	tower.encoder.mask = block_masked(sheet, seen);
	x = tower_words(emit, &tower, ids);
	x = tower_layers(emit, &tower, x);
	x = tower_norm(emit, &tower, x, "final_layer_norm");
	return (struct clip_text){
		.hidden = x,
		.pooled = sheet->form->weigh(sheet, x,
					     end_of_text(emit, part, ids)),
	};
}

/* The tower of images up to its last layer. */
static struct value *image_layers(struct emit *emit, const struct tower *tower,
				  struct value *pixels)
{
	struct sheet *sheet = &emit->sheet;
	const struct patches *patches = &tower->patches;
	uint64_t width = tower->encoder.hidden;
	const struct shape shown = SHAPE(1, width);
	struct value *x, *table;

	x = patches_rows(emit, patches, pixels, width, false, tower->prefix,
			 "embeddings.patch_embedding");
	table = bind_shaped(emit->bind, SHAPE(width), &shown,
			    "%sembeddings.class_embedding", tower->prefix);
	x = sheet->form->prepend(sheet, x, table);
	table = bind_matrix(emit->bind, patches_count(patches) + 1, width,
			    "%sembeddings.position_embedding.weight",
			    tower->prefix);
	x = sheet->form->add_each(sheet, x, table);
	x = tower_norm(emit, tower, x, "pre_layrnorm");
	return tower_layers(emit, tower, x);
}

/* The rest: a row for each image. */
static struct value *image_pooled(struct emit *emit, const struct tower *tower,
				  struct value *x)
{
	x = emit->sheet.form->token(&emit->sheet, x, 0);
	return tower_norm(emit, tower, x, "post_layernorm");
}

static struct tower image_tower(struct emit *emit, const struct json *part,
				const char *prefix)
{
	struct tower tower = image_base;

	tower.prefix = prefix;
	tower_read(emit, part, &tower);
	return tower;
}

/* CLIPForImageClassification has no other tower, and no last norm. */
static struct value *image_alone(struct emit *emit)
{
	struct tower tower = image_tower(
		emit, tower_config(emit, "vision_config"), "vision_model.");

	bind_ignore(emit->bind, "vision_model.post_layernorm.");
	bind_ignore(emit->bind, "visual_projection.");
	bind_ignore(emit->bind, "text_model.");
	bind_ignore(emit->bind, "text_projection.");
	bind_ignore(emit->bind, "logit_scale");
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return image_layers(emit, &tower, patches_pixels(emit, &tower.patches));
}

static struct value *clip_body(struct emit *emit)
{
	struct clip_text text;
	struct tower tower;
	struct value *ids, *image;

	if (emit->task == TASK_IMAGE_CLASSIFICATION)
		return image_alone(emit);
	tower = image_tower(emit, tower_config(emit, "vision_config"),
			    "vision_model.");
	ids = towers_ids(emit);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	image = patches_pixels(emit, &tower.patches);
	text = text_tower(emit, tower_config(emit, "text_config"),
			  "text_model.", ids);
	emit->text = emit_projection(emit, text.pooled, 0, false, "",
				     "text_projection");
	image = image_layers(emit, &tower, image);
	image = image_pooled(emit, &tower, image);
	return emit_projection(emit, image, 0, false, "", "visual_projection");
}

static void clip_output(struct emit *emit, struct value *x)
{
	towers_output(emit, emit->text, x);
}

static void clip_classes(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;

	x = sheet->form->drop(sheet, x, 1);
	patches_logits(emit, sheet->form->mean(sheet, x));
}

static struct value *clip_text_body(struct emit *emit)
{
	struct sheet *sheet = &emit->sheet;
	struct clip_text text;

	text = text_tower(emit, emit->config, "",
			  sheet->form->ids(sheet, "input_ids"));
	emit->text = text.pooled;
	return text.hidden;
}

/*
 * As the classes have them: with a projection its result first, and what is
 * pooled only without.
 */
static void one_tower(struct emit *emit, struct value *x, struct value *pooled,
		      const char *projection, const char *name)
{
	struct sheet *sheet = &emit->sheet;
	bool is_projected = bind_has(emit->bind, "%s.weight", projection);

	if (is_projected) {
		pooled = emit_projection(emit, pooled, 0, false, "",
					 projection);
		sheet->form->output_each(sheet, pooled, name);
	}
	emit_hidden(emit, x);
	if (!is_projected)
		sheet->form->output_each(sheet, pooled, "pooler_output");
}

static void clip_text_features(struct emit *emit, struct value *x)
{
	one_tower(emit, x, emit->text, "text_projection", "text_embeds");
}

static struct value *clip_image_body(struct emit *emit)
{
	struct tower tower = image_tower(emit, emit->config, "");

	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return image_layers(emit, &tower, patches_pixels(emit, &tower.patches));
}

static void clip_image_features(struct emit *emit, struct value *x)
{
	struct tower tower = image_tower(emit, emit->config, "");

	one_tower(emit, x, image_pooled(emit, &tower, x), "visual_projection",
		  "image_embeds");
}

static const char *const leftovers[] = { "classifier.", NULL };
static const char *const of_text[] = { "vision_model.", "visual_projection.",
				       "logit_scale", NULL };
static const char *const of_images[] = { "text_model.", "text_projection.",
					 "logit_scale", NULL };

const struct family family_clip = {
	.name = "clip",
	.class = "CLIP",
	.base = "clip",
	.leftovers = leftovers,
	.body = clip_body,
	.features = clip_output,
	.heads = {
		[TASK_ZERO_SHOT_IMAGE_CLASSIFICATION] = {
			.tensor = "logit_scale",
			.emit = clip_output,
		},
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = clip_classes,
		},
	},
};

const struct family family_clip_text = {
	.name = "clip_text_model",
	.class = "CLIPText",
	.base = "text_model",
	.leftovers = of_text,
	.body = clip_text_body,
	.features = clip_text_features,
};

const struct family family_clip_vision = {
	.name = "clip_vision_model",
	.class = "CLIPVision",
	.base = "vision_model",
	.leftovers = of_images,
	.body = clip_image_body,
	.features = clip_image_features,
};
