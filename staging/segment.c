/* SPDX-License-Identifier: MIT */
#include "staging/segment.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

void segment_src_range(const struct segment *segment, uint64_t off,
		       uint64_t len, uint64_t *src, uint64_t *src_len)
{
	uint64_t first = off, end = off + len;

	assert(len > 0 && end <= segment->len);
	if (segment_scale(segment->kind) == 2) {
		first = u64_floor(off, 4) / 2;
		end = u64_ceil(end, 4) / 2;
	}
	*src = segment->src + first;
	*src_len = end - first;
}

uint32_t f16_to_f32_bits(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	uint32_t exponent = half >> 10 & 0x1f;
	uint32_t fraction = half & 0x3ff;

	if (exponent == 0x1f)
		return sign | 0x7f800000 | fraction << 13;
	if (exponent == 0 && fraction == 0)
		return sign;
	if (exponent == 0) {
		/* Subnormal: its leading one becomes the implied one. */
		unsigned int shift = (unsigned int)__builtin_clz(fraction) - 21;

		fraction = fraction << shift & 0x3ff;
		return sign | (113 - shift) << 23 | fraction << 13;
	}
	return sign | (exponent + 112) << 23 | fraction << 13;
}

static uint32_t widen_one(uint32_t kind, const uint8_t *from)
{
	uint16_t bits = le16(from);

	return kind == SEGMENT_F16_F32 ? f16_to_f32_bits(bits)
				       : (uint32_t)bits << 16;
}

/* @len (1 to 4) bytes of the float at @from, from its byte @skip on. */
static void widen_part(uint32_t kind, const uint8_t *from, unsigned int skip,
		       size_t len, uint8_t *to)
{
	uint8_t bytes[4];

	put_le32(bytes, widen_one(kind, from));
	memcpy(to, bytes + skip, len);
}

void segment_widen(uint32_t kind, const void *from, unsigned int skip,
		   size_t len, void *to)
{
	const uint8_t *src = from;
	uint8_t *out = to;

	assert(segment_scale(kind) == 2 && skip < 4);
	if (skip > 0) {
		size_t part = u64_min(len, 4 - skip);

		widen_part(kind, src, skip, part, out);
		src += 2;
		out += part;
		len -= part;
	}
	for (; len >= 4; len -= 4, src += 2, out += 4)
		put_le32(out, widen_one(kind, src));
	if (len > 0)
		widen_part(kind, src, 0, len, out);
}
