/* SPDX-License-Identifier: MIT */
/* The hub's digest: checked once, believed then, and never worked around. */
#include "cache/cache.h"

#include <pthread.h>

#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

#define BLOCKS 37
#define SIZE ((BLOCKS - 1) * BLOCK + 77)
#define BUDGET ((uint64_t)1 << 30)

static struct cache *cache;
static struct fake_source good; /* what it has is what its digest says */
static struct fake_source bad;
static struct blob *blob;

static int set_up(void **state)
{
	struct digest wrong = { .kind = DIGEST_SHA256, .bytes = { 1, 2, 3 } };

	(void)state;
	fake_disk_reset();
	spoiled_count = 0;
	fake_source_init_proven(&good, SIZE, 1);
	fake_source_init_as(&bad, SIZE, 2, &wrong);
	return 0;
}

static int tear_down(void **state)
{
	fake_disk_reset();
	fake_source_release(&good);
	fake_source_release(&bad);
	return folder_empty(state);
}

static void begin(enum cache_verify verify, struct fake_source *fake)
{
	cache = cache_with(BUDGET, verify);
	blob = blob_of(cache, fake);
}

static void end(void)
{
	blob_unref(blob);
	cache_close(cache);
}

static void await_state(enum cache_blob_state state)
{
	while (info_of(cache, blob).state != state)
		usleep(1000);
}

/* All of @fake is cached, and nothing was proven. */
static void cache_unproven(struct fake_source *fake)
{
	begin(CACHE_VERIFY_OFF, fake);
	fill_whole(blob, fake);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_COMPLETE);
	end();
}

static void flip_on_disk(const struct fake_source *fake, off_t at)
{
	auto_free char *path = block_path(fake);
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void index_lost(void)
{
	auto_free char *path = mem_printf("%s/index", cache_path);

	tree_empty(path);
}

static void complete_is_proven_once(void **state)
{
	(void)state;
	begin(CACHE_VERIFY_COMPLETE, &good);
	fill_whole(blob, &good);
	await_state(CACHE_BLOB_VERIFIED);
	end();
	begin(CACHE_VERIFY_COMPLETE, &good);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_VERIFIED);
	assert_int_equal(fetch_right(blob, &good, 0, SIZE), 0);
	end();
	assert_int_equal(fake_source_fetched(&good), SIZE);
}

/* What a hub that gives @kind says of @fake's bytes. */
static struct digest promise_of(const struct fake_source *fake,
				enum digest_kind kind)
{
	struct hasher *hasher = hasher_new(kind, SIZE);
	struct digest digest;

	assert_int_equal(hasher_add(hasher, fake->bytes, SIZE), 0);
	assert_int_equal(hasher_finish(hasher, &digest), 0);
	digest.kind = kind;
	digest.prefix_len = 4;
	return digest;
}

static void check_promise(enum digest_kind kind, bool keep)
{
	uint32_t seed = 10 + 2 * kind + keep; /* files of their own */
	struct digest digest;
	struct fake_source fake;

	fake_source_init(&fake, SIZE, seed);
	digest = promise_of(&fake, kind);
	digest.bytes[3] ^= keep ? 0 : 1;
	fake_source_release(&fake);
	fake_source_init_as(&fake, SIZE, seed, &digest);
	begin(CACHE_VERIFY_COMPLETE, &fake);
	fake_source_serve(&fake, FAKE_GOOD);
	(void)!fetch_right(blob, &fake, 0, SIZE);
	fake_source_quiet(&fake);
	await_state(keep ? CACHE_BLOB_VERIFIED : CACHE_BLOB_BAD);
	end();
	fake_source_release(&fake);
}

static void other_digests_are_checked_too(void **state)
{
	static const enum digest_kind kinds[] = { DIGEST_GIT_SHA1, DIGEST_MD5,
						  DIGEST_SHA256_PREFIX };

	(void)state;
	log_quiet();
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		check_promise(kinds[i], true);
		check_promise(kinds[i], false);
	}
}

static void closing_waits_for_the_proof(void **state)
{
	(void)state;
	begin(CACHE_VERIFY_COMPLETE, &good);
	fill_whole(blob, &good);
	end();
	begin(CACHE_VERIFY_COMPLETE, &good);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_VERIFIED);
	end();
}

static void off_is_off(void **state)
{
	(void)state;
	begin(CACHE_VERIFY_OFF, &bad);
	fill_whole(blob, &bad);
	end();
	begin(CACHE_VERIFY_OFF, &bad);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_COMPLETE);
	assert_int_equal(fetch_right(blob, &bad, 0, SIZE), 0);
	end();
}

