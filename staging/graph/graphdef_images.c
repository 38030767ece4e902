/* SPDX-License-Identifier: MIT */
/*
 * Convolutions and pools.  ONNX has channels before the plane, TensorFlow's
 * CPU kernels have them after it: so each is transposed around, which
 * TensorFlow's own optimizer joins.  A line is a plane of height 1.
 */
#include "staging/graph/graphdef_ops.h"

#include <errno.h>
#include <float.h>
#include <string.h>

#include "base/mem.h"

/* A window that moves over a plane: height, width. */
struct window {
	int64_t kernel[2], strides[2], dilations[2];
	int64_t before[2], after[2]; /* padding */
	bool is_line;
};

/* @count numbers of attribute @name, at the end of @out of two. */
static bool plane_read(const struct op_call *call, const char *name,
		       size_t count, size_t from, int64_t out[2])
{
	const struct attr *attr = call_attr(call, name);

	if (!attr)
		return true;
	if (attr->kind != ATTR_INTS || attr->int_count < from + count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t v = attr->ints[from + i];

		if (v < 0 || v > INT32_MAX)
			return false;
		out[2 - count + i] = v;
	}
	return true;
}

static bool window_read(struct translation *t, const struct op_call *call,
			struct window *window)
{
	int rank = call->in[0]->rank;
	size_t count = rank == 3 ? 1 : 2;
	bool ok = rank == 3 || rank == 4;

	*window = (struct window){ .kernel = { 1, 1 },
				   .strides = { 1, 1 },
				   .dilations = { 1, 1 },
				   .is_line = rank == 3 };
	ok = ok && plane_read(call, "kernel_shape", count, 0, window->kernel);
	ok = ok && plane_read(call, "strides", count, 0, window->strides);
	ok = ok && plane_read(call, "dilations", count, 0, window->dilations);
	ok = ok && plane_read(call, "pads", count, 0, window->before);
	ok = ok && plane_read(call, "pads", count, count, window->after);
	ok = ok && strcmp(call_text(call, "auto_pad", "NOTSET"), "NOTSET") == 0;
	ok = ok && call_int(call, "ceil_mode", 0) == 0;
	if (!ok)
		call_refuse(t, call, "of such a window");
	return ok;
}

static bool is_padded(const struct window *window)
{
	return window->before[0] || window->before[1] || window->after[0] ||
	       window->after[1];
}

/* [batch, channels, ...] as [batch, height, width, channels]. */
static struct term *channels_last(struct translation *t, struct term *x,
				  const struct window *window)
{
	if (window->is_line)
		x = term_expand_dims(t, x, 2);
	return term_transpose(t, x, (const int64_t[]){ 0, 2, 3, 1 }, 4);
}

static struct term *channels_first(struct translation *t, struct term *x,
				   const struct window *window)
{
	const int64_t axis = 2;

	x = term_transpose(t, x, (const int64_t[]){ 0, 3, 1, 2 }, 4);
	if (!window->is_line)
		return x;
	x = term_node(
		t, "Squeeze", x->type, TERMS(x),
		OP_ATTRS(op_type("T", x->type),
			 op_list("squeeze_dims", OP_ATTR_INTS, &axis, 1)));
	x->rank = 3;
	return x;
}

/* A padded plane; channels last. */
static struct term *padded(struct translation *t, struct term *x,
			   const struct window *window, float with)
{
	const int64_t pads[] = { 0,
				 0,
				 window->before[0],
				 window->after[0],
				 window->before[1],
				 window->after[1],
				 0,
				 0 };
	struct term *sizes;

	if (!is_padded(window))
		return x;
	sizes = term_pairs(t, pads, 4);
	if (with == 0)
		return term_node(t, "Pad", x->type, TERMS(x, sizes),
				 OP_ATTRS(op_type("T", x->type),
					  op_type("Tpaddings", DT_INT32)));
	return term_node(t, "PadV2", x->type,
			 TERMS(x, sizes, term_number(t, x->type, with)),
			 OP_ATTRS(op_type("T", x->type),
				  op_type("Tpaddings", DT_INT32)));
}

