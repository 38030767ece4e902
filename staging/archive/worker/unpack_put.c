/* SPDX-License-Identifier: MIT */
/* Frames, written. */
#include "staging/archive/worker/unpack.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

/* A frame of two parts that are not long. */
static int put(const struct unpack_io *io, enum frame_kind kind,
	       const void *fixed, size_t fixed_len, const char *text,
	       size_t text_len)
{
	uint8_t frame[FRAME_HEAD_BYTES + 8 + PATH_BYTES_MAX];
	size_t len = fixed_len + text_len;

	if (fixed_len > 8 || text_len > PATH_BYTES_MAX)
		return -EINVAL;
	frame_head_put(frame, kind, len);
	if (fixed_len > 0)
		memcpy(frame + FRAME_HEAD_BYTES, fixed, fixed_len);
	if (text_len > 0)
		memcpy(frame + FRAME_HEAD_BYTES + fixed_len, text, text_len);
	return io->write(io->arg, frame, FRAME_HEAD_BYTES + len);
}

int put_member(const struct unpack_io *io, const char *path, size_t len,
	       uint64_t size)
{
	uint8_t le[8];

	put_le64(le, size);
	return put(io, FRAME_MEMBER, le, sizeof(le), path, len);
}

int put_left(const struct unpack_io *io, const char *path, size_t len)
{
	return put(io, FRAME_LEFT, NULL, 0, path, len);
}

int put_end(const struct unpack_io *io)
{
	return put(io, FRAME_END, NULL, 0, NULL, 0);
}

int put_refused(const struct unpack_io *io, enum unpack_reason reason,
		const char *words)
{
	uint8_t le[4];

	put_le32(le, (uint32_t)reason);
	return put(io, FRAME_REFUSED, le, sizeof(le), words,
		   words ? strnlen(words, FRAME_WORDS_MAX) : 0);
}

int put_data(const struct unpack_io *io, uint8_t *frame, size_t len)
{
	frame_head_put(frame, FRAME_DATA, len);
	return io->write(io->arg, frame, FRAME_HEAD_BYTES + len);
}
