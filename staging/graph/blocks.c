/* SPDX-License-Identifier: MIT */
#include "staging/graph/blocks.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

static struct value *unary(struct sheet *sheet, const char *op, struct value *x)
{
	return graph_node(sheet->graph, op, INPUTS(x), NO_ATTRS);
}

static struct value *binary(struct sheet *sheet, const char *op,
			    struct value *a, struct value *b)
{
	struct value *out = graph_node(sheet->graph, op, INPUTS(a, b),
				       NO_ATTRS);

	/* Of a scalar constant on the left only the other has a shape. */
	if (b->rank > a->rank) {
		out->rank = b->rank;
		out->width = b->width;
	}
	return out;
}

static struct value *number(struct sheet *sheet, double f)
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

struct value *block_tanh(struct sheet *sheet, struct value *x)
{
	return unary(sheet, "Tanh", x);
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
		out->width = (uint64_t)(end - begin);
	return out;
}

struct value *block_gather(struct sheet *sheet, struct value *table,
			   struct value *ids)
{
	struct graph *graph = sheet->graph;
	unsigned int rank = table->rank;
	struct value *out;

	table = graph_straight(graph, table);
	out = graph_node(graph, "Gather", INPUTS(table, ids),
			 ATTRS(attr_int("axis", 0)));
	out->rank = ids->rank + rank - 1;
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

struct value *block_layer_norm(struct sheet *sheet, struct value *x,
			       struct value *scale, struct value *bias,
			       double eps)
{
	struct value *centred, *spread;

	if (scale->rows != x->width || bias->rows != x->width)
		return graph_refuse(sheet->graph, "shape-mismatch", scale->name,
				    "the tensor %s does not fit what it "
				    "normalises",
				    scale->name);
	centred = block_sub(sheet, x, mean(sheet, x));
	spread = mean(sheet, block_mul(sheet, centred, centred));
	spread = unary(sheet, "Sqrt",
		       block_add(sheet, spread, number(sheet, eps)));
	x = binary(sheet, "Div", centred, spread);
	return block_add(sheet, block_mul(sheet, x, scale), bias);
}

/* x/2 (1 + erf(x / sqrt 2)) */
static struct value *gelu(struct sheet *sheet, struct value *x)
{
	struct value *y = block_mul(sheet, x, number(sheet, M_SQRT1_2));

