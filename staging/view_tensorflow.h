/* SPDX-License-Identifier: MIT */
/*
 * staging/view_tensorflow.h - the directories below tensorflow/: those of
 * view_models.h with staged.pb, of the weights that TensorFlow's classes
 * saved, else of PyTorch's.
 */
#ifndef STAGING_VIEW_TENSORFLOW_H
#define STAGING_VIEW_TENSORFLOW_H

#include <stdbool.h>

#include "base/annot.h"
#include "staging/staging.h"

/* Whether there is such a directory.  No request. */
bool view_tensorflow_exists(const struct stage_repo *repo);

/* @below is what follows "tensorflow".  -ENOENT: there is none. */
int view_tensorflow(const struct stage_repo *repo, const char *below,
		    struct stage_listing *out) MUST_CHECK;

#endif
