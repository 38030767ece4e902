/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include "tests/unit/unit.h"

#define UNTOUCHED 0x5555

static const struct {
	const char *text;
	uint64_t max;
	int want;
	uint64_t value;
} u64_cases[] = {
	{ "0", UINT64_MAX, 0, 0 },
	{ "7", 7, 0, 7 },
	{ "8", 7, -ERANGE, 0 },
	{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
	{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
	{ "", UINT64_MAX, -EINVAL, 0 },
	{ "01", UINT64_MAX, -EINVAL, 0 },
	{ "00", UINT64_MAX, -EINVAL, 0 },
	{ "+1", UINT64_MAX, -EINVAL, 0 },
	{ "-1", UINT64_MAX, -EINVAL, 0 },
	{ " 1", UINT64_MAX, -EINVAL, 0 },
	{ "1 ", UINT64_MAX, -EINVAL, 0 },
	{ "1x", UINT64_MAX, -EINVAL, 0 },
	{ "99999999999999999999999x", UINT64_MAX, -EINVAL, 0 },
};

static void numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(u64_cases); i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(parse_u64(u64_cases[i].text,
					   strlen(u64_cases[i].text),
					   u64_cases[i].max, &value),
				 u64_cases[i].want);
		assert_true(value == (u64_cases[i].want == 0
					      ? u64_cases[i].value
					      : UNTOUCHED));
	}
}

static const struct {
	const char *text;
	int want;
	uint64_t value;
} size_cases[] = {
	{ "0", 0, 0 },
	{ "1234", 0, 1234 },
	{ "64K", 0, 65536 },
	{ "64k", 0, 65536 },
	{ "10G", 0, 10ULL << 30 },
	{ "10GiB", 0, 10ULL << 30 },
	{ "1.5T", 0, 3ULL << 39 },
	{ "0.5M", 0, 1 << 19 },
	{ "0.001K", 0, 1 },
	{ "16383P", 0, 16383ULL << 50 },
	{ "16384P", -ERANGE, 0 },
	{ "99999999999999999999", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ ".5K", -EINVAL, 0 },
	{ "1.K", -EINVAL, 0 },
	{ "1.5", -EINVAL, 0 },
	{ "1.2345K", -EINVAL, 0 },
	{ "1.5.5K", -EINVAL, 0 },
	{ "10GB", -EINVAL, 0 }, /* thousands or 1024s? */
	{ "10 G", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "1X", -EINVAL, 0 },
	{ "010", -EINVAL, 0 },
};

static void sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(size_cases); i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(parse_size(size_cases[i].text, &value),
				 size_cases[i].want);
		assert_true(value == (size_cases[i].want == 0
					      ? size_cases[i].value
					      : UNTOUCHED));
	}
}

static const struct {
	const char *text;
	bool valid;
} utf8_cases[] = {
	{ "", true },
	{ "plain", true },
	{ "\x7f", true },
	{ "\xc2\x80", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\x80", false },	       /* continuation alone */
	{ "\xc0\xaf", false },	       /* overlong */
	{ "\xc1\xbf", false },	       /* overlong */
	{ "\xe0\x9f\xbf", false },     /* overlong */
	{ "\xf0\x8f\xbf\xbf", false }, /* overlong */
	{ "\xed\xa0\x80", false },     /* surrogate */
	{ "\xf4\x90\x80\x80", false }, /* past U+10FFFF */
	{ "\xf5\x80\x80\x80", false }, /* past U+10FFFF */
	{ "\xff", false },
	{ "\xc3", false },	   /* cut */
	{ "\xe2\x82", false },	   /* cut */
	{ "\xf0\x9f\x98", false }, /* cut */
	{ "\xe2\x28\xa1", false },
	{ "\xf0\x9f\x98\x28", false },
	{ "good \xc3\xa9 then \xc3", false },
};

static void utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(utf8_cases); i++)
		assert_int_equal(utf8_valid(utf8_cases[i].text,
					    strlen(utf8_cases[i].text)),
				 utf8_cases[i].valid);
}

static void cursor_never_passes_the_end(void **state)
{
	const uint8_t bytes[] = { 1, 2, 0, 3, 0, 0, 0, 4 };
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_le16(&c), 2);
	assert_int_equal(cursor_le32(&c), 3);
	assert_false(c.bad);
	assert_int_equal(cursor_le16(&c), 0);
	assert_true(c.bad);
	assert_int_equal(cursor_u8(&c), 0); /* bad stays bad */
	assert_null(cursor_take(&c, 0));
}

static void little_endian_round_trip(void **state)
{
	uint8_t bytes[8];

	(void)state;
	put_le64(bytes, 0x0123456789abcdefULL);
	assert_memory_equal(bytes, "\xef\xcd\xab\x89\x67\x45\x23\x01", 8);
	assert_true(le64(bytes) == 0x0123456789abcdefULL);
}

static void arithmetic_tells_of_overflow(void **state)
{
	uint64_t v;

	(void)state;
	assert_true(u64_add(UINT64_MAX - 1, 1, &v) && v == UINT64_MAX);
	assert_false(u64_add(UINT64_MAX, 1, &v));
	assert_true(u64_mul(1ULL << 32, (1ULL << 32) - 1, &v));
	assert_false(u64_mul(1ULL << 32, 1ULL << 32, &v));
	assert_int_equal(u64_floor(4097, 4096), 4096);
	assert_int_equal(u64_ceil(4097, 4096), 8192);
	assert_int_equal(u64_ceil(4096, 4096), 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(utf8),
		cmocka_unit_test(cursor_never_passes_the_end),
		cmocka_unit_test(little_endian_round_trip),
		cmocka_unit_test(arithmetic_tells_of_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
