/* SPDX-License-Identifier: MIT */
#include "base/extent.h"

#include "base/blob.h"
#include "tests/unit/unit.h"

static struct blob blobs[2];

#define A (&blobs[0])
#define B (&blobs[1])

static const struct {
	const char *name;
	struct extent added[4];
	struct extent want[4];
} cases[] = {
	{ "empty adds nothing", { { A, 5, 0 } }, { { 0 } } },
	{ "one", { { A, 5, 3 } }, { { A, 5, 3 } } },
	{ "touching", { { A, 0, 4 }, { A, 4, 4 } }, { { A, 0, 8 } } },
	{ "touching before", { { A, 4, 4 }, { A, 0, 4 } }, { { A, 0, 8 } } },
	{ "overlapping", { { A, 0, 6 }, { A, 4, 6 } }, { { A, 0, 10 } } },
	{ "within", { { A, 0, 9 }, { A, 2, 3 } }, { { A, 0, 9 } } },
	{ "around", { { A, 2, 3 }, { A, 0, 9 } }, { { A, 0, 9 } } },
	{ "apart", { { A, 0, 4 }, { A, 5, 4 } }, { { A, 0, 4 }, { A, 5, 4 } } },
	{ "other blob",
	  { { A, 0, 4 }, { B, 4, 4 } },
	  { { A, 0, 4 }, { B, 4, 4 } } },
	{ "only into the last",
	  { { A, 0, 4 }, { B, 4, 4 }, { A, 4, 4 } },
	  { { A, 0, 4 }, { B, 4, 4 }, { A, 4, 4 } } },
};

static void ranges_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_extents struct extents got;
		size_t wanted = 0;

		extents_init(&got);
		for (size_t k = 0; k < 4 && cases[i].added[k].blob; k++)
			assert_int_equal(extents_add(&got,
						     cases[i].added[k].blob,
						     cases[i].added[k].off,
						     cases[i].added[k].len),
					 0);
		for (; wanted < 4 && cases[i].want[wanted].blob; wanted++) {
			const struct extent *want = &cases[i].want[wanted];

			assert_ptr_equal(got.list[wanted].blob, want->blob);
			assert_int_equal(got.list[wanted].off, want->off);
			assert_int_equal(got.list[wanted].len, want->len);
		}
		assert_int_equal(got.count, wanted);
	}
}

static int add_many(void)
{
	auto_extents struct extents extents;
	int r = 0;

	extents_init(&extents);
	for (uint64_t i = 0; r == 0 && i < 100; i++)
		r = extents_add(&extents, A, 2 * i, 1);
	for (uint64_t i = 0; i < extents.count; i++)
		assert_int_equal(extents.list[i].off, 2 * i);
	assert_true(r < 0 || extents.count == 100);
	return r;
}

static void grows_and_survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(add_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_merge),
		cmocka_unit_test(grows_and_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
