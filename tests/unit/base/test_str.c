/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <string.h>

#include "tests/unit/unit.h"

static void empty_is_empty_text(void **state)
{
	auto_str struct str str;
	size_t len = 7;

	(void)state;
	str_init(&str, 10);
	assert_string_equal(str_text(&str), "");
	assert_null(str_take(&str, &len));
	assert_int_equal(len, 0);
}

static void appends_and_formats(void **state)
{
	auto_str struct str str;

	(void)state;
	str_init(&str, 1000);
	assert_int_equal(str_append(&str, "ab", 2), 0);
	assert_int_equal(str_append_char(&str, 'c'), 0);
	assert_int_equal(str_append_text(&str, "de"), 0);
	assert_int_equal(str_printf(&str, "%04d", 42), 0);
	assert_string_equal(str_text(&str), "abcde0042");
	assert_int_equal(str.len, 9);
}

static void bound_is_exact(void **state)
{
	auto_str struct str str;

	(void)state;
	str_init(&str, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(str_append_char(&str, 'x'), 0);
	assert_int_equal(str_append_char(&str, 'x'), -EFBIG);
	assert_int_equal(str_printf(&str, "x"), -EFBIG);
	assert_int_equal(str_append(&str, NULL, SIZE_MAX), -EFBIG);
	assert_int_equal(str.len, 100);
	assert_int_equal(strlen(str_text(&str)), 100);
}

static void failed_append_keeps_contents(void **state)
{
	auto_str struct str str;

	(void)state;
	str_init(&str, 8);
	assert_int_equal(str_append_text(&str, "abc"), 0);
	assert_int_equal(str_append_json(&str, "12345", 5), -EFBIG);
	assert_int_equal(str_append_text(&str, "123456"), -EFBIG);
	assert_string_equal(str_text(&str), "abc");
	assert_int_equal(str_append_json(&str, "123", 3), 0);
	assert_string_equal(str_text(&str), "abc\"123\"");
}

static void taken_bytes_leave(void **state)
{
	auto_str struct str str;
	auto_free char *bytes = NULL;
	size_t len;

	(void)state;
	str_init(&str, 100);
	assert_int_equal(str_append_text(&str, "abc"), 0);
	bytes = str_take(&str, &len);
	assert_string_equal(bytes, "abc");
	assert_int_equal(len, 3);
	assert_int_equal(str_append_text(&str, "d"), 0);
	assert_string_equal(str_text(&str), "d");
}

static void cleared_and_truncated(void **state)
{
	auto_str struct str str;

	(void)state;
	str_init(&str, 100);
	assert_int_equal(str_append_text(&str, "abc"), 0);
	str_truncate(&str, 2);
	assert_string_equal(str_text(&str), "ab");
	str_clear(&str);
	assert_string_equal(str_text(&str), "");
	assert_int_equal(str.len, 0);
}

static const struct {
	const char *text;
	size_t len;
	const char *want;
} json_cases[] = {
	{ "", 0, "\"\"" },
	{ "a/b", 3, "\"a/b\"" },
	{ "\"\\", 2, "\"\\\"\\\\\"" },
	{ "\n\r\t", 3, "\"\\n\\r\\t\"" },
	{ "\0\x1f\x7f", 3, "\"\\u0000\\u001f\x7f\"" },
	{ "\xc3\xa9", 2, "\"\xc3\xa9\"" },
	{ "a\xff"
	  "b",
	  3, "\"a\\ufffdb\"" },
	{ "\xc3", 1, "\"\\ufffd\"" },
	{ "\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"" },
};

static void json_is_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(json_cases); i++) {
		auto_str struct str str;

		str_init(&str, 100);
		assert_int_equal(str_append_json(&str, json_cases[i].text,
						 json_cases[i].len),
				 0);
		assert_string_equal(str_text(&str), json_cases[i].want);
	}
}

static void sentences_keep_the_error(void **state)
{
	auto_str struct str why;

	(void)state;
	str_init(&why, 20);
	assert_int_equal(str_explain(&why, -EBUSY, "%s is in use", "x"),
			 -EBUSY);
	assert_string_equal(str_text(&why), "x is in use");
}

static int grow(void)
{
	auto_str struct str str;
	int r = 0;

	str_init(&str, 10000);
	for (int i = 0; r == 0 && i < 1000; i++) {
		size_t was = str.len;

		r = str_printf(&str, "%d,", i);
		if (r < 0)
			assert_int_equal(str.len, was);
	}
	assert_int_equal(strlen(str_text(&str)), str.len);
	return r;
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(grow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_empty_text),
		cmocka_unit_test(appends_and_formats),
		cmocka_unit_test(bound_is_exact),
		cmocka_unit_test(failed_append_keeps_contents),
		cmocka_unit_test(taken_bytes_leave),
		cmocka_unit_test(cleared_and_truncated),
		cmocka_unit_test(json_is_escaped),
		cmocka_unit_test(sentences_keep_the_error),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
