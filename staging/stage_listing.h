/* SPDX-License-Identifier: MIT */
/*
 * staging/stage_listing.h - making the listing of a directory of views, and
 * keeping it across mounts.
 */
#ifndef STAGING_STAGE_LISTING_H
#define STAGING_STAGE_LISTING_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"
#include "staging/plan.h"
#include "staging/staging.h"

int stage_listing_add_dir(struct stage_listing *listing,
			  const char *name) MUST_CHECK;

/* A file; takes @content, also on failure.  @plan is copied; or NULL. */
int stage_listing_add(struct stage_listing *listing, const char *name,
		      struct content *content, const char *plan) MUST_CHECK;

/* A file of the bytes of @text, which is left empty. */
int stage_listing_add_text(struct stage_listing *listing, const char *name,
			   struct str *text) MUST_CHECK;

/* @plan (taken, also on failure) over the files of @repo. */
int stage_plan_content(const struct stage_repo *repo, struct plan *plan,
		       struct content **out) MUST_CHECK;

/* The staged file of @plan, which is taken, also on failure. */
int stage_listing_add_plan(struct stage_listing *listing, const char *name,
			   const struct stage_repo *repo,
			   struct plan *plan) MUST_CHECK;

/*
 * A file of @size bytes whose plan is made when it is opened, by the
 * stager's plan() of "<dir>/<name>"; that it has another size then refuses
 * the opening.
 */
int stage_listing_add_deferred(struct stage_listing *listing, const char *dir,
			       const char *name, const struct stage_repo *repo,
			       uint64_t size) MUST_CHECK;

/* All that are called so go. */
void stage_listing_remove(struct stage_listing *listing, const char *name);

/* The .mark of the entry that was added last; copied. */
int stage_listing_mark(struct stage_listing *listing,
		       const char *mark) MUST_CHECK;

/* As stage_listing_add_text(), of what is so for now: marked by its bytes. */
int stage_listing_add_passing(struct stage_listing *listing, const char *name,
			      struct str *text) MUST_CHECK;

/* By name; last. */
void stage_listing_sort(struct stage_listing *listing);

/* NULL: no such entry. */
const struct stage_entry *stage_listing_find(
	const struct stage_listing *listing, const char *name);

/*
 * A listing as bytes: directories, generated files and plans; -ENOTSUP: it
 * has other files.  Decoding opens the sources of plans by their paths in
 * @repo and makes no request.  -EBADMSG: damaged, or of another version;
 * -ENOENT: a source is not in @repo.
 */
int listing_encode(const struct stage_listing *listing,
		   struct str *out) MUST_CHECK;
int listing_decode(const struct stage_repo *repo, const void *bytes, size_t len,
		   struct stage_listing *out) MUST_CHECK;

#endif
