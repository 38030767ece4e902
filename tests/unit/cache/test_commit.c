/* SPDX-License-Identifier: MIT */
/* Data, its sync, its name's, the index: in this order, or not at all. */
#include "cache/cache.h"

#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

#define BLOCKS 20
#define SIZE (BLOCKS * BLOCK)

static struct cache *cache;
static struct fake_source fake;
static struct blob *blob;

static void begin(void)
{
	cache = cache_usual();
	blob = blob_of(cache, &fake);
}

static void end(void)
{
	blob_unref(blob);
	cache_close(cache);
}

static int set_up(void **state)
{
	(void)state;
	fake_disk_reset();
	fake_source_init(&fake, SIZE, 1);
	return 0;
}

static int tear_down(void **state)
{
	fake_disk_reset();
	fake_source_release(&fake);
	return folder_empty(state);
}

static void fetch_blocks_of(size_t first, size_t count)
{
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, first * BLOCK, count * BLOCK),
			 0);
	fake_source_quiet(&fake);
}

static bool is_marked_running(void)
{
	auto_free char *path = mem_printf("%s/running", cache_path);

	return access(path, F_OK) == 0;
}

/* Opening syncs the index it makes. */
static void the_order_is_kept(void **state)
{
	(void)state;
	begin();
	fake_disk_reset();
	fetch_blocks_of(0, 3);
	await_known(blob, 3);
	/* The folder of the file, and that of the folders. */
	assert_string_equal(strrchr(fake_disk_log(), 'W') + 1, "FDDI");
	fetch_blocks_of(3, 2);
	await_known(blob, 5);
	assert_string_equal(strrchr(fake_disk_log(), 'W') + 1, "FDDI");
	end();
	assert_string_equal(strrchr(fake_disk_log(), 'W') + 1, "FDDI");
}

static void what_waits_is_one_transaction(void **state)
{
	struct fake_source others[5];
	struct blob *blobs[5];

	(void)state;
	begin();
	fake_disk_reset();
	for (uint32_t i = 0; i < 5; i++) {
		fake_source_init(&others[i], 2 * BLOCK, 10 + i);
		blobs[i] = blob_of(cache, &others[i]);
		fill_whole(blobs[i], &others[i]);
		memo_put(cache_memo(cache), i % 2 ? "even" : "odd", &i, 1);
	}
	for (uint32_t i = 0; i < 5; i++) {
		await_known(blobs[i], 2);
		blob_unref(blobs[i]);
	}
	/* All five within one delay, or two if the machine is slow. */
	assert_non_null(strchr(fake_disk_log(), 'I'));
	assert_true(strlen(fake_disk_log()) <= 5 * 2 + 5 * 3 + 2);
	end();
	for (uint32_t i = 0; i < 5; i++)
		fake_source_release(&others[i]);
}

static struct blob *both[2];
static bool met; /* dirty_meanwhile() was called */

/* On the committer's thread, which has begun with the later of two. */
static void dirty_meanwhile(char kind)
{
	if (kind != 'F')
		return;
	fake_disk.before_sync = NULL;
	assert_int_equal(cache_blob_pin(cache, both[1], true), 0);
	met = true;
}

