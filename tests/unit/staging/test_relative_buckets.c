/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "staging/models/relative_buckets.h"
#include "tests/unit/unit.h"

#define BOTH                          \
	{                             \
		"both", 32, 128, true \
	}
#define ONE                           \
	{                             \
		"one", 32, 128, false \
	}

/* As torch computes them (modeling_t5.py, _relative_position_bucket()). */
static void buckets_are_those_of_torch(void **state)
{
	static const struct {
		struct bucket_rule rule;
		int64_t distance, bucket;
	} cases[] = {
		{ BOTH, 0, 0 },
		{ BOTH, 1, 17 },
		{ BOTH, -1, 1 },
		{ BOTH, 7, 23 },
		{ BOTH, 8, 24 },
		{ BOTH, -15, 9 },
		{ BOTH, 16, 26 },
		{ BOTH, -16, 10 },
		{ BOTH, 31, 27 },
		{ BOTH, 32, 28 },
		{ BOTH, 63, 29 },
		{ BOTH, 64, 30 },
		{ BOTH, 127, 31 },
		{ BOTH, 128, 31 },
		{ BOTH, -128, 15 },
		{ BOTH, 1000, 31 },
		{ ONE, 0, 0 },
		{ ONE, 5, 0 },
		{ ONE, -1, 1 },
		{ ONE, -15, 15 },
		{ ONE, -16, 16 },
		{ ONE, -31, 21 },
		{ ONE, -32, 21 },
		{ ONE, -63, 26 },
		{ ONE, -64, 26 },
		{ ONE, -127, 31 },
		{ ONE, -128, 31 },
		{ ONE, -1000, 31 },
		{ { "odd", 33, 50, true }, -9, 8 },
		{ { "odd", 33, 50, true }, 50, 31 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(bucket_of(&cases[i].rule, cases[i].distance),
				 cases[i].bucket);
}

static void rules_without_a_logarithm_are_not_sound(void **state)
{
	static const struct {
		struct bucket_rule rule;
		bool is_sound;
	} cases[] = {
		{ BOTH, true },
		{ ONE, true },
		{ { "few", 3, 128, true }, false },
		{ { "few of one side", 1, 128, false }, false },
		{ { "near", 32, 8, true }, false },
		{ { "near of one side", 32, 16, false }, false },
		{ { "past all", 32, MODEL_POSITIONS_MAX + 1, true }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(bucket_rule_is_sound(&cases[i].rule),
				 cases[i].is_sound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_those_of_torch),
		cmocka_unit_test(rules_without_a_logarithm_are_not_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
