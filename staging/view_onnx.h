/* SPDX-License-Identifier: MIT */
/*
 * staging/view_onnx.h - onnx/: the ONNX files a repository itself ships.
 *
 * Those of its own folder onnx/ where that has any, else those at its root;
 * with the files beside them that hold their external data.
 */
#ifndef STAGING_VIEW_ONNX_H
#define STAGING_VIEW_ONNX_H

#include <stdbool.h>

#include "base/annot.h"
#include "staging/staging.h"

/* No request. */
bool view_onnx_exists(const struct stage_repo *repo);

/*
 * The next model that @repo ships, from file *@at on, which moves past it:
 * its name in onnx/, borrowed.  NULL: there is no other.
 */
const char *view_onnx_next(const struct stage_repo *repo, size_t *at);
int view_onnx(const struct stage_repo *repo,
	      struct stage_listing *out) MUST_CHECK;

#endif
