/* SPDX-License-Identifier: MIT */
/*
 * staging/view_timm.h - timm's repositories on the Hugging Face hub.
 *
 * Their config.json names an architecture of timm ("architecture":
 * "resnet18") where transformers has "model_type"; the graph is a skeleton.
 */
#ifndef STAGING_VIEW_TIMM_H
#define STAGING_VIEW_TIMM_H

#include <stdbool.h>

#include "base/annot.h"
#include "staging/checkpoint.h"
#include "staging/staging.h"

bool view_timm_is(const struct checkpoint *checkpoint);

/* Lists the directory @below of pytorch/: "" or "dl4j"; else -ENOENT. */
int view_timm(const struct stage_repo *repo,
	      const struct checkpoint *checkpoint, const char *below,
	      struct stage_listing *out) MUST_CHECK;

#endif
