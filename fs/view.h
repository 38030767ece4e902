/* SPDX-License-Identifier: MIT */
/*
 * fs/view.h - one repository at one commit, wired to the cache.
 *
 * A view owns a reference of its repository and makes blobs of its files.
 * Reference counted; immutable; safe from any thread.
 */
#ifndef FS_VIEW_H
#define FS_VIEW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "providers/provider.h"
#include "staging/staging.h"

struct fs;

struct view {
	atomic_uint refs;
	struct fs *fs;		  /* borrowed; outlives it */
	const char *hub;	  /* "huggingface"; static */
	struct repo *repo;	  /* one reference */
	struct stage_file *files; /* owned; as repo->files */
};

/* Takes its own reference of @repo.  One reference. */
int view_new(struct fs *fs, const char *hub, struct repo *repo,
	     struct view **out) MUST_CHECK;
struct view *view_ref(struct view *view);
void view_unref(struct view *view);
DEFINE_AUTO_PTR(view, struct view, view_unref)
#define auto_view auto_of(view)

/* File @index as a blob; may read the cache's index.  One reference. */
int view_blob(struct view *view, size_t index, struct blob **out) MUST_CHECK;

/* The repository as staging wants it; good as long as @view is. */
void view_stage_repo(struct view *view, uint64_t deadline_ns,
		     struct stage_repo *out);

#endif
