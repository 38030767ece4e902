/* SPDX-License-Identifier: MIT */
#include "staging/models/disentangled.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"

#define WORDS "embeddings.word_embeddings"

static void read_part(struct emit *emit, struct disentangled *model,
		      const char *name, size_t len)
{
	bool *part = NULL;

	while (len > 0 && name[0] == ' ')
		name++, len--;
	while (len > 0 && name[len - 1] == ' ')
		len--;
	if (len == 3 && strncmp(name, "c2p", 3) == 0)
		part = &model->c2p;
	else if (len == 3 && strncmp(name, "p2c", 3) == 0)
		part = &model->p2c;
	if (!part || *part) {
		config_refuse(emit, "pos_att_type");
		return;
	}
	*part = true;
	model->parts++;
}

/* pos_att_type: a list, or "c2p|p2c". */
static void read_parts(struct emit *emit, struct disentangled *model)
{
	const struct json *types = json_get(emit->config, "pos_att_type");
	const char *text = json_string(types);

	model->parts = 1;
	while (text && *text) {
		size_t len = strcspn(text, "|");

		read_part(emit, model, text, len);
		text += len + (text[len] == '|');
	}
	for (const struct json *at = json_first(types); at; at = json_next(at))
		if (json_string(at))
			read_part(emit, model, json_string(at),
				  strlen(json_string(at)));
		else
			config_refuse(emit, "pos_att_type");
}

void disentangled_read(struct emit *emit, struct disentangled *model)
{
	encoder_read(emit, &model->encoder);
	read_parts(emit, model);
	model->is_relative = config_flag(emit, "relative_attention", false);
	if (!model->is_relative)
		return;
	model->span = config_index(emit, "max_position_embeddings", 512,
				   MODEL_POSITIONS_MAX);
	if (json_double(json_get(emit->config, "max_relative_positions"),
			&(double){ 0 }) &&
	    config_number(emit, "max_relative_positions", -1) >= 1)
		model->span = config_count(emit, "max_relative_positions", 1,
					   MODEL_POSITIONS_MAX);
	if (model->span == 0)
		config_refuse(emit, "max_position_embeddings");
}

/* Embeddings of words, and as configured of positions and types. */
static struct value *embed(struct emit *emit, const struct disentangled *model,
			   struct value **seen)
{
	const struct encoder *encoder = &model->encoder;
	struct sheet *sheet = &emit->sheet;
	uint64_t width = config_count(emit, "embedding_size", encoder->hidden,
				      MODEL_WIDTH_MAX);
	struct value *ids, *x, *table, *types;

	ids = sheet->form->ids(sheet, "input_ids");
	*seen = sheet->form->seen(sheet, "attention_mask");
	table = emit_table(emit, width, WORDS);
	x = block_gather(sheet, table, ids);
	if (config_flag(emit, "position_biased_input", true)) {
		table = emit_table(emit, width,
				   "embeddings.position_embeddings");
		emit->max_length = table->rows;
		x = block_add(sheet, x, block_positions(sheet, table));
	}
	if (config_index(emit, "type_vocab_size", 0, MODEL_WIDTH_MAX) > 0) {
		types = sheet->form->ids(sheet, "token_type_ids");
		table = emit_table(emit, width,
				   "embeddings.token_type_embeddings");
		x = block_add(sheet, x, block_gather(sheet, table, types));
	}
	x = sheet->form->rows(sheet, x);
	if (width != encoder->hidden)
		x = emit_projection(emit, x, encoder->hidden, false,
				    "embeddings.", "embed_proj");
	x = emit_norm(emit, x, encoder->eps, "", "embeddings.LayerNorm");
	return block_mul(sheet, x, block_rows_of(sheet, *seen, 1));
}

/* Both tokens of a pair are seen. */
static struct value *pair_mask(struct sheet *sheet, struct value *seen)
{
	struct attr perm = seen->rank == 4 ? attr_ints("perm", 0, 1, 3, 2)
					   : attr_ints("perm", 1, 0);
	struct value *turned = graph_node(sheet->graph, "Transpose",
					  INPUTS(seen), &perm, 1);

