/* SPDX-License-Identifier: MIT */
/*
 * Tables of positions for images of another size, as torch's interpolate()
 * makes them ("bicubic", align_corners=False); for the plain form.
 */
#include "staging/graph/blocks_image.h"

#include <errno.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/blocks.h"

static struct value *reshaped(struct sheet *sheet, struct value *x,
			      const int64_t *dims, size_t count)
{
	struct graph *graph = sheet->graph;
	struct value *out =
		graph_node(graph, "Reshape",
			   INPUTS(x, graph_ints(graph, dims, count)), NO_ATTRS);

	out->rank = (unsigned int)count;
	return out;
}

#define RESHAPED(sheet, x, ...)                        \
	reshaped(sheet, x, (int64_t[]){ __VA_ARGS__ }, \
		 ARRAY_LEN(((int64_t[]){ __VA_ARGS__ })))

/* The sizes [@begin, @end) of a map. */
static struct value *sizes_of(struct sheet *sheet, struct value *map,
			      int64_t begin, int64_t end)
{
	struct value *sizes = graph_node(sheet->graph, "Shape", INPUTS(map),
					 NO_ATTRS);

	sizes->rank = 1;
	return block_slice(sheet, sizes, begin, end, 0);
}

struct value *block_resize_rows(struct sheet *sheet, struct value *rows,
				uint64_t side, struct value *like)
{
	struct graph *graph = sheet->graph;
	int64_t width = (int64_t)rows->width, from = (int64_t)side;
	struct value *x = RESHAPED(sheet, rows, 1, from, from, width);
	struct value *sizes;

	x = graph_node(graph, "Transpose", INPUTS(x),
		       ATTRS(attr_ints("perm", 0, 3, 1, 2)));
	sizes = graph_node(graph, "Concat",
			   INPUTS(INTS(graph, 1, width),
				  sizes_of(sheet, like, 2, 4)),
			   ATTRS(attr_int("axis", 0)));
	x = graph_node(
		graph, "Resize", INPUTS(x, NULL, NULL, sizes),
		ATTRS(attr_text("coordinate_transformation_mode", "half_pixel"),
		      attr_float("cubic_coeff_a", -0.75f),
		      attr_text("mode", "cubic")));
	x = graph_node(graph, "Transpose", INPUTS(x),
		       ATTRS(attr_ints("perm", 0, 2, 3, 1)));
	return block_rows_of(sheet, x, rows->width);
}

/* The middles of @count steps of 1. */
static struct value *middles(struct sheet *sheet, uint64_t count)
{
	struct value *table;
	float *floats;

	if (count > MODEL_IMAGE_MAX)
		return graph_fail(sheet->graph, -EFBIG);
	floats = mem_array(count, sizeof(*floats));
	if (!floats)
		return graph_fail(sheet->graph, -ENOMEM);
	for (uint64_t i = 0; i < count; i++)
		floats[i] = (float)i + 0.5f;
	table = graph_float_table(sheet->graph, "middles", floats,
				  SHAPE(1, count));
	free(floats);
	return table;
}

/* The same of a number that is computed, a vector of one. */
static struct value *middles_of(struct sheet *sheet, struct value *count)
{
	struct graph *graph = sheet->graph;
	struct value *x = graph_node(graph, "Expand",
				     INPUTS(block_number(sheet, 1), count),
				     NO_ATTRS);

	x->rank = 1;
	return block_sub(sheet, block_cumsum(sheet, x, 0),
			 block_number(sheet, 0.5));
}

static struct value *times(struct sheet *sheet, struct value *x, double factor)
{
	return block_mul(sheet, x, block_number(sheet, factor));
}

static struct value *plus(struct sheet *sheet, struct value *x, double term)
{
	return block_add(sheet, x, block_number(sheet, term));
}

/* The cubic whose coefficients these are, the highest first. */
static struct value *cubic(struct sheet *sheet, struct value *x,
			   const double by[4])
{
	struct value *y = times(sheet, x, by[0]);

	y = block_mul(sheet, plus(sheet, y, by[1]), x);
	y = block_mul(sheet, plus(sheet, y, by[2]), x);
	return plus(sheet, y, by[3]);
}

/*
 * What each of @count points takes of each of @side: Keys' kernel with a =
 * -0.5, as wide as the steps between the points are.
 */
static struct value *shares(struct sheet *sheet, uint64_t side,
			    struct value *count)
{
	static const double near_by[] = { 1.5, -2.5, 0, 1 };
	static const double far_by[] = { -0.5, 2.5, -4, 2 };
	struct graph *graph = sheet->graph;
	struct value *step, *wide, *x, *far;

	step = graph_node(graph, "Cast", INPUTS(count),
			  ATTRS(attr_int("to", ONNX_FLOAT)));
	step = block_div(sheet, block_number(sheet, (double)side), step);
	wide = graph_node(graph, "Max", INPUTS(step, block_number(sheet, 1)),
			  NO_ATTRS);
	x = block_mul(sheet, middles_of(sheet, count), step);
	x = block_sub(sheet, middles(sheet, side), RESHAPED(sheet, x, -1, 1));
	x = block_div(sheet, block_unary(sheet, "Abs", x), wide);
	far = cubic(sheet, block_clip(sheet, x, 1, 2), far_by);
	x = cubic(sheet, block_clip(sheet, x, 0, 1), near_by);
	x = block_add(sheet, x, far);
	return block_div(sheet, x,
			 graph_node(graph, "ReduceSum",
				    INPUTS(x, INTS(graph, 1)),
				    ATTRS(attr_int("keepdims", 1))));
}

struct value *block_resample_rows(struct sheet *sheet, struct value *rows,
				  uint64_t side, struct value *like)
{
	struct graph *graph = sheet->graph;
	int64_t width = (int64_t)rows->width, from = (int64_t)side;
	struct value *down = shares(sheet, side, sizes_of(sheet, like, 2, 3));
	struct value *across = shares(sheet, side, sizes_of(sheet, like, 3, 4));
	struct value *x = RESHAPED(sheet, rows, from, from * width);

	x = graph_node(graph, "MatMul", INPUTS(down, x), NO_ATTRS);
	x = RESHAPED(sheet, x, -1, from, width);
	x = graph_node(graph, "MatMul", INPUTS(across, x), NO_ATTRS);
	return block_rows_of(sheet, x, rows->width);
}
