/* SPDX-License-Identifier: MIT */
/*
 * Bilinear interpolation by arithmetic and convolutions, for importers that
 * make squares of what a Resize gives.
 *
 * A pixel at s between those of its source takes of the one at j the part
 * max(0, 1 - |s - j|).  A convolution whose channels are the pixels of one
 * axis, and whose weights are these parts, interpolates that axis.
 */
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"

/* The axes of a map with @axis and @with exchanged. */
static struct value *exchanged(struct sheet *sheet, struct value *x,
			       unsigned int axis, unsigned int with)
{
	int64_t perm[] = { 0, 1, 2, 3 };

	perm[axis] = with;
	perm[with] = axis;
	return graph_node(
		sheet->graph, "Transpose", INPUTS(x),
		ATTRS(attr_ints("perm", perm[0], perm[1], perm[2], perm[3])));
}

/* As many ones as @x has pixels along @axis, along @along of four axes. */
static struct value *ones(struct sheet *sheet, struct value *x,
			  unsigned int axis, unsigned int along)
{
	for (unsigned int i = 1; i < 4; i++)
		if (i != axis)
			x = block_slice(sheet, x, 0, 1, i);
	x = exchanged(sheet, x, axis, along);
	x = block_mul(sheet, x, block_number(sheet, 0));
	return block_add(sheet, x, block_number(sheet, 1));
}

static struct value *number_of(struct sheet *sheet, struct value *ones,
			       unsigned int along)
{
	return graph_node(sheet->graph, "ReduceSum",
			  INPUTS(ones, INTS(sheet->graph, along)),
			  ATTRS(attr_int("keepdims", 1)));
}

static struct value *places(struct sheet *sheet, struct value *ones,
			    unsigned int along)
{
	struct graph *graph = sheet->graph;
	struct value *x = graph_node(graph, "CumSum",
				     INPUTS(ones, graph_int(graph, along)),
				     NO_ATTRS);

	return block_sub(sheet, x, block_number(sheet, 1));
}

/* Where each of the pixels @to stands between those @from, all of one axis. */
static struct value *sources(struct sheet *sheet, struct value *to,
			     struct value *from_number)
{
	struct value *half = block_number(sheet, 0.5), *x, *ratio;

	ratio = block_div(sheet, from_number, number_of(sheet, to, 0));
	x = block_add(sheet, places(sheet, to, 0), half);
	x = block_sub(sheet, block_mul(sheet, x, ratio), half);
	x = block_unary(sheet, "Relu", x);
	return graph_node(sheet->graph, "Min",
			  INPUTS(x, block_sub(sheet, from_number,
					      block_number(sheet, 1))),
			  NO_ATTRS);
}

/* [pixels of @like, pixels of @x, 1, 1] along @axis. */
static struct value *parts(struct sheet *sheet, struct value *x,
			   struct value *like, unsigned int axis)
{
	struct value *from = ones(sheet, x, axis, 1);
	struct value *to = ones(sheet, like, axis, 0);
	struct value *far;

	to = sources(sheet, to, number_of(sheet, from, 1));
	far = block_unary(sheet, "Abs",
			  block_sub(sheet, to, places(sheet, from, 1)));
	far = block_sub(sheet, block_number(sheet, 1), far);
	return block_unary(sheet, "Relu", far);
}

static struct value *interpolate(struct sheet *sheet, struct value *x,
				 struct value *weight, unsigned int axis)
{
	const struct conv pixel = {
		.weight = weight,
		.kernel = { 1, 1 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.groups = 1,
	};

	x = block_conv(sheet, exchanged(sheet, x, axis, 1), &pixel);
	return exchanged(sheet, x, axis, 1);
}

struct value *block_bilinear(struct sheet *sheet, struct value *x,
			     struct value *like)
{
	uint64_t channels = x->channels;

	x = interpolate(sheet, x, parts(sheet, x, like, 3), 3);
	x = interpolate(sheet, x, parts(sheet, x, like, 2), 2);
	x->channels = channels;
	return x;
}
