/* SPDX-License-Identifier: MIT */
/*
 * fs/control.h - the files of .omnihub/: how the mount is doing.
 *
 * Made anew at each open; no secret and no model's name is in them.
 */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include <stddef.h>

#include "base/annot.h"
#include "base/content.h"
#include "fs/fs.h"

/* The name of file @index; NULL past the last. */
const char *control_name(size_t index);

/* What file @name says now; one reference.  -ENOENT. */
int control_open(struct fs *fs, const char *name,
		 struct content **out) MUST_CHECK;

#endif
