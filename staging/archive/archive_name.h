/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/archive_name.h - which names of an archive are shown.  Pure.
 *
 * The worker asks before it sends a name, we ask again when it comes: what
 * it says is as hostile as the archive.
 */
#ifndef STAGING_ARCHIVE_ARCHIVE_NAME_H
#define STAGING_ARCHIVE_ARCHIVE_NAME_H

#include <stddef.h>

#include "base/annot.h"

/*
 * The path of a member within the tree of its archive: @name of @len bytes
 * without the "./" that tar puts before it, *@clean_len of them.  NULL: the
 * name is left out.  It is absolute, or empty, has an empty part, "." or
 * "..", a NUL, or is longer or deeper than base/limits.h allows.  A name
 * that ends in "/" is a directory's and left out too.  Bytes that are not
 * UTF-8 are a name like others, and so is a backslash.
 */
const char *archive_name_clean(const char *name, size_t len,
			       size_t *clean_len) MUST_CHECK;

#endif
