/* SPDX-License-Identifier: MIT */
/*
 * staging/view_pytorch.h - the directories below pytorch/: view_model.h in
 * ONNX; those of timm's models view_timm.h lists.
 */
#ifndef STAGING_VIEW_PYTORCH_H
#define STAGING_VIEW_PYTORCH_H

#include "base/annot.h"
#include "staging/staging.h"

/*
 * @below is what follows "pytorch": "", "dl4j", "fill-mask",
 * "fill-mask/dl4j".  -ENOENT: there is no such directory.
 */
int view_pytorch(const struct stage_repo *repo, const char *below,
		 struct stage_listing *out) MUST_CHECK;

#endif
