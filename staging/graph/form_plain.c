/* SPDX-License-Identifier: MIT */
#include "staging/graph/form.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "staging/graph/blocks.h"

#define BATCH "batch_size"
#define LENGTH "sequence_length"

static struct value *declare(struct sheet *sheet, const char *name)
{
	const struct dim dims[] = { { .param = BATCH }, { .param = LENGTH } };
	struct value *input = graph_input(sheet->graph, name, dims, 2);

	if (!sheet->input)
		sheet->input = input;
	return input;
}

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

/* Rows, each of @width numbers. */
static struct value *plain_rows_of(struct sheet *sheet, struct value *x,
				   uint64_t width)
{
	struct graph *graph = sheet->graph;
	struct value *out;

	out = graph_node(graph, "Reshape",
			 INPUTS(x, INTS(graph, -1, (int64_t)width)), NO_ATTRS);
	out->rank = 2;
	out->width = width;
	return out;
}

static struct value *plain_rows(struct sheet *sheet, struct value *x)
{
	return plain_rows_of(sheet, x, x->width);
}

/* Rows as [batch, length, @tail ...]. */
static struct value *batched(struct sheet *sheet, struct value *x,
			     struct value *tail)
{
	struct graph *graph = sheet->graph;
	uint64_t tail_len = tail->width;
	struct value *shape, *out;

	block_length(sheet);
	shape = graph_node(graph, "Concat", INPUTS(sheet->shape, tail),
			   ATTRS(attr_int("axis", 0)));
	out = graph_node(graph, "Reshape", INPUTS(x, shape), NO_ATTRS);
	out->rank = 2 + (unsigned int)tail_len;
	return out;
}

static struct value *plain_mask(struct sheet *sheet, const char *name)
{
	struct graph *graph = sheet->graph;
	struct value *mask = declare(sheet, name);

	mask = graph_node(graph, "Unsqueeze", INPUTS(mask, INTS(graph, 1, 2)),
			  NO_ATTRS);
	mask->rank = 4;
	mask = graph_node(graph, "Cast", INPUTS(mask),
			  ATTRS(attr_int("to", ONNX_FLOAT)));
	mask = block_sub(sheet, graph_float(graph, 1), mask);
	return block_mul(sheet, mask, graph_float(graph, -FLT_MAX));
}

static struct value *plain_linear(struct sheet *sheet, struct value *x,
				  struct value *weight, struct value *bias)
{
	struct value *out;

	out = graph_node(sheet->graph, "Gemm", INPUTS(x, weight, bias),
			 ATTRS(attr_float("alpha", 1), attr_float("beta", 1),
			       attr_int("transA", 0),
			       attr_int("transB", !weight->transposed)));
	out->width = weight->rows;
	return out;
}

static struct value *plain_attention(struct sheet *sheet,
				     const struct attention *attention)
{
	struct graph *graph = sheet->graph;
	uint64_t width = attention->v->width;
	int64_t head = (int64_t)(width / attention->heads);
	struct value *tail = INTS(graph, attention->heads, head);
	struct value *scale = graph_float(graph,
					  (float)(1 / sqrt((double)head)));
	struct value *q, *k, *v, *scores;

	q = block_mul(sheet, attention->q, scale);
	q = transpose(sheet, batched(sheet, q, tail), 0, 2, 1, 3);
	k = transpose(sheet, batched(sheet, attention->k, tail), 0, 2, 3, 1);
	v = transpose(sheet, batched(sheet, attention->v, tail), 0, 2, 1, 3);
	scores = block_add(sheet, matmul(sheet, q, k), attention->mask);
	if (attention->bias)
		scores = block_add(sheet, scores, attention->bias[0]);
	scores = graph_node(graph, "Softmax", INPUTS(scores),
			    ATTRS(attr_int("axis", 3)));
	v = transpose(sheet, matmul(sheet, scores, v), 0, 2, 1, 3);
	return plain_rows_of(sheet, v, width);
}

/* [1, heads, length, length] */
static struct value **plain_relative_bias(struct sheet *sheet,
					  struct value *table,
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

static struct value *plain_first(struct sheet *sheet, struct value *x)
{
	uint64_t width = x->width;

	x = batched(sheet, x, INTS(sheet->graph, (int64_t)width));
	return plain_rows_of(sheet, block_slice(sheet, x, 0, 1, 1), width);
}

static void plain_output_tokens(struct sheet *sheet, struct value *x,
				const char *name)
{
	const struct dim dims[] = { { .param = BATCH },
				    { .param = LENGTH },
				    { .size = x->width } };

	x = batched(sheet, x, INTS(sheet->graph, (int64_t)x->width));
	graph_output(sheet->graph, x, name, dims, 3);
}

static void plain_output_column(struct sheet *sheet, struct value *x,
				unsigned int column, const char *name)
{
	const struct dim dims[] = { { .param = BATCH }, { .param = LENGTH } };

	if (x->width > 1)
		x = block_slice(sheet, x, column, column + 1, 1);
	block_length(sheet);
	x = graph_node(sheet->graph, "Reshape", INPUTS(x, sheet->shape),
		       NO_ATTRS);
	graph_output(sheet->graph, x, name, dims, 2);
}

static void plain_output_first(struct sheet *sheet, struct value *x,
			       const char *name)
{
	const struct dim dims[] = { { .param = BATCH }, { .size = x->width } };

	graph_output(sheet->graph, x, name, dims, 2);
}

const struct form form_plain = {
	.name = "plain",
	.ids = declare,
	.rows = plain_rows,
	.mask = plain_mask,
	.linear = plain_linear,
	.attention = plain_attention,
	.relative_bias = plain_relative_bias,
	.first = plain_first,
	.output_tokens = plain_output_tokens,
	.output_column = plain_output_column,
	.output_first = plain_output_first,
};

const struct form *form_of(enum stage_form form)
{
	return form == STAGE_FORM_DL4J ? &form_dl4j : &form_plain;
}
