/* SPDX-License-Identifier: MIT */
/*
 * staging/models/weight_norm.h - a convolution whose weight is stored as
 * lengths and directions (torch.nn.utils.weight_norm of dim 2).
 *
 * The weight is g v / |v|, the length of v being that of all numbers at one
 * place of the kernel.  The names are weight_g and weight_v, or since torch
 * 2.0 parametrizations.weight.original0 and original1.
 */
#ifndef STAGING_MODELS_WEIGHT_NORM_H
#define STAGING_MODELS_WEIGHT_NORM_H

#include "staging/models/vision.h"

/* As emit_conv_row() with a bias. */
struct value *emit_normed_conv_row(struct emit *emit, struct value *x,
				   const struct conv_shape *shape,
				   const char *prefix, const char *name);

#endif
