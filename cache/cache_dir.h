/* SPDX-License-Identifier: MIT */
/*
 * cache/cache_dir.h - the folder of a cache: ours alone, or not used.
 */
#ifndef CACHE_CACHE_DIR_H
#define CACHE_CACHE_DIR_H

#include <stdbool.h>

#include "base/annot.h"

struct cache_dir {
	int dir_fd;   /* the folder */
	int blobs_fd; /* its blobs/ */
	int lock_fd;  /* locked as long as open */
	bool suspect; /* it was not closed the last time */
};

/*
 * Makes what is absent, locks it and marks it as in use.  -EBUSY: another
 * process has it; -EACCES: another user could change it; -EINVAL: on a
 * file system that cannot hold it, or there is something else in it.  On
 * success cache_dir_close().
 */
int cache_dir_open(const char *path, struct cache_dir *out) MUST_CHECK;

/* @clean: all is on the disk, and the next opening need not look. */
void cache_dir_close(struct cache_dir *dir, bool clean);

#endif
