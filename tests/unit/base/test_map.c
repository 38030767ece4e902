/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define MANY 20000

static void *number(size_t i)
{
	return (void *)(i + 1);
}

static int fill(struct map *map, size_t from, size_t to)
{
	int r = 0;

	for (size_t i = from; r == 0 && i < to; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key-%zu", i);
		r = map_add(map, key, number(i));
	}
	return r;
}

static void *get(const struct map *map, size_t i)
{
	char key[32];

	snprintf(key, sizeof(key), "key-%zu", i);
	return map_get(map, key);
}

static void empty_has_nothing(void **state)
{
	auto_map struct map map;
	size_t at = 0;

	(void)state;
	map_init(&map);
	assert_null(map_get(&map, "a"));
	assert_null(map_remove(&map, "a"));
	assert_null(map_next(&map, &at));
}

static void many_are_found(void **state)
{
	auto_map struct map map;

	(void)state;
	map_init(&map);
	assert_int_equal(fill(&map, 0, MANY), 0);
	assert_int_equal(map.count, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(get(&map, i), number(i));
	assert_null(get(&map, MANY));
}

static void a_key_is_added_once(void **state)
{
	auto_map struct map map;

	(void)state;
	map_init(&map);
	assert_int_equal(map_add(&map, "a", number(1)), 0);
	assert_int_equal(map_add(&map, "a", number(2)), -EEXIST);
	assert_ptr_equal(map_get(&map, "a"), number(1));
	assert_int_equal(map.count, 1);
}

static void keys_are_bytes(void **state)
{
	auto_map struct map map;

	(void)state;
	map_init(&map);
	assert_int_equal(map_add_bytes(&map, "a\0b", 3, number(1)), 0);
	assert_int_equal(map_add_bytes(&map, "a\0c", 3, number(2)), 0);
	assert_int_equal(map_add(&map, "", number(3)), 0);
	assert_ptr_equal(map_get_bytes(&map, "a\0b", 3), number(1));
	assert_ptr_equal(map_get_bytes(&map, "a\0c", 3), number(2));
	assert_ptr_equal(map_get(&map, ""), number(3));
	assert_null(map_get(&map, "a"));
	assert_ptr_equal(map_remove_bytes(&map, "a\0b", 3), number(1));
	assert_null(map_get_bytes(&map, "a\0b", 3));
}

static void walks_in_order_of_insertion(void **state)
{
	auto_map struct map map;
	const struct map_slot *slot;
	size_t at = 0, i = 0;

	(void)state;
	map_init(&map);
	assert_int_equal(fill(&map, 0, 1000), 0);
	while ((slot = map_next(&map, &at)))
		assert_ptr_equal(slot->value, number(i++));
	assert_int_equal(i, 1000);
}

static void removed_are_gone_and_room_is_reused(void **state)
{
	auto_map struct map map;

	(void)state;
	map_init(&map);
	for (size_t i = 0; i < MANY; i++) {
		char key[32];

		assert_int_equal(fill(&map, i, i + 1), 0);
		if (i < 10)
			continue;
		snprintf(key, sizeof(key), "key-%zu", i - 10);
		assert_ptr_equal(map_remove(&map, key), number(i - 10));
		assert_null(map_remove(&map, key));
		assert_null(map_get(&map, key));
	}
	assert_int_equal(map.count, 10);
	assert_in_range(map.table_len, 1, 64);
	for (size_t i = MANY - 10; i < MANY; i++)
		assert_ptr_equal(get(&map, i), number(i));
}

static int fill_hundred(void)
{
	auto_map struct map map;
	int r;

	map_init(&map);
	r = fill(&map, 0, 100);
	for (size_t i = 0; i < map.count; i++)
		assert_ptr_equal(get(&map, i), number(i));
	assert_null(get(&map, map.count));
	return r;
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(fill_hundred);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_has_nothing),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(a_key_is_added_once),
		cmocka_unit_test(keys_are_bytes),
		cmocka_unit_test(walks_in_order_of_insertion),
		cmocka_unit_test(removed_are_gone_and_room_is_reused),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
