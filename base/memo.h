/* SPDX-License-Identifier: MIT */
/*
 * base/memo.h - small facts worth keeping across mounts.
 *
 * Listings, revisions, negative answers and plans.  The cache implements
 * it in its index; providers and staging use it without knowing the cache.
 * A memo may forget anything at any time.
 *
 * Threads: any.  Both calls may wait for the disk: slow lane only.
 */
#ifndef BASE_MEMO_H
#define BASE_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"

struct memo;

struct memo_ops {
	int (*get)(struct memo *memo, const char *key, struct str *value,
		   int64_t *stored_wall_s);
	void (*put)(struct memo *memo, const char *key, const void *value,
		    size_t len);
};

struct memo {
	const struct memo_ops *ops;
};

/*
 * Appends the value to @value.  *@stored_wall_s (may be NULL) is when it
 * was put, by which the caller judges its age.  -ENOENT; @memo NULL too.
 */
int memo_get(struct memo *memo, const char *key, struct str *value,
	     int64_t *stored_wall_s) MUST_CHECK;

/* Keeps it if it can: a memo that cannot is no error.  @memo may be NULL. */
void memo_put(struct memo *memo, const char *key, const void *value,
	      size_t len);

#endif