/* Of a plane with channels last and a kernel that has them last too. */
static struct term *convolve(struct translation *t, const char *op,
			     struct term *x, struct term *kernel,
			     const struct window *window)
{
	const int64_t *s = window->strides, *d = window->dilations;

	return term_node(t, op, x->type, TERMS(x, kernel),
			 OP_ATTRS(op_type("T", x->type),
				  OP_INTS("strides", 1, s[0], s[1], 1),
				  op_text("padding", "VALID"),
				  op_text("data_format", "NHWC"),
				  OP_INTS("dilations", 1, d[0], d[1], 1)));
}

/* @count parts of @x along its last axis. */
static struct term **split(struct translation *t, struct term *x, size_t count)
{
	struct term **parts = arena_alloc(&t->arena,
					  (count + 1) * sizeof(*parts));
	struct term *first;

	if (!parts) {
		term_fail(t, -ENOMEM);
		return NULL;
	}
	first = term_node(t, "Split", x->type,
			  TERMS(term_int(t, DT_INT32, 3), x),
			  OP_ATTRS(op_int("num_split", (int64_t)count),
				   op_type("T", x->type)));
	first->rank = x->rank;
	for (size_t i = 0; i < count; i++)
		parts[i] = term_output(t, first, (unsigned int)i);
	return parts;
}

/* Each group of channels by itself: no kernel but the newest takes them. */
static struct term *grouped(struct translation *t, struct term *x,
			    struct term *kernel, size_t groups,
			    const struct window *window)
{
	struct term **in = split(t, x, groups);
	struct term **kernels = split(t, kernel, groups);

	if (!in || !kernels)
		return &t->nowhere;
	for (size_t i = 0; i < groups; i++)
		in[i] = convolve(t, "Conv2D", in[i], kernels[i], window);
	return term_concat(t, in, groups, 3);
}

/* Whether each channel is convolved by itself in a way TensorFlow can. */
static bool is_depthwise(const struct term *kernel, uint64_t groups,
			 const struct window *window)
{
	return groups > 1 && kernel->from && kernel->from->dims[1] == 1 &&
	       kernel->from->dims[0] % groups == 0 &&
	       window->strides[0] == window->strides[1] &&
	       window->dilations[0] == 1 && window->dilations[1] == 1;
}

/* [height, width, 1, channels * times] as [.., channels, times]. */
static struct term *depthwise(struct translation *t, struct term *x,
			      struct term *kernel, const uint64_t *dims,
			      uint64_t groups, const struct window *window)
{
	const int64_t *k = window->kernel;
	const int64_t shape[] = { k[0], k[1], (int64_t)groups,
				  (int64_t)(dims[0] / groups) };

	kernel = term_reshape(t, kernel, term_ints(t, DT_INT32, shape, 4));
	return convolve(t, "DepthwiseConv2dNative", x, kernel, window);
}

struct term *op_conv(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *weight = call->in[1], *kernel = weight;
	int64_t groups = call_int(call, "group", 1);
	struct window window;

	if (!window_read(t, call, &window))
		return &t->nowhere;
	if (groups < 1 || groups > MODEL_WIDTH_MAX || !term_is_float(x) ||
	    !call_attr(call, "kernel_shape") || weight->rank != x->rank)
		return call_refuse(t, call, "of such a kernel");
	x = padded(t, channels_last(t, x, &window), &window, 0);
	if (window.is_line)
		kernel = term_expand_dims(t, kernel, 2);
	kernel = term_transpose(t, kernel, (const int64_t[]){ 2, 3, 1, 0 }, 4);
	if (groups == 1)
		x = convolve(t, call->tf, x, kernel, &window);
	else if (is_depthwise(weight, (uint64_t)groups, &window))
		x = depthwise(t, x, kernel, weight->from->dims,
			      (uint64_t)groups, &window);
	else
		x = grouped(t, x, kernel, (size_t)groups, &window);
	if (call->in[2])
		x = term_node(t, "BiasAdd", x->type, TERMS(x, call->in[2]),
			      OP_ATTRS(op_type("T", x->type),
				       op_text("data_format", "NHWC")));
	return channels_first(t, x, &window);
}

