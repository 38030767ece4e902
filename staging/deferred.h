/* SPDX-License-Identifier: MIT */
/*
 * staging/deferred.h - a staged file whose plan is made when it is opened.
 *
 * Its size is known before: it follows from a skeleton's shapes alone.  What
 * the plan needs beyond that may be megabytes of headers that lie among the
 * data (HDF5), too much to fetch for a listing.
 */
#ifndef STAGING_DEFERRED_H
#define STAGING_DEFERRED_H

#include <stdint.h>

#include "base/annot.h"
#include "base/content.h"
#include "staging/plan.h"
#include "staging/staging.h"

/*
 * The file @path of the views of @repo, which must be told how to be kept
 * (.ref).  Its content_prepare() gives -EBADMSG where the plan is refused
 * after all, or has another size.
 */
int deferred_new(const struct stage_repo *repo, const char *path, uint64_t size,
		 struct content **out) MUST_CHECK;

/* NULL: @content is another; else the path, borrowed. */
const char *deferred_path(const struct content *content);

/* The plan, borrowed, once it is prepared; else NULL. */
const struct plan *deferred_plan(const struct content *content);

#endif
