/* SPDX-License-Identifier: MIT */
/*
 * staging/archive_view.h - the members of an archive as files, and as a
 * repository of their own.
 */
#ifndef STAGING_ARCHIVE_VIEW_H
#define STAGING_ARCHIVE_VIEW_H

#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"
#include "staging/staging.h"

struct archive;

/*
 * Lists directory @dir ("" is the top) of the members of file @index of
 * @repo.  An archive that is refused is a directory with a staged.status.
 * -ENOENT: no such directory in it; else as archive_open().
 */
int archive_view(const struct stage_repo *repo, size_t index, const char *dir,
		 struct stage_listing *out) MUST_CHECK;

/*
 * Adds the one member whose name ends with @end as @name, and the other
 * files of its directory under their own names.  -EBADMSG: refused, none or
 * several, @why says so.
 */
int archive_view_model(const struct stage_repo *repo, size_t index,
		       const char *end, const char *name,
		       struct stage_listing *out,
		       struct refusal *why) MUST_CHECK;

/*
 * A repository whose files are the members of an archive, each as
 * "<archive>!/<member>", so that plans made of it hold for the outer
 * repository too (stage_repo_open_path()).
 */
struct archive_repo {
	struct stage_repo repo; /* borrows from the outer one; no .ref */
	char *prefix;		/* "<archive>!/"; owned */

	/* Private. */
	struct archive *archive;  /* one reference */
	struct stage_file *files; /* owned, paths too */
};

/*
 * Into the zeroed @out, which is released after, also on failure.  As
 * archive_open().
 */
int archive_repo_open(const struct stage_repo *outer, size_t index,
		      struct archive_repo *out, struct refusal *why) MUST_CHECK;
void archive_repo_release(struct archive_repo *repo);
DEFINE_AUTO(archive_repo, struct archive_repo, archive_repo_release)
#define auto_archive_repo auto_of(archive_repo)

/* @path below the directory @dir: "a/b" below "a" is "b"; NULL: it is not. */
const char *path_below(const char *path, const char *dir);

#endif
