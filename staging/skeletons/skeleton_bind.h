/* SPDX-License-Identifier: MIT */
/*
 * staging/skeletons/skeleton_bind.h - a skeleton and a checkpoint as a model.
 * Pure.
 *
 * Every hole gets the tensor at its location: float32 as it lies, halves
 * widened as they are read, doubles cast by a node, a column-major matrix
 * transposed by one; another type only as the skeleton has it.  What is
 * missing, or has another shape where the skeleton does not leave it free,
 * refuses the model; so does a floating-point tensor without a use: it means
 * that the model is another one.
 */
#ifndef STAGING_SKELETONS_SKELETON_BIND_H
#define STAGING_SKELETONS_SKELETON_BIND_H

#include "base/annot.h"
#include "staging/models.h"
#include "staging/refusal.h"
#include "staging/skeletons/skeleton.h"
#include "staging/staging.h"
#include "staging/weights/weights.h"

/*
 * *@out is the caller's and outlives @skeleton; it borrows nothing.  @form is
 * what the skeleton was made for.  -EBADMSG: refused, @why says so: "missing-
 * tensor", "shape-mismatch", "unknown-tensor", "unsupported-dtype",
 * "unsupported-layout", "too-large".  Else -ENOMEM, -EFBIG.
 */
int skeleton_bind(const struct skeleton *skeleton,
		  const struct weights *weights, enum stage_form form,
		  struct staged_model **out, struct refusal *why) MUST_CHECK;

#endif
