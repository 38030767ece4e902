/* SPDX-License-Identifier: MIT */
/*
 * staging/gunzip.h - data files of ours, which lie compressed.  Pure.
 *
 * RFC 1952, one member and nothing after it.  Sole user of zlib outside
 * of jobs.
 */
#ifndef STAGING_GUNZIP_H
#define STAGING_GUNZIP_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"

/*
 * Appends what @bytes hold to @out.  -EBADMSG: they are no whole gzip
 * file, or damaged; -EFBIG: past @out's bound; -ENOMEM.
 */
int gunzip(const void *bytes, size_t len, struct str *out) MUST_CHECK;

#endif