static void what_is_wrong_is_refused(void **state)
{
	auto_free char *path = block_path(&bad);
	struct seen_wait a;
	int r;

	(void)state;
	seen_init(&a);
	log_quiet();
	begin(CACHE_VERIFY_COMPLETE, &bad);
	/* Who reads the last of it may be faster than the check, or not. */
	fake_source_serve(&bad, FAKE_GOOD);
	r = fetch_right(blob, &bad, 0, SIZE);
	fake_source_quiet(&bad);
	assert_true(r == 0 || r == -EIO);
	await_state(CACHE_BLOB_BAD);
	assert_int_equal(stats_of(cache).bad_digests, 1);
	assert_int_equal(info_of(cache, blob).cached_bytes, 0);
	while (!spoiled_count) /* whoever shows its bytes is told */
		usleep(1000);
	assert_ptr_equal(spoiled_blob, blob);
	assert_int_equal(read_right(blob, &bad, 0, 1), -ENODATA);
	assert_int_equal(fetch_right(blob, &bad, 0, 1), -EIO);
	assert_int_equal(ensure_range(cache, blob, 0, 1, &a.wait), -EIO);
	prefetch_range(cache, blob, 0, SIZE);
	assert_int_equal(fake_source_fetched(&bad), SIZE);
	while (access(path, F_OK) == 0) /* it takes no room */
		usleep(1000);
	assert_int_equal(stats_of(cache).bytes_used, 0);
	/* Who refreshes it gets another try. */
	assert_int_equal(cache_blob_drop(cache, blob), 0);
	fake_source_serve(&bad, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &bad, 0, BLOCK), 0);
	fake_source_quiet(&bad);
	end();
	assert_int_equal(spoiled_count, 1);
	seen_release(&a);
}

/* The hub may be right the next time: later it is asked again. */
static void refused_for_a_while(void **state)
{
	(void)state;
	log_quiet();
	cache_unproven(&bad);
	begin(CACHE_VERIFY_FULL, &bad);
	assert_int_equal(fetch_right(blob, &bad, 0, 1), -EIO);
	assert_int_equal(fetch_right(blob, &bad, 0, 1), -EIO);
	while (!spoiled_count) /* and its file is gone */
		usleep(1000);
	clock_set(clock_after_ns(31 * NS_PER_S), clock_wall_s());
	fake_source_serve(&bad, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &bad, 0, 1), -EIO);
	fake_source_quiet(&bad);
	assert_int_equal(fake_source_fetched(&bad), 2 * SIZE);
	end(); /* checks have ended */
	assert_int_equal(spoiled_count, 2);
}

/* One of two is refused: nothing of the other was asked for, nor is pinned. */
static void refused_with_others(void **state)
{
	auto_extents struct extents extents;
	struct blob *other;
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	extents_init(&extents);
	log_quiet();
	cache_unproven(&bad);
	begin(CACHE_VERIFY_COMPLETE, &bad);
	await_state(CACHE_BLOB_BAD);
	other = blob_of(cache, &good);
	assert_int_equal(extents_add(&extents, other, 0, SIZE), 0);
	assert_int_equal(extents_add(&extents, blob, 0, 1), 0);
	assert_int_equal(cache_ensure(cache, &extents, soon_ns(), &a.wait),
			 -EIO);
	assert_int_equal(fake_source_fetches(&good), 0);
	fill_whole(other, &good);
	while (info_of(cache, other).state != CACHE_BLOB_VERIFIED)
		usleep(1000);
	assert_int_equal(cache_blob_drop(cache, other), 0);
	assert_int_equal(info_of(cache, other).cached_bytes, 0);
	blob_unref(other);
	end();
	seen_release(&a);
}

/* Whatever allocation fails: an error at worst, and the next try is right. */
static void no_memory_ends_waits_too(void **state)
{
	bool failed = true;

	(void)state;
	log_quiet();
	for (unsigned int nth = 1; failed; nth++) {
		int r;

		begin(CACHE_VERIFY_FULL, &good);
		fake_source_serve(&good, FAKE_GOOD);
		mem_fail_nth(nth);
		r = fetch_right(blob, &good, 9, 9);
		failed = mem_fail_done();
		assert_true(r == 0 || failed);
		/* The committer may have met it: then caching is off. */
		clock_set(clock_after_ns(11 * NS_PER_S), clock_wall_s());
		assert_int_equal(fetch_right(blob, &good, 9, 9), 0);
		fake_source_quiet(&good);
		assert_int_equal(stats_of(cache).waiting, 0);
		assert_int_equal(cache_blob_drop(cache, blob), 0);
		end();
	}
}

