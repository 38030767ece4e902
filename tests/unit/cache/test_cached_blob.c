/* SPDX-License-Identifier: MIT */
/* Blobs of a cache: one for each key, what they say of themselves, pins. */
#include "cache/cached_blob.h"

#include <pthread.h>

#include "base/atomic_file.h"
#include "tests/unit/cache/cache_fixture.h"

#define BLOCKS 40
#define SIZE (BLOCKS * BLOCK - 100)

static struct cache *cache;
static struct fake_source fake;

static int set_up(void **state)
{
	(void)state;
	fake_source_init(&fake, SIZE, 1);
	cache = cache_usual();
	return 0;
}

static int tear_down(void **state)
{
	cache_close(cache);
	fake_source_release(&fake);
	return folder_empty(state);
}

static void one_key_is_one_blob(void **state)
{
	struct fake_source same, other;
	struct blob *a = blob_of(cache, &fake);
	struct blob *b, *c;

	(void)state;
	fake_source_init(&same, SIZE, 1);
	fake_source_init(&other, SIZE, 2);
	b = blob_of(cache, &same);
	c = blob_of(cache, &other);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_int_equal(a->size, SIZE);
	assert_int_equal(stats_of(cache).blobs, 2);
	blob_unref(a);
	blob_unref(b);
	blob_unref(c);
	assert_int_equal(stats_of(cache).blobs, 0);
	fake_source_release(&same);
	fake_source_release(&other);
}

static void *open_and_close_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++) {
		struct blob *blob = blob_of(cache, &fake);

		assert_int_equal(fetch_right(blob, &fake,
					     (size_t)(i % BLOCKS) * BLOCK, 9),
				 0);
		blob_unref(blob);
	}
	return NULL;
}

/* The last reference goes while another comes, again and again. */
static void opened_and_closed_at_once(void **state)
{
	pthread_t threads[4];

	(void)state;
	fake_source_serve(&fake, FAKE_GOOD);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						open_and_close_often, NULL),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	fake_source_quiet(&fake);
	cache_close(cache);
	cache = cache_usual();
	assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
	assert_int_equal(stats_of(cache).damaged, 0);
	assert_true(fake_source_fetched(&fake) <= 2 * SIZE);
}

static void it_says_what_it_has(void **state)
{
	struct blob *blob = blob_of(cache, &fake);
	struct blob *bytes;

	(void)state;
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_PARTIAL);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 3 * BLOCK, BLOCK + 1), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, 2 * BLOCK);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	fake_source_quiet(&fake);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_COMPLETE);
	assert_int_equal(info_of(cache, blob).cached_bytes, SIZE);
	assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
	assert_int_equal(blob_of_bytes(mem_dup("x", 1), 1, &bytes), 0);
	assert_int_equal(cache_blob_info(cache, bytes,
					 &(struct cache_blob_info){ 0 }),
			 -EINVAL);
	assert_int_equal(cache_blob_pin(cache, bytes, true), -EINVAL);
	assert_int_equal(cache_blob_drop(cache, bytes), -EINVAL);
	blob_unref(bytes);
	blob_unref(blob);
}

static void ranges_are_checked(void **state)
{
	struct blob *blob = blob_of(cache, &fake);
	char bytes[4];

	(void)state;
	assert_int_equal(blob_read(blob, SIZE, 1, bytes), -EINVAL);
	assert_int_equal(blob_fetch(blob, SIZE - 1, 2, bytes, soon_ns()),
			 -EINVAL);
	assert_int_equal(blob_read(blob, SIZE, 0, bytes), 0);
	assert_int_equal(blob_fetch(blob, SIZE, 0, bytes, soon_ns()), 0);
	assert_int_equal(fake_source_fetches(&fake), 0);
	blob_unref(blob);
}

