/* SPDX-License-Identifier: MIT */
/* What is missing is fetched once, whoever waits; and every wait ends once. */
#include "cache/cache.h"

#include <assert.h>
#include <pthread.h>

#include "tests/unit/cache/cache_fixture.h"

#define SIZE (10 * ((size_t)1 << 20) + 1234)

static struct cache *cache;
static struct fake_source fake;
static struct blob *blob;

static int set_up(void **state)
{
	(void)state;
	fake_source_init(&fake, SIZE, 1);
	cache = cache_usual();
	blob = blob_of(cache, &fake);
	return 0;
}

static int tear_down(void **state)
{
	blob_unref(blob);
	cache_close(cache);
	fake_source_release(&fake);
	return folder_empty(state);
}

static void absent_is_fetched_then_resident(void **state)
{
	struct fake_asked *asked;
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	assert_int_equal(read_right(blob, &fake, BLOCK, 1), -ENODATA);
	assert_int_equal(ensure_range(cache, blob, BLOCK + 5, 2, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(stats_of(cache).waiting, 1);
	assert_int_equal(stats_of(cache).inflight, 1);
	asked = fake_source_take(&fake, true);
	assert_int_equal(asked->off, BLOCK);
	assert_int_equal(asked->len, BLOCK);
	assert_int_equal(asked->urgency, SOURCE_WANTED);
	assert_int_equal(seen_wakes(&a), 0);
	assert_int_equal(fake_source_reply(&fake, asked, FAKE_GOOD), 0);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(read_right(blob, &fake, BLOCK, BLOCK), 0);
	cache_release(&a.wait);
	assert_int_equal(ensure_range(cache, blob, BLOCK, BLOCK, &a.wait), 0);
	cache_release(&a.wait);
	assert_int_equal(fake_source_fetches(&fake), 1);
	assert_int_equal(stats_of(cache).waiting, 0);
	assert_int_equal(stats_of(cache).inflight, 0);
	seen_release(&a);
}

static void the_last_block_is_short(void **state)
{
	struct fake_asked *asked;
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	assert_int_equal(ensure_range(cache, blob, SIZE - 1, 1, &a.wait),
			 -EINPROGRESS);
	asked = fake_source_take(&fake, true);
	assert_int_equal(asked->off, SIZE / BLOCK * BLOCK);
	assert_int_equal(asked->len, SIZE % BLOCK);
	fake_source_reply(&fake, asked, FAKE_GOOD);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(read_right(blob, &fake, SIZE - 100, 100), 0);
	cache_release(&a.wait);
	seen_release(&a);
}

static void many_waits_are_one_fetch(void **state)
{
	struct seen_wait waits[50];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		seen_init(&waits[i]);
		assert_int_equal(ensure_range(cache, blob, i, 1,
					      &waits[i].wait),
				 -EINPROGRESS);
	}
	assert_int_equal(fake_source_answer_all(&fake, FAKE_GOOD), 1);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_int_equal(seen_result(&waits[i]), 0);
		cache_release(&waits[i].wait);
		seen_release(&waits[i]);
	}
	assert_int_equal(stats_of(cache).joins, ARRAY_LEN(waits) - 1);
	assert_int_equal(stats_of(cache).misses, 1);
}

