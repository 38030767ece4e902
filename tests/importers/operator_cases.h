/* SPDX-License-Identifier: MIT */
/*
 * tests/importers/operator_cases.h - what operator_graphs.c makes graphs of.
 */
#ifndef TESTS_IMPORTERS_OPERATOR_CASES_H
#define TESTS_IMPORTERS_OPERATOR_CASES_H

#include "staging/graph/graph.h"
#include "staging/weights/weights.h"

/* One graph being made. */
struct op_case {
	struct graph *graph;
	const struct weights *weights;
	struct value *ids; /* the input */
	struct value *x;   /* float32 of it, about 0 */
};

#define OP(op, ...) graph_node(c->graph, op, INPUTS(__VA_ARGS__), NO_ATTRS)
#define OPA(op, inputs, ...) \
	graph_node(c->graph, op, inputs, ATTRS(__VA_ARGS__))
#define F(f) graph_float(c->graph, (float)(f))
#define I(i) graph_int(c->graph, (i))
#define V(...) INTS(c->graph, __VA_ARGS__)
#define W(name) graph_weight(c->graph, weights_find(c->weights, name))
#define X c->x
#define IDS c->ids

static struct value *ranked(struct value *value, unsigned int rank)
{
	value->rank = rank;
	return value;
}

static struct value *to(struct op_case *c, struct value *x, int64_t type)
{
	return OPA("Cast", INPUTS(x), attr_int("to", type));
}

#define CASE(name, ...)                                     \
	static struct value *case_##name(struct op_case *c) \
	{                                                   \
		return __VA_ARGS__;                         \
	}

CASE(abs, OP("Abs", X))
CASE(neg, OP("Neg", X))
CASE(exp, OP("Exp", X))
CASE(log, OP("Log", OP("Add", OP("Abs", X), F(1))))
CASE(sqrt, OP("Sqrt", OP("Abs", X)))
CASE(erf, OP("Erf", X))
CASE(tanh, OP("Tanh", X))
CASE(sigmoid, OP("Sigmoid", X))
CASE(relu, OP("Relu", X))
CASE(softplus, OP("Softplus", X))
CASE(cos, OP("Cos", X))
CASE(sin, OP("Sin", X))
CASE(floor, OP("Floor", X))
CASE(ceil, OP("Ceil", X))
CASE(sign, OP("Sign", X))
CASE(reciprocal, OP("Reciprocal", OP("Add", OP("Abs", X), F(1))))
CASE(leaky, OPA("LeakyRelu", INPUTS(X), attr_float("alpha", 0.2f)))
CASE(leaky_default, OP("LeakyRelu", X))
CASE(sub, OP("Sub", F(1), X))
CASE(div, OP("Div", X, F(3)))
CASE(div_whole, OP("Div", OP("Sub", IDS, I(4)), I(3)))
CASE(mod_whole, OP("Mod", OP("Sub", IDS, I(4)), I(3)))
CASE(neg_whole, OP("Neg", IDS))
CASE(pow, OP("Pow", OP("Abs", X), F(1.5)))
CASE(pow_whole, OP("Pow", X, I(2)))
CASE(min, OP("Min", X, F(0.25), OP("Neg", X)))
CASE(max, OP("Max", X, F(0.25), OP("Neg", X)))
CASE(clip, OP("Clip", X, F(-0.5), F(0.5)))
CASE(clip_low, OP("Clip", X, F(0.5)))
CASE(equal, OP("Equal", IDS, I(3)))
CASE(less, OP("Less", X, F(0)))
CASE(less_equal, OP("LessOrEqual", X, F(0)))
CASE(greater, OP("Greater", X, F(0)))
CASE(greater_equal, OP("GreaterOrEqual", X, F(0)))
CASE(not, OP("Not", OP("Less", X, F(0))))
CASE(and, OP("And", OP("Less", X, F(0.5)), OP("Greater", X, F(-0.5))))
CASE(or, OP("Or", OP("Less", X, F(-0.5)), OP("Greater", X, F(0.5))))
CASE(where, OP("Where", OP("Less", X, F(0)), F(7), X))
CASE(cast_down, to(c, X, ONNX_INT32))
CASE(softmax, OPA("Softmax", INPUTS(X), attr_int("axis", 3)))
CASE(softmax_inner, OPA("Softmax", INPUTS(X), attr_int("axis", 1)))
CASE(softmax_back, OPA("Softmax", INPUTS(X), attr_int("axis", -2)))
CASE(log_softmax, OPA("LogSoftmax", INPUTS(X), attr_int("axis", -1)))
CASE(mean, OPA("ReduceMean", INPUTS(X), attr_ints("axes", 1, 3),
	       attr_int("keepdims", 1)))
