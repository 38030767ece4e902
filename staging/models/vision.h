/* SPDX-License-Identifier: MIT */
/*
 * staging/models/vision.h - what models of images (and of sound, as images of
 * height 1) share: convolutions and norms with their weights, outputs.
 *
 * A map is [N, channels, height, width]; its value knows the channels.
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

/* @weight [out, in / groups, height, width]; @bias: or NULL. */
struct value *emit_conv_of(struct emit *emit, struct value *x,
			   const struct conv_shape *shape, struct value *weight,
			   struct value *bias);

/* The same of @prefix@name.weight, and .bias if @has_bias. */
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

/*
 * The same of a torch.nn.Linear, whose weight is [out, in], on the channels
 * of each pixel.
 */
struct value *emit_pointwise(struct emit *emit, struct value *x, uint64_t out,
			     bool has_bias, const char *prefix,
			     const char *name);

/* A layer norm, @prefix@name.{weight,bias}, of the channels of each pixel. */
struct value *emit_map_norm(struct emit *emit, struct value *x, double eps,
			    const char *prefix, const char *name);

/* The vector @prefix@name as [@channels, 1, 1]. */
struct value *bind_channels(struct emit *emit, uint64_t channels,
			    const char *prefix, const char *name);

/* @prefix@name.{weight,bias,running_mean,running_var} */
struct value *emit_batch_norm(struct emit *emit, struct value *x,
			      uint64_t channels, double eps, const char *prefix,
			      const char *name);

/*
 * Makes the map @x an output.  0 for @height or @width: any, named
 * "output_height", "output_width".
 */
void emit_output_map(struct emit *emit, struct value *x, const char *name,
		     uint64_t height, uint64_t width);

/* Ends the graph: the linear layer @name on the rows @x as "logits". */
void emit_each_logits(struct emit *emit, struct value *x, const char *name);

#endif
