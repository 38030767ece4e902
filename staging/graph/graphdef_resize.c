/* SPDX-License-Identifier: MIT */
/*
 * Planes made larger or smaller.
 *
 * ONNX says apart where a point of the new plane lies in the old one and how
 * that is rounded; TensorFlow has a few pairs of both (core/util/
 * image_resizer_state.h, kernels/image/resize_*_op.cc).  A point at i is at
 * (i + 1/2) s - 1/2 (half pixel), at i s, or with both corners in place; the
 * nearest of the first is floor((i + 1/2) s).  With s as ONNX is given it the
 * new size is rounded down, and TensorFlow takes s of the two sizes: the same
 * only for whole factors.
 *
 * TensorFlow's cubic kernel has a = -1/2, torch's and most ONNX files' -3/4.
 * So a cubic resize is a product with the kernel's numbers, axis by axis.
 */
#include "staging/graph/graphdef_ops.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"

static const struct way {
	const char *mode, *coordinates, *nearest; /* NULL: any */
	const char *op;
	bool align_corners, half_pixel;
} ways[] = {
	{ "linear", "half_pixel", NULL, "ResizeBilinear", false, true },
	{ "linear", "asymmetric", NULL, "ResizeBilinear", false, false },
	{ "linear", "align_corners", NULL, "ResizeBilinear", true, false },
	{ "nearest", "half_pixel", "round_prefer_ceil", "ResizeNearestNeighbor",
	  false, true },
	{ "nearest", "asymmetric", "floor", "ResizeNearestNeighbor", false,
	  false },
};

static const struct way *way_of(const struct op_call *call)
{
	const char *mode = call_text(call, "mode", "nearest");
	const char *coordinates =
		call_text(call, "coordinate_transformation_mode", "half_pixel");
	const char *nearest = call_text(call, "nearest_mode",
					"round_prefer_floor");

	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		if (strcmp(ways[i].mode, mode) == 0 &&
		    strcmp(ways[i].coordinates, coordinates) == 0 &&
		    (!ways[i].nearest || strcmp(ways[i].nearest, nearest) == 0))
			return &ways[i];
	return NULL;
}

static bool factor_is(const struct initializer *from, size_t i, float *out)
{
	uint32_t bits = le32(from->bytes + 4 * i);

	memcpy(out, &bits, sizeof(bits));
	return *out >= 1 && *out <= 65536 && *out == floorf(*out);
}

/* The new height and width by factors; NULL: they are not whole. */
static struct term *size_by_factors(struct translation *t, struct term *x,
				    const struct term *factors)
{
	const struct initializer *from = factors->from;
	struct term *size = term_part(t, term_shape(t, x), 2, 4);
	float f[4];

	if (!from || from->tensor || from->len != sizeof(f))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		if (!factor_is(from, i, &f[i]))
			return NULL;
	if (f[0] != 1 || f[1] != 1)
		return NULL;
	return term_binary(
		t, "Mul", size,
		term_ints(t, DT_INT64,
			  (const int64_t[]){ (int64_t)f[2], (int64_t)f[3] },
			  2));
}

/* A number as a term of the type of numbers computed with. */
static struct term *number(struct translation *t, double f)
{
	return term_number(t, DT_FLOAT, (float)f);
}

static struct term *sum(struct translation *t, struct term *a, double f)
{
	return term_binary(t, "AddV2", a, number(t, f));
}

static struct term *product(struct translation *t, struct term *a, double f)
{
	return term_binary(t, "Mul", a, number(t, f));
}

/*
 * Keys' kernel at distances @d: ((a + 2) d - (a + 3)) d^2 + 1 up to 1,
 * (((d - 5) d + 8) d - 4) a up to 2.  Each part is 0 at the ends of the
 * other's, so they are summed over distances held within their own.
 */
static struct term *kernel(struct translation *t, struct term *d, double a)
{
	struct term *low = term_binary(t, "Minimum", d, number(t, 1));
	struct term *high = term_binary(
		t, "Minimum", term_binary(t, "Maximum", d, number(t, 1)),
		number(t, 2));
	struct term *near, *far;

	near = sum(t, product(t, low, a + 2), -(a + 3));
	near = term_binary(t, "Mul", near, term_binary(t, "Mul", low, low));
	near = sum(t, near, 1);
	far = sum(t, term_binary(t, "Mul", sum(t, high, -5), high), 8);
	far = sum(t, term_binary(t, "Mul", far, high), -4);
	return term_binary(t, "AddV2", near, product(t, far, a));
}

/* first, first + 1, ... below @end, a scalar; int64. */
static struct term *count_up(struct translation *t, int64_t first,
			     struct term *end)
{
	struct term *out = term_node(t, "Range", DT_INT64,
				     TERMS(term_int(t, DT_INT64, first), end,
					   term_int(t, DT_INT64, 1)),
				     OP_ATTRS(op_type("Tidx", DT_INT64)));

