/* SPDX-License-Identifier: MIT */
#include "staging/graph/form.h"

#include <errno.h>
#include <math.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/graph/form_windows.h"
#include "staging/graph/past_rows.h"

static struct value *declare(struct sheet *sheet, const char *name,
			     enum onnx_type type, uint64_t width)
{
	struct sequence *sequence = sheet->sequence;
	const struct dim dims[] = { { .size = 1 },
				    sequence->tokens,
				    { .size = width } };
	struct value *input = graph_input(sheet->graph, name, type, dims,
					  width > 0 ? 3 : 2);

	input->sequence = sequence;
	if (!sequence->like)
		sequence->like = input;
	return input;
}

static struct value *flat(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;
	struct value *out;

	out = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, -1)),
			 NO_ATTRS);
	out->rank = 1;
	return out;
}

static struct value *dl4j_ids(struct sheet *sheet, const char *name)
{
	return flat(sheet, declare(sheet, name, ONNX_INT64, 0));
}

static struct value *dl4j_states(struct sheet *sheet, const char *name,
				 uint64_t width)
{
	return block_rows_of(sheet, declare(sheet, name, ONNX_FLOAT, width),
			     width);
}

/* There is one sequence: embeddings are rows of tokens already. */
static struct value *dl4j_rows(struct sheet *sheet, struct value *x)
{
	(void)sheet;
	return x;
}

static struct value *dl4j_seen(struct sheet *sheet, const char *name)
{
	sheet->seen = graph_node(sheet->graph, "Cast",
				 INPUTS(declare(sheet, name, ONNX_INT64, 0)),
				 ATTRS(attr_int("to", ONNX_FLOAT)));
	return sheet->seen;
}

static struct value *dl4j_mask(struct sheet *sheet, const char *name)
{
	return block_masked(sheet, dl4j_seen(sheet, name));
}

static struct value *dl4j_linear(struct sheet *sheet, struct value *x,
				 struct value *weight, struct value *bias)
{
	struct value *out = block_gemm(sheet, x, weight, !weight->transposed,
				       1);

	out->width = weight->rows;
	return bias ? block_add(sheet, out, bias) : out;
}

static struct value *head_of(struct sheet *sheet, struct value *x,
			     unsigned int head, uint64_t width)
{
	return block_slice(sheet, x, (int64_t)(head * width),
			   (int64_t)((head + 1) * width), 1);
}

/* What one head looks at; shared by the heads of a group. */
struct keys {
	struct value *k, *v;
};

static struct value *turned(struct sheet *sheet,
			    const struct attention *attention, struct value *x)
{
	if (!attention->rotary)
		return x;
	return block_rotate(sheet, attention->rotary, x);
}

static struct value *one_head(struct sheet *sheet,
			      const struct attention *attention,
			      unsigned int head, const struct keys *keys)
{
	uint64_t width = attention->q->width / attention->heads;
	double scale = attention->scale;
	struct value *q = head_of(sheet, attention->q, head, width);
	struct value *scores, *out;

	if (scale == 0)
		scale = 1 / sqrt((double)width);
	q = turned(sheet, attention, q);
	scores = block_gemm(sheet, q, keys->k, true, scale);
	if (attention->mask)
		scores = block_add(sheet, scores, attention->mask);
	if (attention->bias)
		scores = block_add(sheet, scores, attention->bias[head]);
	scores = graph_node(sheet->graph, "Softmax", INPUTS(scores),
			    ATTRS(attr_int("axis", 1)));
	out = block_gemm(sheet, scores, keys->v, false, 1);
	out->width = keys->v->width;
	return out;
}

static struct value **list_of(struct sheet *sheet, size_t count)
{
	struct value **list = arena_alloc(&sheet->graph->arena,
					  count * sizeof(*list));

	if (!list)
		graph_fail(sheet->graph, -ENOMEM);
	return list;
}

static struct keys keys_of(struct sheet *sheet,
			   const struct attention *attention,
			   unsigned int group, unsigned int groups)
{
	uint64_t k_width = attention->k->width / groups;
	uint64_t v_width = attention->v->width / groups;
	const struct past *past = attention->past;
	struct keys keys = {
		.k = turned(sheet, attention,
			    head_of(sheet, attention->k, group, k_width)),
		.v = head_of(sheet, attention->v, group, v_width),
	};

	if (past) {
		keys.k = past_rows_with(sheet, past->key, group, keys.k);
		keys.v = past_rows_with(sheet, past->value, group, keys.v);
	}
	return keys;
}

/* What each group of heads looks at.  NULL: failed. */
static struct keys *all_keys(struct sheet *sheet,
			     const struct attention *attention,
			     unsigned int groups)
{
	struct keys *keys = arena_alloc(&sheet->graph->arena,
					groups * sizeof(*keys));
	struct value **k = list_of(sheet, groups), **v = list_of(sheet, groups);

	if (!keys || !k || !v) {
		graph_fail(sheet->graph, -ENOMEM);
		return NULL;
	}
	for (unsigned int i = 0; i < groups; i++) {
		keys[i] = keys_of(sheet, attention, i, groups);
		k[i] = keys[i].k;
		v[i] = keys[i].v;
	}
	if (attention->past) {
		attention->past->all_keys = past_of_rows(sheet, k, groups);
		attention->past->all_values = past_of_rows(sheet, v, groups);
	}
	return keys;
}

