/* SPDX-License-Identifier: MIT */
/* The budget is kept: what was used longest ago goes, but never from under
 * a reader, and nothing that the user pinned. */
#include "cache/cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

#define CHUNK ((size_t)CHUNK_BYTES)
#define CHUNKS 12
#define SIZE (CHUNKS * CHUNK)
#define BUDGET (8 * CHUNK)

static struct cache *cache;
static struct fake_source fake;
static struct blob *blob;

static int set_up(void **state)
{
	(void)state;
	fake_disk_reset();
	fake_source_init(&fake, SIZE, 1);
	cache = cache_with(BUDGET, CACHE_VERIFY_COMPLETE);
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

static void fetch_chunk(struct blob *of, struct fake_source *source,
			size_t chunk)
{
	fake_source_serve(source, FAKE_GOOD);
	assert_int_equal(fetch_right(of, source, chunk * CHUNK, CHUNK), 0);
	fake_source_quiet(source);
}

static bool has_chunk(struct blob *of, struct fake_source *source, size_t chunk)
{
	int r = read_right(of, source, chunk * CHUNK, CHUNK);

	assert_true(r == 0 || r == -ENODATA);
	return r == 0;
}

static uint64_t on_disk(const struct fake_source *source)
{
	auto_free char *path = block_path(source);
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static void the_budget_is_kept(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < CHUNKS; i++) {
			fetch_chunk(blob, &fake, i);
			assert_true(stats_of(cache).bytes_used <= BUDGET);
			assert_true(on_disk(&fake) <= BUDGET);
		}
	}
	assert_true(stats_of(cache).evicted_bytes >= (CHUNKS - 8) * CHUNK);
	assert_int_equal(stats_of(cache).bytes_used,
			 info_of(cache, blob).cached_bytes);
	assert_false(stats_of(cache).bypass);
	assert_int_equal(stats_of(cache).damaged, 0);
}

static void the_longest_unused_goes(void **state)
{
	struct seen_wait a;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		fetch_chunk(blob, &fake, i);
	/* A look is a use. */
	seen_init(&a);
	assert_int_equal(ensure_range(cache, blob, 0, 1, &a.wait), 0);
	cache_release(&a.wait);
	seen_release(&a);
	fetch_chunk(blob, &fake, 8);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(has_chunk(blob, &fake, i), i != 1);
}

/* What was fetched ahead is about to be read. */
static void what_is_read_ahead_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++)
		fetch_chunk(blob, &fake, i);
	prefetch_range(cache, blob, 6 * CHUNK, 2 * CHUNK);
	fake_source_answer_all(&fake, FAKE_GOOD);
	fetch_chunk(blob, &fake, 8);
	fetch_chunk(blob, &fake, 9);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(has_chunk(blob, &fake, i), i > 1);
}

static void closed_ones_go_first(void **state)
{
	struct fake_source others[3];
	struct content_key first;
	struct blob_record record;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct blob *other;

		clock_set(clock_now_ns(), 1000000 + 10 * i);
		fake_source_init(&others[i], CHUNK, 10 + i);
		other = blob_of(cache, &others[i]);
		fetch_chunk(other, &others[i], 0);
		await_known(other, CHUNK_BLOCKS);
		blob_unref(other);
		fake_source_release(&others[i]);
	}
	first = others[0].source.key;
	for (size_t i = 0; i < 6; i++)
		fetch_chunk(blob, &fake, i);
	assert_true(has_chunk(blob, &fake, 0));
	assert_int_equal(on_disk(&others[0]), 0);
	assert_true(on_disk(&others[1]) > 0);
	assert_true(on_disk(&others[2]) > 0);
	while (index_get_blob(cache->index, &first, &record) != -ENOENT)
		usleep(1000);
	fetch_chunk(blob, &fake, 6);
	fetch_chunk(blob, &fake, 7);
	assert_int_equal(on_disk(&others[2]), 0);
	for (size_t i = 0; i < 8; i++)
		assert_true(has_chunk(blob, &fake, i));
}

