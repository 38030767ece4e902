/* SPDX-License-Identifier: MIT */
/* A disk that is full or fails turns caching off, never reading. */
#include "cache/cache.h"

#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

#define BLOCKS 64
#define SIZE (BLOCKS * BLOCK)

/* As long as caching stays off. */
#define BYPASS_S 10

static struct cache *cache;
static struct fake_source fake;
static struct blob *blob;

static int set_up(void **state)
{
	(void)state;
	fake_disk_reset();
	fake_source_init(&fake, SIZE, 1);
	cache = cache_usual();
	blob = blob_of(cache, &fake);
	return 0;
}

static int tear_down(void **state)
{
	fake_disk_reset();
	blob_unref(blob);
	cache_close(cache);
	fake_source_release(&fake);
	return folder_empty(state);
}

/* Whatever the disk says, all of it can be read, piece after piece. */
static void errors_of_the_disk_are_not_the_readers(void **state)
{
	static const int errors[] = { ENOSPC, EDQUOT, EIO, EROFS, EFBIG };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		fake_disk.write_error = errors[i];
		fake_source_serve(&fake, FAKE_GOOD);
		for (size_t off = 0; off < SIZE; off += 2 * BLOCK)
			assert_int_equal(
				fetch_right(blob, &fake, off, 2 * BLOCK), 0);
		fake_source_quiet(&fake);
		assert_true(stats_of(cache).bypass);
		assert_int_equal(info_of(cache, blob).cached_bytes, 0);
		assert_int_equal(read_right(blob, &fake, 0, 1), -ENODATA);
		assert_int_equal(stats_of(cache).damaged, 0);
	}
}

