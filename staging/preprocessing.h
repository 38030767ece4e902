/* SPDX-License-Identifier: MIT */
/*
 * staging/preprocessing.h - what is done to an image before a model sees it.
 *
 * Of what a repository says in files of its library's own form, one object
 * for info.json, the same for every hub:
 *
 *	"preprocessing": {"layout": "NCHW", "channel_order": "RGB",
 *	  "resize": {"shortest_edge": 256} or {"height": 224, "width": 224},
 *	  "interpolation": "bicubic", "crop": {"height": 224, "width": 224},
 *	  "rescale": 0.00392156862745098, "mean": [...], "std": [...]}
 *
 * In this order: resize, centre crop, rescale, then (x - mean) / std.  What
 * is not done is left out.
 *
 * Facts: transformers, image_processing_utils.py (keys of
 * preprocessor_config.json and their meaning; PIL's numbers of resampling);
 * timm, data/config.py and transforms_factory.py (pretrained_cfg: the side
 * resized to is floor(size / crop_pct)).
 */
#ifndef STAGING_PREPROCESSING_H
#define STAGING_PREPROCESSING_H

#include "base/json.h"
#include "staging/json_write.h"

/* Of preprocessor_config.json; nothing where it is not of images. */
void preprocessing_of_processor(struct json_write *json,
				const struct json *config);

/* Of timm's config.json. */
void preprocessing_of_timm(struct json_write *json, const struct json *config);

#endif