/* With --verify full: not a byte before all of it is proven. */
static void full_shows_nothing_unproven(void **state)
{
	struct seen_wait a, b;

	(void)state;
	seen_init(&a);
	seen_init(&b);
	begin(CACHE_VERIFY_FULL, &good);
	assert_int_equal(ensure_range(cache, blob, 5, 1, &a.wait),
			 -EINPROGRESS);
	assert_int_equal(ensure_range(cache, blob, SIZE - 1, 1, &b.wait),
			 -EINPROGRESS);
	assert_true(cache_cancel(&b.wait));
	b.wakes = 0;
	assert_int_equal(ensure_range(cache, blob, SIZE - 1, 1, &b.wait),
			 -EINPROGRESS);
	fake_source_answer_all(&good, FAKE_GOOD);
	assert_int_equal(seen_result(&a), 0);
	assert_int_equal(seen_result(&b), 0);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_VERIFIED);
	assert_int_equal(read_right(blob, &good, 0, SIZE), 0);
	cache_release(&a.wait);
	cache_release(&b.wait);
	assert_int_equal(fake_source_fetched(&good), SIZE);
	assert_int_equal(ensure_range(cache, blob, 5, 1, &a.wait), 0);
	cache_release(&a.wait);
	end();
	seen_release(&a);
	seen_release(&b);
}

static void full_refuses_what_is_wrong(void **state)
{
	struct seen_wait a;

	(void)state;
	seen_init(&a);
	log_quiet();
	begin(CACHE_VERIFY_FULL, &bad);
	assert_int_equal(ensure_range(cache, blob, 5, 1, &a.wait),
			 -EINPROGRESS);
	fake_source_answer_all(&bad, FAKE_GOOD);
	assert_int_equal(seen_result(&a), -EIO);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_BAD);
	assert_int_equal(read_right(blob, &bad, 5, 1), -ENODATA);
	end();
	seen_release(&a);
}

/* Cached by a mount that did not look: proven by the one that does. */
static void full_proves_what_is_there(void **state)
{
	(void)state;
	cache_unproven(&good);
	begin(CACHE_VERIFY_FULL, &good);
	assert_int_equal(fetch_right(blob, &good, 9, 9), 0);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_VERIFIED);
	end();
	assert_int_equal(fake_source_fetched(&good), SIZE);
	cache_unproven(&bad);
	log_quiet();
	begin(CACHE_VERIFY_FULL, &bad);
	assert_int_equal(fetch_right(blob, &bad, 9, 9), -EIO);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_BAD);
	end();
}

static void full_without_a_digest_is_usual(void **state)
{
	struct fake_source fake;

	(void)state;
	fake_source_init(&fake, SIZE, 9);
	begin(CACHE_VERIFY_FULL, &fake);
	fake_source_serve(&fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &fake, 9, 9), 0);
	fake_source_quiet(&fake);
	assert_int_equal(fake_source_fetched(&fake), BLOCK);
	end();
	fake_source_release(&fake);
}

/* There is no proof without a disk: an error, and neither a hang nor bytes. */
static void full_needs_a_disk(void **state)
{
	(void)state;
	begin(CACHE_VERIFY_FULL, &good);
	fake_disk.write_error = ENOSPC;
	fake_source_serve(&good, FAKE_GOOD);
	assert_true(fetch_right(blob, &good, 9, 9) < 0);
	fake_source_quiet(&good);
	assert_int_equal(stats_of(cache).waiting, 0);
	assert_int_equal(cache->memory_bytes, 0);
	end();
}

/* A crash between the last block and the proof. */
static void complete_is_proven_later(void **state)
{
	(void)state;
	cache_unproven(&good);
	begin(CACHE_VERIFY_COMPLETE, &good);
	await_state(CACHE_BLOB_VERIFIED);
	end();
	cache_unproven(&bad);
	log_quiet();
	begin(CACHE_VERIFY_COMPLETE, &bad);
	await_state(CACHE_BLOB_BAD);
	end();
}

/* A bit that this disk lost is no lie of the hub's. */
static void damage_here_is_not_the_hubs(void **state)
{
	static const enum cache_verify verifies[] = { CACHE_VERIFY_COMPLETE,
						      CACHE_VERIFY_FULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(verifies); i++) {
		cache_unproven(&good);
		flip_on_disk(&good, 3 * BLOCK + 9);
		flip_on_disk(&good, 30 * BLOCK);
		begin(verifies[i], &good);
		if (verifies[i] == CACHE_VERIFY_COMPLETE)
			await_state(CACHE_BLOB_PARTIAL);
		fake_source_serve(&good, FAKE_GOOD);
		assert_int_equal(fetch_right(blob, &good, 0, SIZE), 0);
		fake_source_quiet(&good);
		await_state(CACHE_BLOB_VERIFIED);
		assert_true(stats_of(cache).damaged >= 2);
		assert_int_equal(stats_of(cache).bad_digests, 0);
		assert_int_equal(cache_blob_drop(cache, blob), 0);
		end();
	}
}

static pthread_t main_thread;
static atomic_bool let_go;

/* The check's thread waits at the last block. */
static void wait_at_the_end(off_t off)
{
	while (off == (BLOCKS - 1) * (off_t)BLOCK && !let_go &&
	       !pthread_equal(pthread_self(), main_thread))
		usleep(1000);
}

