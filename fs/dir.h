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

/*
 * From memory, on any thread.  0 and one reference, -ENOENT, or -EAGAIN:
 * only dir_lookup() can tell.
 */
int dir_lookup_known(struct node *dir, const char *name,
		     struct node **out) MUST_CHECK;

/*
 * May wait for the network, so for a lane; as provider.h has it with
 * DEADLINE_NOW.  One reference.
 */
int dir_lookup(struct fs *fs, struct node *dir, const char *name,
	       uint64_t deadline_ns, struct node **out) MUST_CHECK;

/* The same. */
int dir_list(struct fs *fs, struct node *dir, uint64_t deadline_ns,
	     struct listing **out) MUST_CHECK;

/* How long the kernel may believe a name in @dir, found or missing. */
double dir_found_ttl_s(struct node *dir);
double dir_missing_ttl_s(struct node *dir);

/* Drops what may have moved below the model or hub directory @dir. */
void dir_refresh(struct node *dir);

#endif
