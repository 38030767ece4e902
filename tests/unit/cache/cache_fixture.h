/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/cache_fixture.h - a cache in a folder of its own.
 */
#ifndef TESTS_UNIT_CACHE_CACHE_FIXTURE_H
#define TESTS_UNIT_CACHE_CACHE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "cache/cached_blob.h"
#include "tests/fake/fake_source.h"
#include "tests/unit/unit.h"

#define BLOCK BLOCK_BYTES

/* Made by folder_make(); the cache is in it, at "cache". */
static char folder[] = "/tmp/omnihub-test-XXXXXX";
static char cache_path[sizeof(folder) + 8];

static inline int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	log_open(STDERR_FILENO, LOG_LEVEL_ERROR);
	snprintf(cache_path, sizeof(cache_path), "%s/cache", folder);
	return 0;
}

/* Where errors are what a test is about. */
static inline void log_quiet(void)
{
	static int null = -1;

	if (null < 0)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_open(null, LOG_LEVEL_ERROR);
}

static inline int remove_one(const char *path, const struct stat *st, int type,
			     struct FTW *walk)
{
	(void)st;
	(void)type;
	return walk->level > 0 ? remove(path) : 0;
}

static inline void tree_empty(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Between tests. */
static inline int folder_empty(void **state)
{
	(void)state;
	clock_set(0, 0);
	tree_empty(folder);
	return 0;
}

static inline int folder_remove(void **state)
{
	tree_empty(folder);
	(void)state;
	return rmdir(folder);
}

/* What options.spoiled was called with. */
static atomic_uint spoiled_count;
static struct blob *_Atomic spoiled_blob;

static inline void note_spoiled(void *arg, struct blob *blob)
{
	assert_ptr_equal(arg, folder);
	spoiled_blob = blob;
	spoiled_count++;
}

/* A disk that is never full, unless a test says otherwise. */
static inline struct cache *cache_with(uint64_t bytes_max,
				       enum cache_verify verify)
{
	struct cache_options options = { .dir = cache_path,
					 .bytes_max = bytes_max,
					 .free_min = 1,
					 .verify = verify,
					 .spoiled = note_spoiled,
					 .spoiled_arg = folder };
	struct cache *cache;

	assert_int_equal(cache_open(&options, &cache), 0);
	return cache;
}

static inline struct cache *cache_usual(void)
{
	return cache_with((uint64_t)1 << 30, CACHE_VERIFY_COMPLETE);
}

static inline struct blob *blob_of(struct cache *cache,
				   struct fake_source *fake)
{
	struct blob *blob;

	assert_int_equal(cache_blob(cache, &fake->source, &blob), 0);
	return blob;
}

static inline uint64_t soon_ns(void)
{
	return clock_after_ns(60 * NS_PER_S);
}

/* Reads by fetch(), and what comes is right; -errno where it must fail. */
static inline int fetch_right(struct blob *blob, struct fake_source *fake,
			      uint64_t off, size_t len)
{
	auto_free uint8_t *bytes = malloc(len + 1);
	int r = blob_fetch(blob, off, len, bytes, soon_ns());

	if (r == 0)
		assert_memory_equal(bytes, fake->bytes + off, len);
	return r;
}

/* As fetch_right(), of what is resident. */
static inline int read_right(struct blob *blob, struct fake_source *fake,
			     uint64_t off, size_t len)
{
	auto_free uint8_t *bytes = malloc(len + 1);
	int r = blob_read(blob, off, len, bytes);

	if (r == 0)
		assert_memory_equal(bytes, fake->bytes + off, len);
	return r;
}

/* Fetches all of it, with the source answering on a thread of its own. */
static inline void fill_whole(struct blob *blob, struct fake_source *fake)
{
	fake_source_serve(fake, FAKE_GOOD);
	assert_int_equal(fetch_right(blob, fake, 0, fake->source.size), 0);
	fake_source_quiet(fake);
}

static inline struct cache_stats stats_of(struct cache *cache)
{
	struct cache_stats stats;

	cache_stats(cache, &stats);
	return stats;
}

static inline struct cache_blob_info info_of(struct cache *cache,
					     struct blob *blob)
{
	struct cache_blob_info info;

	assert_int_equal(cache_blob_info(cache, blob, &info), 0);
	return info;
}

/* Blocks of @blob that the index knows. */
static inline uint32_t blocks_known(struct cached_blob *blob)
{
	struct group_record group;
	uint32_t known = 0;

	for (uint32_t i = 0; i * GROUP_BLOCKS < blob->block_count; i++) {
		if (index_get_group(blob->cache->index, &blob->blob.key, i,
				    &group) < 0)
			continue;
		for (size_t b = 0; b < sizeof(group.present); b++)
			known += (uint32_t)__builtin_popcount(group.present[b]);
	}
	return known;
}

/* Until the committer has told the index of exactly @count blocks. */
static inline void await_known(struct blob *blob, uint32_t count)
{
	while (blocks_known(cached_of(blob)) != count)
		usleep(1000);
}

/* The file that has the blocks of @fake. */
static inline char *block_path(const struct fake_source *fake)
{
	struct block_name name;

	block_name_make(&fake->source.key, &name);
	return mem_printf("%s/blobs/%s", cache_path, name.path);
}

/* A wait whose wakes are counted. */
struct seen_wait {
	struct cache_wait wait;
	struct lock lock;
	struct cond woken;
	unsigned int wakes GUARDED_BY(lock);
	int result GUARDED_BY(lock);
};

static inline void seen_wake(struct cache_wait *wait, int result)
{
	struct seen_wait *seen = container_of(wait, struct seen_wait, wait);

	lock_take(&seen->lock);
	seen->wakes++;
	seen->result = result;
	cond_wake_all(&seen->woken);
	lock_drop(&seen->lock);
}

static inline void seen_init(struct seen_wait *seen)
{
	*seen = (struct seen_wait){ .wait.wake = seen_wake };
	lock_init(&seen->lock);
	cond_init(&seen->woken);
}

static inline void seen_release(struct seen_wait *seen)
{
	cond_release(&seen->woken);
	lock_release(&seen->lock);
}

static inline unsigned int seen_wakes(struct seen_wait *seen)
{
	unsigned int wakes;

	lock_take(&seen->lock);
	wakes = seen->wakes;
	lock_drop(&seen->lock);
	return wakes;
}

/* Until it was woken, once; the result. */
static inline int seen_result(struct seen_wait *seen)
{
	int result;

	lock_take(&seen->lock);
	while (!seen->wakes)
		cond_wait(&seen->woken, &seen->lock);
	assert_int_equal(seen->wakes, 1);
	result = seen->result;
	lock_drop(&seen->lock);
	return result;
}

static inline int ensure_until(struct cache *cache, struct blob *blob,
			       uint64_t off, uint64_t len, uint64_t until_ns,
			       struct cache_wait *wait)
{
	auto_extents struct extents extents;
	int r;

	extents_init(&extents);
	r = extents_add(&extents, blob, off, len);
	return r < 0 ? r : cache_ensure(cache, &extents, until_ns, wait);
}

static inline int ensure_range(struct cache *cache, struct blob *blob,
			       uint64_t off, uint64_t len,
			       struct cache_wait *wait)
{
	return ensure_until(cache, blob, off, len, soon_ns(), wait);
}

static inline void prefetch_range(struct cache *cache, struct blob *blob,
				  uint64_t off, uint64_t len)
{
	auto_extents struct extents extents;

	extents_init(&extents);
	assert_int_equal(extents_add(&extents, blob, off, len), 0);
	cache_prefetch(cache, &extents, soon_ns());
}

#endif
