/* SPDX-License-Identifier: MIT */
/*
 * fs/xattr.h - what extended attributes tell of a node.
 *
 *	user.omnihub.url	the model's page at the hub
 *	user.omnihub.revision	the commit
 *	user.omnihub.sha256	of a file, where the hub gives one
 *	user.omnihub.plan	digest of the plan of a staged file
 *	user.omnihub.cached	bytes in the cache; of a repository's files
 *	user.omnihub.state	of blobs: local, partial, complete,
 *				verified, bad; of plans: composed
 *
 * No secret is among them.  From memory only.
 */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"
#include "fs/fs.h"
#include "fs/node.h"

/* The full name of attribute @index; NULL past the last. */
const char *xattr_name(size_t index);

/* Appends the value.  -ENODATA: @node has no such attribute. */
int xattr_value(struct fs *fs, struct node *node, const char *name,
		struct str *out) MUST_CHECK;

#endif
