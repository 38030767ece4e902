/* SPDX-License-Identifier: MIT */
/* Operators that go element by element. */
#include "staging/graph/graphdef_ops.h"

#include <string.h>

struct term *term_unary(struct translation *t, const char *op, struct term *x)
{
	return term_node(t, op, x->type, TERMS(x),
			 OP_ATTRS(op_type("T", x->type)));
}

static int wider(const struct term *a, const struct term *b)
{
	if (a->rank == RANK_UNKNOWN || b->rank == RANK_UNKNOWN)
		return RANK_UNKNOWN;
	return a->rank > b->rank ? a->rank : b->rank;
}

/* Whether the two are of one type, as ONNX asks for. */
static bool match(struct translation *t, const struct term *a,
		  const struct term *b)
{
	if (t->error < 0)
		return false;
	if (a->type == b->type)
		return true;
	term_refuse(t, "type-mismatch", b->name,
		    "an operator takes two tensors of different types");
	return false;
}

struct term *term_binary(struct translation *t, const char *op, struct term *a,
			 struct term *b)
{
	struct term *out;

	if (!match(t, a, b))
		return &t->nowhere;
	out = term_node(t, op, a->type, TERMS(a, b),
			OP_ATTRS(op_type("T", a->type)));
	out->rank = wider(a, b);
	return out;
}

struct term *term_cast(struct translation *t, struct term *x,
		       enum bundle_dtype type)
{
	struct term *out;

	if (x->type == type)
		return x;
	out = term_node(t, "Cast", type, TERMS(x),
			OP_ATTRS(op_type("SrcT", x->type),
				 op_type("DstT", type),
				 op_bool("Truncate", false)));
	if (x->ints && (type == DT_INT64 || type == DT_INT32))
		term_know(t, out, x->ints, x->int_count);
	return out;
}

/* TensorFlow has these for floating point alone. */
static bool takes_integers(const char *op)
{
	static const char *const all[] = { "Abs", "Neg", "Sign", "Relu", NULL };

	for (const char *const *each = all; *each; each++)
		if (strcmp(*each, op) == 0)
			return true;
	return false;
}

struct term *op_unary(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];

	if (!term_is_float(x) && !takes_integers(call->tf))
		return call_refuse(t, call, "of whole numbers");
	return term_unary(t, call->tf, x);
}

/* What is known of the elements of a sum, difference or product. */
static void know_result(struct translation *t, const char *op,
			const struct term *a, const struct term *b,
			struct term *out)
{
	int64_t known[TENSOR_RANK_MAX];
	size_t count = a->int_count > b->int_count ? a->int_count
						   : b->int_count;

	if (!a->ints || !b->ints || count > TENSOR_RANK_MAX || out->rank > 1)
		return;
	if ((a->int_count != count && a->int_count != 1) ||
	    (b->int_count != count && b->int_count != 1))
		return;
	for (size_t i = 0; i < count; i++) {
		int64_t x = a->ints[a->int_count == 1 ? 0 : i];
		int64_t y = b->ints[b->int_count == 1 ? 0 : i];
		bool bad = x == INT_UNKNOWN || y == INT_UNKNOWN;

		if (!bad && strcmp(op, "AddV2") == 0)
			bad = __builtin_add_overflow(x, y, &known[i]);
		else if (!bad && strcmp(op, "Sub") == 0)
			bad = __builtin_sub_overflow(x, y, &known[i]);
		else if (!bad)
			bad = __builtin_mul_overflow(x, y, &known[i]);
		if (bad)
			known[i] = INT_UNKNOWN;
	}
	term_know(t, out, known, count);
}

struct term *op_binary(struct translation *t, const struct op_call *call)
{
	struct term *a = call->in[0], *b = call->in[1];
	struct term *out = term_binary(t, call->tf, a, b);

	know_result(t, call->tf, a, b, out);
	return out;
}

struct term *op_variadic(struct translation *t, const struct op_call *call)
{
	struct term *out = call->in[0];

	for (size_t i = 1; i < call->given; i++)
		out = term_binary(t, call->tf, out, call->in[i]);
	return out;
}

struct term *op_compare(struct translation *t, const struct op_call *call)
{
	struct term *a = call->in[0], *b = call->in[1];
	struct term *out;

	if (!match(t, a, b))
		return &t->nowhere;
	if (strcmp(call->tf, "Equal") == 0)
		out = term_node(
			t, call->tf, DT_BOOL, TERMS(a, b),
			OP_ATTRS(op_type("T", a->type),
				 op_bool("incompatible_shape_error", true)));
	else
		out = term_node(t, call->tf, DT_BOOL, TERMS(a, b),
				OP_ATTRS(op_type("T", a->type)));
	out->rank = wider(a, b);
	return out;
}

struct term *op_logic(struct translation *t, const struct op_call *call)
{
	struct term *a = call->in[0], *b = call->in[1];
	struct term *out;

	if (a->type != DT_BOOL || (b && b->type != DT_BOOL))
		return call_refuse(t, call, "of other than truth values");
	out = term_node(t, call->tf, DT_BOOL, call->in, call->given, NO_ATTRS);
	if (b)
		out->rank = wider(a, b);
	return out;
}

/* ONNX leaves a whole quotient's direction to C: towards zero. */
struct term *op_divide(struct translation *t, const struct op_call *call)
{
	bool whole = !term_is_float(call->in[0]);

	return term_binary(t, whole ? "TruncateDiv" : call->tf, call->in[0],
			   call->in[1]);
}

struct term *op_power(struct translation *t, const struct op_call *call)
{
	struct term *base = call->in[0];

	if (!term_is_float(base))
		return call_refuse(t, call, "of whole numbers");
	return term_binary(t, call->tf, base,
			   term_cast(t, call->in[1], base->type));
}

struct term *op_modulo(struct translation *t, const struct op_call *call)
{
	if (call_int(call, "fmod", 0) != 0 || term_is_float(call->in[0]))
		return call_refuse(t, call, "with the sign of C");
	return term_binary(t, call->tf, call->in[0], call->in[1]);
}

struct term *op_cast(struct translation *t, const struct op_call *call)
{
	enum bundle_dtype to;

	if (!term_type_of(call_int(call, "to", ONNX_NONE), &to))
		return call_refuse(t, call, "to an unknown type");
	return term_cast(t, call->in[0], to);
}

struct term *op_clip(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];

	if (call->in[1])
		x = term_binary(t, "Maximum", x, call->in[1]);
	if (call->in[2])
		x = term_binary(t, "Minimum", x, call->in[2]);
	return x;
}

/* max(x, 0) + alpha min(x, 0): TensorFlow's alpha is an attribute. */
struct term *op_leaky(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	struct term *zero = term_number(t, x->type, 0);
	struct term *low = term_binary(t, "Minimum", x, zero);
	double alpha = call_float(call, "alpha", 0.01);

	low = term_binary(t, "Mul", low, term_number(t, x->type, (float)alpha));
	return term_binary(t, "AddV2", term_unary(t, "Relu", x), low);
}

struct term *op_where(struct translation *t, const struct op_call *call)
{
	struct term *a = call->in[1], *b = call->in[2];
	struct term *out;

	if (t->for_dl4j)
		return call_refuse(t, call,
				   "that Deeplearning4j computes rightly");
	if (!match(t, a, b))
		return &t->nowhere;
	out = term_node(t, call->tf, a->type, TERMS(call->in[0], a, b),
			OP_ATTRS(op_type("T", a->type)));
	out->rank = wider(a, b);
	if (out->rank != RANK_UNKNOWN && call->in[0]->rank > out->rank)
		out->rank = call->in[0]->rank;
	return out;
}
