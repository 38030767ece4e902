/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/segment.h"
#include "tests/unit/unit.h"

static void halves_become_floats(void **state)
{
	static const struct {
		const char *name;
		uint16_t half;
		uint32_t bits;
	} cases[] = {
		{ "zero", 0x0000, 0x00000000 },
		{ "minus zero", 0x8000, 0x80000000 },
		{ "one", 0x3c00, 0x3f800000 },
		{ "minus two", 0xc000, 0xc0000000 },
		{ "largest", 0x7bff, 0x477fe000 },
		{ "least normal", 0x0400, 0x38800000 },
		{ "largest subnormal", 0x03ff, 0x387fc000 },
		{ "half of the least normal", 0x0200, 0x38000000 },
		{ "least subnormal", 0x0001, 0x33800000 },
		{ "minus least subnormal", 0x8001, 0xb3800000 },
		{ "infinity", 0x7c00, 0x7f800000 },
		{ "minus infinity", 0xfc00, 0xff800000 },
		{ "quiet nan", 0x7e00, 0x7fc00000 },
		{ "nan with payload", 0x7c01, 0x7f802000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(f16_to_f32_bits(cases[i].half), cases[i].bits);
	}
}

/* Every half by another way: its value computed, then as a float. */
static void all_halves_agree_with_arithmetic(void **state)
{
	(void)state;
	for (uint32_t half = 0; half < 0x10000; half++) {
		int exponent = half >> 10 & 31;
		double value = (half & 0x3ff) / 1024.0;
		uint32_t bits;
		float f;

		if (exponent == 31)
			continue;
		value = exponent ? 1 + value : 2 * value;
		for (int i = 15; i < exponent; i++)
			value *= 2;
		for (int i = exponent; i < 15; i++)
			value /= 2;
		f = (float)(half & 0x8000 ? -value : value);
		memcpy(&bits, &f, 4);
		assert_int_equal(f16_to_f32_bits((uint16_t)half), bits);
	}
}

/* Any part of a widened range equals that part of the whole. */
static void parts_equal_the_whole(void **state)
{
	static const uint32_t kinds[] = { SEGMENT_BF16_F32, SEGMENT_F16_F32 };
	uint8_t from[32], whole[64], part[64];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 37 + 11);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct segment segment = { .kind = kinds[k],
					   .src = 1000,
					   .len = sizeof(whole) };

		segment_widen(kinds[k], from, 0, sizeof(whole), whole);
		for (size_t off = 0; off < sizeof(whole); off++) {
			for (size_t len = 1; off + len <= sizeof(whole);
			     len++) {
				uint64_t src, src_len;

				segment_src_range(&segment, off, len, &src,
						  &src_len);
				assert_true(src >= 1000);
				assert_true(src + src_len <= 1032);
				segment_widen(kinds[k], from + src - 1000,
					      off % 4, len, part);
				assert_memory_equal(part, whole + off, len);
			}
		}
	}
}

static void bfloat_is_the_upper_half(void **state)
{
	const uint8_t from[4] = { 0x80, 0x3f, 0xc0, 0x7f };
	const uint8_t want[8] = { 0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x7f };
	uint8_t got[8];

	(void)state;
	segment_widen(SEGMENT_BF16_F32, from, 0, sizeof(got), got);
	assert_memory_equal(got, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(halves_become_floats),
		cmocka_unit_test(all_halves_agree_with_arithmetic),
		cmocka_unit_test(parts_equal_the_whole),
		cmocka_unit_test(bfloat_is_the_upper_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
