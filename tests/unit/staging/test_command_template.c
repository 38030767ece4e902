/* SPDX-License-Identifier: MIT */
/* A converter's command: words, quotes, names in braces. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "staging/external/command_template.h"
#include "tests/unit/unit.h"

static const struct command_values values = { "/s p", "/o", "fill-mask" };

/* @words joined by "|"; NULL: -EINVAL, with @why in the sentence. */
static const struct {
	const char *text;
	const char *words;
	const char *why;
} cases[] = {
	{ "a {snapshot} {out}", "a|/s p|/o", NULL },
	{ "  a\t{snapshot}\n{out}  ", "a|/s p|/o", NULL },
	{ "a --model={snapshot} x{out}y {task}",
	  "a|--model=/s p|x/oy|fill-mask", NULL },
	{ "'a b' \"c d\" {snapshot} {out}", "a b|c d|/s p|/o", NULL },
	{ "a'b'\"c\" {snapshot} {out} ''", "abc|/s p|/o|", NULL },
	{ "a 'it\"s' {snapshot} {out}", "a|it\"s|/s p|/o", NULL },
	{ "a {{snapshot} {snapshot} {out}", "a|{snapshot}|/s p|/o", NULL },
	{ "a \\n $HOME ; {snapshot} {out}", "a|\\n|$HOME|;|/s p|/o", NULL },
	{ "", NULL, "empty" },
	{ "   ", NULL, "empty" },
	{ "a {snapshot}", NULL, "{out}" },
	{ "a {out}", NULL, "{snapshot}" },
	{ "a 'b {snapshot} {out}", NULL, "quote" },
	{ "a {snapshot} {out} {home}", NULL, "not known" },
	{ "a {snapshot} {out} {", NULL, "not known" },
	{ "a {snapshot {out}", NULL, "not known" },
};

static void join(const struct command *command, struct str *out)
{
	for (size_t i = 0; i < command->count; i++) {
		if (i > 0)
			assert_int_equal(str_append_char(out, '|'), 0);
		assert_int_equal(str_append_text(out, command->words[i]), 0);
	}
	assert_null(command->words[command->count]);
}

static void words_are_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_command struct command parsed = { 0 }, filled = { 0 };
		auto_str struct str why, words;
		int r;

		str_init(&why, 4096);
		str_init(&words, 4096);
		r = command_parse(cases[i].text, &parsed, &why);
		if (!cases[i].words) {
			assert_int_equal(r, -EINVAL);
			assert_non_null(strstr(str_text(&why), cases[i].why));
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(command_fill(&parsed, &values, &filled), 0);
		join(&filled, &words);
		assert_string_equal(str_text(&words), cases[i].words);
	}
}

static void too_much_is_refused(void **state)
{
	auto_command struct command command = { 0 };
	auto_str struct str text, why;

	(void)state;
	str_init(&text, 1 << 20);
	str_init(&why, 4096);
	for (size_t i = 0; i <= CONVERT_WORDS_MAX; i++)
		assert_int_equal(str_append_text(&text, "x "), 0);
	assert_int_equal(command_parse(str_text(&text), &command, &why),
			 -EINVAL);
	str_clear(&text);
	for (size_t i = 0; i <= CONVERT_COMMAND_MAX; i++)
		assert_int_equal(str_append_char(&text, 'x'), 0);
	assert_int_equal(command_parse(str_text(&text), &command, &why),
			 -EINVAL);
}

static int parse_and_fill(void)
{
	auto_command struct command parsed = { 0 }, filled = { 0 };
	auto_str struct str why;
	int r;

	str_init(&why, 4096);
	r = command_parse("a 'b c' {snapshot} {out}", &parsed, &why);
	return r ?: command_fill(&parsed, &values, &filled);
}

static void memory_may_end(void **state)
{
	(void)state;
	run_with_faults(parse_and_fill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_as_written),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(memory_may_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
