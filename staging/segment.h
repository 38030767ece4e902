/* SPDX-License-Identifier: MIT */
/*
 * staging/segment.h - what a segment does to the bytes of its source.  Pure.
 *
 * The widenings are exact: every bfloat16 and every half is a float
 * (IEEE 754-2019, 3.6), so nothing is rounded.  bfloat16 is the upper half
 * of a float; a half has 5 bits of exponent (bias 15) and 10 of fraction.
 * All are little-endian.
 */
#ifndef STAGING_SEGMENT_H
#define STAGING_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "staging/plan.h"

/* Staged bytes for each byte of the source. */
static inline uint64_t segment_scale(uint32_t kind)
{
	return kind == SEGMENT_BF16_F32 || kind == SEGMENT_F16_F32 ? 2 : 1;
}

static inline bool segment_reads_source(uint32_t kind)
{
	return kind == SEGMENT_COPY || segment_scale(kind) > 1;
}

/* Bytes of the source (or of plan->bytes) that it covers. */
static inline uint64_t segment_src_len(const struct segment *segment)
{
	return segment->len / segment_scale(segment->kind);
}

/*
 * The bytes of the source under [@off, @off + @len) of the segment, counted
 * from the segment's own start: whole elements, so up to 2 bytes more on
 * each side.  The range lies within the segment.
 */
void segment_src_range(const struct segment *segment, uint64_t off,
		       uint64_t len, uint64_t *src, uint64_t *src_len);

/*
 * Writes @len bytes of the widened form of @from.  @skip (0 to 3) bytes of
 * the first float are left out; the last one may be cut too.  @from holds
 * every element touched, from the first on; it may not overlap @to.
 */
void segment_widen(uint32_t kind, const void *from, unsigned int skip,
		   size_t len, void *to);

/* The bits of the float equal to the half with these bits. */
uint32_t f16_to_f32_bits(uint16_t half);

#endif
