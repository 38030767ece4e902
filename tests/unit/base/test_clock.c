/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

#include "tests/unit/unit.h"

static void real_until_set(void **state)
{
	uint64_t first_ns = clock_now_ns();

	(void)state;
	assert_true(clock_now_ns() >= first_ns);
	assert_in_range(clock_wall_s() - time(NULL) + 2, 0, 4);
	assert_true(clock_wait_ns(first_ns + 77) == first_ns + 77);
}

static void set_clocks_run_on(void **state)
{
	(void)state;
	clock_set(1000 * NS_PER_S, 5000);
	assert_in_range(clock_now_ns(), 1000 * NS_PER_S, 1010 * NS_PER_S);
	assert_in_range(clock_wall_s(), 5000, 5010);
	clock_set(10 * NS_PER_S, 4000); /* backwards, too */
	assert_in_range(clock_now_ns(), 10 * NS_PER_S, 20 * NS_PER_S);
	assert_in_range(clock_wall_s(), 4000, 4010);
	clock_set(0, 0);
	assert_in_range(clock_wall_s() - time(NULL) + 2, 0, 4);
}

static void never_is_not_passed(void **state)
{
	(void)state;
	assert_true(clock_after_ns(CLOCK_NEVER) == CLOCK_NEVER);
	assert_true(clock_after_ns(CLOCK_NEVER - 1) == CLOCK_NEVER);
	assert_true(clock_after_ns(NS_PER_S) < CLOCK_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_until_set),
		cmocka_unit_test(set_clocks_run_on),
		cmocka_unit_test(never_is_not_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
