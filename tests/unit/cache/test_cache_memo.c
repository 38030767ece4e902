/* SPDX-License-Identifier: MIT */
/* Small facts: there at once, and after a mount, or forgotten; never wrong. */
#include "base/memo.h"

#include <pthread.h>

#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

static struct cache *cache;
static struct memo *memo;

static int set_up(void **state)
{
	(void)state;
	cache = cache_usual();
	memo = cache_memo(cache);
	return 0;
}

static int tear_down(void **state)
{
	cache_close(cache);
	return folder_empty(state);
}

static void reopen(void)
{
	cache_close(cache);
	cache = cache_usual();
	memo = cache_memo(cache);
}

/* Until what was put is in the index, and only there. */
static void await_written(void)
{
	size_t pending;

	do {
		usleep(1000);
		lock_take(&cache->lock);
		pending = cache->memo_pending.count;
		lock_drop(&cache->lock);
	} while (pending);
}

static void assert_memo(const char *key, const char *want, int64_t at_s)
{
	auto_str struct str got;
	int64_t stored_s = 0;

	str_init(&got, 1 << 20);
	if (!want) {
		assert_int_equal(memo_get(memo, key, &got, &stored_s), -ENOENT);
		assert_int_equal(got.len, 0);
		return;
	}
	assert_int_equal(memo_get(memo, key, &got, &stored_s), 0);
	assert_string_equal(str_text(&got), want);
	assert_true(stored_s - at_s < 5 && at_s - stored_s < 5);
}

static void there_at_once_and_later(void **state)
{
	int64_t now_s = clock_wall_s();

	(void)state;
	assert_memo("key", NULL, 0);
	memo_put(memo, "key", "value", 5);
	memo_put(memo, "", "of an empty key", 15);
	memo_put(memo, "empty", NULL, 0);
	for (int i = 0; i < 3; i++) {
		assert_memo("key", "value", now_s);
		assert_memo("", "of an empty key", now_s);
		assert_memo("empty", "", now_s);
		assert_memo("kez", NULL, 0);
		if (i == 0)
			await_written();
		else
			reopen();
	}
}

static void the_last_one_counts(void **state)
{
	int64_t now_s = clock_wall_s();

	(void)state;
	memo_put(memo, "key", "one", 3);
	memo_put(memo, "key", "two", 3);
	assert_memo("key", "two", now_s);
	memo_put(memo, "key", "three", 5);
	assert_memo("key", "three", now_s);
	await_written();
	assert_memo("key", "three", now_s);
	memo_put(memo, "key", "four", 4);
	assert_memo("key", "four", now_s);
	reopen();
	assert_memo("key", "four", now_s);
}

static atomic_bool seen_new;

/* On the committer's thread, which has "old" in its hands, then "new". */
static void put_new(char kind)
{
	auto_str struct str got;

	str_init(&got, 100);
	if (kind != 'I')
		return;
	if (!seen_new) {
		seen_new = true;
		memo_put(memo, "key", "new", 3);
		return;
	}
	fake_disk.before_sync = NULL;
	assert_int_equal(memo_get(memo, "key", &got, NULL), 0);
	assert_string_equal(str_text(&got), "new");
}

static void put_while_committed(void **state)
{
	(void)state;
	fake_disk.before_sync = put_new;
	memo_put(memo, "key", "old", 3);
	await_written();
	assert_true(seen_new);
	assert_memo("key", "new", clock_wall_s());
	fake_disk_reset();
}

/* Its age is the caller's to judge, by the time it was put. */
static void the_time_is_that_of_the_put(void **state)
{
	(void)state;
	clock_set(1, 1000);
	memo_put(memo, "key", "old", 3);
	clock_set(1, 9000);
	assert_memo("key", "old", 1000);
	reopen();
	assert_memo("key", "old", 1000);
	memo_put(memo, "key", "new", 3);
	assert_memo("key", "new", 9000);
}

static void a_value_may_be_large(void **state)
{
	size_t len = 5 << 20;
	auto_free char *value = malloc(len);
	auto_str struct str got;

	(void)state;
	for (size_t i = 0; i < len; i++)
		value[i] = (char)(i * i >> 7);
	str_init(&got, len);
	memo_put(memo, "listing", value, len);
	reopen();
	assert_int_equal(memo_get(memo, "listing", &got, NULL), 0);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.bytes, value, len);
	str_clear(&got);
	got.len_max = len - 1;
	assert_int_equal(memo_get(memo, "listing", &got, NULL), -EFBIG);
}

static void *put_and_get(void *arg)
{
	const char *who = arg;
	char key[32];
	char value[32];

	for (int i = 0; i < 200; i++) {
		auto_str struct str got;

		str_init(&got, 100);
		snprintf(key, sizeof(key), "%s %d", who, i % 10);
		snprintf(value, sizeof(value), "%s value %d", who, i);
		memo_put(memo, key, value, strlen(value));
		assert_int_equal(memo_get(memo, key, &got, NULL), 0);
		assert_string_equal(str_text(&got), value);
		if (i % 50 == 0)
			usleep(1000);
	}
	return NULL;
}

static void from_many_threads(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	pthread_t threads[ARRAY_LEN(names)];
	char key[32];
	char value[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_and_get,
						(void *)(uintptr_t)names[i]),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		pthread_join(threads[i], NULL);
	reopen();
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "c %d", i);
		snprintf(value, sizeof(value), "c value %d", 190 + i);
		assert_memo(key, value, clock_wall_s());
	}
}

/* Without memory it forgets, or keeps what was before; it never lies. */
static void faults(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned int nth = 1; failed; nth++) {
		auto_str struct str got;
		int r;

		str_init(&got, 100);
		memo_put(memo, "key", "before", 6);
		await_written();
		mem_fail_nth(nth);
		memo_put(memo, "key", "after", 5);
		r = memo_get(memo, "key", &got, NULL);
		await_written();
		failed = mem_fail_done();
		if (r == 0)
			assert_true(
				!strcmp(str_text(&got), "after") ||
				(failed && !strcmp(str_text(&got), "before")));
		else
			assert_true(failed && (r == -ENOMEM || r == -ENOENT));
	}
	memo_put(memo, "key", "after", 5);
	reopen();
	assert_memo("key", "after", clock_wall_s());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(there_at_once_and_later),
		TEST(the_last_one_counts),
		TEST(put_while_committed),
		TEST(the_time_is_that_of_the_put),
		TEST(a_value_may_be_large),
		TEST(from_many_threads),
		TEST(faults),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
