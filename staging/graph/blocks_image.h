/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/blocks_image.h - steps on maps: [N, channels, height, width].
 *
 * Sound is a map of height 1: the importers judged have no convolution of
 * one axis.  Every attribute is written out (README.md).
 */
#ifndef STAGING_GRAPH_BLOCKS_IMAGE_H
#define STAGING_GRAPH_BLOCKS_IMAGE_H

#include <stdint.h>

#include "staging/graph/form.h"

struct conv {
	struct value *weight; /* [out, in / groups, height, width] */
	struct value *bias;   /* [out], or NULL */
	uint64_t kernel[2];   /* height, width; as the others */
	uint64_t stride[2];
	uint64_t pad[2];   /* before */
	uint64_t after[2]; /* pad after */
	uint64_t dilation[2];
	uint64_t groups;
};
struct value *block_conv(struct sheet *sheet, struct value *x,
			 const struct conv *conv);

/* (x - mean) / sqrt(variance + eps) * scale + bias for each channel. */
struct batch_norm {
	struct value *scale, *bias, *mean, *variance;
	double eps;
};
struct value *block_batch_norm(struct sheet *sheet, struct value *x,
			       const struct batch_norm *norm);

struct value *block_max_pool(struct sheet *sheet, struct value *x,
			     uint64_t kernel, uint64_t stride, uint64_t pad);

/*
 * The mean of each channel: [N, C, 1, 1]; rows [N, @channels].  Not by
 * GlobalAveragePool, of which Deeplearning4j dies.
 */
struct value *block_map_pool(struct sheet *sheet, struct value *x);
struct value *block_map_mean(struct sheet *sheet, struct value *x,
			     uint64_t channels);

/*
 * (x - mean) / sqrt(variance + eps) * scale + bias over @axis, the variance
 * being the biased one; @scale and @bias are [channels, 1, 1].  Over 1: a
 * layer norm of each pixel's channels.
 */
struct value *block_map_norm(struct sheet *sheet, struct value *x,
			     unsigned int axis, struct value *scale,
			     struct value *bias, double eps);

/* The mean over @axis, which stays as 1. */
struct value *block_map_average(struct sheet *sheet, struct value *x,
				unsigned int axis);

/* The root of the sum of each channel's squares: [N, channels, 1, 1]. */
struct value *block_map_length(struct sheet *sheet, struct value *x);

/* What form->resize() does where a Resize is not to be had. */
struct value *block_bilinear(struct sheet *sheet, struct value *x,
			     struct value *like);

/*
 * Rows of a map of @side by @side as those of a map as large as @like, by
 * torch's cubic interpolation; block_resample_rows(): with antialias=True.
 * Of the plain form only.
 */
struct value *block_resize_rows(struct sheet *sheet, struct value *rows,
				uint64_t side, struct value *like);
struct value *block_resample_rows(struct sheet *sheet, struct value *rows,
				  uint64_t side, struct value *like);

/* @x with 1 as another axis before @axis; and without it again. */
struct value *block_insert_axis(struct sheet *sheet, struct value *x,
				unsigned int axis);

#endif