static void caching_is_tried_again(void **state)
{
	(void)state;
	fake_disk.write_error = ENOSPC;
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, BLOCK), 0);
	fake_disk.write_error = 0;
	prefetch_range(cache, blob, 0, SIZE); /* it could not be kept */
	assert_int_equal(fetch_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	clock_set(clock_after_ns((BYPASS_S + 1) * NS_PER_S), clock_wall_s());
	assert_false(stats_of(cache).bypass);
	assert_int_equal(fetch_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(fetch_right(blob, &fake, 0, BLOCK), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, BLOCK);
	fake_source_quiet(&fake);
	assert_int_equal(fake_source_fetches(&fake), 3);
}

/* What is in memory stays for as long as somebody reads it, no longer. */
static void memory_is_for_who_reads(void **state)
{
	struct seen_wait a, b;

	(void)state;
	seen_init(&a);
	seen_init(&b);
	fake_disk.write_error = ENOSPC;
	assert_int_equal(ensure_range(cache, blob, BLOCK, 1, &a.wait),
			 -EINPROGRESS);
	fake_source_answer(&fake, FAKE_GOOD);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(ensure_range(cache, blob, BLOCK, 1, &b.wait), 0);
	assert_int_equal(cache->memory_bytes, BLOCK);
	cache_release(&a.wait);
	assert_int_equal(read_right(blob, &fake, BLOCK, BLOCK), 0);
	cache_release(&b.wait);
	assert_int_equal(read_right(blob, &fake, BLOCK, 1), -ENODATA);
	assert_int_equal(cache->memory_bytes, 0);
	assert_int_equal(fake_source_fetches(&fake), 1);
	seen_release(&a);
	seen_release(&b);
}

/* Read ahead when the disk became full: a reader of its middle is served. */
static void a_reader_of_what_is_read_ahead_is_served(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	prefetch_range(cache, blob, 0, SIZE);
	assert_int_equal(ensure_range(cache, blob, 40 * BLOCK, 1, &a.wait),
			 -EINPROGRESS);
	fake_disk.write_error = ENOSPC;
	fake_source_answer_all(&fake, FAKE_GOOD);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(read_right(blob, &fake, 40 * BLOCK, BLOCK), 0);
	assert_int_equal(cache->memory_bytes, BLOCK);
	cache_release(&a.wait);
	assert_int_equal(fake_source_fetches(&fake), 1);
	seen_release(&a);
}

/* Of which nothing can be kept and nobody waits for: it ends, and is over. */
static void what_nobody_wants_ends(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	fake.piece = BLOCK;
	prefetch_range(cache, blob, 0, SIZE);
	fake_disk.write_error = EIO;
	assert_int_equal(fake_source_answer(&fake, FAKE_GOOD), -ECANCELED);
	assert_int_equal(stats_of(cache).inflight, 0);
	for (size_t b = 0; b < BLOCKS; b += 7) {
		assert_int_equal(ensure_range(cache, blob, b * BLOCK, 1,
					      &a.wait),
				 -EINPROGRESS);
		assert_int_equal(fake_source_answer_all(&fake, FAKE_GOOD), 1);
		assert_int_equal(seen_result(&a), 0);
		cache_release(&a.wait);
		a.wakes = 0;
	}
	seen_release(&a);
}

static void below_the_floor_nothing_is_kept(void **state)
{
	(void)state;
	cache->free_min = 1 << 20;
	fake_disk.free_bytes = (1 << 20) + BLOCK / 2;
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	fake_source_quiet(&fake);
	assert_null(strchr(fake_disk_log(), 'W'));
}

/*
 * What has to go for want of room goes, but not what is being read; then
 * the reader of more gets it from memory.
 */
static void others_fill_the_disk(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	fill_whole(blob, &fake);
	assert_int_equal(info_of(cache, blob).cached_bytes, SIZE);
	assert_int_equal(ensure_range(cache, blob, 0, 1, &a.wait), 0);
	fake_disk.free_bytes = 4096;
	cache->free_min = 1 << 20;
	assert_int_equal(cache_make_room(cache, 8 << 20), -ENOSPC);
	assert_int_equal(info_of(cache, blob).cached_bytes, 16 * BLOCK);
	assert_int_equal(read_right(blob, &fake, 0, 16 * BLOCK), 0);
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	fake_source_quiet(&fake);
	cache_release(&a.wait);
	seen_release(&a);
}

/* Other files take the places of those kept open. */
static void descriptors_forget(void)
{
	for (uint32_t i = 0; i < 100; i++) {
		struct content_key key = { { (uint8_t)i } };
		struct block_name name;

		block_name_make(&key, &name);
		assert_int_equal(block_file_make(cache->files, &name), 0);
		assert_int_equal(
			block_file_write(cache->files, &name, 0, 1, ""), 0);
	}
}

/*
 * The file is removed behind our back: what is made anew is another file,
 * and its holes are not taken for the blocks that were written.
 */
static void a_file_taken_away_is_no_hole(void **state)
{
	auto_free char *path = block_path(&fake);

	(void)state;
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, 8 * BLOCK), 0);
	await_known(blob, 8);
	assert_int_equal(unlink(path), 0);
	descriptors_forget();
	assert_int_equal(fetch_right(blob, &fake, 9 * BLOCK, 1), 0);
	assert_int_equal(fetch_right(blob, &fake, 0, 8 * BLOCK), 0);
	fake_source_quiet(&fake);
	assert_int_equal(stats_of(cache).damaged, 8);
	assert_int_equal(fake_source_fetched(&fake), 17 * BLOCK);
}

/* As above, but a reader is the first to notice. */
static void a_file_taken_away_is_fetched_again(void **state)
{
	auto_free char *path = block_path(&fake);

	(void)state;
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, 8 * BLOCK), 0);
	await_known(blob, 8);
	assert_int_equal(unlink(path), 0);
	descriptors_forget();
	assert_int_equal(fetch_right(blob, &fake, 0, 8 * BLOCK), 0);
	fake_source_quiet(&fake);
	assert_int_equal(fake_source_fetched(&fake), 16 * BLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(errors_of_the_disk_are_not_the_readers),
		TEST(caching_is_tried_again),
		TEST(memory_is_for_who_reads),
		TEST(a_reader_of_what_is_read_ahead_is_served),
		TEST(what_nobody_wants_ends),
		TEST(below_the_floor_nothing_is_kept),
		TEST(others_fill_the_disk),
		TEST(a_file_taken_away_is_no_hole),
		TEST(a_file_taken_away_is_fetched_again),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
