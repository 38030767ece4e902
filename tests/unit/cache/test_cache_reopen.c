/* SPDX-License-Identifier: MIT */
/* What a mount leaves to the next, however it ended. */
#include "cache/cache.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/atomic_file.h"
#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

#define BLOCKS 300 /* two groups */
#define SIZE ((size_t)BLOCKS * BLOCK - 9)
#define SEED 20261125

static struct fake_source fake;

static int set_up(void **state)
{
	(void)state;
	fake_source_init(&fake, SIZE, 1);
	return 0;
}

static int tear_down(void **state)
{
	fake_source_release(&fake);
	return folder_empty(state);
}

static void assert_memo(struct cache *cache, const char *key, const char *want)
{
	auto_str struct str got;

	str_init(&got, 1000);
	assert_int_equal(memo_get(cache_memo(cache), key, &got, NULL), 0);
	assert_string_equal(str_text(&got), want);
}

static void a_second_mount_asks_for_nothing(void **state)
{
	struct cache *cache = cache_usual();
	struct blob *blob = blob_of(cache, &fake);

	(void)state;
	fill_whole(blob, &fake);
	memo_put(cache_memo(cache), "listing", "a b c", 5);
	memo_put(cache_memo(cache), "plan", "1 2 3", 5);
	assert_int_equal(cache_blob_pin(cache, blob, true), 0);
	blob_unref(blob);
	cache_close(cache);
	for (int i = 0; i < 2; i++) {
		cache = cache_usual();
		assert_false(cache->dir.suspect);
		assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
		blob = blob_of(cache, &fake);
		assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
		assert_int_equal(info_of(cache, blob).cached_bytes, SIZE);
		assert_true(info_of(cache, blob).pinned);
		assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
		assert_memo(cache, "listing", "a b c");
		assert_memo(cache, "plan", "1 2 3");
		blob_unref(blob);
		assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
		cache_close(cache);
	}
	assert_int_equal(fake_source_fetched(&fake), SIZE);
}

static void parts_are_kept_as_parts(void **state)
{
	struct cache *cache = cache_usual();
	struct blob *blob = blob_of(cache, &fake);

	(void)state;
	fake_source_serve(&fake, FAKE_GOOD);
	for (size_t i = 0; i < BLOCKS; i += 3)
		assert_int_equal(fetch_right(blob, &fake, i * BLOCK, 1), 0);
	fake_source_quiet(&fake);
	blob_unref(blob);
	cache_close(cache);
	cache = cache_usual();
	blob = blob_of(cache, &fake);
	assert_int_equal(stats_of(cache).bytes_used, BLOCKS / 3 * BLOCK);
	for (size_t i = 0; i < BLOCKS; i++)
		assert_int_equal(read_right(blob, &fake, i * BLOCK, 9),
				 i % 3 ? -ENODATA : 0);
	fill_whole(blob, &fake);
	assert_int_equal(fake_source_fetched(&fake), SIZE);
	blob_unref(blob);
	cache_close(cache);
}

/* When it was used last is kept too: by the hour. */
static void use_is_remembered(void **state)
{
	struct cache *cache;
	struct blob *blob;
	struct blob_record record;
	static const int64_t times_s[] = { 1000000, 1000100, 1010000 };
	static const int64_t known_s[] = { 1000000, 1000000, 1010000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times_s); i++) {
		clock_set(1, times_s[i]);
		cache = cache_usual();
		blob = blob_of(cache, &fake);
		if (i == 0)
			fill_whole(blob, &fake);
		blob_unref(blob);
		cache_close(cache);
		clock_set(1, times_s[i] + 50);
		cache = cache_usual();
		assert_int_equal(index_get_blob(cache->index, &fake.source.key,
						&record),
				 0);
		assert_true(record.used_wall_s - known_s[i] < 10);
		assert_true(record.used_wall_s >= known_s[i]);
		cache_close(cache);
	}
}

/* Ends without a word, once all is in the index. */
static void crash_after_commit(void)
{
	struct cache *cache = cache_usual();
	struct blob *blob = blob_of(cache, &fake);

	memo_put(cache_memo(cache), "listing", "a b c", 5);
	fill_whole(blob, &fake);
	await_known(blob, BLOCKS);
	_exit(0);
}

static atomic_bool filled;

/* On the committer's thread. */
static void die(char kind)
{
	if (kind != 'F')
		return;
	while (!filled)
		usleep(1000);
	_exit(0);
}

/* Ends after the bytes are in the file, before they are in the index. */
static void crash_before_commit(void)
{
	struct cache *cache = cache_usual();
	struct blob *blob = blob_of(cache, &fake);

	fake_disk.before_sync = die;
	fill_whole(blob, &fake);
	filled = true;
	pause();
}

