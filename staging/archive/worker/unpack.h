/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/worker/unpack.h - an archive in, frames out.
 *
 * What the worker does, apart from being a process.  Input and output are
 * functions, so that a fuzz target runs all of it in memory.
 */
#ifndef STAGING_ARCHIVE_WORKER_UNPACK_H
#define STAGING_ARCHIVE_WORKER_UNPACK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/annot.h"
#include "staging/archive/unpack_frames.h"

struct unpack_io {
	/* Up to @len bytes into @to; 0: the end; -errno. */
	ssize_t (*read)(void *arg, void *to, size_t len);

	/* All of them.  0 or -errno. */
	int (*write)(void *arg, const void *bytes, size_t len);
	void *arg;
};

/*
 * A tar, plain or packed by gzip, bzip2, xz or zstd (its first bytes tell).
 * Once it is unpacked it may have @bytes_max bytes.  Ends with END or
 * REFUSED, and 0; -errno: there was no way to say even that.
 */
int unpack_tar(const struct unpack_io *io, uint64_t bytes_max) MUST_CHECK;

/* One deflated member of a zip, of @size bytes; as above. */
int unpack_deflated(const struct unpack_io *io, uint64_t size) MUST_CHECK;

/* Frames.  @path and @bytes are borrowed; lengths within the format's. */
int put_member(const struct unpack_io *io, const char *path, size_t len,
	       uint64_t size) MUST_CHECK;
int put_left(const struct unpack_io *io, const char *path,
	     size_t len) MUST_CHECK;
int put_end(const struct unpack_io *io) MUST_CHECK;

/* @words is cut; NULL: none. */
int put_refused(const struct unpack_io *io, enum unpack_reason reason,
		const char *words) MUST_CHECK;

/* @frame has FRAME_HEAD_BYTES of room, then @len bytes of data. */
int put_data(const struct unpack_io *io, uint8_t *frame, size_t len) MUST_CHECK;

#endif
