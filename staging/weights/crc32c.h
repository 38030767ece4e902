/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/crc32c.h - CRC-32C, and TensorFlow's mask over it.  Pure.
 *
 * Facts: RFC 3720, section 12.1 and appendix B.4 (Castagnoli's polynomial
 * 0x11edc6f41, reflected); tensorflow/core/lib/hash/crc32c.h (a stored sum
 * is rotated and moved, since a sum over bytes that hold sums is weak).
 *
 * Threads: any.
 */
#ifndef STAGING_WEIGHTS_CRC32C_H
#define STAGING_WEIGHTS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *bytes, size_t len);

/* The sum of what gave @crc with @bytes behind it; 0 is that of nothing. */
uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t len);

/* As TensorFlow stores @crc. */
uint32_t crc32c_mask(uint32_t crc);

#endif
