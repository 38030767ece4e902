/* SPDX-License-Identifier: MIT */
/*
 * staging/view_models.h - the directories below pytorch/ and jax/.
 *
 * <framework>/ and each <framework>/<task>/ hold staged.onnx (and
 * staged.onnx.data where one message would be too long), info.json, and
 * dl4j/ with the same in that form; or staged.status where the model is
 * refused.  dl4j/ is there where the form above it is staged, and may itself
 * be refused.
 */
#ifndef STAGING_VIEW_MODELS_H
#define STAGING_VIEW_MODELS_H

#include "base/annot.h"
#include "staging/staging.h"
#include "staging/weights/weights_open.h"

/*
 * Of the weights of @framework.  @below is what follows its name: "", "dl4j",
 * "fill-mask", "fill-mask/dl4j".  -ENOENT: there is no such directory.
 */
int view_models(const struct stage_repo *repo, enum framework framework,
		const char *below, struct stage_listing *out) MUST_CHECK;

#endif
