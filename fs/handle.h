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

/*
 * Those of one mount.  A mount that ends while files are open hears of no
 * release: the kernel sends none to a session that is over.
 */
struct handles {
	struct lock lock;
	struct handle *first; /* lock */
};

struct handle {
	struct handles *all;
	struct handle *next;	 /* all->lock, as the next */
	struct handle **link;	 /* what points here */
	uint64_t id;		 /* of the node */
	struct content *content; /* one reference; NULL for a directory */
	struct listing *listing; /* one reference; NULL for a file */
	struct lock lock;
	struct readahead ahead; /* lock */
};

void handles_init(struct handles *all);

/* Frees what nobody released; nothing uses them any more. */
void handles_release(struct handles *all);

/*
 * Takes its own reference of @content, which node @id shows.  It is one of
 * @all until handle_free().  -ENOMEM.
 */
int handle_new_file(struct handles *all, uint64_t id, struct content *content,
		    struct handle **out) MUST_CHECK;
int handle_new_dir(struct handles *all, struct listing *listing,
		   struct handle **out) MUST_CHECK;
void handle_free(struct handle *handle);

static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

#endif
