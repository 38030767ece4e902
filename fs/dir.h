/* SPDX-License-Identifier: MIT */
/*
 * fs/dir.h - what directories hold.
 *
 * A directory is a listing: built once from what a provider, a repository
 * or staging says, then answered from memory.  Only a hub's own
 * directories have names that no listing has (every model of the hub).
 */
#ifndef FS_DIR_H
#define FS_DIR_H

#include <stdint.h>

#include "base/annot.h"
#include "fs/fs.h"
#include "fs/node.h"

/* What a lookup found. */
struct dir_found {
	struct node *node; /* one reference; NULL: there is no such name */
	double ttl_s;	   /* so long the kernel may believe that */
};

static inline void dir_found_release(struct dir_found *found)
{
	node_unref(found->node);
}
DEFINE_AUTO(dir_found, struct dir_found, dir_found_release)
#define auto_dir_found auto_of(dir_found)

/*
 * From memory, on any thread.  0, -ENOENT (@out->ttl_s is set as well), or
 * -EAGAIN: only dir_lookup() can tell.
 */
int dir_lookup_known(struct node *dir, const char *name,
		     struct dir_found *out) MUST_CHECK;

/*
 * May wait for the network, so for a lane; as provider.h has it with
 * DEADLINE_NOW.
 */
int dir_lookup(struct fs *fs, struct node *dir, const char *name,
	       uint64_t deadline_ns, struct dir_found *out) MUST_CHECK;

/* May wait as well.  One reference. */
int dir_list(struct fs *fs, struct node *dir, uint64_t deadline_ns,
	     struct listing **out) MUST_CHECK;

/* How long the kernel may believe a name of @listing, which is of @dir. */
double dir_ttl_s(const struct node *dir, const struct listing *listing);

/* Drops what may have moved below the model or hub directory @dir. */
void dir_refresh(struct node *dir);

#endif
