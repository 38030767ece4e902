/* SPDX-License-Identifier: MIT */
/* Operators that take some of a tensor: slices and gathers. */
#include "staging/graph/graphdef_ops.h"

#include <string.h>

#include "base/mem.h"

/* Bounds of a slice along one axis; a term where only a run tells. */
struct cut {
	int axis;
	int64_t begin, end, step;
	struct term *begin_term, *end_term; /* DT_INT64 of one; or NULL */
};

/* What is known of the elements that @cut leaves of a vector. */
static void know_cut(struct translation *t, const struct term *x,
		     const struct cut *cut, struct term *out)
{
	int64_t begin = cut->begin, end = cut->end, count;

	if (!x->ints || x->rank != 1 || cut->step != 1 || cut->begin_term ||
	    cut->end_term)
		return;
	count = (int64_t)x->int_count;
	begin += begin < 0 ? count : 0;
	end += end < 0 ? count : 0;
	begin = begin < 0 ? 0 : begin > count ? count : begin;
	end = end > count ? count : end < begin ? begin : end;
	term_know(t, out, x->ints + begin, (size_t)(end - begin));
}

/* A bound as a vector for all axes up to the cut one. */
static struct term *bound(struct translation *t, const struct cut *cut,
			  enum bundle_dtype type, int64_t i, struct term *term)
{
	int64_t ints[TENSOR_RANK_MAX + 1] = { 0 };

	if (!term) {
		ints[cut->axis] = i;
		return term_ints(t, type, ints, (size_t)cut->axis + 1);
	}
	if (cut->axis == 0)
		return term;
	return term_concat(
		t, TERMS(term_ints(t, type, ints, (size_t)cut->axis), term), 0);
}

/* The largest int32 and what is past it mean the end of the axis. */
static bool is_open(int64_t bound_at, const struct term *term)
{
	return !term && (bound_at >= INT32_MAX || bound_at <= INT32_MIN);
}

/* Whether a bound past an int32 is at the wrong end of the axis. */
static bool is_empty(const struct cut *cut)
{
	bool forward = cut->step > 0;

	return (is_open(cut->begin, cut->begin_term) &&
		(cut->begin > 0) == forward) ||
	       (is_open(cut->end, cut->end_term) && (cut->end < 0) == forward);
}

static struct term *cut_out(struct translation *t, struct term *x,
			    const struct cut *cut)
{
	bool at_run = cut->begin_term || cut->end_term;
	enum bundle_dtype type = at_run ? DT_INT64 : DT_INT32;
	bool from_start = is_open(cut->begin, cut->begin_term);
	bool to_end = is_open(cut->end, cut->end_term);
	int64_t all = ((int64_t)1 << cut->axis) - 1;
	int64_t this = (int64_t)1 << cut->axis;
	int64_t steps[TENSOR_RANK_MAX + 1];
	struct term *begin, *end, *out;

	for (int i = 0; i < cut->axis; i++)
		steps[i] = 1;
	steps[cut->axis] = cut->step;
	begin = bound(t, cut, type, from_start ? 0 : cut->begin,
		      cut->begin_term);
	end = bound(t, cut, type, to_end ? 0 : cut->end, cut->end_term);
	out = term_node(
		t, "StridedSlice", x->type,
		TERMS(x, begin, end,
		      term_ints(t, type, steps, (size_t)cut->axis + 1)),
		OP_ATTRS(op_type("T", x->type), op_type("Index", type),
			 op_int("begin_mask", from_start ? all | this : all),
			 op_int("end_mask", to_end ? all | this : all),
			 op_int("ellipsis_mask", 0), op_int("new_axis_mask", 0),
			 op_int("shrink_axis_mask", 0)));
	know_cut(t, x, cut, out);
	return out;
}

struct term *term_part(struct translation *t, struct term *vector,
		       int64_t begin, int64_t end)
{
	const struct cut cut = { .begin = begin, .end = end, .step = 1 };

	return cut_out(t, vector, &cut);
}

/* Element @i of a vector of bounds: a number, or a term of one. */
static int64_t element(struct translation *t, struct term *vector, size_t i,
		       struct term **term)
{
	*term = NULL;
	if (vector->ints && i < vector->int_count &&
	    vector->ints[i] != INT_UNKNOWN)
		return vector->ints[i];
	*term = term_cast(t, vector, DT_INT64);
	if (!vector->ints || vector->int_count != 1)
		*term = term_part(t, *term, (int64_t)i, (int64_t)i + 1);
	return 0;
}

/* The same of an optional input; NULL: @otherwise.  False: refused. */
static bool element_known(const struct term *vector, size_t i,
			  int64_t otherwise, int64_t *out)
{
	*out = otherwise;
	if (!vector)
		return true;
	if (!vector->ints || i >= vector->int_count)
		return false;
	*out = vector->ints[i];
	return *out != INT_UNKNOWN;
}

/* How many axes are cut; 0: only a run tells. */
static size_t cut_count(const struct op_call *call)
{
	for (size_t i = 1; i < 4; i++)
		if (call->in[i] && call->in[i]->ints)
			return call->in[i]->int_count;
	return 0;
}

