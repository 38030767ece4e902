/* SPDX-License-Identifier: MIT */
#include "fs/late.h"

#include "base/clock.h"
#include "tests/unit/unit.h"

#define INODE 7

static bool asks(struct late *late, uint64_t id, uint64_t from, uint64_t to)
{
	const struct late_range range = { id, from, to };

	return late_has(late, &range);
}

static void what_overlaps_is_late(void **state)
{
	static const struct {
		const char *name;
		uint64_t id, from, to;
		bool want;
	} cases[] = {
		{ "the same", INODE, 100, 200, true },
		{ "a page of it", INODE, 120, 130, true },
		{ "its end", INODE, 199, 300, true },
		{ "behind it", INODE, 200, 300, false },
		{ "before it", INODE, 0, 100, false },
		{ "of another file", INODE + 1, 100, 200, false },
	};
	struct late late;

	(void)state;
	late_init(&late);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(
			asks(&late, cases[i].id, cases[i].from, cases[i].to));
	}
	late_note(&late, &(struct late_range){ INODE, 100, 200 });
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (asks(&late, cases[i].id, cases[i].from, cases[i].to) !=
		    cases[i].want)
			fail_msg("%s", cases[i].name);
	}
	late_release(&late);
}

static void it_is_forgotten_in_time(void **state)
{
	struct late late;

	(void)state;
	clock_set(NS_PER_S, 0);
	late_init(&late);
	late_note(&late, &(struct late_range){ INODE, 0, 1 });
	assert_true(asks(&late, INODE, 0, 1));
	clock_set(NS_PER_S + (LATE_MS + 100) * NS_PER_MS, 0);
	assert_false(asks(&late, INODE, 0, 1));
	late_release(&late);
	clock_set(0, 0);
}

static void the_oldest_makes_room(void **state)
{
	struct late late;

	(void)state;
	late_init(&late);
	for (uint64_t i = 0; i <= LATE_MAX; i++)
		late_note(&late, &(struct late_range){ i + 1, 0, 1 });
	assert_false(asks(&late, 1, 0, 1));
	assert_true(asks(&late, 2, 0, 1));
	assert_true(asks(&late, LATE_MAX + 1, 0, 1));
	late_release(&late);
}

static void names_are_told_apart(void **state)
{
	struct late_range a = late_name(1, "a");
	struct late_range same = late_name(1, "a");
	struct late_range other = late_name(1, "b");
	struct late_range elsewhere = late_name(2, "a");

	(void)state;
	assert_int_equal(a.id, same.id);
	assert_int_not_equal(a.id, other.id);
	assert_int_not_equal(a.id, elsewhere.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_overlaps_is_late),
		cmocka_unit_test(it_is_forgotten_in_time),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(names_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
