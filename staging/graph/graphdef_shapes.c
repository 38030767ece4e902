/* SPDX-License-Identifier: MIT */
/* Operators that change shapes, and those that make them. */
#include "staging/graph/graphdef_ops.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

struct term *term_transpose(struct translation *t, struct term *x,
			    const int64_t *perm, size_t count)
{
	struct term *order = term_ints(t, DT_INT32, perm, count);

	return term_node(t, "Transpose", x->type, TERMS(x, order),
			 OP_ATTRS(op_type("T", x->type),
				  op_type("Tperm", DT_INT32)));
}

struct term *term_shape(struct translation *t, struct term *x)
{
	struct term *out = term_node(t, "Shape", DT_INT64, TERMS(x),
				     OP_ATTRS(op_type("T", x->type),
					      op_type("out_type", DT_INT64)));
	int64_t ints[TENSOR_RANK_MAX];

	out->rank = 1;
	if (x->rank < 0 || x->rank > TENSOR_RANK_MAX)
		return out;
	for (int i = 0; i < x->rank; i++)
		ints[i] = x->from ? (int64_t)x->from->dims[i] : INT_UNKNOWN;
	term_know(t, out, ints, (size_t)x->rank);
	return out;
}

struct term *term_reshape(struct translation *t, struct term *x,
			  struct term *shape)
{
	struct term *out = term_node(t, "Reshape", x->type, TERMS(x, shape),
				     OP_ATTRS(op_type("T", x->type),
					      op_type("Tshape", shape->type)));

	out->rank = shape->ints ? (int)shape->int_count : RANK_UNKNOWN;
	return out;
}

struct term *term_expand_dims(struct translation *t, struct term *x,
			      int64_t axis)
{
	struct term *out = term_node(
		t, "ExpandDims", x->type, TERMS(x, term_int(t, DT_INT32, axis)),
		OP_ATTRS(op_type("T", x->type), op_type("Tdim", DT_INT32)));

	if (x->rank != RANK_UNKNOWN)
		out->rank = x->rank + 1;
	if (x->rank == 0 && x->ints)
		term_know(t, out, x->ints, x->int_count);
	return out;
}

struct term *term_concat(struct translation *t, struct term *const *parts,
			 size_t count, int64_t axis)
{
	auto_free struct term **in = mem_array(count + 1,
					       sizeof(struct term *));
	struct term *out;

	if (!in)
		return term_fail(t, -ENOMEM);
	if (count == 1)
		return parts[0];
	memcpy(in, parts, count * sizeof(*in));
	in[count] = term_int(t, DT_INT32, axis);
	out = term_node(t, "ConcatV2", parts[0]->type, in, count + 1,
			OP_ATTRS(op_int("N", (int64_t)count),
				 op_type("T", parts[0]->type),
				 op_type("Tidx", DT_INT32)));
	return out;
}

struct term *op_identity(struct translation *t, const struct op_call *call)
{
	(void)t;
	return call->in[0];
}

struct term *op_shape(struct translation *t, const struct op_call *call)
{
	return term_shape(t, call->in[0]);
}

static bool has_zero(const struct term *shape)
{
	for (size_t i = 0; i < shape->int_count; i++)
		if (shape->ints[i] == 0)
			return true;
	return false;
}

/* The shape with each 0 replaced by what @x has there. */
static struct term *filled(struct translation *t, struct term *x,
			   struct term *shape)
{
	auto_free struct term **parts = mem_array(shape->int_count + 1,
						  sizeof(struct term *));
	struct term *own = term_shape(t, x), *out;

	if (!parts)
		return term_fail(t, -ENOMEM);
	for (size_t i = 0; i < shape->int_count; i++) {
		int64_t at = (int64_t)i;

		if (shape->ints[i] == 0)
			parts[i] = term_part(t, own, at, at + 1);
		else if (shape->ints[i] != INT_UNKNOWN)
			parts[i] = term_ints(t, DT_INT64, &shape->ints[i], 1);
		else
			parts[i] = term_part(t, shape, at, at + 1);
	}
	out = term_concat(t, parts, shape->int_count, 0);
	term_know(t, out, shape->ints, shape->int_count);
	return out;
}

/*
 * The elements of @ints that a run tells may not be 0: an ONNX shape means
 * "as it was" by that, and TensorFlow's nothing.
 */
struct term *op_reshape(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *shape = call->in[1];

	if (!shape->ints)
		return call_refuse(t, call, "to a shape that a run tells");
	if (has_zero(shape) && call_int(call, "allowzero", 0) == 0) {
		if (x->rank != RANK_UNKNOWN && x->rank < (int)shape->int_count)
			for (int i = x->rank; i < (int)shape->int_count; i++)
				if (shape->ints[i] == 0)
					return call_refuse(t, call,
							   "of an axis that "
							   "is not there");
		shape = filled(t, x, shape);
	}
	return term_reshape(t, x, shape);
}

struct term *op_flatten(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *shape, *rows;
	int64_t axis = call_int(call, "axis", 1);

	if (axis < 0 || (x->rank != RANK_UNKNOWN && axis > x->rank))
		return call_refuse(t, call, "at that axis");
	if (axis == 0)
		return term_reshape(t, x,
				    term_ints(t, DT_INT64,
					      (const int64_t[]){ 1, -1 }, 2));
	if (axis != 1)
		return call_refuse(t, call, "at another axis than 1");
	rows = term_part(t, term_shape(t, x), 0, 1);
	shape = term_concat(
		t,
		TERMS(rows, term_ints(t, DT_INT64, (const int64_t[]){ -1 }, 1)),
		0);
	term_know(t, shape, (const int64_t[]){ INT_UNKNOWN, -1 }, 2);
	return term_reshape(t, x, shape);
}

