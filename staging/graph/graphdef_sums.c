/* SPDX-License-Identifier: MIT */
/* Operators that go along axes: sums, means, softmax, products of matrices. */
#include "staging/graph/graphdef_ops.h"

#include <string.h>

struct term *term_reduce(struct translation *t, const char *op, struct term *x,
			 struct term *axes, bool keep)
{
	struct term *out = term_node(t, op, x->type, TERMS(x, axes),
				     OP_ATTRS(op_type("T", x->type),
					      op_type("Tidx", axes->type),
					      op_bool("keep_dims", keep)));

	if (!keep && x->rank != RANK_UNKNOWN)
		out->rank = x->rank - (int)axes->int_count;
	return out;
}

/* The numbers in the attribute or the input "axes"; false: none. */
static bool axes_given(const struct op_call *call, const int64_t **axes,
		       size_t *count)
{
	const struct attr *attr = call_attr(call, "axes");
	const struct term *input = call->given > 1 ? call->in[1] : NULL;

	*axes = attr ? attr->ints : input ? input->ints : NULL;
	*count = attr ? attr->int_count : input ? input->int_count : 0;
	return attr || input;
}

/* The axes as a constant, all if none is given; NULL: refused. */
static struct term *axes_of(struct translation *t, const struct op_call *call)
{
	const struct term *x = call->in[0];
	int64_t found[TENSOR_RANK_MAX + 1];
	const int64_t *axes;
	size_t count;
	bool given = axes_given(call, &axes, &count);

	if (given && (!axes || count > TENSOR_RANK_MAX ||
		      (call->given > 1 && !term_is_known(call->in[1])))) {
		call_refuse(t, call, "over axes that a run tells");
		return NULL;
	}
	if (count == 0) {
		if (x->rank < 0 || x->rank > TENSOR_RANK_MAX ||
		    call_int(call, "noop_with_empty_axes", 0) != 0) {
			call_refuse(t, call, "over no axes");
			return NULL;
		}
		for (int i = 0; i < x->rank; i++)
			found[i] = i;
		count = (size_t)x->rank;
	} else {
		for (size_t i = 0; i < count; i++)
			found[i] = call_axis(t, call, x, axes[i]);
	}
	return term_ints(t, DT_INT32, found, count);
}

struct term *op_reduce(struct translation *t, const struct op_call *call)
{
	struct term *axes = axes_of(t, call);
	struct term *x = call->in[0];

	if (!axes || t->error < 0)
		return &t->nowhere;
	if (!term_is_float(x) && strcmp(call->tf, "Mean") == 0)
		return call_refuse(t, call, "of whole numbers");
	return term_reduce(t, call->tf, x, axes,
			   call_int(call, "keepdims", 1) != 0);
}

struct term *op_reduce_l2(struct translation *t, const struct op_call *call)
{
	struct term *axes = axes_of(t, call);
	struct term *x = call->in[0];

	if (!axes || t->error < 0)
		return &t->nowhere;
	if (!term_is_float(x))
		return call_refuse(t, call, "of whole numbers");
	x = term_reduce(t, "Sum", term_binary(t, "Mul", x, x), axes,
			call_int(call, "keepdims", 1) != 0);
	return term_unary(t, "Sqrt", x);
}

/* The first of equal ones, as in TensorFlow. */
struct term *op_arg(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	int axis = call_axis(t, call, x, call_int(call, "axis", 0));
	struct term *out;

	if (axis < 0)
		return &t->nowhere;
	if (call_int(call, "select_last_index", 0) != 0)
		return call_refuse(t, call, "of the last of equal ones");
	out = term_node(
		t, call->tf, DT_INT64, TERMS(x, term_int(t, DT_INT32, axis)),
		OP_ATTRS(op_type("T", x->type), op_type("Tidx", DT_INT32),
			 op_type("output_type", DT_INT64)));
	if (x->rank != RANK_UNKNOWN)
		out->rank = x->rank - 1;
	if (call_int(call, "keepdims", 1) != 0)
		out = term_expand_dims(t, out, axis);
	return out;
}

