/* SPDX-License-Identifier: MIT */
/*
 * providers/github_parse.h - the answers of GitHub's API.
 *
 * Pure: bytes to structs.  Facts: https://docs.github.com/rest, "Get a
 * commit" and "Get a tree".  Unknown fields are ignored.
 *
 * -EBADMSG: not strict JSON, or not of that shape; -EFBIG: over a limit.
 */
#ifndef PROVIDERS_GITHUB_PARSE_H
#define PROVIDERS_GITHUB_PARSE_H

#include <stddef.h>

#include "base/annot.h"
#include "providers/repo_files.h"

#define GITHUB_SHA_BYTES 41 /* 40 hex and a NUL */

/* GET /repos/{owner}/{repo}/commits/{ref}: the commit. */
int github_commit_parse(const void *bytes, size_t len,
			char sha[GITHUB_SHA_BYTES]) MUST_CHECK;

/*
 * GET /repos/{owner}/{repo}/git/trees/{sha}?recursive=1, added to @files.
 * Digests are git's of the content.  Hidden are symbolic links, of which
 * the size is that of the target's name.  Submodules are no files.
 * -EFBIG also where GitHub left something out ("truncated").
 */
int github_tree_parse(const void *bytes, size_t len,
		      struct repo_files *files) MUST_CHECK;

#endif
