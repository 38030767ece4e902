/* SPDX-License-Identifier: MIT */
#include "cache/evict.h"

#include "tests/unit/unit.h"

static void need_is_the_larger_lack(void **state)
{
	static const struct {
		const char *what;
		uint64_t used, need, bytes_max, free_bytes, free_min, want;
	} cases[] = {
		{ "room in both", 10, 5, 100, 100, 10, 0 },
		{ "just room in the budget", 95, 5, 100, 100, 10, 0 },
		{ "one byte over", 96, 5, 100, 100, 10, 1 },
		{ "far over, as after the budget was made smaller", 500, 5, 100,
		  100, 10, 405 },
		{ "just room on the disk", 10, 5, 100, 15, 10, 0 },
		{ "one byte short on the disk", 10, 5, 100, 14, 10, 1 },
		{ "a disk that others filled", 10, 5, 100, 0, 10, 15 },
		{ "both: the budget decides", 200, 5, 100, 12, 10, 105 },
		{ "both: the disk decides", 96, 5, 100, 0, 50, 55 },
		{ "nothing to write, disk too full", 10, 0, 100, 4, 10, 6 },
		{ "a disk that does not tell", 10, 5, 100, UINT64_MAX, 10, 0 },
		{ "no floor", 10, 5, 100, 5, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t got = evict_need(cases[i].used, cases[i].need,
					  cases[i].bytes_max,
					  cases[i].free_bytes,
					  cases[i].free_min);

		if (got != cases[i].want)
			fail_msg("%s: %ju", cases[i].what, (uintmax_t)got);
	}
}

static void the_oldest_go_first(void **state)
{
	static const struct {
		uint64_t bytes;
		size_t chosen;
	} cases[] = { { 0, 0 },	  { 1, 1 },   { 100, 1 }, { 101, 2 },
		      { 150, 2 }, { 151, 3 }, { 350, 4 }, { 1000, 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct victim victims[] = {
			{ 3, 70, NULL, 30 },
			{ 9, 100, NULL, 90 },
			{ 1, 130, NULL, 10 },
			{ 5, 50, NULL, 50 },
		};
		static const uint32_t order[] = { 90, 50, 30, 10 };

		assert_int_equal(evict_choose(victims, 4, cases[i].bytes),
				 cases[i].chosen);
		for (size_t v = 0; v < cases[i].chosen; v++)
			assert_int_equal(victims[v].index, order[v]);
	}
	assert_int_equal(evict_choose(NULL, 0, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(need_is_the_larger_lack),
		cmocka_unit_test(the_oldest_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