static struct term *pool(struct translation *t, const char *op, struct term *x,
			 const struct window *window)
{
	const int64_t *k = window->kernel, *s = window->strides;

	return term_node(t, op, x->type, TERMS(x),
			 OP_ATTRS(op_type("T", x->type),
				  OP_INTS("ksize", 1, k[0], k[1], 1),
				  OP_INTS("strides", 1, s[0], s[1], 1),
				  op_text("padding", "VALID"),
				  op_text("data_format", "NHWC")));
}

static bool pool_read(struct translation *t, const struct op_call *call,
		      struct window *window)
{
	if (!window_read(t, call, window))
		return false;
	if (window->dilations[0] == 1 && window->dilations[1] == 1 &&
	    term_is_float(call->in[0]))
		return true;
	call_refuse(t, call, "of such a window");
	return false;
}

struct term *op_max_pool(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	struct window window;

	if (!pool_read(t, call, &window))
		return &t->nowhere;
	x = padded(t, channels_last(t, x, &window), &window, -FLT_MAX);
	return channels_first(t, pool(t, call->tf, x, &window), &window);
}

/* Padding counts in the divisor only where count_include_pad says so. */
struct term *op_average_pool(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *seen;
	struct window window;
	bool counts = call_int(call, "count_include_pad", 0) != 0;

	if (!pool_read(t, call, &window))
		return &t->nowhere;
	x = channels_last(t, x, &window);
	seen = x;
	x = pool(t, call->tf, padded(t, x, &window, 0), &window);
	if (is_padded(&window) && !counts) {
		seen = term_node(t, "OnesLike", x->type, TERMS(seen),
				 OP_ATTRS(op_type("T", x->type)));
		seen = pool(t, call->tf, padded(t, seen, &window, 0), &window);
		x = term_binary(t, "RealDiv", x, seen);
	}
	return channels_first(t, x, &window);
}

struct term *op_pool_all(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0];
	int64_t axes[TENSOR_RANK_MAX];

	if (x->rank < 3 || x->rank > TENSOR_RANK_MAX || !term_is_float(x))
		return call_refuse(t, call, "of a tensor of such a rank");
	for (int i = 2; i < x->rank; i++)
		axes[i - 2] = i;
	return term_reduce(t, call->tf, x,
			   term_ints(t, DT_INT32, axes, (size_t)x->rank - 2),
			   true);
}

/* A vector over the channels of a tensor of @rank. */
static struct term *per_channel(struct translation *t, struct term *x, int rank)
{
	int64_t shape[TENSOR_RANK_MAX];

	shape[0] = -1;
	for (int i = 1; i + 1 < rank; i++)
		shape[i] = 1;
	return term_reshape(t, x,
			    term_ints(t, DT_INT32, shape, (size_t)rank - 1));
}

/* (x - mean) / sqrt(variance + epsilon) * scale + bias */
struct term *op_batch_norm(struct translation *t, const struct op_call *call)
{
	struct term *x = call->in[0], *factor, *part[5];
	double eps = call_float(call, "epsilon", 1e-5);

	if (x->rank < 2 || x->rank > TENSOR_RANK_MAX || !term_is_float(x))
		return call_refuse(t, call, "of a tensor of such a rank");
	if (call_int(call, "training_mode", 0) != 0)
		return call_refuse(t, call, "in training");
	for (int i = 1; i < 5; i++)
		part[i] = per_channel(t, call->in[i], x->rank);
	factor = term_binary(t, "AddV2", part[4],
			     term_number(t, x->type, (float)eps));
	factor = term_binary(t, "Mul", term_unary(t, "Rsqrt", factor), part[1]);
	x = term_binary(t, "Mul", term_binary(t, "Sub", x, part[3]), factor);
	return term_binary(t, "AddV2", x, part[2]);
}
