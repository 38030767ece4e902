/* SPDX-License-Identifier: MIT */
#include "staging/archive/unpack_frames.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

void frame_head_put(uint8_t head[FRAME_HEAD_BYTES], enum frame_kind kind,
		    size_t len)
{
	put_le32(head, (uint32_t)kind);
	put_le32(head + 4, (uint32_t)len);
}

void frame_reader_init(struct frame_reader *reader,
		       const struct frame_taker_ops *ops, void *arg)
{
	memset(reader, 0, sizeof(*reader));
	reader->ops = ops;
	reader->arg = arg;
	reader->wanted = FRAME_HEAD_BYTES;
}

/* May a frame of @kind and @len bytes come now? */
static bool head_is_good(const struct frame_reader *reader, uint32_t kind,
			 uint32_t len)
{
	uint64_t left = reader->member_left;

	switch (kind) {
	case FRAME_MEMBER:
		return left == 0 && len > 8 && len <= 8 + PATH_BYTES_MAX;
	case FRAME_DATA:
		return len > 0 && len <= FRAME_BYTES_MAX && len <= left;
	case FRAME_LEFT:
		return left == 0 && len <= PATH_BYTES_MAX;
	case FRAME_END:
		return left == 0 && len == 0;
	case FRAME_REFUSED: /* also in the middle of a member */
		return len >= 4 && len <= 4 + FRAME_WORDS_MAX;
	default:
		return false;
	}
}

static int take_refused(struct frame_reader *reader)
{
	const uint8_t *at = reader->gather;
	size_t len = reader->gathered - 4;
	uint32_t reason = le32(at);

	if (reason < UNPACK_DAMAGED || reason > UNPACK_FAILED)
		return -EPROTO;
	reader->reason = (enum unpack_reason)reason;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = at[4 + i];

		reader->words[i] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	reader->words[len] = '\0';
	reader->ended = true;
	return 0;
}

static int take_whole(struct frame_reader *reader)
{
	const char *at = (const char *)reader->gather;
	size_t len = reader->gathered;

	switch (reader->kind) {
	case FRAME_MEMBER:
		reader->member_left = le64(at);
		return reader->ops->member(reader->arg, at + 8, len - 8,
					   reader->member_left);
	case FRAME_LEFT:
		return reader->ops->left(reader->arg, at, len);
	case FRAME_END:
		reader->ended = true;
		return 0;
	default:
		return take_refused(reader);
	}
}

/* The head of a frame, or a whole one, was gathered. */
static int take_gathered(struct frame_reader *reader)
{
	uint32_t kind = reader->kind;
	uint32_t len;
	int r = 0;

	if (kind) {
		r = take_whole(reader);
		kind = 0;
		len = FRAME_HEAD_BYTES;
	} else {
		kind = le32(reader->gather);
		len = le32(reader->gather + 4);
		if (!head_is_good(reader, kind, len))
			return -EPROTO;
	}
	reader->gathered = 0;
	reader->kind = kind;
	reader->wanted = len;
	if (kind == FRAME_DATA) {
		reader->payload_left = len;
		reader->kind = 0;
		reader->wanted = FRAME_HEAD_BYTES;
	}
	return r;
}

static int take_data(struct frame_reader *reader, const uint8_t *bytes,
		     size_t len)
{
	reader->payload_left -= (uint32_t)len;
	reader->member_left -= len;
	return reader->ops->data(reader->arg, bytes, len);
}

int frame_reader_feed(struct frame_reader *reader, const void *bytes,
		      size_t len)
{
	const uint8_t *at = bytes;
	int r = 0;

	while (r == 0 && (len > 0 || (reader->kind && !reader->wanted))) {
		size_t part;

		if (reader->ended)
			return -EPROTO;
		if (reader->payload_left > 0) {
			part = (size_t)u64_min(len, reader->payload_left);
			r = take_data(reader, at, part);
		} else {
			part = (size_t)u64_min(len, reader->wanted -
							    reader->gathered);
			memcpy(reader->gather + reader->gathered, at, part);
			reader->gathered += part;
			if (reader->gathered == reader->wanted)
				r = take_gathered(reader);
		}
		at += part;
		len -= part;
	}
	return r;
}
