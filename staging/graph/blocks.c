/* SPDX-License-Identifier: MIT */
#include "staging/graph/blocks.h"

struct value *block_unary(struct sheet *sheet, const char *op, struct value *x)
{
	return graph_node(sheet->graph, op, INPUTS(x), NO_ATTRS);
}

/*
 * Deeplearning4j makes a matrix of a scalar and a vector of one element, and
 * takes a vector whose length is not known for one while it imports.
 */
static struct value *beside(struct sheet *sheet, struct value *x,
			    const struct value *other)
{
	struct graph *graph = sheet->graph;

	if (x->rank > 0 || other->rank != 1)
		return x;
	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, -1)), NO_ATTRS);
	x->rank = 1;
	x->width = other->width;
	return x;
}

static struct value *binary(struct sheet *sheet, const char *op,
			    struct value *a, struct value *b)
{
	struct value *out = graph_node(
		sheet->graph, op,
		INPUTS(beside(sheet, a, b), beside(sheet, b, a)), NO_ATTRS);

	/* Of a scalar constant on the left only the other has a shape. */
	if (b->rank > a->rank) {
		out->rank = b->rank;
		out->width = b->width;
	}
	if (!out->sequence)
		out->sequence = b->sequence;
	return out;
}

struct value *block_number(struct sheet *sheet, double f)
{
	return graph_float(sheet->graph, (float)f);
}

struct value *block_add(struct sheet *sheet, struct value *a, struct value *b)
{
	return binary(sheet, "Add", a, b);
}

struct value *block_sub(struct sheet *sheet, struct value *a, struct value *b)
{
	return binary(sheet, "Sub", a, b);
}

struct value *block_mul(struct sheet *sheet, struct value *a, struct value *b)
{
	return binary(sheet, "Mul", a, b);
}

struct value *block_div(struct sheet *sheet, struct value *a, struct value *b)
{
	return binary(sheet, "Div", a, b);
}

struct value *block_gemm(struct sheet *sheet, struct value *a, struct value *b,
			 bool trans_b, double alpha)
{
	struct value *out;

	out = graph_node(sheet->graph, "Gemm", INPUTS(a, b),
			 ATTRS(attr_float("alpha", (float)alpha),
			       attr_float("beta", 0), attr_int("transA", 0),
			       attr_int("transB", trans_b)));
	out->width = trans_b ? 0 : b->width;
	return out;
}

struct value *block_rows_of(struct sheet *sheet, struct value *x,
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

struct value *block_fused_part(struct sheet *sheet, struct value *x,
			       unsigned int heads, unsigned int part,
			       unsigned int parts)
{
	uint64_t width = x->width / heads / parts;

	x = block_rows_of(sheet, x, parts * width);
	x = block_slice(sheet, x, (int64_t)(part * width),
			(int64_t)((part + 1) * width), 1);
	return block_rows_of(sheet, x, heads * width);
}

struct value *block_columns(struct sheet *sheet, struct value *const *parts,
			    size_t count)
{
	struct value *out = graph_node(sheet->graph, "Concat", parts, count,
				       ATTRS(attr_int("axis", 1)));

	for (size_t i = 1; i < count; i++)
		out->width += parts[i]->width;
	return out;
}

struct value *block_tanh(struct sheet *sheet, struct value *x)
{
	return block_unary(sheet, "Tanh", x);
}

struct value *block_slice(struct sheet *sheet, struct value *x, int64_t begin,
			  int64_t end, unsigned int axis)
{
	struct graph *graph = sheet->graph;
	struct value *out = graph_node(graph, "Slice",
				       INPUTS(x, INTS(graph, begin),
					      INTS(graph, end),
					      INTS(graph, axis)),
				       NO_ATTRS);

	if (axis + 1 == x->rank)
		out->width = end > begin ? (uint64_t)(end - begin) : 0;
	return out;
}

static struct value *gather(struct sheet *sheet, struct value *table,
			    struct value *ids)
{
	struct graph *graph = sheet->graph;
	unsigned int rank = table->rank;
	struct value *out;

	table = graph_straight(graph, table);
	out = graph_node(graph, "Gather", INPUTS(table, ids),
			 ATTRS(attr_int("axis", 0)));
	out->rank = ids->rank + rank - 1;
	out->sequence = ids->sequence;
	return out;
}

struct value *block_gather(struct sheet *sheet, struct value *table,
			   struct value *ids)
{
	struct value *out;

	if (sheet->form->is_batched || table->rank != 1 || ids->rank != 2)
		return gather(sheet, table, ids);
	/* Deeplearning4j dies of a vector whose elements a matrix names. */
	out = gather(sheet, block_rows_of(sheet, table, 1), ids);
	out = graph_node(sheet->graph, "Squeeze",
			 INPUTS(out, INTS(sheet->graph, 2)), NO_ATTRS);
	out->rank = 2;
	out->width = 0;
	return out;
}

static struct value *mean(struct sheet *sheet, struct value *x)
{
	struct value *out =
		graph_node(sheet->graph, "ReduceMean", INPUTS(x),
			   ATTRS(attr_ints("axes", (int64_t)x->rank - 1),
				 attr_int("keepdims", 1)));

	out->width = 1;
	return out;
}

static struct value *misfit(struct sheet *sheet, const struct value *weight)
{
	return graph_refuse(sheet->graph, "shape-mismatch", weight->name,
			    "the tensor %s does not fit what it normalises",
			    weight->name);
}

struct value *block_layer_norm(struct sheet *sheet, struct value *x,
			       struct value *scale, struct value *bias,
			       double eps)
{
	struct value *centred, *spread;

	if (scale && scale->rows != x->width)
		return misfit(sheet, scale);
	if (bias && bias->rows != x->width)
		return misfit(sheet, bias);
	centred = block_sub(sheet, x, mean(sheet, x));
	spread = mean(sheet, block_mul(sheet, centred, centred));
	spread =
		block_unary(sheet, "Sqrt",
			    block_add(sheet, spread, block_number(sheet, eps)));
	x = binary(sheet, "Div", centred, spread);
	if (scale)
		x = block_mul(sheet, x, scale);
	return bias ? block_add(sheet, x, bias) : x;
}

struct value *block_rms_norm(struct sheet *sheet, struct value *x,
			     struct value *scale, double eps, bool is_centred)
{
	struct value *spread = mean(sheet, block_mul(sheet, x, x));

	if (scale->rows != x->width)
		return misfit(sheet, scale);
	spread = block_add(sheet, spread, block_number(sheet, eps));
	x = binary(sheet, "Div", x, block_unary(sheet, "Sqrt", spread));
	if (is_centred)
		scale = block_add(sheet, scale, block_number(sheet, 1));
	return block_mul(sheet, x, scale);
}

struct value *block_clip(struct sheet *sheet, struct value *x, double low,
			 double high)
{
	return graph_node(sheet->graph, "Clip",
			  INPUTS(x, block_number(sheet, low),
				 block_number(sheet, high)),
			  NO_ATTRS);
}

struct value *block_unit_rows(struct sheet *sheet, struct value *x)
{
	struct value *length = graph_node(sheet->graph, "ReduceL2", INPUTS(x),
					  ATTRS(attr_ints("axes", 1),
						attr_int("keepdims", 1)));

	length->width = 1;
	return block_div(sheet, x, length);
}
