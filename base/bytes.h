/* SPDX-License-Identifier: MIT */
/*
 * base/bytes.h - numbers in bytes, and arithmetic that tells of overflow.
 *
 * struct cursor walks hostile bytes: a read past the end returns 0 and
 * sets .bad, which the parser looks at once, at the end of a record.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/annot.h"

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* something was read past the end, or was malformed */
};

static inline struct cursor cursor_of(const void *bytes, size_t len)
{
	return (struct cursor){ bytes, (const uint8_t *)bytes + len, false };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* The next @len bytes, or NULL and .bad. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if (c->bad || len > cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	c->at += len;
	return at;
}

static inline uint16_t le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t le32(const void *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16((const uint8_t *)p + 2) << 16;
}

static inline uint64_t le64(const void *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32((const uint8_t *)p + 4) << 32;
}

static inline void put_le32(void *p, uint32_t v)
{
	uint8_t *b = p;

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> 8 * i);
}

static inline void put_le64(void *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

static inline uint16_t cursor_le16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);

	return p ? le16(p) : 0;
}

static inline uint32_t cursor_le32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);

	return p ? le32(p) : 0;
}

static inline uint64_t cursor_le64(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 8);

	return p ? le64(p) : 0;
}

/* True and *@sum, or false on overflow. */
static inline bool u64_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool u64_mul(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Down, or up, to a multiple of @unit, a power of two. */
static inline uint64_t u64_floor(uint64_t v, uint64_t unit)
{
	return v & ~(unit - 1);
}

static inline uint64_t u64_ceil(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) & ~(unit - 1);
}

/*
 * The whole of @text (of @len bytes) as a decimal number without sign,
 * space or leading zero.  -EINVAL, or -ERANGE past @max.
 */
int parse_u64(const char *text, size_t len, uint64_t max,
	      uint64_t *out) MUST_CHECK;

/* "64K", "10G", "1.5T", bytes if bare; powers of 1024.  -EINVAL, -ERANGE. */
int parse_size(const char *text, uint64_t *out) MUST_CHECK;

/* Bytes of the character that @bytes starts with; 0: not UTF-8. */
size_t utf8_step(const void *bytes, size_t len);

bool utf8_valid(const void *bytes, size_t len);

#endif
