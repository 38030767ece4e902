/* SPDX-License-Identifier: MIT */
/*
 * staging/view_pytorch.h - the directories below pytorch/.
 *
 * pytorch/ and each pytorch/<task>/ hold staged.onnx (and staged.onnx.data
 * where one message would be too long), info.json, and dl4j/ with the same
 * in that form; or staged.status where the model is refused.  dl4j/ is
 * there where the form above it is staged, and may itself be refused.
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
