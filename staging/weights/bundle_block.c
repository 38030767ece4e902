/* SPDX-License-Identifier: MIT */
#include "staging/weights/bundle_block.h"

#include <errno.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/crc32c.h"

enum packing { PACKED_NOT = 0, PACKED_SNAPPY = 1 };

#define WORD_BYTES 4 /* of a restart, and of their number */

/* What Snappy can make of a byte: 64 of a copy in 3, the rest is slack. */
#define SNAPPY_GROWTH_MAX 32

static int unpack(struct bundle_block *block, const char *packed, size_t *len)
{
	size_t size;

	if (snappy_uncompressed_length(packed, *len, &size) != SNAPPY_OK ||
	    size > BUNDLE_BLOCK_BYTES_MAX || size / SNAPPY_GROWTH_MAX > *len)
		return -EBADMSG;
	block->unpacked = mem_alloc(size + 1);
	if (!block->unpacked)
		return -ENOMEM;
	if (snappy_uncompress(packed, *len, (char *)block->unpacked, &size) !=
	    SNAPPY_OK)
		return -EBADMSG;
	block->contents = block->unpacked;
	*len = size;
	return 0;
}

/* The first entry is a restart, and without entries there is one at 0. */
static int open_contents(struct bundle_block *block, size_t len)
{
	size_t count, entries;

	if (len < 2 * WORD_BYTES)
		return -EBADMSG;
	count = le32(block->contents + len - WORD_BYTES);
	if (count == 0 || count > len / WORD_BYTES - 1)
		return -EBADMSG;
	entries = len - (count + 1) * WORD_BYTES;
	block->restarts = block->contents + entries;
	block->restart_count = count;
	wire_init(&block->entries, block->contents, entries);
	if (le32(block->restarts) != 0)
		return -EBADMSG;
	block->restart_next = entries == 0 ? 1 : 0;
	return 0;
}

int bundle_block_open(struct bundle_block *block, const void *bytes, size_t len)
{
	const uint8_t *trailer;
	int r = 0;

	*block = (struct bundle_block){ .contents = bytes };
	str_init(&block->key, BUNDLE_KEY_BYTES_MAX);
	if (len < BUNDLE_TRAILER_BYTES ||
	    len - BUNDLE_TRAILER_BYTES > BUNDLE_BLOCK_BYTES_MAX)
		return -EBADMSG;
	len -= BUNDLE_TRAILER_BYTES;
	trailer = block->contents + len;
	if (crc32c_mask(crc32c(bytes, len + 1)) != le32(trailer + 1))
		return -EBADMSG;
	if (*trailer == PACKED_SNAPPY)
		r = unpack(block, bytes, &len);
	else if (*trailer != PACKED_NOT)
		r = -EBADMSG;
	return r < 0 ? r : open_contents(block, len);
}

/* A restart shares nothing; the place of each is that of an entry. */
static bool restart_fits(struct bundle_block *block, size_t at, uint64_t shared)
{
	const uint8_t *next;

	if (block->restart_next == block->restart_count)
		return true;
	next = block->restarts + block->restart_next * WORD_BYTES;
	if (le32(next) != at)
		return true; /* if it is behind us, it is never met */
	block->restart_next++;
	return shared == 0;
}

/* Of two keys that share what is before these, the second is greater. */
static bool rises(const struct str *key, size_t shared, const uint8_t *fresh,
		  size_t len)
{
	size_t old = key->len - shared;
	int order = memcmp(str_text(key) + shared, fresh, u64_min(old, len));

	return order != 0 ? order < 0 : old < len;
}

static int take_key(struct bundle_block *block, size_t shared,
		    const uint8_t *fresh, size_t len)
{
	int r;

	str_truncate(&block->key, shared);
	r = str_append(&block->key, fresh, len);
	return r == -EFBIG ? -EBADMSG : r;
}

int bundle_block_next(struct bundle_block *block)
{
	struct wire *entries = &block->entries;
	size_t at = (size_t)(entries->at - block->contents);
	uint64_t shared, fresh, value;
	const uint8_t *key;
	int r;

	if (entries->at == entries->end)
		return block->restart_next == block->restart_count ? 0
								   : -EBADMSG;
	if (!wire_varint(entries, &shared) || !wire_varint(entries, &fresh) ||
	    !wire_varint(entries, &value))
		return -EBADMSG;
	key = entries->at;
	if (!wire_skip(entries, fresh) || !wire_skip(entries, value) ||
	    shared > block->key.len || !restart_fits(block, at, shared) ||
	    (at > 0 && !rises(&block->key, shared, key, fresh)))
		return -EBADMSG;
	block->value = key + fresh;
	block->value_len = value;
	r = take_key(block, shared, key, fresh);
	return r < 0 ? r : 1;
}

void bundle_block_release(struct bundle_block *block)
{
	str_release(&block->key);
	free(block->unpacked);
	*block = (struct bundle_block){ 0 };
}
