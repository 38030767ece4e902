/* SPDX-License-Identifier: MIT */
/* Where tokens stand: positions, distances, causality, rotation. */
#include "staging/graph/blocks.h"

#include <errno.h>
#include <float.h>

#include "base/mem.h"

struct value *block_positions(struct sheet *sheet, struct value *table)
{
	struct graph *graph = sheet->graph;

	return graph_node(graph, "Slice",
			  INPUTS(graph_straight(graph, table), INTS(graph, 0),
				 sequence_length(sheet, sheet->sequence),
				 INTS(graph, 0)),
			  NO_ATTRS);
}

struct value *block_cumsum(struct sheet *sheet, struct value *x,
			   unsigned int axis)
{
	struct graph *graph = sheet->graph;

	return graph_node(graph, "CumSum", INPUTS(x, graph_int(graph, axis)),
			  NO_ATTRS);
}

/*
 * In floats, which hold ids exactly up to 2^24: whole numbers are counted
 * and compared rightly by fewer importers.
 */
struct value *block_counted_positions(struct sheet *sheet, struct value *ids,
				      int64_t pad)
{
	struct graph *graph = sheet->graph;
	struct value *seen, *count;

	seen = graph_node(graph, "Cast", INPUTS(ids),
			  ATTRS(attr_int("to", ONNX_FLOAT)));
	seen = block_sub(sheet, seen, block_number(sheet, (double)pad));
	seen = block_clip(sheet, block_unary(sheet, "Abs", seen), 0, 1);
	count = block_cumsum(sheet, seen, ids->rank - 1);
	count = block_add(sheet, block_mul(sheet, count, seen),
			  block_number(sheet, (double)pad));
	return graph_node(graph, "Cast", INPUTS(count),
			  ATTRS(attr_int("to", ONNX_INT64)));
}

static struct value *as_matrix(struct sheet *sheet, struct value *x,
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
	return block_sub(sheet, as_matrix(sheet, to, 1, -1),
			 as_matrix(sheet, places, -1, 1));
}

/* Of floats, which hold places exactly up to 2^24. */
struct value *block_places(struct sheet *sheet, struct sequence *sequence)
{
	struct graph *graph = sheet->graph;
	struct value *x;

	if (graph->error < 0 || !sequence || !sequence->like)
		return graph_fail(graph, -EINVAL);
	x = sequence->like;
	if (sheet->form->is_batched)
		x = block_slice(sheet, x, 0, 1, 0);
	x = graph_node(graph, "Reshape", INPUTS(x, INTS(graph, -1)), NO_ATTRS);
	x->rank = 1;
	x->width = 0;
	x->sequence = NULL;
	x = graph_node(graph, "Cast", INPUTS(x),
		       ATTRS(attr_int("to", ONNX_FLOAT)));
	x = block_mul(sheet, x, block_number(sheet, 0));
	x = block_add(sheet, x, block_number(sheet, 1));
	return block_sub(sheet, block_cumsum(sheet, x, 0),
			 block_number(sheet, 1));
}

struct value *block_differences(struct sheet *sheet, struct value *from,
				struct value *to)
{
	return block_sub(sheet, as_matrix(sheet, to, 1, -1),
			 as_matrix(sheet, from, -1, 1));
}

struct value *block_causal(struct sheet *sheet, struct value *seen,
			   struct value *queries, struct value *keys,
			   uint64_t window)
{
	/* How far back a key lies: 0 or more if it may be looked at. */
	struct value *back = block_sub(sheet, as_matrix(sheet, queries, -1, 1),
				       as_matrix(sheet, keys, 1, -1));
	struct value *causal, *near;

	causal = block_add(sheet, back, block_number(sheet, 1));
	causal = block_clip(sheet, causal, 0, 1);
	if (window > 0) {
		near = block_sub(sheet, block_number(sheet, (double)window),
				 back);
		near = block_clip(sheet, near, 0, 1);
		causal = block_mul(sheet, causal, near);
	}
	return seen ? block_mul(sheet, seen, causal) : causal;
}

/* 1 where @x is 0, else 0. */
static struct value *is_zero(struct sheet *sheet, struct value *x)
{
	x = block_clip(sheet, block_unary(sheet, "Abs", x), 0, 1);
	return block_sub(sheet, block_number(sheet, 1), x);
}

struct value *block_equals(struct sheet *sheet, struct value *x, double number)
{
	return is_zero(sheet, block_sub(sheet, x, block_number(sheet, number)));
}