static struct value *dl4j_attention(struct sheet *sheet,
				    const struct attention *attention)
{
	struct graph *graph = sheet->graph;
	unsigned int groups = attention->kv_heads ? attention->kv_heads
						  : attention->heads;
	unsigned int each = attention->heads / groups;
	struct value **heads = list_of(sheet, attention->heads);
	const struct keys *keys = all_keys(sheet, attention, groups);
	struct value *out;

	if (!heads || !keys)
		return &graph->nowhere;
	for (unsigned int i = 0; i < attention->heads; i++)
		heads[i] = one_head(sheet, attention, i, &keys[i / each]);
	if (attention->heads == 1)
		return heads[0];
	out = graph_node(graph, "Concat", heads, attention->heads,
			 ATTRS(attr_int("axis", 1)));
	out->width = attention->v->width / groups * attention->heads;
	out->sequence = attention->q->sequence;
	return out;
}

/* [length, length] for each head. */
static struct value **dl4j_relative_bias(struct sheet *sheet,
					 struct value *table,
					 struct value *buckets)
{
	struct graph *graph = sheet->graph;
	unsigned int heads = (unsigned int)table->width;
	struct value **bias = list_of(sheet, heads);

	table = graph_straight(graph, table);
	for (unsigned int i = 0; bias && i < heads; i++) {
		struct value *column = block_slice(sheet, table, i, i + 1, 1);

		bias[i] = block_gather(sheet, flat(sheet, column), buckets);
	}
	return bias;
}

static struct value **dl4j_picked_products(struct sheet *sheet, struct value *x,
					   struct value *rows,
					   unsigned int heads,
					   struct value *index)
{
	struct value **picked = list_of(sheet, heads);
	uint64_t width = x->width / heads;

	for (unsigned int i = 0; picked && i < heads; i++) {
		struct value *y = block_gemm(sheet, head_of(sheet, x, i, width),
					     head_of(sheet, rows, i, width),
					     true, 1);

		picked[i] = block_gather(sheet, flat(sheet, y), index);
	}
	return picked;
}

static struct value *dl4j_over_heads(struct sheet *sheet, struct value *x)
{
	(void)sheet;
	return x;
}

static struct value *dl4j_tokens(struct sheet *sheet, struct value *map,
				 uint64_t channels, const char *name,
				 uint64_t count)
{
	struct graph *graph = sheet->graph;
	struct dim tokens = { .param = count ? NULL : name, .size = count };
	struct sequence *sequence;
	struct value *x;

	x = graph_node(graph, "Reshape",
		       INPUTS(map, INTS(graph, (int64_t)channels, -1)),
		       NO_ATTRS);
	x->rank = 2;
	x = graph_node(graph, "Transpose", INPUTS(x),
		       ATTRS(attr_ints("perm", 1, 0)));
	x->width = channels;
	sequence = sheet_sequence_of(sheet, x, 0, sheet_batch(sheet), tokens);
	if (sequence)
		sequence->map = map;
	return x;
}

static struct value *dl4j_map(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;
	struct value *shape = sequence_map_shape(sheet, x->sequence, x->width);
	struct value *out;

	out = graph_node(graph, "Transpose", INPUTS(x),
			 ATTRS(attr_ints("perm", 1, 0)));
	out = graph_node(graph, "Reshape", INPUTS(out, shape), NO_ATTRS);
	out->rank = 4;
	out->channels = x->width;
	out->width = 0;
	out->sequence = NULL;
	return out;
}

static struct value *dl4j_waveform(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;

	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, 1, 1, 1, -1)),
		       NO_ATTRS);
	x->rank = 4;
	x->channels = 1;
	return x;
}

/*
 * A constant as a sum with nothing of a computed value: OpenCV joins
 * constants wrongly.
 */
static struct value *awake(struct sheet *sheet, struct value *table,
			   struct value *x)
{
	struct value *nothing = block_mul(sheet, block_slice(sheet, x, 0, 1, 0),
					  block_number(sheet, 0));

	return block_add(sheet, graph_straight(sheet->graph, table), nothing);
}

static struct value *dl4j_prepend(struct sheet *sheet, struct value *x,
				  struct value *table)
{
	struct graph *graph = sheet->graph;
	const struct sequence *from = x->sequence;
	int64_t count = (int64_t)table->rows;

	table = awake(sheet, table, x);
	x = graph_node(graph, "Concat", INPUTS(table, x),
		       ATTRS(attr_int("axis", 0)));
	if (graph->error < 0)
		return &graph->nowhere;
	sheet_sequence_more(sheet, x, 0, from, (int)count);
	return x;
}