/* On a lane that must not wait: what is there, and nothing is asked for. */
static void now_is_no_time_to_fetch(void **state)
{
	struct blob *blob = blob_of(cache, &fake);
	uint8_t bytes[4];

	(void)state;
	assert_int_equal(blob_fetch(blob, 0, 4, bytes, DEADLINE_NOW),
			 -EINPROGRESS);
	assert_int_equal(fake_source_fetches(&fake), 0);
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(blob_fetch(blob, 0, 4, bytes, DEADLINE_NOW), 0);
	assert_int_equal(blob_fetch(blob, BLOCK, 4, bytes, DEADLINE_NOW),
			 -EINPROGRESS);
	fake_source_quiet(&fake);
	assert_int_equal(fake_source_fetches(&fake), 1);
	blob_unref(blob);
}

static void nothing_is_complete(void **state)
{
	struct fake_source empty;
	struct blob *blob;

	(void)state;
	fake_source_init_proven(&empty, 0, 5);
	blob = blob_of(cache, &empty);
	assert_int_equal(blob_fetch(blob, 0, 0, NULL, soon_ns()), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	blob_unref(blob);
	fake_source_release(&empty);
}

static void too_large_is_refused(void **state)
{
	struct fake_source huge;
	struct blob *blob;

	(void)state;
	fake_source_init(&huge, 1, 5);
	huge.source.size = UINT64_MAX / 4;
	assert_int_equal(cache_blob(cache, &huge.source, &blob), -EFBIG);
	fake_source_release(&huge);
}

/* A local file that has the bytes is read in place, and never copied. */
static void local_files_are_read_in_place(void **state)
{
	auto_free char *path = mem_printf("%s/local", folder);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct seen_wait a;
	struct blob *blob;

	(void)state;
	assert_int_equal(file_pwrite(fd, 0, SIZE, fake.bytes), 0);
	close(fd);
	fake.local = path;
	blob = blob_of(cache, &fake);
	seen_init(&a);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_LOCAL);
	assert_int_equal(ensure_range(cache, blob, 0, SIZE, &a.wait), 0);
	assert_int_equal(read_right(blob, &fake, 7, SIZE - 7), 0);
	cache_release(&a.wait);
	assert_int_equal(fetch_right(blob, &fake, BLOCK, 9), 0);
	prefetch_range(cache, blob, 0, SIZE);
	assert_int_equal(cache_blob_pin(cache, blob, true), -EINVAL);
	assert_int_equal(cache_blob_drop(cache, blob), -EINVAL);
	assert_int_equal(fake_source_fetches(&fake), 0);
	assert_int_equal(stats_of(cache).bytes_used, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(read_right(blob, &fake, 0, 1), -ENOENT);
	seen_release(&a);
	blob_unref(blob);
}

static void dropped_is_fetched_anew(void **state)
{
	struct blob *blob = blob_of(cache, &fake);
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	fill_whole(blob, &fake);
	/* What is being read stays: a chunk of 16 blocks. */
	assert_int_equal(ensure_range(cache, blob, 20 * BLOCK, 1, &a.wait), 0);
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, 16 * BLOCK);
	assert_int_equal(read_right(blob, &fake, 16 * BLOCK, 16 * BLOCK), 0);
	assert_int_equal(read_right(blob, &fake, 0, 1), -ENODATA);
	cache_release(&a.wait);
	fill_whole(blob, &fake);
	assert_int_equal(fake_source_fetched(&fake), 2 * SIZE - 16 * BLOCK);
	blob_unref(blob);
}

static int open_one(void)
{
	struct blob *blob;
	int r = cache_blob(cache, &fake.source, &blob);

	if (r == 0)
		blob_unref(blob);
	return r;
}

static void faults(void **state)
{
	(void)state;
	run_with_faults(open_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(one_key_is_one_blob),
		TEST(opened_and_closed_at_once),
		TEST(it_says_what_it_has),
		TEST(ranges_are_checked),
		TEST(now_is_no_time_to_fetch),
		TEST(nothing_is_complete),
		TEST(too_large_is_refused),
		TEST(local_files_are_read_in_place),
		TEST(dropped_is_fetched_anew),
		TEST(faults),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
