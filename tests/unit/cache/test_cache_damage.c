/* SPDX-License-Identifier: MIT */
/* Whatever happens to the files of a cache: right bytes, and no crash. */
#include "cache/cache.h"

#include "base/atomic_file.h"
#include "tests/unit/cache/cache_fixture.h"

#define BLOCKS 40
#define SIZE ((size_t)BLOCKS * BLOCK - 1000)
#define SEED 20261125
#define ROUNDS 150

static struct fake_source one, two; /* with a digest, and without */
static char *one_path;

/* Fills a cache with both and closes it. */
static void warm(void)
{
	struct cache *cache = cache_usual();
	struct blob *a = blob_of(cache, &one);
	struct blob *b = blob_of(cache, &two);

	fake_source_serve(&one, FAKE_GOOD);
	fake_source_serve(&two, FAKE_GOOD);
	assert_int_equal(fetch_right(a, &one, 0, SIZE), 0);
	assert_int_equal(fetch_right(b, &two, 0, SIZE), 0);
	fake_source_quiet(&one);
	fake_source_quiet(&two);
	memo_put(cache_memo(cache), "plan", "1 2 3", 5);
	blob_unref(a);
	blob_unref(b);
	cache_close(cache);
}

static int set_up(void **state)
{
	(void)state;
	log_quiet();
	fake_source_init_proven(&one, SIZE, 1);
	fake_source_init(&two, SIZE, 2);
	one_path = block_path(&one);
	warm();
	return 0;
}

static int tear_down(void **state)
{
	free(one_path);
	fake_source_release(&one);
	fake_source_release(&two);
	return folder_empty(state);
}

static int open_it(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void flip_at(const char *path, uint64_t at)
{
	auto_close int fd = open_it(path);
	uint8_t byte;

	assert_int_equal(file_pread(fd, at, 1, &byte), 0);
	byte ^= 1;
	assert_int_equal(file_pwrite(fd, at, 1, &byte), 0);
}

/* ---- what may happen to a block file ---- */

static void flip_first(void)
{
	flip_at(one_path, 0);
}

static void flip_last(void)
{
	flip_at(one_path, SIZE - 1);
}

static void flip_many(void)
{
	for (uint64_t i = 0; i < BLOCKS; i += 2)
		flip_at(one_path, i * BLOCK + i);
}

static void zero_some(void)
{
	auto_close int fd = open_it(one_path);

	assert_int_equal(fallocate(fd,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   5 * BLOCK, 10 * BLOCK),
			 0);
}

static void zero_all(void)
{
	assert_int_equal(truncate(one_path, 0), 0);
	assert_int_equal(truncate(one_path, SIZE), 0);
}

static void cut_to_nothing(void)
{
	assert_int_equal(truncate(one_path, 0), 0);
}

static void cut_between_blocks(void)
{
	assert_int_equal(truncate(one_path, 20 * BLOCK), 0);
}

static void cut_within_a_block(void)
{
	assert_int_equal(truncate(one_path, 20 * BLOCK + 100), 0);
}

static void made_longer(void)
{
	assert_int_equal(truncate(one_path, 10 * SIZE), 0);
}

static void removed(void)
{
	assert_int_equal(unlink(one_path), 0);
}

static void a_folder_instead(void)
{
	removed();
	assert_int_equal(mkdir(one_path, 0700), 0);
}

static void a_link_instead(void)
{
	removed();
	assert_int_equal(symlink("/dev/zero", one_path), 0);
}

static void a_fifo_instead(void)
{
	removed();
	assert_int_equal(mkfifo(one_path, 0600), 0);
}

static void anothers_instead(void)
{
	auto_free char *path = block_path(&two);

	assert_int_equal(rename(path, one_path), 0);
}

static void two_blocks_swapped(void)
{
	auto_close int fd = open_it(one_path);
	auto_free uint8_t *a = malloc(BLOCK);
	auto_free uint8_t *b = malloc(BLOCK);

	assert_int_equal(file_pread(fd, 3 * BLOCK, BLOCK, a), 0);
	assert_int_equal(file_pread(fd, 9 * BLOCK, BLOCK, b), 0);
	assert_int_equal(file_pwrite(fd, 9 * BLOCK, BLOCK, a), 0);
	assert_int_equal(file_pwrite(fd, 3 * BLOCK, BLOCK, b), 0);
}

static const struct damage {
	const char *what;
	void (*happens)(void);
	uint32_t blocks; /* that are fetched again */
	bool open;	 /* is it seen while the file is open, and proven? */
} damages[] = {
	{ "a bit of the first block", flip_first, 1, false },
	{ "a bit of the last byte", flip_last, 1, false },
	{ "a bit of each other block", flip_many, 20, false },
	{ "a hole", zero_some, 10, false },
	{ "all zeros", zero_all, BLOCKS, false },
	{ "cut to nothing", cut_to_nothing, BLOCKS, true },
	{ "cut between blocks", cut_between_blocks, 20, true },
	{ "cut within a block", cut_within_a_block, 20, true },
	{ "made longer", made_longer, 0, true },
	{ "removed", removed, BLOCKS, true },
	{ "a folder", a_folder_instead, BLOCKS, true },
	{ "a link", a_link_instead, BLOCKS, true },
	{ "a fifo", a_fifo_instead, BLOCKS, true },
	{ "another blob's", anothers_instead, BLOCKS, false },
	{ "two blocks swapped", two_blocks_swapped, 2, false },
};

/* Reads both whole, in long reads and short ones. */
static void assert_right(struct cache *cache, size_t step)
{
	struct blob *a = blob_of(cache, &one);
	struct blob *b = blob_of(cache, &two);

	fake_source_serve(&one, FAKE_GOOD);
	fake_source_serve(&two, FAKE_GOOD);
	for (size_t off = 0; off < SIZE; off += step) {
		size_t len = SIZE - off < step ? SIZE - off : step;

		assert_int_equal(fetch_right(a, &one, off, len), 0);
		assert_int_equal(fetch_right(b, &two, off, len), 0);
	}
	fake_source_quiet(&one);
	fake_source_quiet(&two);
	blob_unref(a);
	blob_unref(b);
}

static void found_at_the_next_mount(void **state)
{
	static const size_t steps[] = { SIZE, 16 * BLOCK, BLOCK + 5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(damages) * ARRAY_LEN(steps); i++) {
		const struct damage *damage = &damages[i / ARRAY_LEN(steps)];
		uint64_t before = fake_source_fetched(&one);
		struct cache *cache;
		uint64_t again;

		damage->happens();
		cache = cache_usual();
		assert_right(cache, steps[i % ARRAY_LEN(steps)]);
		again = (fake_source_fetched(&one) - before + BLOCK - 1) /
			BLOCK;
		if (again < damage->blocks ||
		    (damage->blocks < BLOCKS && again > damage->blocks))
			fail_msg("%s: %ju blocks fetched", damage->what,
				 (uintmax_t)again);
		assert_true(stats_of(cache).damaged >= damage->blocks);
		assert_int_equal(stats_of(cache).bad_digests, 0);
		cache_close(cache);
		remove(one_path); /* and once more from the start */
		warm();
	}
}

/* The file changes under a mount that has it open and believes it. */
static void found_by_this_mount(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct cache *cache;

		if (!damages[i].open)
			continue;
		cache = cache_usual();
		assert_right(cache, SIZE);
		damages[i].happens();
		assert_right(cache, 5 * BLOCK);
		assert_right(cache, SIZE);
		cache_close(cache);
		remove(one_path);
		warm();
	}
}