CASE(mean_back, OPA("ReduceMean", INPUTS(X), attr_ints("axes", -1),
		    attr_int("keepdims", 1)))
CASE(mean_drop, ranked(OPA("ReduceMean", INPUTS(X), attr_ints("axes", 0, 2),
			   attr_int("keepdims", 0)),
		       2))
CASE(mean_all, OPA("ReduceMean", INPUTS(X), attr_int("keepdims", 1)))
CASE(sum, OPA("ReduceSum", INPUTS(X, V(1)), attr_int("keepdims", 1)))
CASE(sum_whole,
     ranked(OPA("ReduceSum", INPUTS(IDS, V(-1)), attr_int("keepdims", 0)), 3))
CASE(reduce_max,
     OPA("ReduceMax", INPUTS(X), attr_ints("axes", 1), attr_int("keepdims", 1)))
CASE(reduce_min,
     OPA("ReduceMin", INPUTS(X), attr_ints("axes", 1), attr_int("keepdims", 1)))
CASE(reduce_l2,
     OPA("ReduceL2", INPUTS(X), attr_ints("axes", -1), attr_int("keepdims", 1)))
CASE(arg_max, OPA("ArgMax", INPUTS(X), attr_int("axis", 3)))
CASE(arg_max_drop, ranked(OPA("ArgMax", INPUTS(IDS), attr_int("axis", 1),
			      attr_int("keepdims", 0)),
			  3))
CASE(arg_min, OPA("ArgMin", INPUTS(X), attr_int("axis", -1)))
CASE(cumsum, OPA("CumSum", INPUTS(X, I(3)), attr_int("exclusive", 0),
		 attr_int("reverse", 0)))
CASE(cumsum_odd, OPA("CumSum", INPUTS(X, I(-3)), attr_int("exclusive", 1),
		     attr_int("reverse", 1)))
CASE(transpose, OPA("Transpose", INPUTS(X), attr_ints("perm", 2, 0, 3, 1)))
CASE(transpose_back, OP("Transpose", X))
CASE(reshape, ranked(OP("Reshape", X, V(4, -1)), 2))
CASE(reshape_zero, ranked(OP("Reshape", X, V(0, -1, 0)), 3))
CASE(flatten, ranked(OPA("Flatten", INPUTS(X), attr_int("axis", 1)), 2))
CASE(flatten_all, ranked(OPA("Flatten", INPUTS(X), attr_int("axis", 0)), 2))
CASE(shape, ranked(OP("Shape", X), 1))
CASE(unsqueeze, ranked(OP("Unsqueeze", X, V(2, 0)), 6))
CASE(unsqueeze_back, ranked(OP("Unsqueeze", X, V(-1)), 5))
CASE(expand_wide,
     ranked(OP("Expand",
	       OPA("ReduceSum", INPUTS(X, V(0)), attr_int("keepdims", 1)),
	       V(3, 2, 1, 1, 1)),
	    5))
CASE(tile, OP("Tile", X, V(1, 2, 1, 3)))
CASE(range, ranked(OP("Range", I(2), I(11), I(3)), 1))
CASE(concat, OPA("Concat", INPUTS(X, OP("Neg", X), X), attr_int("axis", 2)))
CASE(concat_back, OPA("Concat", INPUTS(X, X), attr_int("axis", -1)))
CASE(concat_one, OPA("Concat", INPUTS(X), attr_int("axis", 1)))
CASE(slice, OP("Slice", X, V(1), V(3), V(2)))
CASE(slice_two, OP("Slice", X, V(1, 0), V(5, 2), V(3, 1)))
CASE(slice_back, OP("Slice", X, V(-3), V(-1), V(-1)))
CASE(slice_open, OP("Slice", X, V(1), V(INT64_MAX), V(3)))
CASE(slice_step, OP("Slice", X, V(0), V(INT64_MAX), V(3), V(2)))
CASE(slice_reverse, OP("Slice", X, V(-1), V(INT64_MIN + 1), V(3), V(-1)))
CASE(slice_reverse_all,
     OP("Slice", X, V(INT64_MAX), V(INT64_MIN + 1), V(3), V(-2)))
CASE(slice_no_axes, OP("Slice", X, V(0, 1), V(1, 3)))
CASE(gather,
     ranked(OPA("Gather", INPUTS(X, V(1, 0, 1)), attr_int("axis", 2)), 4))
CASE(gather_scalar,
     ranked(OPA("Gather", INPUTS(X, I(1)), attr_int("axis", 1)), 3))
CASE(gather_rows,
     ranked(OPA("Gather", INPUTS(W("rows"), IDS), attr_int("axis", 0)), 5))