/* Open or closed, in this mount or a later one. */
static void pinned_by_the_user_stays(void **state)
{
	struct fake_source kept;
	struct blob *other;

	(void)state;
	fake_source_init(&kept, 3 * CHUNK, 20);
	other = blob_of(cache, &kept);
	fill_whole(other, &kept);
	assert_int_equal(cache_blob_pin(cache, other, true), 0);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < CHUNKS; i++)
			fetch_chunk(blob, &fake, i);
		assert_int_equal(on_disk(&kept), 3 * CHUNK);
		assert_true(stats_of(cache).bytes_used <= BUDGET);
		blob_unref(other);
		if (round == 1) {
			blob_unref(blob);
			cache_close(cache);
			cache = cache_with(BUDGET, CACHE_VERIFY_COMPLETE);
			blob = blob_of(cache, &fake);
		}
		for (size_t i = 0; i < CHUNKS; i++)
			fetch_chunk(blob, &fake, i);
		other = blob_of(cache, &kept);
		assert_true(info_of(cache, other).pinned);
		assert_int_equal(read_right(other, &kept, 0, 3 * CHUNK), 0);
	}
	assert_int_equal(stats_of(cache).bytes_used,
			 3 * CHUNK + info_of(cache, blob).cached_bytes);
	/* Released it goes as any other. */
	assert_int_equal(cache_blob_pin(cache, other, false), 0);
	blob_unref(other);
	fake_source_release(&kept);
	for (size_t i = 0; i < CHUNKS; i++)
		fetch_chunk(blob, &fake, i);
	assert_int_equal(on_disk(&kept), 0);
}

/* With a budget that was made smaller the next mount begins within it. */
static void a_smaller_budget_is_met_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++)
		fetch_chunk(blob, &fake, i);
	blob_unref(blob);
	cache_close(cache);
	cache = cache_with(BUDGET, CACHE_VERIFY_COMPLETE);
	assert_int_equal(stats_of(cache).bytes_used, BUDGET);
	cache_close(cache);
	cache = cache_with(BUDGET / 2, CACHE_VERIFY_COMPLETE);
	assert_true(stats_of(cache).bytes_used <= BUDGET / 2);
	assert_true(on_disk(&fake) <= BUDGET / 2);
	blob = blob_of(cache, &fake);
}

/* What is being read stays, though it is the oldest. */
static void what_is_read_stays(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	fetch_chunk(blob, &fake, 0);
	assert_int_equal(ensure_range(cache, blob, 100, 1, &a.wait), 0);
	for (size_t i = 1; i < CHUNKS; i++)
		fetch_chunk(blob, &fake, i);
	assert_true(has_chunk(blob, &fake, 0));
	cache_release(&a.wait);
	for (size_t i = 1; i < CHUNKS; i++)
		fetch_chunk(blob, &fake, i);
	assert_false(has_chunk(blob, &fake, 0));
	seen_release(&a);
}

static void nothing_can_go(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	for (size_t i = 0; i < 8; i++)
		fetch_chunk(blob, &fake, i);
	assert_int_equal(ensure_range(cache, blob, 0, BUDGET, &a.wait), 0);
	for (size_t i = 8; i < CHUNKS; i++) {
		fetch_chunk(blob, &fake, i);
		assert_false(stats_of(cache).bypass); /* no full disk */
		assert_int_equal(stats_of(cache).bytes_used, BUDGET);
	}
	assert_int_equal(read_right(blob, &fake, 0, BUDGET), 0);
	cache_release(&a.wait);
	seen_release(&a);
}

static struct seen_wait late;

static void come_late(void)
{
	fake_disk.before_punch = NULL;
	assert_int_equal(ensure_range(cache, blob, 5, 1, &late.wait),
			 -EINPROGRESS);
}

/* Who comes between the decision and the hole gets what is behind it. */
static void who_comes_while_it_goes_is_served(void **state)
{
	(void)state;
	seen_init(&late);
	fetch_chunk(blob, &fake, 0);
	fake_disk.before_punch = come_late;
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	assert_int_equal(fake_source_answer_all(&fake, FAKE_GOOD), 1);
	assert_int_equal(seen_result(&late), 0);
	assert_int_equal(read_right(blob, &fake, 0, BLOCK), 0);
	cache_release(&late.wait);
	seen_release(&late);
}

