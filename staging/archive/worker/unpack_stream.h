/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/worker/unpack_stream.h - packed bytes in, unpacked out.
 *
 * One layer only.  gzip is done here with zlib, which checks each member's
 * checksum and length (libarchive does not), and where nothing may follow
 * the last member; bzip2, xz and zstd are libarchive's.
 */
#ifndef STAGING_ARCHIVE_WORKER_UNPACK_STREAM_H
#define STAGING_ARCHIVE_WORKER_UNPACK_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/archive/worker/unpack.h"

struct unpack_stream;

/*
 * Looks at the first bytes.  @io is borrowed for as long as the stream.
 * More than @bytes_max unpacked bytes are -EFBIG.  On success
 * unpack_stream_free().
 */
int unpack_stream_new(const struct unpack_io *io, uint64_t bytes_max,
		      struct unpack_stream **out) MUST_CHECK;
void unpack_stream_free(struct unpack_stream *stream);
DEFINE_AUTO_PTR(unpack_stream, struct unpack_stream, unpack_stream_free)
#define auto_unpack_stream auto_of(unpack_stream)

/*
 * The next bytes, valid until the next call; 0: the end, and all of it was
 * right.  -EBADMSG: damaged, cut, or followed by something; -EFBIG;
 * -ENOMEM; -EOPNOTSUPP: more than one layer; or io->read()'s.
 */
ssize_t unpack_stream_read(struct unpack_stream *stream,
			   const void **bytes) MUST_CHECK;

/* The way of packing tells whether the end is the true one. */
bool unpack_stream_proves_end(const struct unpack_stream *stream);

/* The errno, in the words of the frame. */
enum unpack_reason unpack_reason_of(int error);

#endif
