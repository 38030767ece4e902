/* SPDX-License-Identifier: MIT */
/*
 * staging/models/patches.h - images as sequences of patches, as vision
 * transformers take them (transformers, modeling_vit.py).
 *
 * A patch is a token; tokens of no patch (of the class, of distillation)
 * stand before them.
 */
#ifndef STAGING_MODELS_PATCHES_H
#define STAGING_MODELS_PATCHES_H

#include "staging/models/family.h"

/* Pairs are height and width. */
struct patches {
	uint64_t image[2], patch[2];
	uint64_t channels;
	bool any_size; /* .image is that of the position table only */
};

/*
 * Reads image_size, patch_size, num_channels; what @patches holds are the
 * defaults, of pairs the first.  Refuses an image smaller than a patch.
 */
void patches_read(struct emit *emit, struct patches *patches);

/* How many there are in an image of the size that was read. */
uint64_t patches_count(const struct patches *patches);

/* Declares pixel_values. */
struct value *patches_pixels(struct emit *emit, const struct patches *patches);

/* Rows of @width, made of @pixels by the convolution @prefix@name. */
struct value *patches_rows(struct emit *emit, const struct patches *patches,
			   struct value *pixels, uint64_t width, bool has_bias,
			   const char *prefix, const char *name);

/* The tensor @name, [1, @rows, @width], as a table of rows. */
struct value *patches_table(struct emit *emit, uint64_t rows, uint64_t width,
			    const char *name);

/* "logits" of the row of each image: the linear layer "classifier". */
void patches_logits(struct emit *emit, struct value *row);

#endif