static void in_a_child(void (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		run();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_crash_loses_nothing_committed(void **state)
{
	struct cache *cache;
	struct blob *blob;

	(void)state;
	in_a_child(crash_after_commit);
	cache = cache_usual();
	assert_true(cache->dir.suspect);
	blob = blob_of(cache, &fake);
	assert_int_equal(info_of(cache, blob).cached_bytes, SIZE);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	assert_memo(cache, "listing", "a b c");
	assert_int_equal(fake_source_fetched(&fake), 0);
	blob_unref(blob);
	cache_close(cache);
}

/* Bytes that nobody knows of count, until they are overwritten or go. */
static void what_was_not_committed_is_fetched_again(void **state)
{
	struct cache *cache;
	struct blob *blob;

	(void)state;
	in_a_child(crash_before_commit);
	cache = cache_usual();
	assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
	blob = blob_of(cache, &fake);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	fill_whole(blob, &fake);
	assert_int_equal(fake_source_fetched(&fake), SIZE);
	assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
	blob_unref(blob);
	cache_close(cache);
}

static uint32_t dice;

static size_t throw(size_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (size_t)(dice >> 8) % sides;
}

/* Reads, drops and remembers for ever. */
static void be_busy(void)
{
	struct cache *cache;
	struct blob *blob;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cache = cache_with(100 * BLOCK, CACHE_VERIFY_COMPLETE);
	blob = blob_of(cache, &fake);
	fake_source_serve(&fake, FAKE_GOOD);
	for (;;) {
		size_t len = 1 + throw(20 * BLOCK);
		size_t off = throw(SIZE - len);

		if (fetch_right(blob, &fake, off, len) < 0)
			_exit(1);
		memo_put(cache_memo(cache), "busy", &off, sizeof(off));
		if (throw(10) == 0 && cache_blob_drop(cache, blob) < 0)
			_exit(1);
	}
}

/* All that can be read of it is right, and the rest can be fetched. */
static void assert_usable(void)
{
	struct cache *cache = cache_usual();
	struct blob *blob = blob_of(cache, &fake);

	for (size_t i = 0; i < BLOCKS; i++) {
		size_t len = i == BLOCKS - 1 ? SIZE % BLOCK : BLOCK;
		int r = read_right(blob, &fake, i * BLOCK, len);

		assert_true(r == 0 || r == -ENODATA);
	}
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 0, SIZE), 0);
	fake_source_quiet(&fake);
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	blob_unref(blob);
	cache_close(cache);
}

static void killed_at_any_time(void **state)
{
	(void)state;
	dice = SEED;
	print_message("seed %u\n", dice);
	for (int i = 0; i < 15; i++) {
		useconds_t us = (useconds_t)(1000 + throw(300000));
		pid_t pid = fork();

		if (pid == 0)
			be_busy();
		usleep(us);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_usable();
	}
}

static char copy_path[sizeof(cache_path) + 8];

static int copy_one(const char *path, const struct stat *st, int type,
		    struct FTW *walk)
{
	auto_free char *to = mem_printf("%s%s", copy_path,
					path + strlen(cache_path));
	auto_str struct str bytes;
	auto_close int fd = -1;

	(void)st;
	(void)walk;
	str_init(&bytes, 64 << 20);
	if (type == FTW_D)
		return mkdir(to, 0700);
	fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	/* Gone meanwhile: then it is not in the copy either. */
	if (file_read_all(AT_FDCWD, path, &bytes) < 0)
		return 0;
	return file_pwrite(fd, 0, bytes.len, bytes.bytes);
}

/*
 * A copy made file by file while all of it changes: as what a disk has after
 * the power went that wrote what it liked, in the order it liked.
 */
static void copied_while_in_use(void **state)
{
	(void)state;
	dice = SEED;
	print_message("seed %u\n", dice);
	snprintf(copy_path, sizeof(copy_path), "%s-copy", cache_path);
	for (int i = 0; i < 8; i++) {
		useconds_t us = (useconds_t)(200000 + throw(400000));
		pid_t pid = fork();

		if (pid == 0)
			be_busy();
		usleep(us);
		assert_int_equal(nftw(cache_path, copy_one, 16, FTW_PHYS), 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		tree_empty(cache_path);
		assert_int_equal(rmdir(cache_path), 0);
		assert_int_equal(rename(copy_path, cache_path), 0);
		assert_usable();
	}
}

/* Without memory it opens, or says so; what is on disk stays as it was. */
static void faults(void **state)
{
	struct cache_options options = { .dir = cache_path,
					 .bytes_max = 1 << 30,
					 .free_min = 1 };
	struct cache *cache = cache_usual();
	struct blob *blob = blob_of(cache, &fake);
	bool failed = true;

	(void)state;
	fill_whole(blob, &fake);
	blob_unref(blob);
	cache_close(cache);
	for (unsigned int nth = 1; failed; nth++) {
		int r;

		mem_fail_nth(nth);
		r = cache_open(&options, &cache);
		failed = mem_fail_done();
		assert_true(r == 0 || (r == -ENOMEM && failed));
		if (r == 0)
			cache_close(cache);
	}
	cache = cache_usual();
	blob = blob_of(cache, &fake);
	assert_int_equal(read_right(blob, &fake, 0, SIZE), 0);
	blob_unref(blob);
	cache_close(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_second_mount_asks_for_nothing),
		TEST(parts_are_kept_as_parts),
		TEST(use_is_remembered),
		TEST(a_crash_loses_nothing_committed),
		TEST(what_was_not_committed_is_fetched_again),
		TEST(killed_at_any_time),
		TEST(copied_while_in_use),
		TEST(faults),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
