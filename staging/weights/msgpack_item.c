/* SPDX-License-Identifier: MIT */
#include "staging/weights/msgpack_item.h"

#include <errno.h>

#include "base/bytes.h"

/* First bytes that hold a count or a value themselves. */
static const struct {
	uint8_t first, last, mask;
	enum msgpack_kind kind;
} short_items[] = {
	{ 0x00, 0x7f, 0x7f, MSGPACK_UINT },  { 0x80, 0x8f, 0x0f, MSGPACK_MAP },
	{ 0x90, 0x9f, 0x0f, MSGPACK_ARRAY }, { 0xa0, 0xbf, 0x1f, MSGPACK_TEXT },
	{ 0xe0, 0xff, 0x00, MSGPACK_OTHER },
};

/* From 0xc0 on: .count bytes tell a count, or .skip bytes are the item. */
static const struct {
	enum msgpack_kind kind;
	uint8_t count, skip, fixed;
} long_items[] = {
	[0xc0 - 0xc0] = { MSGPACK_OTHER, 0, 0, 0 }, /* nil */
	[0xc2 - 0xc0] = { MSGPACK_OTHER, 0, 0, 0 }, /* false */
	[0xc3 - 0xc0] = { MSGPACK_OTHER, 0, 0, 0 }, /* true */
	[0xc4 - 0xc0] = { MSGPACK_BYTES, 1, 0, 0 },
	[0xc5 - 0xc0] = { MSGPACK_BYTES, 2, 0, 0 },
	[0xc6 - 0xc0] = { MSGPACK_BYTES, 4, 0, 0 },
	[0xc7 - 0xc0] = { MSGPACK_EXT, 1, 1, 0 },
	[0xc8 - 0xc0] = { MSGPACK_EXT, 2, 1, 0 },
	[0xc9 - 0xc0] = { MSGPACK_EXT, 4, 1, 0 },
	[0xca - 0xc0] = { MSGPACK_OTHER, 0, 4, 0 }, /* floats */
	[0xcb - 0xc0] = { MSGPACK_OTHER, 0, 8, 0 },
	[0xcc - 0xc0] = { MSGPACK_UINT, 1, 0, 0 },
	[0xcd - 0xc0] = { MSGPACK_UINT, 2, 0, 0 },
	[0xce - 0xc0] = { MSGPACK_UINT, 4, 0, 0 },
	[0xcf - 0xc0] = { MSGPACK_UINT, 8, 0, 0 },
	[0xd0 - 0xc0] = { MSGPACK_OTHER, 0, 1, 0 }, /* signed */
	[0xd1 - 0xc0] = { MSGPACK_OTHER, 0, 2, 0 },
	[0xd2 - 0xc0] = { MSGPACK_OTHER, 0, 4, 0 },
	[0xd3 - 0xc0] = { MSGPACK_OTHER, 0, 8, 0 },
	[0xd4 - 0xc0] = { MSGPACK_EXT, 0, 1, 1 },
	[0xd5 - 0xc0] = { MSGPACK_EXT, 0, 1, 2 },
	[0xd6 - 0xc0] = { MSGPACK_EXT, 0, 1, 4 },
	[0xd7 - 0xc0] = { MSGPACK_EXT, 0, 1, 8 },
	[0xd8 - 0xc0] = { MSGPACK_EXT, 0, 1, 16 },
	[0xd9 - 0xc0] = { MSGPACK_TEXT, 1, 0, 0 },
	[0xda - 0xc0] = { MSGPACK_TEXT, 2, 0, 0 },
	[0xdb - 0xc0] = { MSGPACK_TEXT, 4, 0, 0 },
	[0xdc - 0xc0] = { MSGPACK_ARRAY, 2, 0, 0 },
	[0xdd - 0xc0] = { MSGPACK_ARRAY, 4, 0, 0 },
	[0xde - 0xc0] = { MSGPACK_MAP, 2, 0, 0 },
	[0xdf - 0xc0] = { MSGPACK_MAP, 4, 0, 0 },
};

static uint64_t big_endian(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static int long_item(const uint8_t *bytes, size_t len, struct msgpack_item *out)
{
	size_t i = bytes[0] - 0xc0;
	size_t count = long_items[i].count, skip = long_items[i].skip;

	if (bytes[0] == 0xc1)
		return -EBADMSG;
	out->kind = long_items[i].kind;
	out->head = 1 + count + skip;
	if (len < out->head)
		return -ENODATA;
	out->count = count > 0 ? big_endian(bytes + 1, count)
			       : long_items[i].fixed;
	if (out->kind == MSGPACK_EXT)
		out->ext = bytes[1 + count];
	return 0;
}

int msgpack_item(const uint8_t *bytes, size_t len, struct msgpack_item *out)
{
	*out = (struct msgpack_item){ .head = 1 };
	if (len == 0)
		return -ENODATA;
	for (size_t i = 0; i < ARRAY_LEN(short_items); i++) {
		if (bytes[0] < short_items[i].first ||
		    bytes[0] > short_items[i].last)
			continue;
		out->kind = short_items[i].kind;
		out->count = bytes[0] & short_items[i].mask;
		return 0;
	}
	return long_item(bytes, len, out);
}