static struct value *dl4j_add_each(struct sheet *sheet, struct value *x,
				   struct value *table)
{
	return block_add(sheet, x, graph_straight(sheet->graph, table));
}

static struct value *dl4j_pick(struct sheet *sheet, struct value *x,
			       struct value *which, struct value *kept,
			       uint64_t count)
{
	struct graph *graph = sheet->graph;
	const struct sequence *from = x->sequence;

	x = graph_node(graph, "Gather", INPUTS(x, which),
		       ATTRS(attr_int("axis", 0)));
	if (kept)
		x = block_mul(sheet, x, kept);
	if (graph->error < 0)
		return &graph->nowhere;
	sheet_sequence_of(sheet, x, 0, from->batch,
			  (struct dim){ .size = count });
	return x;
}

static struct value *dl4j_drop(struct sheet *sheet, struct value *x,
			       uint64_t count)
{
	struct graph *graph = sheet->graph;
	const struct sequence *from = x->sequence;

	x = block_slice(sheet, x, (int64_t)count, INT32_MAX, 0);
	if (graph->error < 0)
		return &graph->nowhere;
	sheet_sequence_more(sheet, x, 0, from, -(int)count);
	return x;
}

static struct value *dl4j_token(struct sheet *sheet, struct value *x,
				uint64_t number)
{
	return block_slice(sheet, x, (int64_t)number, (int64_t)number + 1, 0);
}

static struct value *dl4j_last(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;
	struct value *at = sequence_length(sheet, x->sequence);

	at = block_sub(sheet, at, INTS(graph, 1));
	return graph_node(graph, "Gather", INPUTS(x, at),
			  ATTRS(attr_int("axis", 0)));
}

static struct value *dl4j_mean(struct sheet *sheet, struct value *x)
{
	return graph_node(sheet->graph, "ReduceMean", INPUTS(x),
			  ATTRS(attr_ints("axes", 0), attr_int("keepdims", 1)));
}

static struct value *dl4j_highest(struct sheet *sheet, struct value *x)
{
	return graph_node(sheet->graph, "ReduceMax", INPUTS(x),
			  ATTRS(attr_ints("axes", 0), attr_int("keepdims", 1)));
}

static struct value *dl4j_weigh(struct sheet *sheet, struct value *x,
				struct value *weights)
{
	struct graph *graph = sheet->graph;
	struct value *out;

	weights = graph_node(graph, "Reshape",
			     INPUTS(weights, INTS(graph, 1, -1)), NO_ATTRS);
	weights->rank = 2;
	out = block_gemm(sheet, weights, x, false, 1);
	out->width = x->width;
	return out;
}

static void dl4j_output_tokens(struct sheet *sheet, struct value *x,
			       const char *name)
{
	struct graph *graph = sheet->graph;
	const struct sequence *sequence = x->sequence;
	int64_t width = (int64_t)x->width;

	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, 1, -1, width)),
		       NO_ATTRS);
	if (graph->error == 0)
		graph_output(graph, x, name,
			     (const struct dim[]){ { .size = 1 },
						   sequence->tokens,
						   { .size = x->width } },
			     3);
}

static void dl4j_output_column(struct sheet *sheet, struct value *x,
			       unsigned int column, const char *name)
{
	struct graph *graph = sheet->graph;
	const struct sequence *sequence = x->sequence;

	if (x->width > 1)
		x = block_slice(sheet, x, column, column + 1, 1);
	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, 1, -1)),
		       NO_ATTRS);
	if (graph->error == 0)
		graph_output(graph, x, name,
			     (const struct dim[]){ { .size = 1 },
						   sequence->tokens },
			     2);
}

static void dl4j_output_each(struct sheet *sheet, struct value *x,
			     const char *name)
{
	struct dim dims[] = { { 0 }, { .size = x->width } };

	sheet_output(sheet, x, name, dims, 2);
}

const struct form form_dl4j = {
	.name = "dl4j",
	.batch = { .size = 1 },
	.ids = dl4j_ids,
	.states = dl4j_states,
	.rows = dl4j_rows,
	.seen = dl4j_seen,
	.mask = dl4j_mask,
	.linear = dl4j_linear,
	.attention = dl4j_attention,
	.windowed = dl4j_windowed,
	.relative_bias = dl4j_relative_bias,
	.picked_products = dl4j_picked_products,
	.over_heads = dl4j_over_heads,
	.tokens = dl4j_tokens,
	.map = dl4j_map,
	.resize = block_bilinear,
	.waveform = dl4j_waveform,
	.prepend = dl4j_prepend,
	.add_each = dl4j_add_each,
	.pick = dl4j_pick,
	.drop = dl4j_drop,
	.token = dl4j_token,
	.last = dl4j_last,
	.mean = dl4j_mean,
	.highest = dl4j_highest,
	.weigh = dl4j_weigh,
	.output_tokens = dl4j_output_tokens,
	.output_column = dl4j_output_column,
	.output_each = dl4j_output_each,
};
