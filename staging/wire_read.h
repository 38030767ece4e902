/* SPDX-License-Identifier: MIT */
/*
 * staging/wire_read.h - protobuf's wire format, read field by field.  Pure.
 *
 * Facts: protobuf.dev/programming-guides/encoding.  A message is a row of
 * records: a varint tag (field number << 3 | wire type), then a varint,
 * eight bytes, a varint length and so many bytes, or four bytes.  A varint
 * has at most ten bytes; field numbers go from 1 to 2^29 - 1.  Groups
 * (types 3 and 4) are in none of the formats we read: they are refused, as
 * are types 6 and 7, number 0 and a varint of more than 64 bits.
 *
 * Nothing is copied and nothing nests by itself: who reads a message inside
 * a message calls wire_enter() and bounds the depth.  What a message repeats
 * is given each time; "the last one wins" is up to the caller.  Fields of
 * unknown numbers are to be passed over.
 *
 *	wire_init(&w, bytes, len);
 *	while (wire_next(&w, &field))
 *		if (field.number == 2 && wire_want(&w, &field, WIRE_LEN))
 *			...
 *	if (w.bad)
 *		return -EBADMSG;
 *
 * Writing is in graph/wire.h.  Threads: one at a time for each struct wire.
 */
#ifndef STAGING_WIRE_READ_H
#define STAGING_WIRE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct wire_field.type */
#define WIRE_VARINT 0u
#define WIRE_I64 1u
#define WIRE_LEN 2u
#define WIRE_I32 5u

#define WIRE_FIELD_MAX ((1u << 29) - 1) /* the format's own limit */

struct wire {
	const uint8_t *at, *end; /* borrowed */
	bool bad;		 /* malformed; nothing more is read */
};

struct wire_field {
	uint32_t number;
	unsigned int type;     /* WIRE_* */
	uint64_t value;	       /* of VARINT, I32, I64; of LEN .len */
	const uint8_t *bytes;  /* the value as it stands; of LEN its contents */
	size_t len;	       /* of .bytes */
	const uint8_t *record; /* begins with the tag, ends where .bytes do */
};

/* @bytes are borrowed for as long as @wire and its fields are used. */
void wire_init(struct wire *wire, const void *bytes, size_t len);

/* False: at the end, or .bad. */
bool wire_next(struct wire *wire, struct wire_field *out);

/* True: @field is of @type.  False: it is not, and @wire is .bad. */
bool wire_want(struct wire *wire, const struct wire_field *field,
	       unsigned int type);

/*
 * Into a message, or over the numbers of a repeated field: those of a packed
 * one (LEN) and the one of an unpacked one alike, by the calls below.
 */
void wire_enter(struct wire *inner, const struct wire_field *field);

/* A bare value.  False: at the end, or .bad.  An int64 is cast. */
bool wire_varint(struct wire *wire, uint64_t *out);
bool wire_fixed32(struct wire *wire, uint32_t *out);
bool wire_fixed64(struct wire *wire, uint64_t *out);

/* Passes over @len bytes.  False: so many are not left, and it is .bad. */
bool wire_skip(struct wire *wire, uint64_t len);

/* The field is LEN and holds just these characters. */
bool wire_is(const struct wire_field *field, const char *text);

#endif
