/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void sizes_overflow_to_null(void **state)
{
	(void)state;
	assert_null(mem_array(SIZE_MAX / 2, 3));
	assert_null(mem_resize(NULL, SIZE_MAX / 2, 3));
	assert_null(mem_strndup("", SIZE_MAX));
}

static void nothing_is_not_null(void **state)
{
	auto_free void *a = mem_alloc(0);
	auto_free void *b = mem_array(0, 8);
	auto_free void *c = mem_dup(NULL, 0);
	auto_free void *d = mem_resize(NULL, 0, 8);

	(void)state;
	assert_true(a && b && c && d);
}

static void arrays_are_cleared(void **state)
{
	auto_free unsigned char *bytes = mem_array(100, 3);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(bytes[i], 0);
}

static void copies_end_with_nul(void **state)
{
	auto_free char *a = mem_strdup("abc");
	auto_free char *b = mem_strndup("a\0cd", 3);
	auto_free char *c = mem_printf("%s-%d", "x", 42);

	(void)state;
	assert_string_equal(a, "abc");
	assert_memory_equal(b, "a\0c", 4);
	assert_string_equal(c, "x-42");
}

static void the_nth_fails_once(void **state)
{
	auto_free void *a = NULL;
	auto_free void *c = NULL;

	(void)state;
	mem_fail_nth(2);
	a = mem_alloc(1);
	assert_non_null(a);
	assert_null(mem_zalloc(1));
	c = mem_alloc(1);
	assert_non_null(c);
	assert_true(mem_fail_done());
	assert_false(mem_fail_done());
}

static void switched_off_fails_none(void **state)
{
	auto_free void *a = NULL;

	(void)state;
	mem_fail_nth(1);
	assert_false(mem_fail_done());
	a = mem_alloc(1);
	assert_non_null(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_overflow_to_null),
		cmocka_unit_test(nothing_is_not_null),
		cmocka_unit_test(arrays_are_cleared),
		cmocka_unit_test(copies_end_with_nul),
		cmocka_unit_test(the_nth_fails_once),
		cmocka_unit_test(switched_off_fails_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
