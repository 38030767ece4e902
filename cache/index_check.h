/* SPDX-License-Identifier: MIT */
/*
 * cache/index_check.h - is an index fit to be opened?
 *
 * LMDB maps its file and trusts it: with a damaged page it faults, aborts
 * or writes elsewhere, also long after the page was read.  So the structure
 * of the file is looked at first, from outside: every page that can be
 * reached, every page that is said to be free, every node within its page.
 * What the records hold is not looked at: they carry their own checksums.
 * See D5 in cache/README.md.
 *
 * Threads: any, while no environment is open.
 */
#ifndef CACHE_INDEX_CHECK_H
#define CACHE_INDEX_CHECK_H

#include <stddef.h>

#include "base/annot.h"

/* Address space, not memory or disk: 400,000 plans, or 100 TB of blocks. */
#define INDEX_MAP_BYTES ((size_t)64 << 30)

/* 0, also where there is none; -EBADMSG: LMDB must not see it. */
int index_check(const char *dir) MUST_CHECK;

/* Renames it to <dir>.bad, of which one is kept; makes @dir anew. */
int index_set_aside(const char *dir) MUST_CHECK;

#endif
