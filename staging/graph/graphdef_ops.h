/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/graphdef_ops.h - each ONNX operator in TensorFlow's.
 *
 * Facts: onnx/docs/Operators.md at operator set 13, and TensorFlow's
 * operation definitions (core/ops/math_ops.cc, array_ops.cc, nn_ops.cc,
 * image_ops.cc) with what their CPU kernels take.
 *
 * What TensorFlow computes otherwise is refused, "unsupported-operator".
 */
#ifndef STAGING_GRAPH_GRAPHDEF_OPS_H
#define STAGING_GRAPH_GRAPHDEF_OPS_H

#include "staging/graph/graphdef_terms.h"

/* One node being translated. */
struct op_call {
	const struct node *node;
	const char *tf;	  /* the operation, where it is one */
	struct term **in; /* NULL: an optional input is not there */
	size_t count;	  /* of .in; those missing at the end too */
	size_t given;	  /* inputs of the node */
};

/* Translates @node and makes its output known in .terms. */
void graphdef_translate(struct translation *t, const struct node *node);

/* Attributes of the node, with the operator's default. */
int64_t call_int(const struct op_call *call, const char *name,
		 int64_t otherwise);
double call_float(const struct op_call *call, const char *name,
		  double otherwise);
const char *call_text(const struct op_call *call, const char *name,
		      const char *otherwise);
const struct attr *call_attr(const struct op_call *call, const char *name);

/* What @call cannot be said for, in words that end a sentence. */
struct term *call_refuse(struct translation *t, const struct op_call *call,
			 const char *what);

/* @axis counted from the front; -1, and refused: it cannot be. */
int call_axis(struct translation *t, const struct op_call *call,
	      const struct term *x, int64_t axis);

/* graphdef_math.c */
struct term *op_unary(struct translation *t, const struct op_call *call);
struct term *op_binary(struct translation *t, const struct op_call *call);
struct term *op_variadic(struct translation *t, const struct op_call *call);
struct term *op_compare(struct translation *t, const struct op_call *call);
struct term *op_logic(struct translation *t, const struct op_call *call);
struct term *op_divide(struct translation *t, const struct op_call *call);
struct term *op_power(struct translation *t, const struct op_call *call);
struct term *op_modulo(struct translation *t, const struct op_call *call);
struct term *op_cast(struct translation *t, const struct op_call *call);
struct term *op_clip(struct translation *t, const struct op_call *call);
struct term *op_leaky(struct translation *t, const struct op_call *call);
struct term *op_where(struct translation *t, const struct op_call *call);

/* graphdef_sums.c */
struct term *op_reduce(struct translation *t, const struct op_call *call);
struct term *op_reduce_l2(struct translation *t, const struct op_call *call);
struct term *op_arg(struct translation *t, const struct op_call *call);
struct term *op_softmax(struct translation *t, const struct op_call *call);
struct term *op_cumulate(struct translation *t, const struct op_call *call);
struct term *op_gemm(struct translation *t, const struct op_call *call);
struct term *op_matmul(struct translation *t, const struct op_call *call);

/* graphdef_shapes.c */
struct term *op_identity(struct translation *t, const struct op_call *call);
struct term *op_shape(struct translation *t, const struct op_call *call);
struct term *op_reshape(struct translation *t, const struct op_call *call);
struct term *op_transpose(struct translation *t, const struct op_call *call);
struct term *op_unsqueeze(struct translation *t, const struct op_call *call);
struct term *op_squeeze(struct translation *t, const struct op_call *call);
struct term *op_expand(struct translation *t, const struct op_call *call);
struct term *op_tile(struct translation *t, const struct op_call *call);
struct term *op_range(struct translation *t, const struct op_call *call);
struct term *op_concat(struct translation *t, const struct op_call *call);
struct term *op_flatten(struct translation *t, const struct op_call *call);

/* graphdef_picks.c */
struct term *op_slice(struct translation *t, const struct op_call *call);
struct term *op_gather(struct translation *t, const struct op_call *call);
struct term *op_gather_nd(struct translation *t, const struct op_call *call);
struct term *op_gather_each(struct translation *t, const struct op_call *call);

/* graphdef_images.c */
struct term *op_conv(struct translation *t, const struct op_call *call);
struct term *op_max_pool(struct translation *t, const struct op_call *call);
struct term *op_average_pool(struct translation *t, const struct op_call *call);
struct term *op_pool_all(struct translation *t, const struct op_call *call);
struct term *op_batch_norm(struct translation *t, const struct op_call *call);

/* graphdef_resize.c */
struct term *op_resize(struct translation *t, const struct op_call *call);

/* Steps that several of these take. */
struct term *term_unary(struct translation *t, const char *op, struct term *x);
struct term *term_binary(struct translation *t, const char *op, struct term *a,
			 struct term *b);
struct term *term_cast(struct translation *t, struct term *x,
		       enum bundle_dtype type);
struct term *term_transpose(struct translation *t, struct term *x,
			    const int64_t *perm, size_t count);
struct term *term_reshape(struct translation *t, struct term *x,
			  struct term *shape);
struct term *term_shape(struct translation *t, struct term *x);

/* Axes (DT_INT32) reduced by @op, "Mean". */
struct term *term_reduce(struct translation *t, const char *op, struct term *x,
			 struct term *axes, bool keep);

/* @x with an axis of 1 at @axis. */
struct term *term_expand_dims(struct translation *t, struct term *x,
			      int64_t axis);

/* Elements [begin, end) of a vector. */
struct term *term_part(struct translation *t, struct term *vector,
		       int64_t begin, int64_t end);

/* One after the other on @axis; one term is itself. */
struct term *term_concat(struct translation *t, struct term *const *parts,
			 size_t count, int64_t axis);

#endif