static void only_what_nobody_fetches_is_asked_for(void **state)
{
	struct fake_asked *asked;
	struct seen_wait a, b;

	(void)state;
	seen_init(&a);
	seen_init(&b);
	assert_int_equal(ensure_range(cache, blob, 0, 2 * BLOCK, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(ensure_range(cache, blob, BLOCK, 2 * BLOCK, &b.wait),
			 -EINPROGRESS);
	assert_int_equal(fake_source_answer(&fake, FAKE_GOOD), 0);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(seen_wakes(&b), 0);
	asked = fake_source_take(&fake, true);
	assert_int_equal(asked->off, 2 * BLOCK);
	assert_int_equal(asked->len, BLOCK);
	fake_source_reply(&fake, asked, FAKE_GOOD);
	assert_int_equal(seen_result(&b), 0);
	cache_release(&a.wait);
	cache_release(&b.wait);
	seen_release(&a);
	seen_release(&b);
}

static void long_ranges_are_asked_for_in_parts(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	assert_int_equal(ensure_range(cache, blob, 0, SIZE, &a.wait),
			 -EINPROGRESS);
	for (uint64_t off = 0; off < SIZE; off += FETCH_RANGE_BYTES) {
		struct fake_asked *asked = fake_source_take(&fake, false);

		assert_non_null(asked);
		assert_int_equal(asked->off, off);
		assert_true(asked->len == FETCH_RANGE_BYTES ||
			    asked->off + asked->len == SIZE);
		assert_int_equal(seen_wakes(&a), 0);
		fake_source_reply(&fake, asked, FAKE_GOOD);
	}
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(read_right(blob, &fake, 0, SIZE), 0);
	cache_release(&a.wait);
	seen_release(&a);
}

/* Bytes can be read as soon as they are written. */
static void a_wait_ends_before_the_transfer(void **state)
{
	struct fake_asked *asked;
	struct seen_wait a, b;

	(void)state;
	seen_init(&a);
	seen_init(&b);
	prefetch_range(cache, blob, 0, 4 * BLOCK);
	assert_int_equal(ensure_range(cache, blob, 0, BLOCK, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(ensure_range(cache, blob, 2 * BLOCK, 1, &b.wait),
			 -EINPROGRESS);
	asked = fake_source_take(&fake, true);
	assert_int_equal(fake_source_give(&fake, asked->sink, 0, BLOCK - 1, 0),
			 0);
	assert_int_equal(seen_wakes(&a), 0);
	assert_int_equal(fake_source_give(&fake, asked->sink, BLOCK - 1, 2, 0),
			 0);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(read_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(seen_wakes(&b), 0);
	asked->sink->done(asked->sink, -ENOENT);
	assert_int_equal(seen_result(&b), -ENOENT);
	free(asked);
	cache_release(&a.wait);
	seen_release(&a);
	seen_release(&b);
}

static void one_wake_after_the_last_extent(void **state)
{
	auto_extents struct extents extents;
	struct fake_source other;
	struct blob *second;
	struct seen_wait a;

	(void)state;
	fake_source_init(&other, 3 * BLOCK, 2);
	second = blob_of(cache, &other);
	seen_init(&a);
	extents_init(&extents);
	assert_int_equal(extents_add(&extents, blob, 0, 10), 0);
	assert_int_equal(extents_add(&extents, second, BLOCK, 10), 0);
	assert_int_equal(extents_add(&extents, blob, 5 * BLOCK, 10), 0);
	assert_int_equal(extents_add(&extents, blob, 11, 10), 0);
	assert_int_equal(cache_ensure(cache, &extents, soon_ns(), &a.wait),
			 -EINPROGRESS);
	assert_int_equal(fake_source_answer(&other, FAKE_GOOD), 0);
	assert_int_equal(fake_source_answer(&fake, FAKE_GOOD), 0);
	assert_int_equal(seen_wakes(&a), 0);
	assert_int_equal(fake_source_answer(&fake, FAKE_GOOD), 0);
	assert_int_equal(seen_result(&a), 0);
	cache_release(&a.wait);
	assert_int_equal(fake_source_fetches(&fake), 2);
	seen_release(&a);
	blob_unref(second);
	fake_source_release(&other);
}

/* One extent that fails ends the wait; the other's bytes are kept. */
static void one_error_ends_the_wait(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	assert_int_equal(ensure_range(cache, blob, 0, 5 << 20, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(fake_source_answer(&fake, FAKE_NOTHING), -EIO);
	assert_int_equal(seen_result(&a), -EIO);
	assert_int_equal(fake_source_answer(&fake, FAKE_GOOD), 0);
	assert_int_equal(read_right(blob, &fake, 4 << 20, 1 << 20), 0);
	assert_int_equal(stats_of(cache).waiting, 0);
	seen_release(&a);
}

static void bad_answers(void **state)
{
	static const struct {
		enum fake_answer answer;
		int result;    /* of the wait */
		size_t blocks; /* that are there afterwards, of 4 */
	} cases[] = {
		{ FAKE_HALF, -EIO, 2 },	     { FAKE_BROKEN, -EIO, 2 },
		{ FAKE_NOTHING, -EIO, 0 },   { FAKE_LATE, -ETIMEDOUT, 0 },
		{ FAKE_MISPLACED, -EIO, 0 }, { FAKE_TOO_MUCH, 0, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t off = i * 8 * BLOCK;
		struct seen_wait a;

		seen_init(&a);
		assert_int_equal(ensure_range(cache, blob, off, 4 * BLOCK,
					      &a.wait),
				 -EINPROGRESS);
		fake_source_answer(&fake, cases[i].answer);
		assert_int_equal(seen_result(&a), cases[i].result);
		if (cases[i].result == 0)
			cache_release(&a.wait);
		for (size_t b = 0; b < 4; b++)
			assert_int_equal(read_right(blob, &fake,
						    off + b * BLOCK, BLOCK),
					 b < cases[i].blocks ? 0 : -ENODATA);
		seen_release(&a);
	}
	/* And it is asked again, for what is missing. */
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	fake_source_quiet(&fake);
}

static void a_refused_fetch_is_an_answer(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	fake_source_refuse(&fake, -ENETUNREACH);
	assert_int_equal(ensure_range(cache, blob, 0, SIZE, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(seen_result(&a), -ENETUNREACH);
	prefetch_range(cache, blob, 0, SIZE);
	assert_int_equal(stats_of(cache).inflight, 0);
	fake_source_refuse(&fake, 0);
	fill_whole(blob, &fake);
	seen_release(&a);
}

static void unref_on_wake(struct cache_wait *wait, int result)
{
	seen_wake(wait, result);
	blob_unref(blob);
	blob = NULL;
}

/* The wake may drop what the waiter had, while more is being asked for. */
static void a_wake_may_end_the_blob(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	a.wait.wake = unref_on_wake;
	fake_source_refuse(&fake, -ECONNREFUSED);
	assert_int_equal(ensure_range(cache, blob, 0, SIZE, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(seen_result(&a), -ECONNREFUSED);
	assert_null(blob);
	assert_int_equal(stats_of(cache).blobs, 0);
	seen_release(&a);
}

static void cancelled_waits_are_not_woken(void **state)
{
	struct seen_wait a, b;

	(void)state;
	seen_init(&a);
	seen_init(&b);
	assert_false(cache_cancel(&a.wait)); /* never used */
	assert_int_equal(ensure_range(cache, blob, 0, 1, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(ensure_range(cache, blob, 0, 1, &b.wait),
			 -EINPROGRESS);
	assert_true(cache_cancel(&a.wait));
	assert_false(cache_cancel(&a.wait));
	assert_int_equal(stats_of(cache).waiting, 1);
	fake_source_answer(&fake, FAKE_GOOD);
	assert_int_equal(seen_wakes(&a), 0);
	assert_int_equal(seen_result(&b), 0);
	assert_false(cache_cancel(&b.wait));
	cache_release(&b.wait);
	/* No pin is left: all of it can go. */
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	seen_release(&a);
	seen_release(&b);
}

/* The transport has stopped: nobody waits for what will not come. */
static void quiet_ends_all_waits(void **state)
{
	struct seen_wait a, b;

	(void)state;
	seen_init(&a);
	seen_init(&b);
	assert_int_equal(ensure_range(cache, blob, 0, SIZE, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(ensure_range(cache, blob, BLOCK, 1, &b.wait),
			 -EINPROGRESS);
	cache_quiet(cache);
	assert_int_equal(seen_result(&a), -ESHUTDOWN);
	assert_int_equal(seen_result(&b), -ESHUTDOWN);
	assert_int_equal(stats_of(cache).waiting, 0);
	fake_source_answer_all(&fake, FAKE_NOTHING);
	seen_release(&a);
	seen_release(&b);
}

static void *answer_one(void *arg)
{
	(void)arg;
	fake_source_answer(&fake, FAKE_GOOD);
	return NULL;
}

/* Either cancelled or woken, never both, never neither. */
static void cancel_races_with_the_wake(void **state)
{
	unsigned int woken = 0;

	(void)state;
	for (size_t i = 0; i < SIZE / BLOCK; i++) {
		pthread_t thread;
		struct seen_wait a;
		bool cancelled;

		seen_init(&a);
		assert_int_equal(ensure_range(cache, blob, i * BLOCK, 1,
					      &a.wait),
				 -EINPROGRESS);
		assert_int_equal(
			pthread_create(&thread, NULL, answer_one, NULL), 0);
		while (i % 2 && !seen_wakes(&a) && fake_source_fetches(&fake))
			if (i % 4 == 1)
				break;
		cancelled = cache_cancel(&a.wait);
		pthread_join(thread, NULL);
		assert_int_equal(seen_wakes(&a), !cancelled);
		if (!cancelled) {
			assert_int_equal(seen_result(&a), 0);
			cache_release(&a.wait);
			woken++;
		}
		seen_release(&a);
	}
	assert_true(woken > 0);
	assert_int_equal(stats_of(cache).waiting, 0);
}

static void a_deadline_ends_the_wait_not_the_fetch(void **state)
{
	uint8_t byte;

	(void)state;
	assert_int_equal(blob_fetch(blob, 0, 1, &byte,
				    clock_after_ns(20 * NS_PER_MS)),
			 -ETIMEDOUT);
	assert_int_equal(stats_of(cache).waiting, 0);
	assert_int_equal(fake_source_answer(&fake, FAKE_GOOD), 0);
	assert_int_equal(read_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(fetch_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(fake_source_fetches(&fake), 1);
}

/* Who came later has more time: it is asked again, once, with his. */
static void who_came_later_is_asked_for_again(void **state)
{
	uint64_t first_ns = soon_ns();
	uint64_t later_ns = clock_after_ns(90 * NS_PER_S);
	struct seen_wait waits[3];

	(void)state;
	for (size_t round = 0; round < 3; round++) {
		uint64_t off = round * 4 * BLOCK;
		struct fake_asked *asked;

		for (size_t i = 0; i < 3; i++) {
			/* Whoever it is that has less time. */
			uint64_t until_ns = i == 0 || i == round ? first_ns
								 : later_ns;

			seen_init(&waits[i]);
			assert_int_equal(ensure_until(cache, blob, off, BLOCK,
						      until_ns, &waits[i].wait),
					 -EINPROGRESS);
		}
		fake_source_answer(&fake, FAKE_LATE);
		assert_int_equal(seen_result(&waits[0]), -ETIMEDOUT);
		asked = fake_source_take(&fake, true);
		assert_int_equal(asked->off, off);
		assert_true(asked->deadline_ns == later_ns);
		fake_source_reply(&fake, asked, round ? FAKE_GOOD : FAKE_LATE);
		for (size_t i = 1; i < 3; i++) {
			int r = i == round || !round ? -ETIMEDOUT : 0;

			assert_int_equal(seen_result(&waits[i]), r);
			if (r == 0)
				cache_release(&waits[i].wait);
		}
		for (size_t i = 0; i < 3; i++)
			seen_release(&waits[i]);
	}
	assert_int_equal(fake_source_answer_all(&fake, FAKE_GOOD), 0);
}

static void prefetch_waits_for_nobody(void **state)
{
	struct fake_asked *asked;
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	prefetch_range(cache, blob, 10, 3 * BLOCK);
	prefetch_range(cache, blob, 10, 3 * BLOCK);
	assert_int_equal(fake_source_fetches(&fake), 1);
	asked = fake_source_take(&fake, true);
	assert_int_equal(asked->urgency, SOURCE_AHEAD);
	assert_int_equal(asked->len, 4 * BLOCK);
	assert_int_equal(ensure_range(cache, blob, BLOCK, 1, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(fake_source_fetches(&fake), 1); /* joined */
	fake_source_reply(&fake, asked, FAKE_GOOD);
	assert_int_equal(seen_result(&a), 0);
	cache_release(&a.wait);
	prefetch_range(cache, blob, 0, 4 * BLOCK);
	assert_int_equal(fake_source_fetches(&fake), 1);
	seen_release(&a);
}

static void prefetch_is_bounded(void **state)
{
	struct fake_source big;
	struct blob *other;

	(void)state;
	fake_source_init(&big, (size_t)80 << 20, 9);
	other = blob_of(cache, &big);
	prefetch_range(cache, other, 0, 80 << 20);
	prefetch_range(cache, other, 0, 80 << 20);
	assert_int_equal(fake_source_fetches(&big), 16);
	assert_int_equal(fake_source_fetched(&big), 64 << 20);
	fake_source_answer_all(&big, FAKE_NOTHING);
	prefetch_range(cache, other, 0, 1);
	assert_int_equal(fake_source_fetches(&big), 17);
	fake_source_answer_all(&big, FAKE_NOTHING);
	blob_unref(other);
	fake_source_release(&big);
}

struct reader {
	pthread_t thread;
	unsigned int seed;
};

static void *read_around(void *arg)
{
	struct reader *reader = arg;

	for (int i = 0; i < 60; i++) {
		size_t len = (size_t)rand_r(&reader->seed) % (3 * BLOCK) + 1;
		size_t off = (size_t)rand_r(&reader->seed) % (SIZE - len);

		assert_int_equal(fetch_right(blob, &fake, off, len), 0);
		if (i % 8 == 0)
			prefetch_range(cache, blob, off, len);
	}
	return NULL;
}

/* However many read: each block is fetched once. */
static void a_storm_fetches_each_block_once(void **state)
{
	struct reader readers[8];

	(void)state;
	fake_source_serve(&fake, FAKE_GOOD);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i].seed = (unsigned int)i;
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
						read_around, &readers[i]),
				 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		pthread_join(readers[i].thread, NULL);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	fake_source_quiet(&fake);
	assert_int_equal(fake_source_fetched(&fake), SIZE);
	assert_int_equal(stats_of(cache).misses, (SIZE + BLOCK - 1) / BLOCK);
}

#define SOME (40 * BLOCK)

/* Each other block of them is there: twenty ranges to ask for. */
static void have_each_other(void)
{
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	for (size_t off = 0; off < SOME; off += 2 * BLOCK) {
		prefetch_range(cache, blob, off, BLOCK);
		fake_source_answer_all(&fake, FAKE_GOOD);
	}
}

static int ensure_once(void)
{
	struct seen_wait a;
	int r;

	seen_init(&a);
	r = ensure_range(cache, blob, 0, SOME, &a.wait);
	fake_source_answer_all(&fake, FAKE_GOOD);
	if (r == -EINPROGRESS)
		r = seen_result(&a);
	if (r == 0)
		r = read_right(blob, &fake, 0, SOME);
	if (r == 0)
		cache_release(&a.wait);
	assert_int_equal(stats_of(cache).waiting, 0);
	assert_int_equal(stats_of(cache).inflight, 0);
	seen_release(&a);
	return r;
}

/*
 * The committer allocates too, and then what was asked for is done all the
 * same: so 0 is right as well as -ENOMEM, and the next try must succeed.
 */
static void no_memory_ends_waits_too(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned int nth = 1; failed; nth++) {
		int r;

		have_each_other();
		mem_fail_nth(nth);
		r = ensure_once();
		failed = mem_fail_done();
		assert_true(r == 0 || (r == -ENOMEM && failed));
		assert_int_equal(ensure_once(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(absent_is_fetched_then_resident),
		TEST(the_last_block_is_short),
		TEST(many_waits_are_one_fetch),
		TEST(only_what_nobody_fetches_is_asked_for),
		TEST(long_ranges_are_asked_for_in_parts),
		TEST(a_wait_ends_before_the_transfer),
		TEST(one_wake_after_the_last_extent),
		TEST(one_error_ends_the_wait),
		TEST(bad_answers),
		TEST(a_refused_fetch_is_an_answer),
		TEST(a_wake_may_end_the_blob),
		TEST(cancelled_waits_are_not_woken),
		TEST(quiet_ends_all_waits),
		TEST(cancel_races_with_the_wake),
		TEST(a_deadline_ends_the_wait_not_the_fetch),
		TEST(who_came_later_is_asked_for_again),
		TEST(prefetch_waits_for_nobody),
		TEST(prefetch_is_bounded),
		TEST(a_storm_fetches_each_block_once),
		TEST(no_memory_ends_waits_too),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