CASE(gather_each, OPA("GatherElements", INPUTS(X, OP("Mod", IDS, I(2))),
		      attr_int("axis", 3)))
CASE(identity, OP("Identity", X))

/* How shapes are put together in the families. */
static struct value *case_shape_of_parts(struct op_case *c)
{
	struct value *shape = OP("Shape", X), *half;

	ranked(shape, 1);
	half = ranked(OP("Slice", shape, V(-2), V(4), V(0)), 1);
	half = OP("Mul", half, V(1, 1));
	shape = OPA("Gather", INPUTS(shape, V(0)), attr_int("axis", 0));
	shape = OPA("Concat", INPUTS(shape, V(-1), half), attr_int("axis", 0));
	return ranked(OP("Reshape", X, shape), 4);
}

static struct value *case_slice_at_run(struct op_case *c)
{
	struct value *shape = ranked(OP("Shape", X), 1), *end;

	end = OPA("Gather", INPUTS(shape, V(3)), attr_int("axis", 0));
	end = OP("Sub", end, V(2));
	return OP("Slice", X, V(1), end, V(3));
}

static struct value *case_gather_negative(struct op_case *c)
{
	struct value *shape = ranked(OP("Shape", X), 1);

	return ranked(
		OPA("Gather", INPUTS(shape, V(-1, 0)), attr_int("axis", 0)), 1);
}

static struct value *case_expand(struct op_case *c)
{
	struct value *shape = ranked(OP("Shape", X), 1), *one;

	one = OPA("ReduceMax", INPUTS(X), attr_ints("axes", 1),
		  attr_int("keepdims", 1));
	return OP("Expand", one, shape);
}

static struct value *case_range_of_length(struct op_case *c)
{
	struct value *shape = ranked(OP("Shape", X), 1), *length;

	length = ranked(OPA("Gather", INPUTS(shape, I(3)), attr_int("axis", 0)),
			0);
	return ranked(OP("Range", I(0), length, I(1)), 1);
}

static struct value *case_squeeze(struct op_case *c)
{
	struct value *one = OPA("ReduceMean", INPUTS(X),
				attr_ints("axes", 0, 3),
				attr_int("keepdims", 1));

	return ranked(OP("Squeeze", one, V(-1, 0)), 2);
}

static struct value *case_gather_nd(struct op_case *c)
{
	struct value *at = OP("Mod", IDS, I(2));

	/* The last axis of the input has 6: two are left for one index. */
	at = OP("Slice", at, V(0), V(2), V(3));
	return ranked(OP("GatherND", X, at), 5);
}

/* X is a matrix here. */
CASE(gemm,
     OPA("Gemm", INPUTS(X, W("matrix"), W("bias5")), attr_float("alpha", 1),
	 attr_float("beta", 1), attr_int("transA", 0), attr_int("transB", 0)))
CASE(gemm_odd, OPA("Gemm", INPUTS(X, W("matrix_t"), W("bias5")),
		   attr_float("alpha", 0.5f), attr_float("beta", 2),
		   attr_int("transA", 0), attr_int("transB", 1)))
CASE(gemm_no_c,
     OPA("Gemm", INPUTS(X, X), attr_float("alpha", 0.25f),
	 attr_float("beta", 0), attr_int("transA", 1), attr_int("transB", 0)))
CASE(matmul, OP("MatMul", X, W("matrix")))
CASE(half_weight, OP("MatMul", X, W("half")))
CASE(double_weight, OP("MatMul", X, W("double")))
CASE(softmax_columns, OPA("Softmax", INPUTS(X), attr_int("axis", 0)))

/* X is [batch, 8, height, width]. */
#define WINDOW(k0, k1, s0, s1, p0, p1, p2, p3, d0, d1)                   \
	attr_ints("kernel_shape", k0, k1), attr_ints("strides", s0, s1), \
		attr_ints("pads", p0, p1, p2, p3),                       \
		attr_ints("dilations", d0, d1)
CASE(batch_matmul,
     OP("MatMul", X,
	OPA("Transpose", INPUTS(X), attr_ints("perm", 0, 1, 3, 2))))
CASE(matmul_mixed, OP("MatMul", X, W("matrix_6")))
CASE(conv, OPA("Conv", INPUTS(X, W("kernel"), W("bias6")),
	       WINDOW(3, 3, 1, 1, 0, 0, 0, 0, 1, 1), attr_int("group", 1)))
CASE(conv_padded,
     OPA("Conv", INPUTS(X, W("kernel")), WINDOW(3, 3, 2, 1, 1, 0, 2, 1, 1, 1),
	 attr_int("group", 1)))