/* @x with its axes @a and @b in each other's place. */
static struct term *swapped(struct translation *t, struct term *x, int a, int b)
{
	int64_t perm[TENSOR_RANK_MAX];

	for (int i = 0; i < x->rank; i++)
		perm[i] = i == a ? b : i == b ? a : i;
	return term_transpose(t, x, perm, (size_t)x->rank);
}

struct term *op_softmax(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	int64_t axis = call_int(call, "axis", -1);
	int last = x->rank - 1, at;

	if (t->for_dl4j && x->rank != 2)
		return call_refuse(t, call,
				   "of a tensor that is no matrix, in "
				   "Deeplearning4j");
	if (axis == -1 || (x->rank != RANK_UNKNOWN && axis == last))
		return term_unary(t, call->tf, x);
	at = call_axis(t, call, x, axis);
	if (at < 0 || x->rank > TENSOR_RANK_MAX)
		return &t->nowhere;
	x = swapped(t, x, at, last);
	return swapped(t, term_unary(t, call->tf, x), at, last);
}

struct term *op_cumulate(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *axis = call->in[1];

	if (!term_is_known(axis) || axis->int_count != 1)
		return call_refuse(t, call, "along an axis that a run tells");
	axis = term_int(t, DT_INT32, call_axis(t, call, x, axis->ints[0]));
	return term_node(t, call->tf, x->type, TERMS(x, axis),
			 OP_ATTRS(op_type("T", x->type),
				  op_type("Tidx", DT_INT32),
				  op_bool("exclusive",
					  call_int(call, "exclusive", 0) != 0),
				  op_bool("reverse",
					  call_int(call, "reverse", 0) != 0)));
}

static struct term *matrices(struct translation *t, struct term *a,
			     struct term *b, bool trans_a, bool trans_b)
{
	struct term *out;

	out = term_node(t, "MatMul", a->type, TERMS(a, b),
			OP_ATTRS(op_type("T", a->type),
				 op_bool("transpose_a", trans_a),
				 op_bool("transpose_b", trans_b)));
	out->rank = 2;
	return out;
}

static struct term *scaled(struct translation *t, struct term *x, double factor)
{
	if (factor == 1)
		return x;
	return term_binary(t, "Mul", x, term_number(t, x->type, (float)factor));
}

struct term *op_gemm(struct translation *t, const struct op_call *call)
{
	double beta = call_float(call, "beta", 1);
	struct term *a = call->in[0], *b = call->in[1], *out;

	if (a->type != b->type || !term_is_float(a))
		return call_refuse(t, call, "of these types");
	if (a->rank != 2 || b->rank != 2)
		return call_refuse(t, call, "of other than matrices");
	out = matrices(t, a, b, call_int(call, "transA", 0) != 0,
		       call_int(call, "transB", 0) != 0);
	out = scaled(t, out, call_float(call, "alpha", 1));
	if (!call->in[2] || beta == 0)
		return out;
	return term_binary(t, "AddV2", out, scaled(t, call->in[2], beta));
}

struct term *op_matmul(struct translation *t, const struct op_call *call)
{
	struct term *a = call->in[0], *b = call->in[1], *out;

	if (a->type != b->type || !term_is_float(a))
		return call_refuse(t, call, "of these types");
	if (a->rank < 2 || b->rank < 2)
		return call_refuse(t, call, "of a vector");
	if (a->rank == 2 && b->rank == 2)
		return matrices(t, a, b, false, false);
	if (t->for_dl4j)
		return call_refuse(t, call, "of batches, in Deeplearning4j");
	out = term_node(t, call->tf, a->type, TERMS(a, b),
			OP_ATTRS(op_type("T", a->type), op_bool("adj_x", false),
				 op_bool("adj_y", false)));
	out->rank = a->rank > b->rank ? a->rank : b->rank;
	return out;
}
