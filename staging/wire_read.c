/* SPDX-License-Identifier: MIT */
#include "staging/wire_read.h"

#include <string.h>

#include "base/bytes.h"

#define VARINT_BYTES_MAX 10

void wire_init(struct wire *wire, const void *bytes, size_t len)
{
	wire->at = bytes;
	wire->end = len > 0 ? wire->at + len : wire->at;
	wire->bad = false;
}

static size_t left(const struct wire *wire)
{
	return (size_t)(wire->end - wire->at);
}

static bool spoil(struct wire *wire)
{
	wire->bad = true;
	return false;
}

/* The tenth byte of a varint has room for one bit of the 64. */
bool wire_varint(struct wire *wire, uint64_t *out)
{
	size_t len = 0, max = u64_min(left(wire), VARINT_BYTES_MAX);
	uint64_t value = 0;
	uint8_t byte;

	if (wire->bad || left(wire) == 0)
		return false;
	do {
		if (len == max)
			return spoil(wire);
		byte = wire->at[len];
		value |= (uint64_t)(byte & 0x7f) << 7 * len;
		len++;
	} while (byte & 0x80);
	if (len == VARINT_BYTES_MAX && byte > 1)
		return spoil(wire);
	wire->at += len;
	*out = value;
	return true;
}

bool wire_fixed32(struct wire *wire, uint32_t *out)
{
	if (wire->bad || left(wire) == 0)
		return false;
	if (left(wire) < 4)
		return spoil(wire);
	*out = le32(wire->at);
	wire->at += 4;
	return true;
}

bool wire_fixed64(struct wire *wire, uint64_t *out)
{
	if (wire->bad || left(wire) == 0)
		return false;
	if (left(wire) < 8)
		return spoil(wire);
	*out = le64(wire->at);
	wire->at += 8;
	return true;
}

bool wire_skip(struct wire *wire, uint64_t len)
{
	if (wire->bad || len > left(wire))
		return spoil(wire);
	wire->at += len;
	return true;
}

static bool read_tag(struct wire *wire, struct wire_field *out)
{
	uint64_t tag;

	if (!wire_varint(wire, &tag))
		return false;
	if (tag >> 3 == 0 || tag >> 3 > WIRE_FIELD_MAX)
		return spoil(wire);
	out->number = (uint32_t)(tag >> 3);
	out->type = tag & 7;
	return true;
}

/* False without .bad: the bytes end where a value should be. */
static bool read_value(struct wire *wire, struct wire_field *out)
{
	uint32_t four;

	switch (out->type) {
	case WIRE_VARINT:
	case WIRE_LEN:
		return wire_varint(wire, &out->value);
	case WIRE_I64:
		return wire_fixed64(wire, &out->value);
	case WIRE_I32:
		if (!wire_fixed32(wire, &four))
			return false;
		out->value = four;
		return true;
	default:
		return spoil(wire);
	}
}

bool wire_next(struct wire *wire, struct wire_field *out)
{
	out->record = wire->at;
	if (!read_tag(wire, out))
		return false;
	out->bytes = wire->at;
	if (!read_value(wire, out))
		return spoil(wire);
	if (out->type == WIRE_LEN) {
		out->bytes = wire->at;
		if (!wire_skip(wire, out->value))
			return false;
	}
	out->len = (size_t)(wire->at - out->bytes);
	return true;
}

bool wire_want(struct wire *wire, const struct wire_field *field,
	       unsigned int type)
{
	return field->type == type || spoil(wire);
}

void wire_enter(struct wire *inner, const struct wire_field *field)
{
	wire_init(inner, field->bytes, field->len);
}

bool wire_is(const struct wire_field *field, const char *text)
{
	size_t len = strlen(text);

	return field->type == WIRE_LEN && field->len == len &&
	       memcmp(field->bytes, text, len) == 0;
}
