/* SPDX-License-Identifier: MIT */
#include "cache/readahead.h"

#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define SIZE (1000 * MIB)

/* One read, and what is fetched besides: nothing if .len is 0. */
struct step {
	uint64_t off, len;
	struct range ahead;
};

static const struct {
	const char *what;
	uint64_t size;
	struct step steps[8]; /* ended by .len 0 */
} cases[] = {
	{ "the first read says nothing", SIZE, { { 0, 128 * KIB, { 0, 0 } } } },
	{ "two in a row begin a window, which doubles",
	  SIZE,
	  { { 0, MIB, { 0, 0 } },
	    { MIB, MIB, { 2 * MIB, MIB } },
	    { 2 * MIB, MIB, { 3 * MIB, 2 * MIB } },
	    { 3 * MIB, MIB, { 5 * MIB, 3 * MIB } } } },
	{ "with half of the window ahead nothing is fetched",
	  SIZE,
	  { { 0, 128 * KIB, { 0, 0 } },
	    { 128 * KIB, 128 * KIB, { 256 * KIB, MIB } },
	    { 256 * KIB, 128 * KIB, { 0, 0 } },
	    { 384 * KIB, 128 * KIB, { 0, 0 } },
	    { 512 * KIB, 256 * KIB, { MIB + 256 * KIB, MIB + 512 * KIB } } } },
	{ "it begins anywhere",
	  SIZE,
	  { { 500 * MIB, MIB, { 0, 0 } },
	    { 501 * MIB, MIB, { 502 * MIB, MIB } } } },
	{ "it ends with the file",
	  4 * MIB + 5,
	  { { 2 * MIB, MIB, { 0, 0 } },
	    { 3 * MIB, MIB, { 4 * MIB, 5 } },
	    { 4 * MIB, 5, { 0, 0 } } } },
	{ "a small file is not read ahead",
	  100,
	  { { 0, 50, { 0, 0 } }, { 50, 50, { 0, 0 } } } },
	{ "far jumps are random, and begin anew",
	  SIZE,
	  { { 0, MIB, { 0, 0 } },
	    { 500 * MIB, KIB, { 0, 0 } },
	    { 100 * MIB, KIB, { 0, 0 } },
	    { 900 * MIB, KIB, { 0, 0 } },
	    { 900 * MIB + KIB, KIB, { 900 * MIB + 2 * KIB, MIB } } } },
	{ "reads sent together come out of order",
	  SIZE,
	  { { 0, MIB, { 0, 0 } },
	    { 2 * MIB, MIB, { 3 * MIB, MIB } },
	    { MIB, MIB, { 0, 0 } },
	    { 3 * MIB, MIB, { 4 * MIB, 2 * MIB } } } },
	{ "back to the start is no sequence",
	  SIZE,
	  { { 10 * MIB, MIB, { 0, 0 } },
	    { 11 * MIB, MIB, { 12 * MIB, MIB } },
	    { 0, MIB, { 0, 0 } },
	    { MIB, MIB, { 2 * MIB, MIB } } } },
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct readahead ra = { 0 };

		for (const struct step *s = cases[i].steps; s->len; s++) {
			struct range got = readahead_next(&ra, s->off, s->len,
							  cases[i].size);

			if (got.len != s->ahead.len ||
			    (got.len && got.off != s->ahead.off))
				fail_msg("%s: step %td gives %ju at %ju",
					 cases[i].what, s - cases[i].steps,
					 (uintmax_t)got.len,
					 (uintmax_t)got.off);
		}
	}
}

/* Read to the end: all of it ahead, each byte once, never too far. */
static void sequential_is_fetched_once(void **state)
{
	static const uint64_t lens[] = { 4 * KIB, 128 * KIB, MIB, 4 * MIB };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		struct readahead ra = { 0 };
		uint64_t end = 0; /* of what was fetched ahead */
		uint64_t largest = 0;

		for (uint64_t off = 0; off < SIZE; off += lens[i]) {
			struct range r = readahead_next(&ra, off, lens[i],
							SIZE);

			if (!r.len)
				continue;
			assert_int_equal(r.off, u64_max(end, off + lens[i]));
			end = r.off + r.len;
			assert_true(end <= SIZE);
			assert_true(end - off <=
				    FETCH_AHEAD_BYTES_MAX + lens[i]);
			largest = u64_max(largest, end - off);
		}
		assert_int_equal(end, SIZE);
		assert_true(largest > FETCH_AHEAD_BYTES_MAX / 2);
	}
}

/* A reader that stops costs no more than its window. */
static void random_reads_fetch_nothing(void **state)
{
	struct readahead ra = { 0 };
	uint64_t off = 1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		/* Steps of at least 100 MiB, round and round. */
		off = (off + 100 * MIB + (uint64_t)i * 7919 * KIB) % (SIZE / 2);
		if (i % 2)
			off += SIZE / 2;
		assert_int_equal(readahead_next(&ra, off, 2 * KIB, SIZE).len,
				 0);
		off %= SIZE / 2;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(sequential_is_fetched_once),
		cmocka_unit_test(random_reads_fetch_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
