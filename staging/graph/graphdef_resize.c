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

struct term *op_resize(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *sizes = call->in[3], *size;
	const struct way *way = way_of(call);
	enum bundle_dtype type = x->type;

	if (!way || x->rank != 4 || type != DT_FLOAT)
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
