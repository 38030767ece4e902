/* SPDX-License-Identifier: MIT */
/* What arrives: gathered to blocks, written, told to who waits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

/*
 * Blocks that no disk would take, each for a reader who waits for it: as
 * much as the kernel lets be parked, 256 reads of 1 MiB.
 */
#define MEMORY_BYTES_MAX ((uint64_t)256 << 20)

/* A fetch that failed is begun again for who still has so much time. */
#define RESTART_LEFT_NS (1 * NS_PER_S)

/* One range on its way. */
struct fill {
	struct source_sink sink;
	struct cached_blob *blob; /* one reference */
	uint32_t first;
	uint32_t count;
	uint32_t next; /* block being gathered */
	size_t got;    /* bytes of it */
	bool ahead;
	bool unwanted; /* ended by us: nothing can be kept, nobody waits */
	uint64_t deadline_ns;
	uint8_t *gather; /* owned; BLOCK_BYTES */
};

/* A file that is made anew has none of the blocks we think it has (D7). */
static int write_block(struct cached_blob *blob, uint32_t block,
		       const void *bytes, size_t len)
{
	struct cache *cache = blob->cache;
	uint64_t off = (uint64_t)block * BLOCK_BYTES;
	int r = block_file_write(cache->files, &blob->name, off, len, bytes);

	if (r != -ENOENT)
		return r;
	lock_take(&cache->lock);
	blob_distrust_locked(blob);
	lock_drop(&cache->lock);
	r = block_file_make(cache->files, &blob->name);
	return r < 0 ? r
		     : block_file_write(cache->files, &blob->name, off, len,
					bytes);
}

/* In the file, or -errno; then caching is off for a while (D6). */
static int store_on_disk(struct cached_blob *blob, uint32_t block,
			 const void *bytes, size_t len)
{
	struct cache *cache = blob->cache;
	int r;

	if (cache_bypassed(cache))
		return -ENOSPC;
	r = cache_make_room(cache, BLOCK_BYTES);
	if (r == 0)
		r = write_block(blob, block, bytes, len);
	if (r < 0 && r != -EBUSY)
		cache_bypass_begin(cache, r);
	return r;
}

/* Does @pin cover a block of [first, first + count)? */
static bool pin_covers(const struct cache_pin *pin, uint32_t first,
		       uint32_t count)
{
	return pin->first < first + count && first < pin->first + pin->count;
}

static bool is_waited_locked(const struct cached_blob *blob, uint32_t first,
			     uint32_t count)
{
	const struct cache_pin *pin = blob->waiting;

	while (pin && !pin_covers(pin, first, count))
		pin = pin->next;
	return pin != NULL;
}

/*
 * No disk would take the block.  1: it is kept in memory for who waits for
 * it; 0: nobody does, it is forgotten.  Who waits for the proof of the
 * whole as well (that is who waits for all of it) cannot be helped.
 */
static int store_in_memory_locked(struct cached_blob *blob, uint32_t block,
				  uint8_t **bytes)
{
	struct cache *cache = blob->cache;
	uint8_t flags = blob->blocks[block] & (uint8_t)~BLOCK_STATE_MASK;

	if (!is_waited_locked(blob, block, 1)) {
		blob->blocks[block] = flags;
		return 0;
	}
	if (blob_needs_proof(blob) ||
	    cache->memory_bytes + BLOCK_BYTES > MEMORY_BYTES_MAX)
		return -ENOSPC;
	if (!blob->memory)
		blob->memory = mem_array(blob->block_count,
					 sizeof(*blob->memory));
	if (!blob->memory)
		return -ENOMEM;
	blob->memory[block] = take_ptr(*bytes);
	cache->memory_bytes += BLOCK_BYTES;
	blob->blocks[block] = flags | BLOCK_MEMORY;
	return 1;
}

