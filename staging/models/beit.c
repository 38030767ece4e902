/* SPDX-License-Identifier: MIT */
/*
 * modeling_beit.py: ViT whose tokens know how far they are from each other by
 * a table, of each layer or of all.
 */
#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/vit.h"

#define TABLE "relative_position_bias.relative_position_bias_table"

static const struct encoder_names names = {
	.query = "attention.attention.query",
	.key = "attention.attention.key",
	.value = "attention.attention.value",
	.attention = "attention.output.dense",
	.attention_norm = "layernorm_before",
	.attention_scale = "lambda_1",
	.up = "intermediate.dense",
	.down = "output.dense",
	.norm = "layernorm_after",
	.scale = "lambda_2",
};

struct beit {
	struct encoder encoder;
	struct patches patches;
	bool has_bias, has_shared_bias;
	uint64_t side;	     /* of an image, in patches */
	uint64_t distances;  /* rows of a table of relative positions */
	struct value *index; /* [tokens, tokens]: rows of it; NULL: unused */
};

static struct beit beit_read(struct emit *emit)
{
	struct beit model = { .encoder = vit_base, .patches = vit_patches };
	const struct patches *patches = &model.patches;
	uint64_t span;

	vit_read(emit, &model.encoder, &model.patches);
	model.encoder.no_key_bias = true;
	if (config_number(emit, "layer_scale_init_value", 0.1) > 0)
		model.encoder.names = &names;
	model.has_bias = config_flag(emit, "use_relative_position_bias", false);
	model.has_shared_bias =
		config_flag(emit, "use_shared_relative_position_bias", false);
	if (model.has_bias && model.has_shared_bias)
		config_refuse(emit, "use_shared_relative_position_bias");
	model.side = patches->image[0] / patches->patch[0];
	/* Of other images the library mixes up height and width. */
	if (model.side != patches->image[1] / patches->patch[1])
		config_refuse(emit, "image_size");
	span = 2 * model.side - 1;
	model.distances = span * span + 3;
	return model;
}

/*
 * BeitRelativePositionBias: patches at (r, c) and (s, d) have row
 * (r - s + side - 1) (2 side - 1) + c - d + side - 1, which is a difference
 * of one number for each and a constant.  The last three rows are for pairs
 * with the class's token, which is the first.  So the index is
 *
 *	of_class + is_patch (of_patch - of_class) + place is_patch'
 *
 * where ' is of the token looked at, and of_class and of_patch depend on it.
 */
struct index_tables {
	int64_t *is_patch, *place, *of_class, *change;
};

static void index_fill(const struct beit *model, struct index_tables *tables)
{
	int64_t side = (int64_t)model->side, span = 2 * side - 1;
	int64_t last = (int64_t)model->distances - 1;
	int64_t middle = (side - 1) * span + side - 1;

	tables->is_patch[0] = tables->place[0] = 0;
	tables->of_class[0] = last;
	tables->change[0] = -1;
	for (int64_t i = 0; i < side * side; i++) {
		int64_t place = i / side * span + i % side;

		tables->is_patch[i + 1] = 1;
		tables->place[i + 1] = place;
		tables->of_class[i + 1] = last - 2;
		tables->change[i + 1] = middle - place - (last - 2);
	}
}

static struct value *index_of(struct emit *emit,
			      const struct index_tables *tables, uint64_t count)
{
	struct sheet *sheet = &emit->sheet;
	struct graph *graph = emit->graph;
	const struct shape down = SHAPE(count, 1), across = SHAPE(1, count);
	struct value *index, *other;

	index = graph_int_table(graph, "is_patch", tables->is_patch, down);
	other = graph_int_table(graph, "change", tables->change, across);
	index = block_mul(sheet, index, other);
	other = graph_int_table(graph, "of_class", tables->of_class, across);
	index = block_add(sheet, index, other);
	other = block_mul(sheet,
			  graph_int_table(graph, "place", tables->place, down),
			  graph_int_table(graph, "is_patch_too",
					  tables->is_patch, across));
	return block_add(sheet, index, other);
}

