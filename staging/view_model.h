/* SPDX-License-Identifier: MIT */
/*
 * staging/view_model.h - the directories of a checkpoint's models in one
 * format: by task, then by variant.
 *
 * The root of these and each <task>/ hold the staged files (staged.onnx, and
 * staged.onnx.data where one message would be too long; or staged.pb),
 * info.json, and a directory for each variant with the same; or staged.status
 * where the model is refused.  A variant is there where what is above it is
 * staged, and may itself be refused.
 */
#ifndef STAGING_VIEW_MODEL_H
#define STAGING_VIEW_MODEL_H

#include "base/annot.h"
#include "staging/checkpoint.h"
#include "staging/info.h"
#include "staging/models.h"
#include "staging/refusal.h"
#include "staging/staging.h"

struct view_variant;

/* One directory. */
struct view_place {
	enum model_task task;
	enum model_format format;
	const struct view_variant *variant; /* NULL: the task's own */
};

/*
 * @below: "", "dl4j", "fill-mask", "fill-mask/dl4j".  -ENOENT: no directory
 * is called so.
 */
int view_place_parse(const char *below, enum model_format format,
		     struct view_place *out) MUST_CHECK;

/* Lists it.  -ENOENT: this checkpoint has no such directory. */
int view_model(const struct stage_repo *repo,
	       const struct checkpoint *checkpoint,
	       const struct view_place *place,
	       struct stage_listing *out) MUST_CHECK;

/* The same of a checkpoint that is refused whatever the task. */
int view_model_refused(const struct stage_repo *repo,
		       const struct checkpoint *checkpoint,
		       const struct view_place *place,
		       const struct refusal *why,
		       struct stage_listing *out) MUST_CHECK;

#endif