/* A file system without holes: nothing wrong is read for it. */
static void holes_may_be_refused(void **state)
{
	(void)state;
	fake_disk.punch_error = EOPNOTSUPP;
	for (size_t i = 0; i < CHUNKS; i++)
		fetch_chunk(blob, &fake, i);
	assert_true(stats_of(cache).bytes_used <= BUDGET);
	for (size_t i = 0; i < CHUNKS; i++)
		fetch_chunk(blob, &fake, i);
	assert_int_equal(stats_of(cache).damaged, 0);
}

/* Files that no record speaks of: they count, and go first. */
static void files_without_a_record_go(void **state)
{
	auto_free char *index = mem_printf("%s/index", cache_path);

	(void)state;
	for (size_t i = 0; i < 6; i++)
		fetch_chunk(blob, &fake, i);
	blob_unref(blob);
	cache_close(cache);
	tree_empty(index);
	cache = cache_with(BUDGET, CACHE_VERIFY_COMPLETE);
	assert_int_equal(stats_of(cache).bytes_used, 6 * CHUNK);
	assert_int_equal(cache_make_room(cache, 3 * CHUNK), 0);
	assert_int_equal(stats_of(cache).bytes_used, 0);
	assert_int_equal(on_disk(&fake), 0);
	blob = blob_of(cache, &fake);
}

static void *unref(void *arg)
{
	blob_unref(arg);
	return NULL;
}

/* Its last reference is gone, and it is about to be closed: just then. */
static void what_is_being_closed_is_left_alone(void **state)
{
	struct fake_source source;

	(void)state;
	fake_source_init(&source, BLOCK, 50);
	for (int i = 0; i < 50; i++) {
		struct blob *of = blob_of(cache, &source);
		pthread_t thread;

		fake_source_serve(&source, FAKE_GOOD);
		assert_int_equal(fetch_right(of, &source, 0, 1), 0);
		fake_source_quiet(&source);
		while (of->refs > 1) /* the committer's */
			usleep(1000);
		lock_take(&cache->lock);
		assert_int_equal(pthread_create(&thread, NULL, unref, of), 0);
		while (of->refs > 0)
			usleep(10);
		lock_drop(&cache->lock);
		(void)!cache_make_room(cache, BUDGET);
		pthread_join(thread, NULL);
	}
	fake_source_release(&source);
}

static atomic_bool enough;

static void *make_room_always(void *arg)
{
	(void)arg;
	while (!enough)
		(void)!cache_make_room(cache, BUDGET);
	return NULL;
}

struct user {
	pthread_t thread;
	struct fake_source source;
	unsigned int seed;
};

static void *open_read_close(void *arg)
{
	struct user *user = arg;

	for (int i = 0; i < 400; i++) {
		struct blob *of = blob_of(cache, &user->source);
		size_t at = (size_t)rand_r(&user->seed) % (CHUNK - 9);

		assert_int_equal(fetch_right(of, &user->source, at, 9), 0);
		blob_unref(of);
	}
	return NULL;
}

/* All of it goes again and again while it is opened, read and closed. */
static void eviction_races_with_everything(void **state)
{
	static struct user users[3];
	pthread_t evictor;

	(void)state;
	enough = false;
	for (uint32_t i = 0; i < ARRAY_LEN(users); i++) {
		users[i].seed = i;
		fake_source_init(&users[i].source, CHUNK, 30 + i);
		fake_source_serve(&users[i].source, FAKE_GOOD);
	}
	assert_int_equal(pthread_create(&evictor, NULL, make_room_always, NULL),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		assert_int_equal(pthread_create(&users[i].thread, NULL,
						open_read_close, &users[i]),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		pthread_join(users[i].thread, NULL);
	enough = true;
	pthread_join(evictor, NULL);
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		fake_source_quiet(&users[i].source);
		fake_source_release(&users[i].source);
	}
	assert_true(stats_of(cache).bytes_used <= BUDGET);
	assert_int_equal(stats_of(cache).blobs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_budget_is_kept),
		TEST(the_longest_unused_goes),
		TEST(what_is_read_ahead_stays),
		TEST(closed_ones_go_first),
		TEST(pinned_by_the_user_stays),
		TEST(a_smaller_budget_is_met_at_once),
		TEST(what_is_read_stays),
		TEST(nothing_can_go),
		TEST(who_comes_while_it_goes_is_served),
		TEST(holes_may_be_refused),
		TEST(files_without_a_record_go),
		TEST(what_is_being_closed_is_left_alone),
		TEST(eviction_races_with_everything),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