	y = block_add(sheet, unary(sheet, "Erf", y), number(sheet, 1));
	return block_mul(sheet, block_mul(sheet, x, y), number(sheet, 0.5));
}

/* x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
static struct value *gelu_tanh(struct sheet *sheet, struct value *x)
{
	struct value *cube = block_mul(sheet, block_mul(sheet, x, x), x);
	struct value *y = block_mul(sheet, cube, number(sheet, 0.044715));

	y = block_mul(sheet, block_add(sheet, x, y),
		      number(sheet, sqrt(2 / M_PI)));
	y = block_add(sheet, block_tanh(sheet, y), number(sheet, 1));
	return block_mul(sheet, block_mul(sheet, x, y), number(sheet, 0.5));
}

static struct value *quick_gelu(struct sheet *sheet, struct value *x)
{
	struct value *y = block_mul(sheet, x, number(sheet, 1.702));

	return block_mul(sheet, x, unary(sheet, "Sigmoid", y));
}

static struct value *clip(struct sheet *sheet, struct value *x, double low,
			  double high)
{
	return graph_node(sheet->graph, "Clip",
			  INPUTS(x, number(sheet, low), number(sheet, high)),
			  NO_ATTRS);
}

static struct value *gelu_10(struct sheet *sheet, struct value *x)
{
	return clip(sheet, gelu(sheet, x), -10, 10);
}

static struct value *relu(struct sheet *sheet, struct value *x)
{
	return unary(sheet, "Relu", x);
}

static struct value *relu6(struct sheet *sheet, struct value *x)
{
	return clip(sheet, x, 0, 6);
}

static struct value *relu2(struct sheet *sheet, struct value *x)
{
	x = relu(sheet, x);
	return block_mul(sheet, x, x);
}

static struct value *sigmoid(struct sheet *sheet, struct value *x)
{
	return unary(sheet, "Sigmoid", x);
}

static struct value *silu(struct sheet *sheet, struct value *x)
{
	return block_mul(sheet, x, sigmoid(sheet, x));
}

static struct value *mish(struct sheet *sheet, struct value *x)
{
	return block_mul(sheet, x,
			 block_tanh(sheet, unary(sheet, "Softplus", x)));
}

static struct value *linear(struct sheet *sheet, struct value *x)
{
	(void)sheet;
	return x;
}

static const struct {
	const char *name;
	struct value *(*make)(struct sheet *sheet, struct value *x);
} activations[] = {
	{ "gelu", gelu },
	{ "gelu_python", gelu },
	{ "gelu_10", gelu_10 },
	{ "gelu_new", gelu_tanh },
	{ "gelu_fast", gelu_tanh },
	{ "gelu_accurate", gelu_tanh },
	{ "gelu_pytorch_tanh", gelu_tanh },
	{ "gelu_python_tanh", gelu_tanh },
	{ "quick_gelu", quick_gelu },
	{ "relu", relu },
	{ "relu2", relu2 },
	{ "relu6", relu6 },
	{ "sigmoid", sigmoid },
	{ "silu", silu },
	{ "swish", silu },
	{ "mish", mish },
	{ "tanh", block_tanh },
	{ "linear", linear },
};

struct value *block_activation(struct sheet *sheet, const char *name,
			       struct value *x)
{
	for (size_t i = 0; i < ARRAY_LEN(activations); i++)
		if (strcmp(activations[i].name, name) == 0)
			return activations[i].make(sheet, x);
	return graph_refuse(sheet->graph, "unsupported-activation", name,
			    "the activation \"%s\" is not known", name);
}

static struct value *input_shape(struct sheet *sheet)
{
	if (!sheet->shape) {
		sheet->shape = graph_node(sheet->graph, "Shape",
					  INPUTS(sheet->input), NO_ATTRS);
		sheet->shape->rank = 1;
		sheet->shape->width = 2;
	}
	return sheet->shape;
}

struct value *block_length(struct sheet *sheet)
{
	struct graph *graph = sheet->graph;
	struct value *out;

	out = graph_node(graph, "Gather",
			 INPUTS(input_shape(sheet), INTS(graph, 1)),
			 ATTRS(attr_int("axis", 0)));
	out->width = 1;
	return out;
}

struct value *block_positions(struct sheet *sheet, struct value *table)
{
	struct graph *graph = sheet->graph;

	return graph_node(graph, "Slice",
			  INPUTS(graph_straight(graph, table), INTS(graph, 0),
				 block_length(sheet), INTS(graph, 0)),
			  NO_ATTRS);
}

static struct value *floats_of(struct sheet *sheet, struct value *ints)
{
	return graph_node(sheet->graph, "Cast", INPUTS(ints),
			  ATTRS(attr_int("to", ONNX_FLOAT)));
}

/*
 * In floats, which hold ids exactly up to 2^24: whole numbers are counted
 * and compared rightly by fewer importers.  The numbers are vectors, for
 * Deeplearning4j makes a matrix of a vector of one id and a scalar.
 */
struct value *block_counted_positions(struct sheet *sheet, struct value *ids,
				      int64_t pad)
{
	struct graph *graph = sheet->graph;
	struct value *none = floats_of(sheet, INTS(graph, pad));
	struct value *one = floats_of(sheet, INTS(graph, 1));
	struct value *seen, *count;

	seen = block_sub(sheet, floats_of(sheet, ids), none);
	seen = binary(sheet, "Min", unary(sheet, "Abs", seen), one);
	count = graph_node(graph, "CumSum",
			   INPUTS(seen, graph_int(graph, ids->rank - 1)),
			   NO_ATTRS);
	count = block_add(sheet, block_mul(sheet, count, seen), none);
	return graph_node(graph, "Cast", INPUTS(count),
			  ATTRS(attr_int("to", ONNX_INT64)));
}

static struct value *reshape_ints(struct sheet *sheet, struct value *x,
				  int64_t rows, int64_t columns)
{
	struct graph *graph = sheet->graph;
	struct value *out = graph_node(graph, "Reshape",
				       INPUTS(x, INTS(graph, rows, columns)),
				       NO_ATTRS);

	out->rank = 2;
	return out;
}

struct value *block_distances(struct sheet *sheet, unsigned int span)
{
	struct graph *graph = sheet->graph;
	int64_t *ints = mem_array(span, sizeof(*ints));
	struct value *places, *to;

	if (!ints)
		return graph_fail(graph, -ENOMEM);
	for (unsigned int i = 0; i < span; i++)
		ints[i] = i;
	places = graph_table(graph, "places", ints, span);
	free(ints);
	places = block_positions(sheet, places);
	to = block_add(sheet, places, INTS(graph, (int64_t)span - 1));
	return block_sub(sheet, reshape_ints(sheet, to, 1, -1),
			 reshape_ints(sheet, places, -1, 1));
}
