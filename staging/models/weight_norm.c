/* SPDX-License-Identifier: MIT */
#include "staging/models/weight_norm.h"

#include <math.h>

#include "staging/graph/blocks.h"

/* The root of the sum of squares at each place: [1, 1, 1, kernel]. */
static struct value *lengths(struct emit *emit, struct value *v, uint64_t count)
{
	struct sheet *sheet = &emit->sheet;
	struct value *x;

	x = graph_node(emit->graph, "ReduceMean",
		       INPUTS(block_mul(sheet, v, v)),
		       ATTRS(attr_ints("axes", 0, 1), attr_int("keepdims", 1)));
	x = block_mul(sheet, x, block_number(sheet, (double)count));
	return block_unary(sheet, "Sqrt", x);
}

struct value *emit_normed_conv_row(struct emit *emit, struct value *x,
				   const struct conv_shape *shape,
				   const char *prefix, const char *name)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t in = shape->in / shape->groups, kernel = shape->kernel[1];
	const struct shape length = SHAPE(1, 1, 1, kernel);
	const struct shape direction = SHAPE(shape->out, in, 1, kernel);
	bool is_old = bind_has(emit->bind, "%s%s.weight_g", prefix, name);
	const char *g_name = is_old ? "weight_g"
				    : "parametrizations.weight.original0";
	const char *v_name = is_old ? "weight_v"
				    : "parametrizations.weight.original1";
	struct value *g, *v;

	g = bind_shaped(emit->bind, SHAPE(1, 1, kernel), &length, "%s%s.%s",
			prefix, name, g_name);
	v = bind_shaped(emit->bind, SHAPE(shape->out, in, kernel), &direction,
			"%s%s.%s", prefix, name, v_name);
	g = block_div(sheet, g, lengths(emit, v, shape->out * in));
	return emit_conv_of(emit, x, shape, block_mul(sheet, v, g),
			    bind_vector(emit->bind, shape->out, "%s%s.bias",
					prefix, name));
}
