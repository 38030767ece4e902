/* SPDX-License-Identifier: MIT */
/*
 * cache/index_check.h - is an index fit to be opened?
 *
 * LMDB trusts its file: a damaged one makes it fault.  So an index that
 * was not closed is walked in a child process first.
 */
#ifndef CACHE_INDEX_CHECK_H
#define CACHE_INDEX_CHECK_H

#include "base/annot.h"

/*
 * Reads all of the index in @dir, in a child.  Call it while there is one
 * thread.  0, also where there is none; -EBADMSG: it is damaged.
 */
int index_check(const char *dir) MUST_CHECK;

/* Is the file as long as its own meta pages say?  -EBADMSG: no. */
int index_check_size(const char *dir) MUST_CHECK;

/* Renames it to <dir>.bad-<time>, of which one is kept; makes @dir anew. */
int index_set_aside(const char *dir) MUST_CHECK;

#endif
