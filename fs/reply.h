/* SPDX-License-Identifier: MIT */
/*
 * fs/reply.h - answers to the kernel, each kind in one place.
 *
 * None is called with a lock held: a reply may be the kernel's last
 * reference.  @error arguments are -errno, as everywhere.
 */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include <stddef.h>
#include <sys/stat.h>

#include "fs/fs.h"
#include "fs/fuse_api.h"
#include "fs/node.h"

/* Metadata: what users may see of @error. */
void reply_error(fuse_req_t req, int error);

/* Reads know three errors: EACCES, ESTALE, and EIO for the rest. */
void reply_read_error(fuse_req_t req, int error);

/* @child; the kernel may believe the name for @ttl_s.  Counts one lookup. */
void reply_entry(struct fs *fs, fuse_req_t req, struct node *child,
		 double ttl_s);

/* No such name; the kernel may believe that for @ttl_s. */
void reply_missing(fuse_req_t req, double ttl_s);

void node_attr(const struct fs *fs, const struct node *node, struct stat *attr);
void reply_attr(struct fs *fs, fuse_req_t req, const struct node *node);

/* The parameters of an entry, for reply_entry() and readdirplus. */
void node_entry_param(const struct fs *fs, const struct node *child,
		      double ttl_s, struct fuse_entry_param *out);

#endif