/* One axis after the other. */
struct term *op_slice(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	size_t count = cut_count(call);

	if (count == 0 || count > TENSOR_RANK_MAX)
		return call_refuse(t, call, "of axes that a run tells");
	for (size_t i = 0; i < count; i++) {
		struct cut cut = { .step = 1 };
		int64_t axis;

		if (!element_known(call->in[3], i, (int64_t)i, &axis) ||
		    !element_known(call->in[4], i, 1, &cut.step))
			return call_refuse(t, call, "of axes that a run tells");
		if (cut.step == 0 || cut.step > INT32_MAX ||
		    cut.step < INT32_MIN)
			return call_refuse(t, call, "with such a step");
		cut.axis = call_axis(t, call, x, axis);
		if (cut.axis < 0)
			return &t->nowhere;
		cut.begin = element(t, call->in[1], i, &cut.begin_term);
		cut.end = element(t, call->in[2], i, &cut.end_term);
		if (is_empty(&cut))
			return call_refuse(t, call, "that leaves nothing");
		x = cut_out(t, x, &cut);
	}
	return x;
}

/* @ids without numbers that count from the end; NULL: refused. */
static struct term *from_front(struct translation *t,
			       const struct op_call *call, struct term *x,
			       struct term *ids)
{
	int64_t ints[2 * TENSOR_RANK_MAX];
	bool changed = false;

	for (size_t i = 0; ids->ints && i < ids->int_count; i++) {
		if (ids->ints[i] >= 0 || ids->ints[i] == INT_UNKNOWN)
			continue;
		if (!x->ints || ids->int_count > ARRAY_LEN(ints) ||
		    !term_is_known(ids)) {
			call_refuse(t, call, "counting from an end");
			return NULL;
		}
		changed = true;
	}
	if (!changed)
		return ids;
	for (size_t i = 0; i < ids->int_count; i++)
		ints[i] = ids->ints[i] < 0
				  ? ids->ints[i] + (int64_t)x->int_count
				  : ids->ints[i];
	return ids->rank == 0 ? term_int(t, ids->type, ints[0])
			      : term_ints(t, ids->type, ints, ids->int_count);
}

static void know_picked(struct translation *t, const struct term *x,
			const struct term *ids, struct term *out)
{
	int64_t ints[2 * TENSOR_RANK_MAX];

	if (!x->ints || x->rank != 1 || ids->rank > 1 || !term_is_known(ids) ||
	    ids->int_count > ARRAY_LEN(ints))
		return;
	for (size_t i = 0; i < ids->int_count; i++) {
		if (ids->ints[i] < 0 || (size_t)ids->ints[i] >= x->int_count)
			return;
		ints[i] = x->ints[ids->ints[i]];
	}
	term_know(t, out, ints, ids->int_count);
}

static struct term *gather(struct translation *t, struct term *x,
			   struct term *ids, int axis, int batch_dims)
{
	return term_node(t, "GatherV2", x->type,
			 TERMS(x, ids, term_int(t, DT_INT32, axis)),
			 OP_ATTRS(op_int("batch_dims", batch_dims),
				  op_type("Tparams", x->type),
				  op_type("Tindices", ids->type),
				  op_type("Taxis", DT_INT32)));
}

/*
 * Of a vector, by numbers in a row: Deeplearning4j ends on a segment fault
 * where a matrix picks from a vector.
 */
static struct term *gather_in_a_row(struct translation *t, struct term *x,
				    struct term *ids)
{
	struct term *row = term_reshape(
		t, ids, term_ints(t, DT_INT64, (const int64_t[]){ -1 }, 1));
	struct term *out = term_reshape(t, gather(t, x, row, 0, 0),
					term_shape(t, ids));

	out->rank = ids->rank;
	return out;
}

struct term *op_gather(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *ids = call->in[1], *out;
	int axis = call_axis(t, call, x, call_int(call, "axis", 0));

	if (axis < 0)
		return &t->nowhere;
	ids = from_front(t, call, x, ids);
	if (!ids)
		return &t->nowhere;
	if (t->for_dl4j && x->rank == 1 && ids->rank > 1)
		return gather_in_a_row(t, x, ids);
	out = gather(t, x, ids, axis, 0);
	out->rank = RANK_UNKNOWN;
	if (x->rank != RANK_UNKNOWN && ids->rank != RANK_UNKNOWN)
		out->rank = x->rank + ids->rank - 1;
	know_picked(t, x, ids, out);
	return out;
}

/* Along the last axis that is a gather of each row. */
struct term *op_gather_each(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *ids = call->in[1];
	int axis = call_axis(t, call, x, call_int(call, "axis", 0));

	if (axis < 0)
		return &t->nowhere;
	if (axis != x->rank - 1 || ids->rank != x->rank || t->for_dl4j)
		return call_refuse(t, call, "but along the last axis");
	ids = from_front(t, call, x, ids);
	return ids ? gather(t, x, ids, axis, axis) : &t->nowhere;
}

struct term *op_gather_nd(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *ids = call->in[1], *out;

	if (call_int(call, "batch_dims", 0) != 0)
		return call_refuse(t, call, "of batches");
	out = term_node(t, call->tf, x->type, TERMS(x, ids),
			OP_ATTRS(op_type("Tparams", x->type),
				 op_type("Tindices", ids->type)));
	out->rank = RANK_UNKNOWN;
	return out;
}