struct value *block_first_highest(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;
	unsigned int axis = x->rank - 1;
	struct value *high, *count;

	high = graph_node(graph, "ReduceMax", INPUTS(x),
			  ATTRS(attr_ints("axes", axis),
				attr_int("keepdims", 1)));
	x = is_zero(sheet, block_sub(sheet, x, high));
	count = block_cumsum(sheet, x, axis);
	return block_mul(sheet, x, block_equals(sheet, count, 1));
}

struct value *block_flat_index(struct sheet *sheet, struct value *index,
			       uint64_t rows, bool of_second)
{
	struct graph *graph = sheet->graph;
	struct value *places = block_places(sheet, sheet->sequence);

	places = graph_node(graph, "Cast", INPUTS(places),
			    ATTRS(attr_int("to", ONNX_INT64)));
	places = block_mul(sheet, places, graph_int(graph, (int64_t)rows));
	places = of_second ? as_matrix(sheet, places, 1, -1)
			   : as_matrix(sheet, places, -1, 1);
	return block_add(sheet, index, places);
}

/* Of nothing but the lowest float Deeplearning4j's Softmax makes no numbers. */
struct value *block_masked(struct sheet *sheet, struct value *seen)
{
	struct value *hidden = block_sub(sheet, block_number(sheet, 1), seen);

	return block_mul(sheet, hidden, block_number(sheet, -FLT_MAX / 2));
}

static struct value *twice(struct sheet *sheet, struct value *a,
			   struct value *b)
{
	return graph_node(sheet->graph, "Concat", INPUTS(a, b),
			  ATTRS(attr_int("axis", a->rank - 1)));
}

static struct value *times(struct sheet *sheet, struct value *x, double factor)
{
	return factor == 1 ? x
			   : block_mul(sheet, x, block_number(sheet, factor));
}

const struct rotary *block_rotary_by(struct sheet *sheet, struct value *places,
				     struct value *frequencies, size_t count,
				     double factor)
{
	struct graph *graph = sheet->graph;
	struct rotary *rotary = arena_alloc(&graph->arena, sizeof(*rotary));
	unsigned int axis = places->rank;
	struct value *angles, *sines, *cosines;

	if (!rotary) {
		graph_fail(graph, -ENOMEM);
		return NULL;
	}
	angles = graph_node(graph, "Unsqueeze",
			    INPUTS(places, INTS(graph, axis)), NO_ATTRS);
	angles->rank = axis + 1;
	angles = block_mul(sheet, angles, as_matrix(sheet, frequencies, 1, -1));
	sines = times(sheet, block_unary(sheet, "Sin", angles), factor);
	cosines = times(sheet, block_unary(sheet, "Cos", angles), factor);
	sines = twice(sheet, block_mul(sheet, sines, block_number(sheet, -1)),
		      sines);
	cosines = twice(sheet, cosines, cosines);
	rotary->cos = sheet->form->over_heads(sheet, cosines);
	rotary->sin = sheet->form->over_heads(sheet, sines);
	rotary->width = 2 * count;
	return rotary;
}

const struct rotary *block_rotary(struct sheet *sheet, struct value *places,
				  const float *frequencies, size_t count,
				  double factor)
{
	return block_rotary_by(sheet, places,
			       graph_float_table(sheet->graph, "frequencies",
						 frequencies, SHAPE(count)),
			       count, factor);
}

struct value *block_rotate(struct sheet *sheet, const struct rotary *rotary,
			   struct value *x)
{
	struct graph *graph = sheet->graph;
	unsigned int axis = x->rank - 1;
	uint64_t width = x->width;
	int64_t turned = (int64_t)rotary->width;
	struct value *part = x, *low, *high;

	if (rotary->width < width)
		part = block_slice(sheet, x, 0, turned, axis);
	low = block_slice(sheet, part, 0, turned / 2, axis);
	high = block_slice(sheet, part, turned / 2, turned, axis);
	high = graph_node(graph, "Concat", INPUTS(high, low),
			  ATTRS(attr_int("axis", axis)));
	high->width = rotary->width;
	part = block_add(sheet, block_mul(sheet, part, rotary->cos),
			 block_mul(sheet, high, rotary->sin));
	if (rotary->width < width) {
		part = graph_node(graph, "Concat",
				  INPUTS(part,
					 block_slice(sheet, x, turned,
						     (int64_t)width, axis)),
				  ATTRS(attr_int("axis", axis)));
		part->width = width;
	}
	return part;
}
