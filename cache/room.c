/* SPDX-License-Identifier: MIT */
/* Room on the disk: what is evicted, and when caching is off. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"
#include "cache/evict.h"

/* After the disk was full: try again so much later. */
#define BYPASS_NS (10 * NS_PER_S)

/*
 * More than is needed, so that not every block evicts: 1/64 of what is
 * there.  The budget may be far more than the disk has room for.
 */
#define EVICT_SHARE 64

bool cache_bypassed(struct cache *cache)
{
	bool was;
	bool on;

	lock_take(&cache->lock);
	was = cache->bypass_until_ns > 0;
	on = cache->bypass_until_ns > clock_now_ns();
	if (!on)
		cache->bypass_until_ns = 0;
	lock_drop(&cache->lock);
	if (was && !on)
		log_info("cache", "caching is tried again");
	return on;
}

void cache_bypass_begin(struct cache *cache, int error)
{
	bool was;

	lock_take(&cache->lock);
	was = cache->bypass_until_ns > 0;
	cache->bypass_until_ns = clock_after_ns(BYPASS_NS);
	lock_drop(&cache->lock);
	if (!was)
		log_warn("cache", "caching is off for a while: %s",
			 strerror(-error));
}

/* ---- blobs on disk that are not open ---- */

void closed_add_locked(struct cache *cache, const struct closed_blob *add)
{
	if (cache->closed_count == cache->closed_cap) {
		size_t cap = cache->closed_cap ? 2 * cache->closed_cap : 64;
		struct closed_blob *closed = mem_resize(cache->closed, cap,
							sizeof(*closed));

		if (!closed)
			return;
		cache->closed = closed;
		cache->closed_cap = cap;
	}
	cache->closed[cache->closed_count++] = *add;
	cache->stats.bytes_used += add->bytes;
}

void closed_remove_locked(struct cache *cache, const struct content_key *key)
{
	for (size_t i = 0; i < cache->closed_count; i++) {
		if (!content_key_equal(&cache->closed[i].key, key))
			continue;
		cache->stats.bytes_used -= cache->closed[i].bytes;
		cache->closed[i] = cache->closed[--cache->closed_count];
		return;
	}
}

/* ---- eviction ---- */

/* Blocks of @chunk that are on disk: bit N is its N-th. */
static uint32_t chunk_present_locked(const struct cached_blob *blob,
				     uint32_t chunk)
{
	uint32_t first = chunk * CHUNK_BLOCKS;
	uint32_t mask = 0;

	for (uint32_t i = 0; i < CHUNK_BLOCKS && first + i < blob->block_count;
	     i++)
		if (block_state(blob, first + i) == BLOCK_PRESENT)
			mask |= 1u << i;
	return mask;
}

struct victims {
	struct victim *list;
	size_t count;
	size_t cap;
};

static int victims_add(struct victims *victims, struct victim victim)
{
	if (victims->count == victims->cap) {
		size_t cap = victims->cap ? 2 * victims->cap : 256;
		struct victim *list = mem_resize(victims->list, cap,
						 sizeof(*list));

		if (!list)
			return -ENOMEM;
		victims->list = list;
		victims->cap = cap;
	}
	victims->list[victims->count++] = victim;
	return 0;
}

/* Closed ones are older than all that this process used. */
static int victims_collect_locked(struct cache *cache, struct victims *out)
{
	const struct map_slot *slot;
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < cache->closed_count; i++) {
		const struct closed_blob *closed = &cache->closed[i];
		uint64_t age = (uint64_t)1 << 62;

		if (closed->pinned)
			continue;
		age -= u64_min(age, (uint64_t)closed->used_wall_s);
		r = victims_add(out, (struct victim){ age, closed->bytes, NULL,
						      (uint32_t)i });
	}
	while (r == 0 && (slot = map_next(&cache->open, &at))) {
		struct cached_blob *blob = slot->value;
		uint32_t chunks = (blob->block_count + CHUNK_BLOCKS - 1) /
				  CHUNK_BLOCKS;

		if (blob->pinned || !blob->present)
			continue;
		for (uint32_t i = 0; r == 0 && i < chunks; i++) {
			uint64_t bytes = BLOCK_BYTES *
					 (uint64_t)__builtin_popcount(
						 chunk_present_locked(blob, i));

			if (!bytes || blob->chunks[i].pins)
				continue; /* B1 */
			r = victims_add(
				out,
				(struct victim){ cache->clock -
							 blob->chunks[i].stamp,
						 bytes, blob, i });
		}
	}
	return r;
}

/* What has to be done to the disk once the lock is dropped. */
struct hole {
	struct cached_blob *blob; /* one reference; NULL: remove the file */
	struct block_name name;
	uint32_t chunk;
	uint32_t mask; /* blocks of it */
};

/*
 * Until the hole is made the blocks count as in flight, so that nobody
 * writes there; who comes to wait for them is served afterwards.  False:
 * the last reference has just gone, and cached_free() waits for the lock.
 */
static bool evict_chunk_locked(struct cached_blob *blob, uint32_t chunk,
			       struct hole *hole)
{
	uint32_t first = chunk * CHUNK_BLOCKS;