static struct value *relative_index(struct emit *emit, const struct beit *model)
{
	uint64_t count = model->side * model->side + 1;
	auto_free int64_t *ints = NULL;
	struct index_tables tables;

	if (count > MODEL_POSITIONS_MAX) {
		config_refuse(emit, "image_size");
		return &emit->graph->nowhere;
	}
	ints = mem_array(4 * count, sizeof(*ints));
	if (!ints)
		return graph_fail(emit->graph, -ENOMEM);
	tables = (struct index_tables){
		.is_patch = ints,
		.place = ints + count,
		.of_class = ints + 2 * count,
		.change = ints + 3 * count,
	};
	index_fill(model, &tables);
	return index_of(emit, &tables, count);
}

static struct value **bias_of(struct emit *emit, const struct beit *model,
			      const char *prefix)
{
	struct value *table;

	table = bind_matrix(emit->bind, model->distances, model->encoder.heads,
			    "%s" TABLE, prefix);
	if (emit->graph->error < 0)
		return NULL;
	return emit->sheet.form->relative_bias(&emit->sheet, table,
					       model->index);
}

static struct value *layers(struct emit *emit, struct beit *model,
			    struct value *x)
{
	char prefix[TENSOR_NAME_MAX], attention[TENSOR_NAME_MAX];

	if (model->has_bias || model->has_shared_bias)
		model->index = relative_index(emit, model);
	if (model->has_shared_bias)
		model->encoder.bias = bias_of(emit, model, "encoder.");
	for (unsigned int i = 0; i < model->encoder.layers; i++) {
		if (emit->graph->error < 0)
			break;
		snprintf(prefix, sizeof(prefix), "encoder.layer.%u.", i);
		snprintf(attention, sizeof(attention),
			 "encoder.layer.%u.attention.attention.", i);
		if (model->has_bias)
			model->encoder.bias = bias_of(emit, model, attention);
		x = encoder_layer(emit, &model->encoder, prefix, x);
	}
	return x;
}

/* A head of masked image modelling has a norm of the same name at the top. */
static const char *last_norm(const struct emit *emit)
{
	return bind_has(emit->bind, "beit.layernorm.weight") ? "beit.layernorm"
							     : "layernorm";
}

static struct value *beit_body(struct emit *emit)
{
	static const char *const tokens[] = { "embeddings.cls_token", NULL };
	struct beit model = beit_read(emit);
	bool placed = config_flag(emit, "use_absolute_position_embeddings",
				  false);
	struct value *x;

	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = vit_embeddings(emit, &model.patches, model.encoder.hidden, tokens,
			   placed);
	x = layers(emit, &model, x);
	if (config_flag(emit, "use_mean_pooling", true))
		return x;
	return emit_norm(emit, x, model.encoder.eps, "", last_norm(emit));
}

static struct value *pooled(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	double eps = config_epsilon(emit, "layer_norm_eps", vit_base.eps);

	if (!config_flag(emit, "use_mean_pooling", true))
		return sheet->form->token(sheet, x, 0);
	x = sheet->form->mean(sheet, sheet->form->drop(sheet, x, 1));
	return emit_norm(emit, x, eps, "", "pooler.layernorm");
}

static void beit_features(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;

	emit_hidden(emit, x);
	if (bind_has(emit->bind, "pooler.layernorm.weight") ||
	    !config_flag(emit, "use_mean_pooling", true))
		sheet->form->output_each(sheet, pooled(emit, x),
					 "pooler_output");
}

static void beit_classes(struct emit *emit, struct value *x)
{
	patches_logits(emit, pooled(emit, x));
}

/* Heads of masked image modelling and of segmentation. */
static const char *const leftovers[] = { "pooler.",
					 "classifier.",
					 "layernorm.",
					 "lm_head.",
					 "embeddings.mask_token",
					 "decode_head.",
					 "auxiliary_head.",
					 "fpn1.",
					 "fpn2.",
					 NULL };

const struct family family_beit = {
	.name = "beit",
	.class = "Beit",
	.base = "beit",
	.leftovers = leftovers,
	.body = beit_body,
	.features = beit_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = beit_classes,
		},
	},
};
