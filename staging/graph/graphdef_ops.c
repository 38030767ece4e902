/* SPDX-License-Identifier: MIT */
#include "staging/graph/graphdef_ops.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

#define OP_INPUTS_MAX 8 /* that a rule names; Concat has any number */
#define OP_ANY SIZE_MAX

static const struct rule {
	const char *onnx;
	const char *tf; /* NULL: several */
	struct term *(*translate)(struct translation *t,
				  const struct op_call *call);
	size_t inputs_min, inputs_max;
} rules[] = {
	{ "Abs", "Abs", op_unary, 1, 1 },
	{ "Add", "AddV2", op_binary, 2, 2 },
	{ "And", "LogicalAnd", op_logic, 2, 2 },
	{ "ArgMax", "ArgMax", op_arg, 1, 1 },
	{ "ArgMin", "ArgMin", op_arg, 1, 1 },
	{ "AveragePool", "AvgPool", op_average_pool, 1, 1 },
	{ "BatchNormalization", NULL, op_batch_norm, 5, 5 },
	{ "Cast", "Cast", op_cast, 1, 1 },
	{ "Ceil", "Ceil", op_unary, 1, 1 },
	{ "Clip", NULL, op_clip, 1, 3 },
	{ "Concat", "ConcatV2", op_concat, 1, OP_ANY },
	{ "Conv", "Conv2D", op_conv, 2, 3 },
	{ "Cos", "Cos", op_unary, 1, 1 },
	{ "CumSum", "Cumsum", op_cumulate, 2, 2 },
	{ "Div", "RealDiv", op_divide, 2, 2 },
	{ "Equal", "Equal", op_compare, 2, 2 },
	{ "Erf", "Erf", op_unary, 1, 1 },
	{ "Exp", "Exp", op_unary, 1, 1 },
	{ "Expand", "BroadcastTo", op_expand, 2, 2 },
	{ "Flatten", "Reshape", op_flatten, 1, 1 },
	{ "Floor", "Floor", op_unary, 1, 1 },
	{ "Gather", "GatherV2", op_gather, 2, 2 },
	{ "GatherElements", "GatherV2", op_gather_each, 2, 2 },
	{ "GatherND", "GatherNd", op_gather_nd, 2, 2 },
	{ "Gemm", "MatMul", op_gemm, 2, 3 },
	{ "GlobalAveragePool", "Mean", op_pool_all, 1, 1 },
	{ "GlobalMaxPool", "Max", op_pool_all, 1, 1 },
	{ "Greater", "Greater", op_compare, 2, 2 },
	{ "GreaterOrEqual", "GreaterEqual", op_compare, 2, 2 },
	{ "Identity", "Identity", op_identity, 1, 1 },
	{ "LeakyRelu", "LeakyRelu", op_leaky, 1, 1 },
	{ "Less", "Less", op_compare, 2, 2 },
	{ "LessOrEqual", "LessEqual", op_compare, 2, 2 },
	{ "Log", "Log", op_unary, 1, 1 },
	{ "LogSoftmax", "LogSoftmax", op_softmax, 1, 1 },
	{ "MatMul", "BatchMatMulV2", op_matmul, 2, 2 },
	{ "Max", "Maximum", op_variadic, 1, OP_ANY },
	{ "MaxPool", "MaxPool", op_max_pool, 1, 1 },
	{ "Min", "Minimum", op_variadic, 1, OP_ANY },
	{ "Mod", "FloorMod", op_modulo, 2, 2 },
	{ "Mul", "Mul", op_binary, 2, 2 },
	{ "Neg", "Neg", op_unary, 1, 1 },
	{ "Not", "LogicalNot", op_logic, 1, 1 },
	{ "Or", "LogicalOr", op_logic, 2, 2 },
	{ "Pow", "Pow", op_power, 2, 2 },
	{ "Range", "Range", op_range, 3, 3 },
	{ "Reciprocal", "Reciprocal", op_unary, 1, 1 },
	{ "ReduceL2", NULL, op_reduce_l2, 1, 2 },
	{ "ReduceMax", "Max", op_reduce, 1, 2 },
	{ "ReduceMean", "Mean", op_reduce, 1, 2 },
	{ "ReduceMin", "Min", op_reduce, 1, 2 },
	{ "ReduceProd", "Prod", op_reduce, 1, 2 },
	{ "ReduceSum", "Sum", op_reduce, 1, 2 },
	{ "Relu", "Relu", op_unary, 1, 1 },
	{ "Reshape", "Reshape", op_reshape, 2, 2 },
	{ "Resize", NULL, op_resize, 1, 4 },
	{ "Shape", "Shape", op_shape, 1, 1 },
	{ "Sigmoid", "Sigmoid", op_unary, 1, 1 },
	{ "Sign", "Sign", op_unary, 1, 1 },
	{ "Sin", "Sin", op_unary, 1, 1 },
	{ "Slice", "StridedSlice", op_slice, 3, 5 },
	{ "Softmax", "Softmax", op_softmax, 1, 1 },
	{ "Softplus", "Softplus", op_unary, 1, 1 },
	{ "Sqrt", "Sqrt", op_unary, 1, 1 },
	{ "Squeeze", "Squeeze", op_squeeze, 1, 2 },
	{ "Sub", "Sub", op_binary, 2, 2 },
	{ "Tanh", "Tanh", op_unary, 1, 1 },
	{ "Tile", "Tile", op_tile, 2, 2 },
	{ "Transpose", "Transpose", op_transpose, 1, 1 },
	{ "Unsqueeze", "ExpandDims", op_unsqueeze, 2, 2 },
	{ "Where", "SelectV2", op_where, 3, 3 },
};

