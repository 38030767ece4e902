/* SPDX-License-Identifier: MIT */
#include "staging/archive/archive_name.h"

#include <string.h>

#include "base/limits.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	const char *clean; /* NULL: left out */
} names[] = {
	{ "a", "a" },
	{ "a/b/c.txt", "a/b/c.txt" },
	{ "./a", "a" },
	{ "././a/b", "a/b" },
	{ "..a/b..", "..a/b.." },
	{ ".a", ".a" },
	{ "...", "..." },
	{ "a\\b", "a\\b" },
	{ "C:\\x", "C:\\x" },
	{ "a\nb", "a\nb" },
	{ "\xff\xfe", "\xff\xfe" },
	{ "", NULL },
	{ ".", NULL },
	{ "./", NULL },
	{ "..", NULL },
	{ "./..", NULL },
	{ "../a", NULL },
	{ "a/..", NULL },
	{ "a/../../b", NULL },
	{ "a/./b", NULL },
	{ "/", NULL },
	{ "/etc/passwd", NULL },
	{ ".//etc/passwd", NULL },
	{ "//a", NULL },
	{ "a//b", NULL },
	{ "a/", NULL },
};

static void names_are_cleaned(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t len = 0;
		const char *got = archive_name_clean(
			names[i].name, strlen(names[i].name), &len);

		print_message("'%s'\n", names[i].name);
		if (!names[i].clean) {
			assert_null(got);
			continue;
		}
		assert_non_null(got);
		assert_int_equal(len, strlen(names[i].clean));
		assert_memory_equal(got, names[i].clean, len);
	}
}

static void a_nul_is_no_part_of_a_name(void **state)
{
	size_t len;

	(void)state;
	assert_null(archive_name_clean("a\0b", 3, &len));
	assert_null(archive_name_clean("a\0", 2, &len));
}

/* @parts parts of @bytes bytes each. */
static const char *clean_of(size_t parts, size_t bytes)
{
	static char name[PATH_BYTES_MAX + 1024];
	size_t at = 0, len;

	for (size_t i = 0; i < parts; i++) {
		memset(name + at, 'x', bytes);
		at += bytes;
		name[at++] = '/';
	}
	return archive_name_clean(name, at - 1, &len);
}

static void lengths_are_bounded(void **state)
{
	(void)state;
	assert_non_null(clean_of(1, NAME_BYTES_MAX));
	assert_null(clean_of(1, NAME_BYTES_MAX + 1));
	assert_non_null(clean_of(PATH_DEPTH_MAX, 1));
	assert_null(clean_of(PATH_DEPTH_MAX + 1, 1));
	assert_non_null(clean_of(16, NAME_BYTES_MAX));	/* 4095 bytes */
	assert_null(clean_of(17, NAME_BYTES_MAX - 14)); /* 4097 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(a_nul_is_no_part_of_a_name),
		cmocka_unit_test(lengths_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
