/* SPDX-License-Identifier: MIT */
/*
 * staging/keras/keras_onnx.h - a Keras application as ONNX, of its skeleton.
 *
 * Where the weights lie in a .h5 is known only once megabytes of headers
 * among them were read.  How long the ONNX file is follows from the shapes
 * alone, and those the skeleton has.
 */
#ifndef STAGING_KERAS_KERAS_ONNX_H
#define STAGING_KERAS_KERAS_ONNX_H

#include <stdint.h>

#include "base/annot.h"
#include "staging/keras/keras_configs.h"
#include "staging/models.h"
#include "staging/refusal.h"
#include "staging/skeletons/skeleton_store.h"
#include "staging/staging.h"

/*
 * The model as it will be: all is right but what the plan says of where
 * things lie.  @path, @size: the weights file.  As skeleton_stage().
 */
int keras_onnx_foresee(const struct skeleton_dirs *dirs,
		       const struct keras_config *config, const char *path,
		       uint64_t size, enum stage_form form,
		       struct staged_model **out,
		       struct refusal *why) MUST_CHECK;

/* The model of file @index of @repo, whose headers are all read. */
int keras_onnx_stage(const struct skeleton_dirs *dirs,
		     const struct keras_config *config,
		     const struct stage_repo *repo, size_t index,
		     enum stage_form form, struct staged_model **out,
		     struct refusal *why) MUST_CHECK;

#endif