	if (!cached_try_ref(blob))
		return false;
	*hole = (struct hole){ blob, blob->name, chunk,
			       chunk_present_locked(blob, chunk) };
	for (uint32_t i = 0; i < CHUNK_BLOCKS; i++) {
		if (!(hole->mask & 1u << i))
			continue;
		block_drop_locked(blob, first + i);
		blob->blocks[first + i] |= BLOCK_INFLIGHT;
	}
	return true;
}

static void evict_closed_locked(struct cache *cache,
				const struct content_key *key,
				struct hole *hole)
{
	struct content_key copy = *key;

	*hole = (struct hole){ 0 };
	block_name_make(&copy, &hole->name);
	closed_remove_locked(cache, &copy);
	if (cache->delete_count == cache->delete_cap) {
		size_t cap = cache->delete_cap ? 2 * cache->delete_cap : 64;
		struct content_key *list = mem_resize(cache->deletes, cap,
						      sizeof(*list));

		if (!list)
			return; /* its checksums will not match: harmless */
		cache->deletes = list;
		cache->delete_cap = cap;
	}
	cache->deletes[cache->delete_count++] = copy;
	cond_wake_one(&cache->commit_wanted);
}

/* Marks what goes; the holes to make, and how many bytes that frees. */
static size_t evict_locked(struct cache *cache, uint64_t bytes,
			   struct hole **holes, uint64_t *freed)
{
	struct victims victims = { 0 };
	struct content_key *keys = NULL;
	size_t chosen = 0;
	size_t count = 0;

	if (victims_collect_locked(cache, &victims) == 0)
		chosen = evict_choose(victims.list, victims.count, bytes);
	*holes = mem_array(chosen + 1, sizeof(**holes));
	keys = mem_array(chosen + 1, sizeof(*keys));
	if (!*holes || !keys)
		chosen = 0;
	/* Removing a closed blob moves others: their keys first. */
	for (size_t i = 0; i < chosen; i++)
		if (!victims.list[i].owner)
			keys[i] = cache->closed[victims.list[i].index].key;
	for (size_t i = 0; i < chosen; i++) {
		const struct victim *victim = &victims.list[i];

		/* A blob on its way to be closed can go the next time. */
		*freed += victim->bytes;
		if (!victim->owner)
			evict_closed_locked(cache, &keys[i],
					    &(*holes)[count++]);
		else if (evict_chunk_locked(victim->owner, victim->index,
					    &(*holes)[count]))
			count++;
	}
	cache->stats.evicted_bytes += *freed;
	free(keys);
	free(victims.list);
	return count;
}

/* The runs of blocks in the mask, one after the other. */
static int hole_punch(struct cache *cache, const struct hole *hole)
{
	uint32_t at = 0;
	int r = 0;

	while (at < CHUNK_BLOCKS) {
		uint32_t end = at;
		uint32_t first = hole->chunk * CHUNK_BLOCKS + at;
		int error;

		while (end < CHUNK_BLOCKS && hole->mask & 1u << end)
			end++;
		if (end == at) {
			at++;
			continue;
		}
		error = block_file_punch(cache->files, &hole->name,
					 (uint64_t)first * BLOCK_BYTES,
					 (uint64_t)(end - at) * BLOCK_BYTES);
		if (error < 0)
			r = error;
		fill_failed(hole->blob, first, end - at, -EIO, 0);
		at = end;
	}
	return r;
}

static void hole_make(struct cache *cache, const struct hole *hole)
{
	int r;

	if (!hole->blob) {
		r = block_file_remove(cache->files, &hole->name);
	} else {
		r = hole_punch(cache, hole);
		blob_unref(&hole->blob->blob);
	}
	if (r < 0)
		log_warn("cache", "cannot free room: %s", strerror(-r));
}

static uint64_t disk_free(const struct cache *cache)
{
	struct statvfs st;

	if (fstatvfs(cache->dir.dir_fd, &st) < 0)
		return UINT64_MAX;
	return (uint64_t)st.f_bavail * st.f_frsize;
}

int cache_make_room(struct cache *cache, uint64_t bytes)
{
	struct hole *holes = NULL;
	uint64_t free_bytes = disk_free(cache);
	uint64_t freed = 0;
	uint64_t need;
	size_t count = 0;

	lock_take(&cache->lock);
	need = evict_need(cache->stats.bytes_used, bytes, cache->bytes_max,
			  free_bytes, cache->free_min);
	if (need)
		count = evict_locked(
			cache, need + cache->stats.bytes_used / EVICT_SHARE,
			&holes, &freed);
	lock_drop(&cache->lock);
	for (size_t i = 0; i < count; i++)
		hole_make(cache, &holes[i]);
	free(holes);
	if (freed >= need)
		return 0;
	return free_bytes < cache->free_min + bytes ? -ENOSPC : -EBUSY;
}

void cache_evict_blob(struct cached_blob *blob)
{
	struct cache *cache = blob->cache;
	uint32_t chunks = (blob->block_count + CHUNK_BLOCKS - 1) / CHUNK_BLOCKS;

	for (uint32_t i = 0; i < chunks; i++) {
		struct hole hole;
		bool any = false;

		lock_take(&cache->lock);
		if (blob->chunks[i].pins == 0 && chunk_present_locked(blob, i))
			any = evict_chunk_locked(blob, i, &hole);
		lock_drop(&cache->lock);
		if (any)
			hole_make(cache, &hole);
	}
}