static const struct rule *rule_of(const char *onnx)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(rules[i].onnx, onnx) == 0)
			return &rules[i];
	return NULL;
}

const struct attr *call_attr(const struct op_call *call, const char *name)
{
	const struct node *node = call->node;

	for (size_t i = 0; i < node->attr_count; i++)
		if (strcmp(node->attrs[i].name, name) == 0)
			return &node->attrs[i];
	return NULL;
}

const char *call_text(const struct op_call *call, const char *name,
		      const char *otherwise)
{
	const struct attr *attr = call_attr(call, name);

	return attr && attr->kind == ATTR_TEXT ? attr->text : otherwise;
}

int64_t call_int(const struct op_call *call, const char *name,
		 int64_t otherwise)
{
	const struct attr *attr = call_attr(call, name);

	return attr && attr->kind == ATTR_INT ? attr->i : otherwise;
}

double call_float(const struct op_call *call, const char *name,
		  double otherwise)
{
	const struct attr *attr = call_attr(call, name);

	return attr && attr->kind == ATTR_FLOAT ? (double)attr->f : otherwise;
}

struct term *call_refuse(struct translation *t, const struct op_call *call,
			 const char *what)
{
	return term_refuse(t, "unsupported-operator", call->node->op,
			   "TensorFlow has no operation for %s (%s)",
			   call->node->op, what);
}

int call_axis(struct translation *t, const struct op_call *call,
	      const struct term *x, int64_t axis)
{
	if (axis < 0 && x->rank != RANK_UNKNOWN)
		axis += x->rank;
	if (axis < 0 || axis > TENSOR_RANK_MAX ||
	    (x->rank != RANK_UNKNOWN && axis >= x->rank)) {
		call_refuse(t, call, "an axis of a tensor of unknown rank");
		return -1;
	}
	return (int)axis;
}

/* The terms of the inputs; false: one is missing, or not known. */
static bool find_inputs(struct translation *t, const struct node *node,
			const struct rule *rule, struct term **in)
{
	bool any = rule->inputs_max == OP_ANY;

	for (size_t i = 0; i < node->input_count; i++) {
		const struct value *input = node->inputs[i];

		in[i] = input ? map_get(&t->terms, input->name) : NULL;
		if (!in[i] && (input || any || i < rule->inputs_min))
			return false;
	}
	return true;
}

static void output_add(struct translation *t, const struct node *node,
		       struct term *term)
{
	int r;

	if (t->error < 0)
		return;
	if (term->rank == RANK_UNKNOWN)
		term->rank = (int)node->output->rank;
	r = map_add(&t->terms, node->output->name, term);
	if (r < 0)
		term_fail(t, r);
}

void graphdef_translate(struct translation *t, const struct node *node)
{
	const struct rule *rule = rule_of(node->op);
	auto_free struct term **in = NULL;
	struct op_call call = { .node = node, .given = node->input_count };

	if (t->error < 0)
		return;
	if (!rule || node->input_count < rule->inputs_min ||
	    node->input_count > rule->inputs_max) {
		call_refuse(t, &call, "it is not known");
		return;
	}
	call.count = node->input_count + OP_INPUTS_MAX;
	call.in = in = mem_array(call.count, sizeof(*in));
	if (!in) {
		term_fail(t, -ENOMEM);
		return;
	}
	if (!find_inputs(t, node, rule, in)) {
		call_refuse(t, &call, "an input is defined nowhere");
		return;
	}
	call.tf = rule->tf;
	t->base = node->output->name;
	t->base_taken = false;
	output_add(t, node, rule->translate(t, &call));
}