	return block_masked(sheet, block_mul(sheet, seen, turned));
}

/*
 * The row of the table for each distance in [-reach, reach], past which it
 * stays the same.
 */
static struct value *row_table(struct emit *emit,
			       const struct disentangled *model, int64_t reach,
			       int64_t (*bucket_of)(const struct disentangled *,
						    int64_t))
{
	const int64_t last = 2 * (int64_t)model->span - 1;
	size_t count = 2 * (size_t)reach + 1;
	int64_t *rows = mem_array(count, sizeof(*rows));
	struct value *table;

	if (!rows)
		return graph_fail(emit->graph, -ENOMEM);
	for (size_t i = 0; i < count; i++) {
		int64_t row = bucket_of(model, (int64_t)i - reach) +
			      (int64_t)model->span;

		rows[i] = row < 0 ? 0 : row > last ? last : row;
	}
	table = graph_table(emit->graph, "relative_rows", rows, count);
	free(rows);
	return table;
}

/* How far apart two tokens have to be for both ends of the table. */
static int64_t reach_of(const struct disentangled *model,
			int64_t (*bucket_of)(const struct disentangled *,
					     int64_t))
{
	int64_t span = (int64_t)model->span, reach = 1;

	while (reach < (int64_t)MODEL_POSITIONS_MAX &&
	       bucket_of(model, reach) < span)
		reach++;
	return reach;
}

/* The row of the table for two tokens. */
static void index_pairs(struct emit *emit, struct disentangled *model,
			int64_t (*bucket_of)(const struct disentangled *,
					     int64_t))
{
	struct sheet *sheet = &emit->sheet;
	struct graph *graph = emit->graph;
	int64_t reach = reach_of(model, bucket_of);
	struct value *places = block_places(sheet, sheet->sequence);
	struct value *back = block_differences(sheet, places, places);

	/* How far the second lies before the first. */
	back = block_mul(sheet, back, block_number(sheet, -1));
	back = block_clip(sheet, back, (double)-reach, (double)reach);
	back = block_add(sheet, back, block_number(sheet, (double)reach));
	back = graph_node(graph, "Cast", INPUTS(back),
			  ATTRS(attr_int("to", ONNX_INT64)));
	back = block_gather(sheet, row_table(emit, model, reach, bucket_of),
			    back);
	model->first = block_flat_index(sheet, back, 2 * model->span, false);
	model->second = block_flat_index(sheet, back, 2 * model->span, true);
}

/* What positions add to the scores, as attention() takes it. */
static struct value **position_bias(struct emit *emit,
				    const struct disentangled *model,
				    const struct projections *of)
{
	struct sheet *sheet = &emit->sheet;
	unsigned int heads = model->encoder.heads;
	size_t count = sheet->form->is_batched ? 1 : heads;
	struct value **a = NULL, **b = NULL;

	if (model->c2p)
		a = sheet->form->picked_products(
			sheet, of->q, of->position_keys, heads, model->first);
	if (model->p2c)
		b = sheet->form->picked_products(sheet, of->k,
						 of->position_queries, heads,
						 model->second);
	if (!a || !b)
		return a ? a : b;
	for (size_t i = 0; i < count; i++)
		a[i] = block_add(sheet, a[i], b[i]);
	return a;
}

static struct value *attend(struct emit *emit, const struct disentangled *model,
			    struct projections *of)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = model->encoder.hidden / model->encoder.heads;
	double scale = 1 / sqrt((double)width * model->parts);
	struct value *number = block_number(sheet, scale);
	struct attention attention;

	of->q = block_mul(sheet, of->q, number);
	if (of->position_queries)
		of->position_queries = block_mul(sheet, of->position_queries,
						 number);
	attention = (struct attention){
		.q = of->q,
		.k = of->k,
		.v = of->v,
		.mask = model->mask,
		.heads = model->encoder.heads,
		.scale = 1,
	};
	if (model->is_relative)
		attention.bias = position_bias(emit, model, of);
	return sheet->form->attention(sheet, &attention);
}