static void present_locked(struct cached_blob *blob, uint32_t block,
			   uint64_t sum)
{
	struct cache *cache = blob->cache;

	blob->blocks[block] = BLOCK_PRESENT | BLOCK_PROVEN | BLOCK_DIRTY;
	blob->sums[block] = sum;
	blob->present++;
	cache->stats.bytes_used += BLOCK_BYTES;
	blob_dirty_locked(blob);
}

/* 1: it is there for who waits; 0: nobody does, and it is not kept. */
static int block_store(struct cached_blob *blob, uint32_t block,
		       const uint8_t *bytes, size_t len)
{
	struct cache *cache = blob->cache;
	uint64_t sum = block_sum(blob, block, bytes, len);
	int on_disk = store_on_disk(blob, block, bytes, len);
	auto_free uint8_t *copy = NULL;
	struct wakes wakes = { 0 };
	bool complete;
	int r = 1;

	if (on_disk < 0) {
		copy = mem_dup(bytes, len);
		if (!copy)
			return -ENOMEM;
	}
	lock_take(&cache->lock);
	if (on_disk == 0)
		present_locked(blob, block, sum);
	else
		r = store_in_memory_locked(blob, block, &copy);
	if (r == 1)
		blob_arrived_locked(blob, block, &wakes);
	complete = blob->present == blob->block_count;
	lock_drop(&cache->lock);
	wakes_run(&wakes);
	if (complete)
		digest_check_start(blob);
	return r;
}

/* The end of a transfer of which nothing can be kept and nobody waits. */
static int fill_unwanted(struct fill *fill)
{
	uint32_t left = fill->first + fill->count - fill->next;
	struct cache *cache = fill->blob->cache;

	lock_take(&cache->lock);
	fill->unwanted = left &&
			 !is_waited_locked(fill->blob, fill->next, left);
	lock_drop(&cache->lock);
	return fill->unwanted ? -ECANCELED : 0;
}

/* The block is whole: from the sink's own bytes where they have all of it. */
static int fill_block(struct fill *fill, const uint8_t *bytes, size_t len)
{
	int r = block_store(fill->blob, fill->next, bytes, len);

	if (r < 0)
		return r; /* fill_done() sees to it, and to those after it */
	fill->next++;
	fill->got = 0;
	return r == 0 ? fill_unwanted(fill) : 0;
}

static int fill_data(struct source_sink *sink, uint64_t off, const void *bytes,
		     size_t len)
{
	struct fill *fill = container_of(sink, struct fill, sink);
	const uint8_t *at = bytes;
	int r = 0;

	if (off != (uint64_t)fill->next * BLOCK_BYTES + fill->got)
		return -EIO; /* not what was asked for */
	while (r == 0 && len > 0) {
		size_t whole;
		size_t part;

		if (fill->next >= fill->first + fill->count)
			return -EIO;
		whole = block_bytes(fill->blob, fill->next);
		part = (size_t)u64_min(len, whole - fill->got);
		if (part == whole) {
			r = fill_block(fill, at, whole);
		} else {
			memcpy(fill->gather + fill->got, at, part);
			fill->got += part;
			if (fill->got == whole)
				r = fill_block(fill, fill->gather, whole);
		}
		at += part;
		len -= part;
	}
	return r;
}

/* May @wait try once more, after a fetch that gave up by @deadline_ns? */
static bool may_restart(const struct cache_wait *wait, int error,
			uint64_t deadline_ns)
{
	if (wait->restarted || (error != -EIO && error != -ETIMEDOUT))
		return false;
	return wait->deadline_ns > deadline_ns &&
	       wait->deadline_ns > clock_after_ns(RESTART_LEFT_NS);
}

/*
 * Ends the waits for the range, but for those that began after and have
 * time: for these it is asked again.  The deadline to ask with, or 0.
 */
