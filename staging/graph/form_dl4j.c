/* SPDX-License-Identifier: MIT */
#include "staging/graph/form.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"

#define LENGTH "sequence_length"

static struct value *declare(struct sheet *sheet, const char *name)
{
	const struct dim dims[] = { { .size = 1 }, { .param = LENGTH } };
	struct value *input = graph_input(sheet->graph, name, dims, 2);

	if (!sheet->input)
		sheet->input = input;
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
	return flat(sheet, declare(sheet, name));
}

/* There is one sequence: embeddings are rows of tokens already. */
static struct value *dl4j_rows(struct sheet *sheet, struct value *x)
{
	(void)sheet;
	return x;
}

static struct value *dl4j_mask(struct sheet *sheet, const char *name)
{
	struct graph *graph = sheet->graph;
	struct value *mask = declare(sheet, name);

	mask = graph_node(graph, "Cast", INPUTS(mask),
			  ATTRS(attr_int("to", ONNX_FLOAT)));
	mask = block_sub(sheet, graph_float(graph, 1), mask);
	return block_mul(sheet, mask, graph_float(graph, -FLT_MAX));
}

static struct value *gemm(struct sheet *sheet, struct value *a, struct value *b,
			  bool trans_b, double alpha)
{
	return graph_node(sheet->graph, "Gemm", INPUTS(a, b),
			  ATTRS(attr_float("alpha", (float)alpha),
				attr_float("beta", 0), attr_int("transA", 0),
				attr_int("transB", trans_b)));
}

static struct value *dl4j_linear(struct sheet *sheet, struct value *x,
				 struct value *weight, struct value *bias)
{
	struct value *out = gemm(sheet, x, weight, !weight->transposed, 1);

	out->width = weight->rows;
	return block_add(sheet, out, bias);
}

static struct value *head_of(struct sheet *sheet, struct value *x,
			     unsigned int head, uint64_t width)
{
	return block_slice(sheet, x, (int64_t)(head * width),
			   (int64_t)((head + 1) * width), 1);
}

static struct value *one_head(struct sheet *sheet,
			      const struct attention *attention,
			      unsigned int head)
{
	uint64_t width = attention->v->width / attention->heads;
	struct value *q = head_of(sheet, attention->q, head, width);
	struct value *k = head_of(sheet, attention->k, head, width);
	struct value *v = head_of(sheet, attention->v, head, width);
	struct value *scores, *out;

	scores = gemm(sheet, q, k, true, 1 / sqrt((double)width));
	scores = block_add(sheet, scores, attention->mask);
	if (attention->bias)
		scores = block_add(sheet, scores, attention->bias[head]);
	scores = graph_node(sheet->graph, "Softmax", INPUTS(scores),
			    ATTRS(attr_int("axis", 1)));
	out = gemm(sheet, scores, v, false, 1);
	out->width = width;
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

static struct value *dl4j_attention(struct sheet *sheet,
				    const struct attention *attention)
{
	struct graph *graph = sheet->graph;
	struct value **heads = list_of(sheet, attention->heads);
	struct value *out;

	if (!heads)
		return &graph->nowhere;
	for (unsigned int i = 0; i < attention->heads; i++)
		heads[i] = one_head(sheet, attention, i);
	out = graph_node(graph, "Concat", heads, attention->heads,
			 ATTRS(attr_int("axis", 1)));
	out->width = attention->v->width;
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

static struct value *dl4j_first(struct sheet *sheet, struct value *x)
{
	return block_slice(sheet, x, 0, 1, 0);
}

static void dl4j_output_tokens(struct sheet *sheet, struct value *x,
			       const char *name)
{
	struct graph *graph = sheet->graph;
	int64_t width = (int64_t)x->width;
	const struct dim dims[] = { { .size = 1 },
				    { .param = LENGTH },
				    { .size = x->width } };

	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, 1, -1, width)),
		       NO_ATTRS);
	graph_output(graph, x, name, dims, 3);
}

static void dl4j_output_column(struct sheet *sheet, struct value *x,
			       unsigned int column, const char *name)
{
	struct graph *graph = sheet->graph;
	const struct dim dims[] = { { .size = 1 }, { .param = LENGTH } };

	if (x->width > 1)
		x = block_slice(sheet, x, column, column + 1, 1);
	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, 1, -1)),
		       NO_ATTRS);
	graph_output(graph, x, name, dims, 2);
}

static void dl4j_output_first(struct sheet *sheet, struct value *x,
			      const char *name)
{
	const struct dim dims[] = { { .size = 1 }, { .size = x->width } };

	graph_output(sheet->graph, x, name, dims, 2);
}

const struct form form_dl4j = {
	.name = "dl4j",
	.ids = dl4j_ids,
	.rows = dl4j_rows,
	.mask = dl4j_mask,
	.linear = dl4j_linear,
	.attention = dl4j_attention,
	.relative_bias = dl4j_relative_bias,
	.first = dl4j_first,
	.output_tokens = dl4j_output_tokens,
	.output_column = dl4j_output_column,
	.output_first = dl4j_output_first,
};