CASE(conv_dilated,
     OPA("Conv", INPUTS(X, W("kernel"), W("bias6")),
	 WINDOW(3, 3, 1, 1, 2, 2, 2, 2, 2, 2), attr_int("group", 1)))
CASE(conv_groups,
     OPA("Conv", INPUTS(X, W("kernel_2"), W("bias6")),
	 WINDOW(3, 3, 1, 1, 1, 1, 1, 1, 1, 1), attr_int("group", 2)))
CASE(conv_depth,
     OPA("Conv", INPUTS(X, W("kernel_8"), W("bias16")),
	 WINDOW(3, 3, 2, 2, 1, 1, 1, 1, 1, 1), attr_int("group", 8)))
CASE(conv_depth_dilated,
     OPA("Conv", INPUTS(X, W("kernel_8"), W("bias16")),
	 WINDOW(3, 3, 1, 2, 2, 2, 2, 2, 2, 2), attr_int("group", 8)))
CASE(max_pool, OPA("MaxPool", INPUTS(X), attr_ints("kernel_shape", 3, 2),
		   attr_ints("strides", 2, 1), attr_ints("pads", 1, 0, 1, 1)))
CASE(average_pool,
     OPA("AveragePool", INPUTS(X), attr_ints("kernel_shape", 3, 3),
	 attr_ints("strides", 2, 2), attr_ints("pads", 1, 1, 1, 1)))
CASE(average_pool_pads,
     OPA("AveragePool", INPUTS(X), attr_ints("kernel_shape", 3, 3),
	 attr_ints("strides", 2, 2), attr_ints("pads", 1, 1, 1, 1),
	 attr_int("count_include_pad", 1)))
CASE(average_pool_bare,
     OPA("AveragePool", INPUTS(X), attr_ints("kernel_shape", 2, 2),
	 attr_ints("strides", 2, 2)))
CASE(pool_all, OP("GlobalAveragePool", X))
CASE(batch_norm, OPA("BatchNormalization",
		     INPUTS(X, W("a8"), W("b8"), W("c8"), OP("Abs", W("d8"))),
		     attr_float("epsilon", 0.25f)))

static struct value *case_max_pool_all(struct op_case *c)
{
	return OP("GlobalMaxPool", case_batch_norm(c));
}

static struct value *resized(struct op_case *c, const char *mode,
			     const char *coordinates, const char *nearest)
{
	struct value *shape = ranked(OP("Shape", X), 1), *to;
	struct value *inputs[] = { X, NULL, NULL, NULL };

	shape = OP("Slice", shape, V(0), V(2), V(0));
	to = OPA("Concat", INPUTS(shape, V(13, 3)), attr_int("axis", 0));
	inputs[3] = to;
	return graph_node(
		c->graph, "Resize", inputs, 4,
		ATTRS(attr_text("mode", mode),
		      attr_text("coordinate_transformation_mode", coordinates),
		      attr_text("nearest_mode", nearest)));
}

CASE(resize_half, resized(c, "linear", "half_pixel", "floor"))
CASE(resize_asymmetric, resized(c, "linear", "asymmetric", "floor"))
CASE(resize_corners, resized(c, "linear", "align_corners", "floor"))
CASE(resize_nearest, resized(c, "nearest", "asymmetric", "floor"))
CASE(resize_cubic, resized(c, "cubic", "half_pixel", "floor"))
CASE(resize_nearest_half,
     resized(c, "nearest", "half_pixel", "round_prefer_ceil"))

static struct value *case_resize_factors(struct op_case *c)
{
	struct value *inputs[] = { X, NULL, NULL };
	const float factors[] = { 1, 1, 2, 3 };

	inputs[2] = graph_float_table(c->graph, "factors", factors, SHAPE(4));
	return graph_node(c->graph, "Resize", inputs, 3,
			  ATTRS(attr_text("mode", "linear")));
}

/* X is [batch, 8, length]. */
CASE(conv_line,
     OPA("Conv", INPUTS(X, W("line"), W("bias6")), attr_ints("kernel_shape", 3),
	 attr_ints("strides", 2), attr_ints("pads", 2, 1),
	 attr_ints("dilations", 1), attr_int("group", 1)))
CASE(conv_line_groups,
     OPA("Conv", INPUTS(X, W("line_2")), attr_ints("kernel_shape", 3),
	 attr_ints("strides", 1), attr_ints("pads", 1, 1),
	 attr_ints("dilations", 1), attr_int("group", 2)))
CASE(max_pool_line, OPA("MaxPool", INPUTS(X), attr_ints("kernel_shape", 3),
			attr_ints("strides", 2), attr_ints("pads", 1, 1)))

#endif
