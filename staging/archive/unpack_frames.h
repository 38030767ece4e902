/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/unpack_frames.h - what the worker says, as bytes.  Pure.
 *
 * A stream of frames, numbers little-endian: u32 kind, u32 length of what
 * follows, then that:
 *
 *	1 MEMBER	u64 size, then the cleaned path
 *	2 DATA		the next bytes of that member, at least one
 *	3 LEFT		path of an entry that is no member; may be empty
 *	4 END		nothing; all members were complete
 *	5 REFUSED	u32 enum unpack_reason, then words for people
 *
 * A member's DATA frames give exactly its size before another frame; END or
 * REFUSED is the last one.  The reader believes nothing: the worker has read
 * a hostile archive and may have been taken over by it.
 */
#ifndef STAGING_ARCHIVE_UNPACK_FRAMES_H
#define STAGING_ARCHIVE_UNPACK_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/limits.h"

#define FRAME_HEAD_BYTES 8
#define FRAME_WORDS_MAX 256 /* of REFUSED */

enum frame_kind {
	FRAME_MEMBER = 1,
	FRAME_DATA,
	FRAME_LEFT,
	FRAME_END,
	FRAME_REFUSED
};

enum unpack_reason {
	UNPACK_FINE,	/* never sent */
	UNPACK_DAMAGED, /* or no archive at all */
	UNPACK_TOO_BIG, /* past a bound */
	UNPACK_UNKNOWN, /* a way of packing that is not read */
	UNPACK_FAILED	/* no memory, say: nothing is wrong with the bytes */
};

/* Writes the head of a frame of @len bytes. */
void frame_head_put(uint8_t head[FRAME_HEAD_BYTES], enum frame_kind kind,
		    size_t len);

/* Who takes what comes.  0, or -errno, which ends it. */
struct frame_taker_ops {
	/* @path has no NUL behind it; not cleaned yet. */
	int (*member)(void *arg, const char *path, size_t len, uint64_t size);
	int (*data)(void *arg, const void *bytes, size_t len);
	int (*left)(void *arg, const char *path, size_t len);
};

struct frame_reader {
	const struct frame_taker_ops *ops;
	void *arg;

	/* What REFUSED said; .words are printable ASCII. */
	enum unpack_reason reason;
	char words[FRAME_WORDS_MAX + 1];
	bool ended; /* END or REFUSED came */

	/* Private. */
	uint64_t member_left;
	uint32_t kind;
	uint32_t payload_left; /* of a DATA frame */
	size_t gathered;
	size_t wanted;
	uint8_t gather[FRAME_HEAD_BYTES + PATH_BYTES_MAX];
};

void frame_reader_init(struct frame_reader *reader,
		       const struct frame_taker_ops *ops, void *arg);

/*
 * The next @len bytes of the stream.  -EPROTO: this is no such stream; or
 * what a taker said.  Not called again after an error.
 */
int frame_reader_feed(struct frame_reader *reader, const void *bytes,
		      size_t len) MUST_CHECK;

#endif