static struct value *feed_forward(struct emit *emit,
				  const struct encoder *encoder,
				  const char *prefix, struct value *x)
{
	struct value *y;

	y = emit_linear(emit, x, encoder->intermediate, prefix,
			"intermediate.dense");
	y = block_activation(&emit->sheet, encoder->activation, y);
	y = emit_linear(emit, y, encoder->hidden, prefix, "output.dense");
	return emit_norm(emit, block_add(&emit->sheet, y, x), encoder->eps,
			 prefix, "output.LayerNorm");
}

struct value *disentangled_body(
	struct emit *emit, struct disentangled *model,
	int64_t (*bucket_of)(const struct disentangled *model,
			     int64_t distance),
	void (*project)(struct emit *emit, const struct disentangled *model,
			const char *prefix, struct value *x,
			struct projections *out))
{
	const struct encoder *encoder = &model->encoder;
	char prefix[TENSOR_NAME_MAX];
	struct value *x, *y, *before, *seen;

	x = embed(emit, model, &seen);
	model->mask = pair_mask(&emit->sheet, seen);
	if (model->is_relative)
		index_pairs(emit, model, bucket_of);
	for (unsigned int i = 0; i < encoder->layers; i++) {
		struct projections of = { 0 };

		if (emit->graph->error < 0)
			break;
		snprintf(prefix, sizeof(prefix), "encoder.layer.%u.", i);
		before = x;
		project(emit, model, prefix, x, &of);
		y = attend(emit, model, &of);
		y = emit_linear(emit, y, encoder->hidden, prefix,
				"attention.output.dense");
		x = emit_norm(emit, block_add(&emit->sheet, y, x), encoder->eps,
			      prefix, "attention.output.LayerNorm");
		x = feed_forward(emit, encoder, prefix, x);
		if (i == 0 && model->after_first)
			x = model->after_first(emit, model, before, x,
					       block_rows_of(&emit->sheet, seen,
							     1));
	}
	return x;
}

static bool is_legacy(const struct json *config)
{
	return json_bool(json_get(config, "legacy"), true);
}

bool disentangled_has_words(const struct json *config,
			    const struct weights *weights)
{
	return weights_find(weights,
			    is_legacy(config)
				    ? "cls.predictions.transform.dense.weight"
				    : "lm_predictions.lm_head.dense.weight");
}

void disentangled_words(struct emit *emit, struct value *x)
{
	bool legacy = is_legacy(emit->config);
	struct word_head head = {
		.dense = "cls.predictions.transform.dense",
		.norm = "cls.predictions.transform.LayerNorm",
		.activation = config_text(emit, "hidden_act", "gelu"),
		.width = config_count(emit, "embedding_size", x->width,
				      MODEL_WIDTH_MAX),
		.eps = config_epsilon(emit, "layer_norm_eps", 1e-7),
		.decoder = "cls.predictions.decoder",
		.bias = { "cls.predictions.decoder.bias",
			  "cls.predictions.bias" },
	};

	if (!legacy) {
		head.dense = "lm_predictions.lm_head.dense";
		head.norm = "lm_predictions.lm_head.LayerNorm";
		head.width = x->width;
		head.decoder = WORDS;
		head.bias[0] = "lm_predictions.lm_head.bias";
		head.bias[1] = NULL;
	}
	emit_words(emit, x, &head);
}

void disentangled_classes(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	const char *activation = config_text(emit, "pooler_hidden_act", "gelu");

	x = sheet->form->token(sheet, x, 0);
	x = emit_linear(emit, x, x->width, "", "pooler.dense");
	x = block_activation(sheet, activation, x);
	x = emit_linear(emit, x, 0, "", "classifier");
	sheet->form->output_each(sheet, x, "logits");
}