	out->rank = 1;
	return out;
}

static struct term *element(struct translation *t, struct term *vector, int i)
{
	struct term *out = term_reshape(t, term_part(t, vector, i, i + 1),
					term_ints(t, DT_INT32, NULL, 0));

	out->rank = 0;
	return out;
}

/* An axis being resized: its sizes, scalars of int64. */
struct span {
	struct term *from, *to;
};

/* [to, from + 4]: what each old point, two more at either end, counts. */
static struct term *shares(struct translation *t, const struct span *span,
			   double a)
{
	struct term *old, *new, *step;

	step = term_binary(t, "RealDiv", term_cast(t, span->from, DT_FLOAT),
			   term_cast(t, span->to, DT_FLOAT));
	new = sum(t, term_cast(t, count_up(t, 0, span->to), DT_FLOAT), 0.5);
	new = sum(t, term_binary(t, "Mul", new, step), -0.5);
	old = count_up(t, -2,
		       term_binary(t, "AddV2", span->from,
				   term_int(t, DT_INT64, 2)));
	old = term_cast(t, old, DT_FLOAT);
	old = term_binary(t, "Sub", term_expand_dims(t, new, 1),
			  term_expand_dims(t, old, 0));
	return kernel(t, term_unary(t, "Abs", old), a);
}

/* @x with the points at both ends of @axis twice more. */
static struct term *edged(struct translation *t, struct term *x,
			  const struct span *span, int axis)
{
	struct term *last = term_binary(t, "Sub", span->from,
					term_int(t, DT_INT64, 1));
	struct term *at = count_up(t, -2,
				   term_binary(t, "AddV2", span->from,
					       term_int(t, DT_INT64, 2)));

	at = term_binary(t, "Maximum", at, term_int(t, DT_INT64, 0));
	at = term_binary(t, "Minimum", at, last);
	return term_node(t, "GatherV2", x->type,
			 TERMS(x, at, term_int(t, DT_INT32, axis)),
			 OP_ATTRS(op_int("batch_dims", 0),
				  op_type("Tparams", x->type),
				  op_type("Tindices", DT_INT64),
				  op_type("Taxis", DT_INT32)));
}

static struct term *batches(struct translation *t, struct term *a,
			    struct term *b, bool adj_y)
{
	struct term *out = term_node(t, "BatchMatMulV2", a->type, TERMS(a, b),
				     OP_ATTRS(op_type("T", a->type),
					      op_bool("adj_x", false),
					      op_bool("adj_y", adj_y)));

	out->rank = 4;
	return out;
}

static struct term *cubic(struct translation *t, const struct op_call *call)
{
	const char *coordinates =
		call_text(call, "coordinate_transformation_mode", "half_pixel");
	double a = call_float(call, "cubic_coeff_a", -0.75);
	struct term *x = call->in[0], *from = term_shape(t, x);
	struct span rows, columns;

	if (strcmp(coordinates, "half_pixel") != 0 || t->for_dl4j ||
	    call_int(call, "exclude_outside", 0) != 0 || !call->in[3])
		return call_refuse(t, call, "in such a way");
	rows = (struct span){ element(t, from, 2), element(t, call->in[3], 2) };
	columns = (struct span){ element(t, from, 3),
				 element(t, call->in[3], 3) };
	x = batches(t, shares(t, &rows, a), edged(t, x, &rows, 2), false);
	return batches(t, edged(t, x, &columns, 3), shares(t, &columns, a),
		       true);
}

struct term *op_resize(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *sizes = call->in[3], *size;
	const struct way *way = way_of(call);
	enum bundle_dtype type = x->type;

	if (x->rank != 4 || type != DT_FLOAT)
		return call_refuse(t, call, "of such a tensor");
	if (strcmp(call_text(call, "mode", "nearest"), "cubic") == 0)
		return cubic(t, call);
	if (!way)
		return call_refuse(t, call, "in such a way");
	if (sizes)
		size = term_part(t, sizes, 2, 4);
	else
		size = call->in[2] ? size_by_factors(t, x, call->in[2]) : NULL;
	if (!size)
		return call_refuse(t, call, "by such factors");
	x = term_transpose(t, x, (const int64_t[]){ 0, 2, 3, 1 }, 4);
	x = term_node(t, way->op, type, TERMS(x, term_cast(t, size, DT_INT32)),
		      OP_ATTRS(op_type("T", type),
			       op_bool("align_corners", way->align_corners),
			       op_bool("half_pixel_centers", way->half_pixel)));
	return term_transpose(t, x, (const int64_t[]){ 0, 3, 1, 2 }, 4);
}
