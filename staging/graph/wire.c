/* SPDX-License-Identifier: MIT */
#include "staging/graph/wire.h"

#include <string.h>

#include "base/bytes.h"

enum wire_type { WIRE_VARINT = 0, WIRE_LEN = 2, WIRE_I32 = 5 };

size_t wire_varint_len(uint64_t v)
{
	size_t len = 1;

	while (v >>= 7)
		len++;
	return len;
}

static uint64_t tag_of(unsigned int field, enum wire_type type)
{
	return (uint64_t)field << 3 | type;
}

uint64_t wire_record_len(unsigned int field, uint64_t len)
{
	return wire_varint_len(tag_of(field, WIRE_LEN)) + wire_varint_len(len) +
	       len;
}

static size_t put_varint(uint8_t *to, uint64_t v)
{
	size_t len = 0;

	for (; v >= 0x80; v >>= 7)
		to[len++] = (uint8_t)(v | 0x80);
	to[len++] = (uint8_t)v;
	return len;
}

static int two_varints(struct str *out, uint64_t a, uint64_t b)
{
	uint8_t bytes[2 * WIRE_VARINT_MAX];
	size_t len = put_varint(bytes, a);

	len += put_varint(bytes + len, b);
	return str_append(out, bytes, len);
}

int wire_int(struct str *out, unsigned int field, uint64_t v)
{
	return two_varints(out, tag_of(field, WIRE_VARINT), v);
}

int wire_head(struct str *out, unsigned int field, uint64_t len)
{
	return two_varints(out, tag_of(field, WIRE_LEN), len);
}

int wire_float(struct str *out, unsigned int field, float f)
{
	uint8_t bytes[WIRE_VARINT_MAX + 4];
	size_t len = put_varint(bytes, tag_of(field, WIRE_I32));
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	put_le32(bytes + len, bits);
	return str_append(out, bytes, len + 4);
}

int wire_bytes(struct str *out, unsigned int field, const void *bytes,
	       size_t len)
{
	int r = wire_head(out, field, len);

	return r < 0 ? r : str_append(out, bytes, len);
}

int wire_text(struct str *out, unsigned int field, const char *text)
{
	return wire_bytes(out, field, text, strlen(text));
}

int wire_message(struct str *out, unsigned int field, const struct str *message)
{
	return wire_bytes(out, field, str_text(message), message->len);
}
