/* SPDX-License-Identifier: MIT */
/*
 * staging/view_models.h - the directories below pytorch/, jax/, tensorflow/.
 *
 * <framework>/ and each <framework>/<task>/ hold staged.onnx (and
 * staged.onnx.data where one message would be too long) or staged.pb,
 * info.json, and a folder for each variant, dl4j/ one of them; or
 * staged.status where the model is refused.  A variant is there where what is
 * above it is staged, and may itself be refused.
 */
#ifndef STAGING_VIEW_MODELS_H
#define STAGING_VIEW_MODELS_H

#include "base/annot.h"
#include "staging/models.h"
#include "staging/staging.h"
#include "staging/weights/weights_open.h"

/*
 * In @format, of the weights of @framework.  @below is what follows its name:
 * "", "dl4j", "fill-mask", "fill-mask/dl4j".  -ENOENT: there is no such
 * directory.
 */
int view_models(const struct stage_repo *repo, enum framework framework,
		enum model_format format, const char *below,
		struct stage_listing *out) MUST_CHECK;

#endif
