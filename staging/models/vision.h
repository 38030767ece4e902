/* SPDX-License-Identifier: MIT */
/*
 * staging/models/vision.h - what models of images (and of sound, as images of
 * height 1) share: convolutions with their weights.
 *
 * A map is [N, channels, height, width].
 */
#ifndef STAGING_MODELS_VISION_H
#define STAGING_MODELS_VISION_H

#include "staging/models/family.h"

/*
 * Declares pixel_values.  0 for @height or @width: any, named "height",
 * "width".
 */
struct value *emit_pixels(struct emit *emit, uint64_t channels, uint64_t height,
			  uint64_t width);

/* A convolution; a 0 in .groups, .stride, .dilation is 1. */
struct conv_shape {
	uint64_t out, in;   /* channels */
	uint64_t kernel[2]; /* height, width; as the others */
	uint64_t stride[2];
	uint64_t pad[2];   /* before */
	uint64_t after[2]; /* pad after */
	uint64_t dilation[2];
	uint64_t groups;
};

/* The same for both axes, as torch.nn.Conv2d(out, in, kernel, ...) has it. */
struct conv_shape conv_square(uint64_t out, uint64_t in, uint64_t kernel,
			      uint64_t stride, uint64_t pad);

/* @prefix@name.weight, and .bias if @has_bias. */
struct value *emit_conv(struct emit *emit, struct value *x,
			const struct conv_shape *shape, bool has_bias,
			const char *prefix, const char *name);

/*
 * The same of a torch.nn.Conv1d, whose weight is [out, in, width]; of a map
 * of height 1.  .kernel[0] is 1.
 */
struct value *emit_conv_row(struct emit *emit, struct value *x,
			    const struct conv_shape *shape, bool has_bias,
			    const char *prefix, const char *name);

/* @prefix@name.{weight,bias,running_mean,running_var} */
struct value *emit_batch_norm(struct emit *emit, struct value *x,
			      uint64_t channels, double eps, const char *prefix,
			      const char *name);

#endif