/* Whole again before the check that found damage ends: one more is due. */
static void mended_while_checked(void **state)
{
	(void)state;
	cache_unproven(&good);
	flip_on_disk(&good, 3 * BLOCK);
	main_thread = pthread_self();
	let_go = false;
	fake_disk.before_read = wait_at_the_end;
	begin(CACHE_VERIFY_COMPLETE, &good);
	await_state(CACHE_BLOB_PARTIAL);
	fake_source_serve(&good, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &good, 0, SIZE), 0);
	fake_source_quiet(&good);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_COMPLETE);
	let_go = true;
	await_state(CACHE_BLOB_VERIFIED);
	end();
}

/* While a file that fills the budget is checked, others are cached. */
static void a_check_is_in_nobodys_way(void **state)
{
	struct fake_source fake;
	struct blob *other;

	(void)state;
	cache_unproven(&good);
	fake_source_init(&fake, CHUNK_BYTES, 9);
	main_thread = pthread_self();
	let_go = false;
	fake_disk.before_read = wait_at_the_end;
	cache = cache_with(BLOCKS * BLOCK, CACHE_VERIFY_COMPLETE);
	blob = blob_of(cache, &good);
	other = blob_of(cache, &fake);
	fill_whole(other, &fake);
	assert_int_equal(info_of(cache, other).cached_bytes, CHUNK_BYTES);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_PARTIAL);
	let_go = true;
	blob_unref(other);
	end();
	fake_source_release(&fake);
}

/* What was proven and then damaged is proven anew. */
static void damage_voids_the_proof(void **state)
{
	(void)state;
	begin(CACHE_VERIFY_COMPLETE, &good);
	fill_whole(blob, &good);
	await_state(CACHE_BLOB_VERIFIED);
	end();
	flip_on_disk(&good, 7 * BLOCK);
	begin(CACHE_VERIFY_COMPLETE, &good);
	assert_int_equal(read_right(blob, &good, 7 * BLOCK, 1), -ENODATA);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_PARTIAL);
	fake_source_serve(&good, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, &good, 0, SIZE), 0);
	fake_source_quiet(&good);
	await_state(CACHE_BLOB_VERIFIED);
	end();
}

/* Without an index: whole files with a digest are taken if they prove. */
static void files_are_adopted(void **state)
{
	(void)state;
	begin(CACHE_VERIFY_COMPLETE, &good);
	fill_whole(blob, &good);
	end();
	index_lost();
	begin(CACHE_VERIFY_COMPLETE, &good);
	assert_int_equal(info_of(cache, blob).state, CACHE_BLOB_VERIFIED);
	assert_int_equal(stats_of(cache).bytes_used, BLOCKS * BLOCK);
	assert_int_equal(read_right(blob, &good, 0, SIZE), 0);
	end();
	/* Known again now. */
	begin(CACHE_VERIFY_COMPLETE, &good);
	assert_int_equal(read_right(blob, &good, 0, SIZE), 0);
	end();
	assert_int_equal(fake_source_fetched(&good), SIZE);
}

static void unproven_files_are_not_adopted(void **state)
{
	auto_free char *path = block_path(&good);

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(CACHE_VERIFY_COMPLETE, &good);
		fill_whole(blob, &good);
		end();
		index_lost();
		if (i == 0)
			flip_on_disk(&good, 30 * BLOCK);
		else
			assert_int_equal(truncate(path,
						  i == 1 ? SIZE - 1 : SIZE + 1),
					 0);
		begin(CACHE_VERIFY_COMPLETE, &good);
		assert_int_equal(info_of(cache, blob).cached_bytes, 0);
		assert_int_equal(read_right(blob, &good, 0, 1), -ENODATA);
		fill_whole(blob, &good);
		await_state(CACHE_BLOB_VERIFIED);
		assert_int_equal(cache_blob_drop(cache, blob), 0);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(complete_is_proven_once),
		TEST(other_digests_are_checked_too),
		TEST(closing_waits_for_the_proof),
		TEST(off_is_off),
		TEST(what_is_wrong_is_refused),
		TEST(refused_for_a_while),
		TEST(refused_with_others),
		TEST(no_memory_ends_waits_too),
		TEST(full_shows_nothing_unproven),
		TEST(full_refuses_what_is_wrong),
		TEST(full_proves_what_is_there),
		TEST(full_without_a_digest_is_usual),
		TEST(full_needs_a_disk),
		TEST(complete_is_proven_later),
		TEST(damage_here_is_not_the_hubs),
		TEST(mended_while_checked),
		TEST(a_check_is_in_nobodys_way),
		TEST(damage_voids_the_proof),
		TEST(files_are_adopted),
		TEST(unproven_files_are_not_adopted),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
