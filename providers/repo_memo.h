/* SPDX-License-Identifier: MIT */
/*
 * providers/repo_memo.h - a repository as bytes, for the memo.
 *
 * Pure.  The bytes, numbers little-endian:
 *
 *	"OHRP"			magic
 *	u32 1			version; a reader refuses any other
 *	5 texts			id, revision, url, licence, pipeline_tag:
 *				u32 length (0xffffffff: NULL), bytes
 *	u64			modified, two's complement
 *	u32			flags: 1 gated
 *	u32			number of files, sorted by path; each:
 *		u32 length, bytes	path
 *		u64			size
 *		u32			digest kind: 0 none, 1 sha256, 2 git,
 *					3 md5; the start of a SHA-256 is
 *					left out
 *		32, 20, 16 or 0 bytes	digest
 *	u64			XXH3 of all before
 */
#ifndef PROVIDERS_REPO_MEMO_H
#define PROVIDERS_REPO_MEMO_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"
#include "providers/provider.h"

/* Appends.  -ENOMEM, -EFBIG. */
int repo_memo_encode(const struct repo *repo, struct str *out) MUST_CHECK;

/*
 * Fills in the fields of @repo, fresh from repo_init(); on failure some of
 * them, for repo_fini().  -EBADMSG: other bytes than encode() makes.
 */
int repo_memo_decode(const void *bytes, size_t len,
		     struct repo *repo) MUST_CHECK;

#endif
