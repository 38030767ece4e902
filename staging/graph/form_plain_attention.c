/* SPDX-License-Identifier: MIT */
/* All heads at once: [batch, heads, tokens, width of a head]. */
#include <errno.h>
#include <math.h>

#include "staging/graph/blocks.h"
#include "staging/graph/form_plain.h"

static struct value *transpose(struct sheet *sheet, struct value *x, int64_t a,
			       int64_t b, int64_t c, int64_t d)
{
	return graph_node(sheet->graph, "Transpose", INPUTS(x),
			  ATTRS(attr_ints("perm", a, b, c, d)));
}

static struct value *matmul(struct sheet *sheet, struct value *a,
			    struct value *b)
{
	return graph_node(sheet->graph, "MatMul", INPUTS(a, b), NO_ATTRS);
}

/* Rows as [batch, tokens, heads, width of a head]. */
static struct value *by_heads(struct sheet *sheet, struct value *x,
			      unsigned int heads)
{
	const int64_t tail[] = { heads, (int64_t)(x->width / heads) };
	struct value *out;

	out = graph_node(sheet->graph, "Reshape",
			 INPUTS(x, plain_shape(sheet, x->sequence, tail, 2)),
			 NO_ATTRS);
	out->rank = 4;
	out->width = x->width / heads;
	return out;
}

/* Where keys are fewer than queries: the heads of a group as one. */
static struct value *regrouped(struct sheet *sheet, struct value *x,
			       unsigned int heads)
{
	struct graph *graph = sheet->graph;

	return graph_node(graph, "Reshape",
			  INPUTS(x, INTS(graph, 0, heads, -1, 0)), NO_ATTRS);
}

static struct value *scaled_queries(struct sheet *sheet,
				    const struct attention *attention)
{
	uint64_t width = attention->q->width / attention->heads;
	double scale = attention->scale;
	struct value *q = attention->q;

	if (scale == 0)
		scale = 1 / sqrt((double)width);
	if (scale != 1)
		q = block_mul(sheet, q,
			      graph_float(sheet->graph, (float)scale));
	q = by_heads(sheet, q, attention->heads);
	if (attention->rotary)
		q = block_rotate(sheet, attention->rotary, q);
	return transpose(sheet, q, 0, 2, 1, 3);
}

static struct value *joined(struct sheet *sheet, struct value *before,
			    struct value *x)
{
	return graph_node(sheet->graph, "Concat", INPUTS(before, x),
			  ATTRS(attr_int("axis", 2)));
}

/* [batch, heads, width of a head, tokens] */
static struct value *turned_keys(struct sheet *sheet,
				 const struct attention *attention,
				 unsigned int heads)
{
	struct value *k = by_heads(sheet, attention->k, heads);

	if (attention->rotary)
		k = block_rotate(sheet, attention->rotary, k);
	if (!attention->past)
		return transpose(sheet, k, 0, 2, 3, 1);
	k = transpose(sheet, k, 0, 2, 1, 3);
	k = joined(sheet, attention->past->key, k);
	attention->past->all_keys = k;
	return transpose(sheet, k, 0, 1, 3, 2);
}

static struct value *values_of(struct sheet *sheet,
			       const struct attention *attention,
			       unsigned int heads)
{
	struct value *v = by_heads(sheet, attention->v, heads);

	v = transpose(sheet, v, 0, 2, 1, 3);
	if (!attention->past)
		return v;
	v = joined(sheet, attention->past->value, v);
	attention->past->all_values = v;
	return v;
}

struct value *plain_attention(struct sheet *sheet,
			      const struct attention *attention)
{
	unsigned int heads = attention->heads, groups = attention->kv_heads;
	bool is_grouped = groups > 0 && groups != heads;
	unsigned int kv_heads = is_grouped ? groups : heads;
	struct value *q = scaled_queries(sheet, attention);
	struct value *k = turned_keys(sheet, attention, kv_heads);
	struct value *v = values_of(sheet, attention, kv_heads);
	struct value *scores, *out;

	if (is_grouped)
		q = regrouped(sheet, q, groups);
	scores = matmul(sheet, q, k);
	if (is_grouped)
		scores = regrouped(sheet, scores, heads);
	if (attention->mask)
		scores = block_add(sheet, scores, attention->mask);
	if (attention->bias)
		scores = block_add(sheet, scores, attention->bias[0]);
	scores = graph_node(sheet->graph, "Softmax", INPUTS(scores),
			    ATTRS(attr_int("axis", 3)));
	if (is_grouped)
		scores = regrouped(sheet, scores, groups);
	out = matmul(sheet, scores, v);
	if (is_grouped)
		out = regrouped(sheet, out, heads);
	out = transpose(sheet, out, 0, 2, 1, 3);
	out->sequence = attention->q->sequence;
	return block_rows_of(sheet, out,
			     attention->v->width / kv_heads * heads);
}

/* [1, heads, tokens, tokens] */
struct value **plain_relative_bias(struct sheet *sheet, struct value *table,
				   struct value *buckets)
{
	struct graph *graph = sheet->graph;
	struct value **bias = arena_alloc(&graph->arena, sizeof(*bias));
	struct value *x;

	if (!bias) {
		graph_fail(graph, -ENOMEM);
		return NULL;
	}
	x = block_gather(sheet, table, buckets);
	x = graph_node(graph, "Transpose", INPUTS(x),
		       ATTRS(attr_ints("perm", 2, 0, 1)));
	bias[0] = graph_node(graph, "Unsqueeze", INPUTS(x, INTS(graph, 0)),
			     NO_ATTRS);
	bias[0]->rank = 4;
	return bias;
}

/* [batch, heads, tokens, tokens] */
struct value **plain_picked_products(struct sheet *sheet, struct value *x,
				     struct value *rows, unsigned int heads,
				     struct value *index)
{
	struct graph *graph = sheet->graph;
	struct value **picked = arena_alloc(&graph->arena, sizeof(*picked));
	int64_t width = (int64_t)(x->width / heads);
	struct value *y;

	if (!picked) {
		graph_fail(graph, -ENOMEM);
		return NULL;
	}
	rows = graph_node(graph, "Reshape",
			  INPUTS(rows, INTS(graph, -1, heads, width)),
			  NO_ATTRS);
	rows->rank = 3;
	rows = graph_node(graph, "Transpose", INPUTS(rows),
			  ATTRS(attr_ints("perm", 1, 2, 0)));
	x = transpose(sheet, by_heads(sheet, x, heads), 0, 2, 1, 3);
	y = matmul(sheet, x, rows);
	y = graph_node(graph, "Reshape", INPUTS(y, INTS(graph, 0, heads, -1)),
		       NO_ATTRS);
	y->rank = 3;
	y = graph_node(graph, "Gather", INPUTS(y, index),
		       ATTRS(attr_int("axis", 2)));
	y->rank = 4;
	picked[0] = y;
	return picked;
}

struct value *plain_over_heads(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;
	struct value *out = graph_node(graph, "Unsqueeze",
				       INPUTS(x, INTS(graph, x->rank - 1)),
				       NO_ATTRS);

	out->rank = x->rank + 1;
	return out;
}