static uint64_t fail_waits_locked(struct cached_blob *blob, uint32_t first,
				  uint32_t count, int error,
				  uint64_t deadline_ns, struct wakes *wakes)
{
	uint64_t again_ns = 0;
	struct cache_pin *next;

	for (struct cache_pin *pin = blob->waiting; pin; pin = next) {
		next = pin->next;
		if (!pin_covers(pin, first, count) ||
		    may_restart(pin->wait, error, deadline_ns))
			continue;
		wait_end_locked(pin->wait, error, wakes);
		next = blob->waiting; /* others of this wait may be gone */
	}
	for (struct cache_pin *pin = blob->waiting; pin; pin = pin->next) {
		if (!pin_covers(pin, first, count))
			continue;
		pin->wait->restarted = true;
		again_ns = u64_max(again_ns, pin->wait->deadline_ns);
	}
	return again_ns;
}

static void forget_inflight_locked(struct cached_blob *blob, uint32_t first,
				   uint32_t count)
{
	for (uint32_t b = first; b < first + count; b++)
		if (block_state(blob, b) == BLOCK_INFLIGHT)
			blob->blocks[b] &= (uint8_t)~BLOCK_STATE_MASK;
}

void fill_failed(struct cached_blob *blob, uint32_t first, uint32_t count,
		 int error, uint64_t deadline_ns)
{
	struct cache *cache = blob->cache;
	struct wakes wakes = { 0 };
	uint64_t again_ns;

	lock_take(&cache->lock);
	again_ns = fail_waits_locked(blob, first, count, error, deadline_ns,
				     &wakes);
	if (!again_ns)
		forget_inflight_locked(blob, first, count);
	lock_drop(&cache->lock);
	wakes_run(&wakes);
	if (again_ns)
		fetch_blocks(blob, first, count, SOURCE_WANTED, again_ns);
}

static void fill_done(struct source_sink *sink, int result)
{
	struct fill *fill = container_of(sink, struct fill, sink);
	struct cached_blob *blob = fill->blob;
	uint32_t left = fill->first + fill->count - fill->next;

	lock_take(&blob->cache->lock);
	blob->cache->stats.inflight--;
	if (fill->ahead)
		blob->ahead--;
	lock_drop(&blob->cache->lock);
	if (fill->unwanted) /* whoever came since then has all his time */
		fill_failed(blob, fill->next, left, -EIO, 0);
	else if (left > 0)
		fill_failed(blob, fill->next, left, result < 0 ? result : -EIO,
			    fill->deadline_ns);
	blob_unref(&blob->blob);
	free(fill->gather);
	free(fill);
}

static struct fill *fill_new(struct cached_blob *blob, uint32_t first,
			     uint32_t count)
{
	struct fill *fill = mem_zalloc(sizeof(*fill));

	if (!fill)
		return NULL;
	fill->gather = mem_alloc(BLOCK_BYTES);
	if (!fill->gather) {
		free(fill);
		return NULL;
	}
	fill->sink.data = fill_data;
	fill->sink.done = fill_done;
	fill->blob = cached_of(blob_ref(&blob->blob));
	fill->first = fill->next = first;
	fill->count = count;
	return fill;
}

int fill_start(struct cached_blob *blob, uint32_t first, uint32_t count,
	       enum source_urgency urgency, uint64_t deadline_ns)
{
	uint64_t off = (uint64_t)first * BLOCK_BYTES;
	uint64_t len = u64_min((uint64_t)count * BLOCK_BYTES,
			       blob->blob.size - off);
	struct fill *fill = fill_new(blob, first, count);
	int r = fill ? 0 : -ENOMEM;

	if (r == 0) {
		fill->ahead = urgency == SOURCE_AHEAD;
		fill->deadline_ns = deadline_ns;
		lock_take(&blob->cache->lock);
		blob->cache->stats.inflight++;
		lock_drop(&blob->cache->lock);
		r = blob->source->ops->fetch(blob->source, off, len, urgency,
					     deadline_ns, &fill->sink);
	}
	if (r == 0)
		return 0;
	lock_take(&blob->cache->lock);
	if (fill)
		blob->cache->stats.inflight--;
	if (urgency == SOURCE_AHEAD)
		blob->ahead--;
	lock_drop(&blob->cache->lock);
	if (fill) {
		blob_unref(&blob->blob);
		free(fill->gather);
		free(fill);
	}
	return r;
}
