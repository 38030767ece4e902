/* SPDX-License-Identifier: MIT */
/*
 * providers/torch_preprocess.h - what is done to an image before a model of
 * torchvision or timm sees it, from their catalogues' column.
 *
 * Pure.  The column is "key=value" parts between ";":
 *
 *	resize_short=256	the shorter side
 *	resize=128x171		height and width; one number: the shorter side
 *	interp=bilinear		or bicubic
 *	antialias=1		or 0
 *	center_crop=224		or height and width
 *	scale=1/255
 *	mean=r,g,b  std=r,g,b
 *	permute=TCHW->CTHW	of frames
 *
 * The JSON is that of preprocessing in info.json, the same for all hubs:
 * {"layout", "channel_order", "resize", "interpolation", "antialias",
 * "crop", "rescale", "mean", "std"}; what is not done is left out.
 *
 * Facts: the presets of torchvision.transforms; timm's data/config.py.
 */
#ifndef PROVIDERS_TORCH_PREPROCESS_H
#define PROVIDERS_TORCH_PREPROCESS_H

#include "base/annot.h"

/*
 * Caller frees *@json; NULL where @column says nothing.  -EBADMSG: not of
 * that form; -ENOMEM.
 */
int torch_preprocess(const char *column, char **json) MUST_CHECK;

#endif