static uint32_t dice;

static size_t throw(size_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (size_t)(dice >> 8) % sides;
}

/* Some file below the cache: *@path after @left more of them. */
static size_t files_left;
static char found_path[4096];

static int find_one(const char *path, const struct stat *st, int type,
		    struct FTW *walk)
{
	(void)st;
	(void)walk;
	if (type == FTW_D || files_left-- > 0)
		return 0;
	snprintf(found_path, sizeof(found_path), "%s", path);
	return 1;
}

static void some_file(void)
{
	do {
		files_left = throw(8);
	} while (nftw(cache_path, find_one, 16, FTW_PHYS) != 1);
}

static void damage_some_file(void)
{
	auto_free uint8_t *noise = malloc(4096);
	auto_close int fd = -1;
	struct stat st;
	size_t size;

	some_file();
	assert_int_equal(lstat(found_path, &st), 0);
	size = (size_t)st.st_size;
	switch (throw(6)) {
	case 0:
		for (size_t i = 0; size && i < 1 + throw(10); i++)
			flip_at(found_path, throw(size));
		break;
	case 1:
		assert_int_equal(truncate(found_path, (off_t) throw(size + 1)),
				 0);
		break;
	case 2:
		assert_int_equal(truncate(found_path, (off_t)(size + 4096)), 0);
		break;
	case 3:
		assert_int_equal(unlink(found_path), 0);
		break;
	default:
		for (size_t i = 0; i < 4096; i++)
			noise[i] = (uint8_t)(throw(2) ? throw(256) : 0);
		fd = open_it(found_path);
		assert_int_equal(file_pwrite(fd, throw(size / 4096 + 1) * 4096,
					     4096, noise),
				 0);
	}
}

/* One after the other, on top of what earlier ones left. */
static void any_damage_to_any_file(void **state)
{
	(void)state;
	dice = SEED;
	print_message("seed %u\n", dice);
	for (int i = 0; i < ROUNDS; i++) {
		auto_str struct str got;
		struct cache *cache;
		int r;

		str_init(&got, 1000);
		damage_some_file();
		cache = cache_usual();
		r = memo_get(cache_memo(cache), "plan", &got, NULL);
		if (r == 0)
			assert_string_equal(str_text(&got), "1 2 3");
		else
			assert_int_equal(r, -ENOENT);
		memo_put(cache_memo(cache), "plan", "1 2 3", 5);
		assert_right(cache, 1 + throw(SIZE));
		assert_int_equal(stats_of(cache).bad_digests, 0);
		cache_close(cache);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(found_at_the_next_mount),
		TEST(found_by_this_mount),
		TEST(any_damage_to_any_file),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
