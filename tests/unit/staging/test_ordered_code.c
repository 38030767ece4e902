/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "staging/weights/ordered_code.h"
#include "tests/unit/unit.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t len;
	int64_t value;
	bool bad;
} numbers[] = {
	{ BYTES("\0"), 0, false },
	{ BYTES("\1\1"), 1, false },
	{ BYTES("\1\xff"), 255, false },
	{ BYTES("\2\1\0"), 256, false },
	{ BYTES("\x08\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX, false },
	{ BYTES(""), 0, true },
	{ BYTES("\1"), 0, true },
	{ BYTES("\1\0"), 0, true },   /* "\0" is shorter */
	{ BYTES("\2\0\1"), 0, true }, /* and so is "\1\1" */
	{ BYTES("\x09\1\1\1\1\1\1\1\1\1"), 0, true },
};

static void numbers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct cursor c = cursor_of(numbers[i].bytes, numbers[i].len);
		uint64_t value = ordered_number(&c);

		print_message("number %zu\n", i);
		assert_int_equal(c.bad, numbers[i].bad);
		if (!c.bad) {
			assert_true((int64_t)value == numbers[i].value);
			assert_int_equal(cursor_left(&c), 0);
		}
	}
}

/*
 * One row or two for each length; the last of a length and the first of the
 * next, by the rule in the header.
 */
static const struct {
	const char *bytes;
	size_t len;
	int64_t value;
	bool bad;
} integers[] = {
	{ BYTES("\x80"), 0, false },
	{ BYTES("\x7f"), -1, false },
	{ BYTES("\xbf"), 63, false },
	{ BYTES("\x40"), -64, false },
	{ BYTES("\xc0\x40"), 64, false },
	{ BYTES("\x3f\xbf"), -65, false },
	{ BYTES("\xdf\xff"), 8191, false },
	{ BYTES("\x20\x00"), -8192, false },
	{ BYTES("\xe0\x20\x00"), 8192, false },
	{ BYTES("\xf0\x10\x00\x00"), 1 << 20, false },
	{ BYTES("\xf8\x08\x00\x00\x00"), 1 << 27, false },
	{ BYTES("\xff\x00\x80\x00\x00\x00\x00\x00"), (int64_t)1 << 47, true },
	{ BYTES("\xff\x01\x00\x00\x00\x00\x00\x00"), (int64_t)1 << 48, false },
	{ BYTES("\xff\x80\x80\x00\x00\x00\x00\x00\x00"), (int64_t)1 << 55,
	  false },
	{ BYTES("\xff\xbf\xff\xff\xff\xff\xff\xff\xff"), ((int64_t)1 << 62) - 1,
	  false },
	{ BYTES("\xff\xc0\x40\x00\x00\x00\x00\x00\x00\x00"), (int64_t)1 << 62,
	  false },
	{ BYTES("\xff\xc0\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX, false },
	{ BYTES("\x00\x3f\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN, false },
	{ BYTES("\xff\xc0\x80\x00\x00\x00\x00\x00\x00\x00"), 0, true },
	{ BYTES("\xff\xc1\x40\x00\x00\x00\x00\x00\x00\x00"), 0, true },
	{ BYTES("\xff\xe0\x40\x00\x00\x00\x00\x00\x00\x00\x00"), 0, true },
	{ BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0, true },
	{ BYTES("\xc0\x3f"), 0, true }, /* 63 in two bytes */
	{ BYTES("\x3f\xc0"), 0, true }, /* and -64 */
	{ BYTES("\xc0"), 0, true },
	{ BYTES("\xff"), 0, true },
	{ BYTES(""), 0, true },
};

static void integers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		struct cursor c = cursor_of(integers[i].bytes, integers[i].len);
		int64_t value = ordered_signed(&c);

		print_message("integer %zu\n", i);
		assert_int_equal(c.bad, integers[i].bad);
		if (!c.bad) {
			assert_true(value == integers[i].value);
			assert_int_equal(cursor_left(&c), 0);
		}
	}
}

static const struct {
	const char *bytes;
	size_t len;
	const char *text;
	size_t text_len;
	int result;
	bool bad;
} strings[] = {
	{ BYTES("\0\1"), BYTES(""), 0, false },
	{ BYTES("ab\0\1"), BYTES("ab"), 0, false },
	{ BYTES("a\0\xff\xff\0b\0\1"),
	  BYTES("a\0\xff"
		"b"),
	  0, false },
	{ BYTES("ab"), BYTES("ab"), 0, true },
	{ BYTES("a\0"), BYTES("a"), 0, true },
	{ BYTES("a\0\2"), BYTES("a"), 0, true },
	{ BYTES("a\xff\xff\0\1"), BYTES("a"), 0, true },
	{ BYTES("a\xff"), BYTES("a"), 0, true },
	{ BYTES("abcdefghi\0\1"), BYTES("abcdefgh"), -EFBIG, false },
};

static void strings_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct cursor c = cursor_of(strings[i].bytes, strings[i].len);
		auto_str struct str text = { .len_max = 8 };

		print_message("string %zu\n", i);
		assert_int_equal(ordered_string(&c, &text), strings[i].result);
		assert_int_equal(c.bad, strings[i].bad);
		assert_int_equal(text.len, strings[i].text_len);
		assert_memory_equal(str_text(&text), strings[i].text, text.len);
		if (strings[i].result == 0 && !c.bad)
			assert_int_equal(cursor_left(&c), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(integers_are_read),
		cmocka_unit_test(strings_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
