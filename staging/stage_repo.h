/* SPDX-License-Identifier: MIT */
/*
 * staging/stage_repo.h - looking into the repository that is staged.
 */
#ifndef STAGING_STAGE_REPO_H
#define STAGING_STAGE_REPO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/json.h"
#include "base/str.h"
#include "staging/staging.h"

/* False: no such file. */
bool stage_repo_find(const struct stage_repo *repo, const char *path,
		     size_t *index);

/* One reference; -ESTALE: its size is not the listed one. */
int stage_repo_open(const struct stage_repo *repo, size_t index,
		    struct blob **out) MUST_CHECK;

/*
 * The blob of a plan's source: a file of the repository, or, as
 * "<archive>!/<member>", what one of its archives holds.
 * One reference.  -ENOENT; -ESTALE; or as archive_open().
 */
int stage_repo_open_path(const struct stage_repo *repo, const char *path,
			 struct blob **out) MUST_CHECK;

/*
 * The JSON object in file @path, which must be valid.  -ENOENT: no such
 * file; -EBADMSG: it is none.
 */
int stage_repo_json(const struct stage_repo *repo, const char *path,
		    struct json_doc **out) MUST_CHECK;

/* The same of an array. */
int stage_repo_json_array(const struct stage_repo *repo, const char *path,
			  struct json_doc **out) MUST_CHECK;

/* What the hub's catalogue knows; an empty object where it says nothing. */
int stage_repo_facts(const struct stage_repo *repo,
		     struct json_doc **out) MUST_CHECK;

/* Appends the whole file; -EFBIG: past @out's bound. */
int stage_repo_read(const struct stage_repo *repo, size_t index,
		    struct str *out) MUST_CHECK;

#endif
