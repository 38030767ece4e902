/* SPDX-License-Identifier: MIT */
#include "staging/weights/crc32c.h"

#include <pthread.h>

#include "base/bytes.h"

#define POLYNOMIAL 0x82f63b78u /* reflected */
#define MASK_DELTA 0xa282ead8u

/* steps[n][b]: what byte @b, n bytes before the end, adds to the sum. */
static uint32_t steps[8][256];
static pthread_once_t steps_once = PTHREAD_ONCE_INIT;

static void steps_init(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		steps[0][b] = crc;
	}
	for (int n = 1; n < 8; n++)
		for (int b = 0; b < 256; b++)
			steps[n][b] = steps[n - 1][b] >> 8 ^
				      steps[0][steps[n - 1][b] & 0xff];
}

static uint32_t add_byte(uint32_t crc, uint8_t byte)
{
	return crc >> 8 ^ steps[0][(crc ^ byte) & 0xff];
}

static uint32_t add_eight(uint32_t crc, const uint8_t *bytes)
{
	uint64_t word = le64(bytes) ^ crc;

	crc = 0;
	for (int n = 7; n >= 0; n--, word >>= 8)
		crc ^= steps[n][word & 0xff];
	return crc;
}

uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	pthread_once(&steps_once, steps_init);
	crc = ~crc;
	for (; len >= 8; len -= 8, at += 8)
		crc = add_eight(crc, at);
	for (; len > 0; len--, at++)
		crc = add_byte(crc, *at);
	return ~crc;
}

uint32_t crc32c(const void *bytes, size_t len)
{
	return crc32c_extend(0, bytes, len);
}

uint32_t crc32c_mask(uint32_t crc)
{
	return (crc >> 15 | crc << 17) + MASK_DELTA;
}
