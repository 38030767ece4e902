/* SPDX-License-Identifier: MIT */
/*
 * fs/reader.h - read(): resolve, ensure, copy.
 *
 * On the FUSE thread the range is resolved to extents and these are asked
 * of the cache.  All resident: copied and answered at once.  Else the read
 * is parked, and its copy is made on the disk lane when the last block has
 * come, unless its deadline or an interrupt answered before.
 */
#ifndef FS_READER_H
#define FS_READER_H

#include <stddef.h>
#include <stdint.h>

#include "fs/fs.h"
#include "fs/fuse_api.h"
#include "fs/handle.h"

/* Answers @req, now or later.  @handle need not outlive the call. */
void reader_read(struct fs *fs, fuse_req_t req, struct handle *handle,
		 uint64_t off, size_t len);

#endif
