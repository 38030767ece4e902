/* SPDX-License-Identifier: MIT */
/* The activations of transformers (activations.py, ACT2FN). */
#include "staging/graph/blocks.h"

#include <math.h>
#include <string.h>

/* x/2 (1 + erf(x / sqrt 2)) */
static struct value *gelu(struct sheet *sheet, struct value *x)
{
	struct value *y = block_mul(sheet, x, block_number(sheet, M_SQRT1_2));

	y = block_add(sheet, block_unary(sheet, "Erf", y),
		      block_number(sheet, 1));
	return block_mul(sheet, block_mul(sheet, x, y),
			 block_number(sheet, 0.5));
}

/*
 * x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the argument of tanh as x
 * times a polynomial: OpenCV 5.0.0 knows the formula in the order it is
 * written here, and crashes replacing it.
 */
static struct value *gelu_tanh(struct sheet *sheet, struct value *x)
{
	const double factor = sqrt(2 / M_PI);
	struct value *y = block_mul(sheet, block_mul(sheet, x, x),
				    block_number(sheet, 0.044715 * factor));

	y = block_add(sheet, y, block_number(sheet, factor));
	y = block_mul(sheet, y, x);
	y = block_add(sheet, block_tanh(sheet, y), block_number(sheet, 1));
	return block_mul(sheet, block_mul(sheet, x, y),
			 block_number(sheet, 0.5));
}

static struct value *quick_gelu(struct sheet *sheet, struct value *x)
{
	struct value *y = block_mul(sheet, x, block_number(sheet, 1.702));

	return block_mul(sheet, x, block_unary(sheet, "Sigmoid", y));
}

static struct value *gelu_10(struct sheet *sheet, struct value *x)
{
	return block_clip(sheet, gelu(sheet, x), -10, 10);
}

static struct value *relu(struct sheet *sheet, struct value *x)
{
	return block_unary(sheet, "Relu", x);
}

static struct value *relu6(struct sheet *sheet, struct value *x)
{
	return block_clip(sheet, x, 0, 6);
}

static struct value *relu2(struct sheet *sheet, struct value *x)
{
	x = relu(sheet, x);
	return block_mul(sheet, x, x);
}

static struct value *sigmoid(struct sheet *sheet, struct value *x)
{
	return block_unary(sheet, "Sigmoid", x);
}

static struct value *silu(struct sheet *sheet, struct value *x)
{
	return block_mul(sheet, x, sigmoid(sheet, x));
}

static struct value *mish(struct sheet *sheet, struct value *x)
{
	return block_mul(sheet, x,
			 block_tanh(sheet, block_unary(sheet, "Softplus", x)));
}

static struct value *identity(struct sheet *sheet, struct value *x)
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
	{ "linear", identity },
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
