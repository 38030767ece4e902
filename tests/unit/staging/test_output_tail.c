/* SPDX-License-Identifier: MIT */
/* The end of what a program prints, as people may see it. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/external/output_tail.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	const char *printed;
	const char *told;
} cases[] = {
	{ "nothing", "", "" },
	{ "a line without an end", "a", "a\n" },
	{ "two lines", "a\nb\n", "a\nb\n" },
	{ "empty lines go", "\n\na\n\n\nb\n\n", "a\nb\n" },
	{ "a bar is written over", "1 %\r50 %\r99 %\ndone\n", "99 %\ndone\n" },
	{ "the lines of others", "a\r\nb\r\n", "a\nb\n" },
	{ "colours go, their letters stay", "\x1b[31mred\x1b[0m\n",
	  "[31mred[0m\n" },
	{ "tabs are blanks", "a\tb\n", "a b\n" },
	{ "UTF-8 stays", "gr\xc3\xbc\xc3\x9f\n", "gr\xc3\xbc\xc3\x9f\n" },
	{ "what is none is marked", "a\xff\xc3\n", "a??\n" },
};

static void lines_are_for_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str tail, lines;

		str_init(&tail, CONVERT_OUTPUT_BYTES);
		str_init(&lines, CONVERT_OUTPUT_BYTES);
		assert_int_equal(tail_add(&tail, cases[i].printed,
					  strlen(cases[i].printed)),
				 0);
		assert_int_equal(tail_lines(&tail, &lines), 0);
		assert_string_equal(str_text(&lines), cases[i].told);
	}
}

static void add_line(struct str *tail, int number)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "line %d\n", number);

	assert_int_equal(tail_add(tail, line, (size_t)len), 0);
}

static void the_last_ones_stay(void **state)
{
	auto_str struct str tail, lines;
	const int count = 100000;
	char last[32];

	(void)state;
	str_init(&tail, CONVERT_OUTPUT_BYTES);
	str_init(&lines, CONVERT_OUTPUT_BYTES);
	for (int i = 0; i < count; i++)
		add_line(&tail, i);
	assert_true(tail.len <= CONVERT_OUTPUT_BYTES);
	assert_int_equal(tail_lines(&tail, &lines), 0);
	snprintf(last, sizeof(last), "line %d\n", count - CONVERT_LINES_MAX);
	assert_int_equal(strncmp(str_text(&lines), last, strlen(last)), 0);
	snprintf(last, sizeof(last), "line %d\n", count - 1);
	assert_string_equal(str_text(&lines) + lines.len - strlen(last), last);
}

static void long_lines_are_cut(void **state)
{
	auto_str struct str tail, lines;
	static char bytes[300000];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	str_init(&tail, CONVERT_OUTPUT_BYTES);
	str_init(&lines, CONVERT_OUTPUT_BYTES);
	assert_int_equal(tail_add(&tail, bytes, sizeof(bytes)), 0);
	assert_int_equal(tail_add(&tail, "end", 3), 0);
	assert_int_equal(tail_lines(&tail, &lines), 0);
	assert_true(lines.len <= CONVERT_LINES_BYTES + 1);
	assert_string_equal(str_text(&lines) + lines.len - 5, "xend\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_for_people),
		cmocka_unit_test(the_last_ones_stay),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
