/* SPDX-License-Identifier: MIT */
/*
 * fs/handle.h - an open file or directory.
 *
 * No file descriptor is held by one: ten thousand opens cost memory only.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include <stdint.h>

#include "base/annot.h"
#include "base/lock.h"
#include "cache/readahead.h"
#include "fs/fuse_api.h"
#include "fs/node.h"

struct handle {
	uint64_t id;		 /* of the node */
	struct content *content; /* one reference; NULL for a directory */
	struct listing *listing; /* one reference; NULL for a file */
	struct lock lock;
	struct readahead ahead; /* lock */
};

/* Takes its own reference of @content, which node @id shows. */
int handle_new_file(uint64_t id, struct content *content,
		    struct handle **out) MUST_CHECK;
int handle_new_dir(struct listing *listing, struct handle **out) MUST_CHECK;
void handle_free(struct handle *handle);

static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

#endif
