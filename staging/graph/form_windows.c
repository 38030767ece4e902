/* SPDX-License-Identifier: MIT */
#include "staging/graph/form_windows.h"

#include <errno.h>
#include <math.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"

static struct value *reshape(struct sheet *sheet, struct value *x,
			     const int64_t *dims, size_t count)
{
	struct graph *graph = sheet->graph;
	struct value *out =
		graph_node(graph, "Reshape",
			   INPUTS(x, graph_ints(graph, dims, count)), NO_ATTRS);

	out->rank = (unsigned int)count;
	out->width = dims[count - 1] > 0 ? (uint64_t)dims[count - 1] : 0;
	return out;
}

#define RESHAPE(sheet, x, ...)                        \
	reshape(sheet, x, (int64_t[]){ __VA_ARGS__ }, \
		ARRAY_LEN(((int64_t[]){ __VA_ARGS__ })))

static struct value *scaled(struct sheet *sheet,
			    const struct attention *attention)
{
	uint64_t width = attention->q->width / attention->heads;

	return block_mul(sheet, attention->q,
			 block_number(sheet, 1 / sqrt((double)width)));
}

/* [windows, tokens, heads, width of a head], in another order. */
static struct value *stacked(struct sheet *sheet,
			     const struct attention *attention,
			     const struct windows *windows, struct value *x,
			     const int64_t perm[4])
{
	int64_t heads = attention->heads, width = (int64_t)x->width / heads;

	x = RESHAPE(sheet, x, -1, (int64_t)windows->tokens, heads, width);
	return graph_node(
		sheet->graph, "Transpose", INPUTS(x),
		ATTRS(attr_ints("perm", perm[0], perm[1], perm[2], perm[3])));
}

static struct value *softmax(struct sheet *sheet, struct value *x)
{
	return graph_node(sheet->graph, "Softmax", INPUTS(x),
			  ATTRS(attr_int("axis", (int64_t)x->rank - 1)));
}

static struct value *product(struct sheet *sheet, struct value *a,
			     struct value *b)
{
	return graph_node(sheet->graph, "MatMul", INPUTS(a, b), NO_ATTRS);
}

/* The windows of an image by themselves, for each has a mask of its own. */
static struct value *masked_softmax(struct sheet *sheet,
				    const struct attention *attention,
				    const struct windows *windows,
				    struct value *scores)
{
	int64_t heads = attention->heads, tokens = (int64_t)windows->tokens;
	struct value *added = block_add(sheet, windows->mask,
					attention->bias[0]);

	scores = RESHAPE(sheet, scores, -1, (int64_t)windows->count, heads,
			 tokens, tokens);
	scores = softmax(sheet, block_add(sheet, scores, added));
	return RESHAPE(sheet, scores, -1, heads, tokens, tokens);
}

struct value *plain_windowed(struct sheet *sheet,
			     const struct attention *attention,
			     const struct windows *windows)
{
	static const int64_t by_head[] = { 0, 2, 1, 3 };
	static const int64_t turned[] = { 0, 2, 3, 1 };
	struct value *q = scaled(sheet, attention), *k, *v, *x;

	if (sheet->graph->error < 0 || !attention->bias)
		return graph_fail(sheet->graph, -EINVAL);
	q = stacked(sheet, attention, windows, q, by_head);
	k = stacked(sheet, attention, windows, attention->k, turned);
	v = stacked(sheet, attention, windows, attention->v, by_head);
	x = product(sheet, q, k);
	if (windows->mask)
		x = masked_softmax(sheet, attention, windows, x);
	else
		x = softmax(sheet, block_add(sheet, x, attention->bias[0]));
	x = product(sheet, x, v);
	x = graph_node(sheet->graph, "Transpose", INPUTS(x),
		       ATTRS(attr_ints("perm", 0, 2, 1, 3)));
	x->sequence = attention->q->sequence;
	return block_rows_of(sheet, x, attention->v->width);
}

static struct value *sum(struct sheet *sheet, struct value *x,
			 unsigned int axis)
{
	struct value *out = graph_node(sheet->graph, "ReduceSum",
				       INPUTS(x, INTS(sheet->graph, axis)),
				       ATTRS(attr_int("keepdims", 0)));

	out->rank = x->rank - 1;
	return out;
}

/* The columns of one head. */
static struct value *column(struct sheet *sheet, struct value *x,
			    unsigned int head, unsigned int heads)
{
	int64_t width = (int64_t)(x->width / heads);

	return block_slice(sheet, x, head * width, (head + 1) * width, 1);
}

static struct value *one_head(struct sheet *sheet,
			      const struct attention *attention,
			      const struct windows *windows, struct value *q,
			      struct value *mask, unsigned int head)
{
	int64_t count = (int64_t)windows->count;
	int64_t tokens = (int64_t)windows->tokens;
	unsigned int heads = attention->heads;
	struct value *k = column(sheet, attention->k, head, heads);
	struct value *v = column(sheet, attention->v, head, heads);
	int64_t width = (int64_t)v->width;
	struct value *x;

	q = column(sheet, q, head, heads);
	q = RESHAPE(sheet, q, count, tokens, 1, width);
	k = RESHAPE(sheet, k, count, 1, tokens, width);
	v = RESHAPE(sheet, v, count, 1, tokens, width);
	x = sum(sheet, block_mul(sheet, q, k), 3);
	x = block_add(sheet, x,
		      RESHAPE(sheet, attention->bias[head], 1, tokens, tokens));
	if (mask)
		x = block_add(sheet, x, mask);
	x = softmax(sheet, RESHAPE(sheet, x, count * tokens, tokens));
	x = RESHAPE(sheet, x, count, tokens, tokens, 1);
	x = sum(sheet, block_mul(sheet, x, v), 2);
	return RESHAPE(sheet, x, count * tokens, width);
}

struct value *dl4j_windowed(struct sheet *sheet,
			    const struct attention *attention,
			    const struct windows *windows)
{
	struct value *heads[MODEL_HEADS_MAX], *mask = windows->mask;
	struct value *q = scaled(sheet, attention), *out;
	int64_t tokens = (int64_t)windows->tokens;

	if (sheet->graph->error < 0 || !attention->bias ||
	    attention->heads > MODEL_HEADS_MAX)
		return graph_fail(sheet->graph, -EINVAL);
	if (mask)
		mask = RESHAPE(sheet, mask, (int64_t)windows->count, tokens,
			       tokens);
	for (unsigned int i = 0; i < attention->heads; i++)
		heads[i] = one_head(sheet, attention, windows, q, mask, i);
	out = heads[0];
	if (attention->heads > 1)
		out = block_columns(sheet, heads, attention->heads);
	out->sequence = attention->q->sequence;
	return out;
}
