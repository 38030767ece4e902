/* SPDX-License-Identifier: MIT */
#include "staging/weights/ordered_code.h"

#define SIGNED_BYTES_MAX 10 /* 63 bits, 7 a byte and one of the sign */
#define ESCAPE_LOW 0x00
#define ESCAPE_HIGH 0xff
#define STRING_END 0x01 /* behind ESCAPE_LOW */

static uint64_t spoil(struct cursor *c)
{
	c->bad = true;
	return 0;
}

uint64_t ordered_number(struct cursor *c)
{
	size_t len = cursor_u8(c);
	const uint8_t *bytes;
	uint64_t value = 0;

	if (len > sizeof(value))
		return spoil(c);
	bytes = cursor_take(c, len);
	if (!bytes || (len > 0 && bytes[0] == 0))
		return spoil(c);
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* How many ones the bytes begin with, once turned by @turn. */
static size_t leading_ones(const uint8_t *bytes, size_t len, uint8_t turn)
{
	size_t ones = 0;

	while (ones < 8 * len && (bytes[ones / 8] ^ turn) >> (7 - ones % 8) & 1)
		ones++;
	return ones;
}

/* The shortest form of a value (not negative) has so many bytes. */
static size_t signed_len(uint64_t value)
{
	size_t len = 1;

	while (len < SIGNED_BYTES_MAX && value >> (7 * len - 1) != 0)
		len++;
	return len;
}

int64_t ordered_signed(struct cursor *c)
{
	size_t left = cursor_left(c), len;
	const uint8_t *bytes = c->at;
	uint64_t value = 0;
	uint8_t turn;

	if (c->bad || left == 0)
		return (int64_t)spoil(c);
	turn = bytes[0] & 0x80 ? 0 : 0xff;
	len = leading_ones(bytes, left < 2 ? left : 2, turn);
	if (len > SIGNED_BYTES_MAX || !cursor_take(c, len))
		return (int64_t)spoil(c);
	for (size_t i = 0; i < len; i++) {
		size_t mark = len > 8 * i ? len - 8 * i : 0;
		uint8_t byte = bytes[i] ^ turn;

		byte = mark < 8 ? byte & 0xff >> mark : 0;
		if (value >> 56 != 0)
			return (int64_t)spoil(c);
		value = value << 8 | byte;
	}
	if (value > INT64_MAX || signed_len(value) != len)
		return (int64_t)spoil(c);
	return turn ? ~(int64_t)value : (int64_t)value;
}

int ordered_string(struct cursor *c, struct str *out)
{
	for (;;) {
		uint8_t byte = cursor_u8(c), next;
		int r;

		if (c->bad)
			return 0;
		if (byte == ESCAPE_LOW || byte == ESCAPE_HIGH) {
			next = cursor_u8(c);
			if (byte == ESCAPE_LOW && next == STRING_END)
				return 0;
			if (c->bad || (next ^ byte) != 0xff) {
				c->bad = true;
				return 0;
			}
		}
		r = str_append_char(out, (char)byte);
		if (r < 0)
			return r;
	}
}