struct term *op_transpose(struct translation *t, const struct op_call *call)
{
	const struct attr *perm = call_attr(call, "perm");
	struct term *x = call->in[0];
	int64_t order[TENSOR_RANK_MAX];

	if (perm)
		return term_transpose(t, x, perm->ints, perm->int_count);
	if (x->rank < 0 || x->rank > TENSOR_RANK_MAX)
		return call_refuse(t, call, "of a tensor of unknown rank");
	for (int i = 0; i < x->rank; i++)
		order[i] = x->rank - 1 - i;
	return term_transpose(t, x, order, (size_t)x->rank);
}

/* The axes of the second input, counted from the front, in order. */
static bool axes_read(struct translation *t, const struct op_call *call,
		      int rank, int64_t *axes, size_t *count)
{
	const struct term *given = call->in[1];

	if (!given || !term_is_known(given) ||
	    given->int_count > TENSOR_RANK_MAX || rank < 0) {
		call_refuse(t, call, "of axes that a run tells");
		return false;
	}
	*count = given->int_count;
	for (size_t i = 0; i < *count; i++) {
		int64_t axis = given->ints[i];
		size_t at = i;

		axis += axis < 0 ? rank : 0;
		if (axis < 0 || axis >= rank) {
			call_refuse(t, call, "of axes that are not there");
			return false;
		}
		for (; at > 0 && axes[at - 1] > axis; at--)
			axes[at] = axes[at - 1];
		axes[at] = axis;
	}
	return true;
}

struct term *op_unsqueeze(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	int64_t axes[TENSOR_RANK_MAX];
	size_t count;
	int rank = x->rank;

	if (rank != RANK_UNKNOWN && call->in[1])
		rank += (int)call->in[1]->int_count;
	if (!axes_read(t, call, rank, axes, &count))
		return &t->nowhere;
	for (size_t i = 0; i < count; i++)
		x = term_expand_dims(t, x, axes[i]);
	return x;
}

struct term *op_squeeze(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *out;
	int64_t axes[TENSOR_RANK_MAX];
	size_t count;

	if (!axes_read(t, call, x->rank, axes, &count))
		return &t->nowhere;
	out = term_node(
		t, call->tf, x->type, TERMS(x),
		OP_ATTRS(op_type("T", x->type),
			 op_list("squeeze_dims", OP_ATTR_INTS, axes, count)));
	out->rank = x->rank - (int)count;
	if (x->ints && x->int_count == 1)
		term_know(t, out, x->ints, 1);
	return out;
}

/* Either side may be stretched; TensorFlow's stretches one. */
struct term *op_expand(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *shape = call->in[1], *out;
	int rank = shape->ints ? (int)shape->int_count : RANK_UNKNOWN;

	shape = term_node(t, "BroadcastArgs", DT_INT64,
			  TERMS(term_shape(t, x), shape),
			  OP_ATTRS(op_type("T", DT_INT64)));
	out = term_node(t, call->tf, x->type, TERMS(x, shape),
			OP_ATTRS(op_type("T", x->type),
				 op_type("Tidx", DT_INT64)));
	if (rank == RANK_UNKNOWN || x->rank == RANK_UNKNOWN)
		out->rank = RANK_UNKNOWN;
	else if (rank > x->rank)
		out->rank = rank;
	return out;
}

struct term *op_tile(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *times = call->in[1];

	return term_node(t, call->tf, x->type, TERMS(x, times),
			 OP_ATTRS(op_type("T", x->type),
				  op_type("Tmultiples", times->type)));
}

struct term *op_range(struct translation *t, const struct op_call *call)
{
	struct term *start = call->in[0], *out;

	if (call->in[1]->type != start->type ||
	    call->in[2]->type != start->type)
		return call_refuse(t, call, "of different types");
	out = term_node(t, call->tf, start->type, call->in, 3,
			OP_ATTRS(op_type("Tidx", start->type)));
	out->rank = 1;
	return out;
}

/* Of vectors what is known of their elements. */
static void know_joined(struct translation *t, const struct op_call *call,
			struct term *out)
{
	int64_t ints[2 * TENSOR_RANK_MAX];
	size_t count = 0;

	if (out->rank != 1 || out->type != DT_INT64)
		return;
	for (size_t i = 0; i < call->given; i++) {
		const struct term *part = call->in[i];

		if (!part->ints || count + part->int_count > ARRAY_LEN(ints))
			return;
		memcpy(ints + count, part->ints,
		       part->int_count * sizeof(*ints));
		count += part->int_count;
	}
	term_know(t, out, ints, count);
}

struct term *op_concat(struct translation *t, const struct op_call *call)
{
	struct term *first = call->in[0], *out;
	int axis = call_axis(t, call, first, call_int(call, "axis", 0));

	if (axis < 0)
		return &t->nowhere;
	for (size_t i = 1; i < call->given; i++)
		if (call->in[i]->type != first->type)
			return call_refuse(t, call, "of different types");
	out = term_concat(t, call->in, call->given, axis);
	if (call->given > 1)
		know_joined(t, call, out);
	return out;
}