/* What becomes dirty while it is committed is committed once more. */
static void dirty_while_committed(void **state)
{
	struct fake_source sources[2];
	struct blob_record record;

	(void)state;
	begin();
	fake_disk.before_sync = dirty_meanwhile;
	for (uint32_t i = 0; i < 2; i++) {
		fake_source_init(&sources[i], 3 * BLOCK, 20 + i);
		both[i] = blob_of(cache, &sources[i]);
		fill_whole(both[i], &sources[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		await_known(both[i], 3);
		do {
			assert_int_equal(index_get_blob(cache->index,
							&both[i]->key, &record),
					 0);
		} while (record.pinned != (i == 1));
		blob_unref(both[i]);
	}
	assert_true(met);
	end();
	for (size_t i = 0; i < 2; i++)
		fake_source_release(&sources[i]);
}

static atomic_uint known_at_next; /* blocks, when the next sync begins */

static void look_at_index(char kind)
{
	if (kind != 'F')
		return;
	fake_disk.before_sync = NULL;
	known_at_next = blocks_known(cached_of(blob));
}

static void fetch_one_more(char kind)
{
	if (kind != 'F')
		return;
	fake_disk.before_sync = look_at_index;
	assert_int_equal(fetch_right(blob, &fake, 9 * BLOCK, 1), 0);
}

/* A block that came after the sync began is not in the index with it. */
static void what_comes_late_waits(void **state)
{
	(void)state;
	begin();
	fake_disk.before_sync = fetch_one_more;
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, 3 * BLOCK), 0);
	await_known(blob, 4);
	fake_source_quiet(&fake);
	assert_int_equal(known_at_next, 3);
	end();
}

/* Not written as far as anyone knows: not in the index, looked at again. */
static void a_failed_sync_keeps_it_out_of_the_index(void **state)
{
	(void)state;
	begin();
	fake_disk.sync_error = EIO;
	fetch_blocks_of(0, 4);
	while (!stats_of(cache).bypass)
		usleep(1000);
	assert_int_equal(blocks_known(cached_of(blob)), 0);
	lock_take(&cache->lock);
	for (uint32_t i = 0; i < 4; i++)
		assert_false(cached_of(blob)->blocks[i] & BLOCK_PROVEN);
	lock_drop(&cache->lock);
	assert_int_equal(read_right(blob, &fake, 0, 4 * BLOCK), 0);
	end();
	fake_disk_reset();
	begin();
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	fill_whole(blob, &fake);
	await_known(blob, BLOCKS);
	end();
}

static void a_failed_index_is_looked_at_next_time(void **state)
{
	(void)state;
	begin();
	fake_disk.index_error = EIO;
	fetch_blocks_of(0, 4);
	while (!stats_of(cache).bypass)
		usleep(1000);
	assert_int_equal(blocks_known(cached_of(blob)), 0);
	fake_disk.index_error = 0;
	assert_int_equal(read_right(blob, &fake, 0, 4 * BLOCK), 0);
	clock_set(clock_after_ns(60 * NS_PER_S), clock_wall_s());
	fetch_blocks_of(4, 4);
	await_known(blob, 8); /* those before it are in the same group */
	end();
	assert_true(is_marked_running());
	begin();
	assert_true(cache->dir.suspect);
	assert_int_equal(info_of(cache, blob).cached_bytes, 8 * BLOCK);
	assert_int_equal(read_right(blob, &fake, 0, 8 * BLOCK), 0);
	end();
	assert_false(is_marked_running());
}

static void closing_commits_at_once(void **state)
{
	uint64_t before_ns;

	(void)state;
	begin();
	fetch_blocks_of(0, BLOCKS);
	assert_int_equal(cache_blob_pin(cache, blob, true), 0);
	memo_put(cache_memo(cache), "key", "value", 5);
	blob_unref(blob);
	before_ns = clock_now_ns();
	cache_close(cache);
	assert_true(clock_now_ns() - before_ns < 10 * NS_PER_S);
	begin();
	assert_int_equal(info_of(cache, blob).cached_bytes, SIZE);
	assert_true(info_of(cache, blob).pinned);
	end();
}

/* Closed with nothing to do: no thread wakes, nothing is written. */
static void an_idle_cache_writes_nothing(void **state)
{
	(void)state;
	begin();
	end();
	fake_disk_reset();
	begin();
	end();
	assert_string_equal(fake_disk_log(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_order_is_kept),
		TEST(what_waits_is_one_transaction),
		TEST(dirty_while_committed),
		TEST(what_comes_late_waits),
		TEST(a_failed_sync_keeps_it_out_of_the_index),
		TEST(a_failed_index_is_looked_at_next_time),
		TEST(closing_commits_at_once),
		TEST(an_idle_cache_writes_nothing),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
