/* SPDX-License-Identifier: MIT */
/* The middle of every read: what is missing is fetched, once. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

/* Ranges of readahead in flight for one blob: 16 of 4 MiB. */
#define AHEAD_RANGES_MAX 16

/* A check may end, or fail, between its start and a look. */
#define PROOF_TRIES_MAX 3

/* A range that has to be asked for, found under the lock. */
struct start {
	struct cached_blob *blob; /* one reference: the wait may end first */
	uint32_t first;
	uint32_t count;
};

struct starts {
	struct start *list;
	size_t count;
	size_t cap;
};

#define RANGE_BLOCKS ((uint32_t)(FETCH_RANGE_BYTES / BLOCK_BYTES))

/* Adds one block, to the last range if it goes on there. */
static int starts_add(struct starts *starts, struct cached_blob *blob,
		      uint32_t block)
{
	struct start *last = starts->count ? &starts->list[starts->count - 1]
					   : NULL;

	if (last && last->blob == blob && last->first + last->count == block &&
	    last->count < RANGE_BLOCKS) {
		last->count++;
		return 0;
	}
	if (starts->count == starts->cap) {
		size_t cap = starts->cap ? 2 * starts->cap : 8;
		struct start *list = mem_resize(starts->list, cap,
						sizeof(*list));

		if (!list)
			return -ENOMEM;
		starts->list = list;
		starts->cap = cap;
	}
	blob_ref(&blob->blob);
	starts->list[starts->count++] = (struct start){ blob, block, 1 };
	return 0;
}

void fetch_blocks(struct cached_blob *blob, uint32_t first, uint32_t count,
		  enum source_urgency urgency, uint64_t deadline_ns)
{
	int r = fill_start(blob, first, count, urgency, deadline_ns);

	if (r < 0)
		fill_failed(blob, first, count, r, CLOCK_NEVER);
}

static void starts_run(struct starts *starts, enum source_urgency urgency,
		       uint64_t deadline_ns)
{
	for (size_t i = 0; i < starts->count; i++) {
		struct start *start = &starts->list[i];

		fetch_blocks(start->blob, start->first, start->count, urgency,
			     deadline_ns);
		blob_unref(&start->blob->blob);
	}
	free(starts->list);
}

/* Undoes starts_add(): no transfer will be asked for. */
static void starts_undo_locked(struct starts *starts)
{
	for (size_t i = 0; i < starts->count; i++) {
		struct start *start = &starts->list[i];

		for (uint32_t b = 0; b < start->count; b++)
			start->blob->blocks[start->first + b] &=
				(uint8_t)~BLOCK_STATE_MASK;
		blob_unref(&start->blob->blob); /* the extents hold it */
	}
	starts->count = 0;
}

static uint32_t first_block(const struct extent *extent)
{
	return (uint32_t)(extent->off / BLOCK_BYTES);
}

static uint32_t last_block(const struct extent *extent)
{
	return (uint32_t)((extent->off + extent->len - 1) / BLOCK_BYTES);
}

/* Pins the chunks under @pin and notes that they were used. */
static void pin_take_locked(struct cache_pin *pin)
{
	struct cached_blob *blob = pin->blob;
	uint32_t last = (pin->first + pin->count - 1) / CHUNK_BLOCKS;

	for (uint32_t i = pin->first / CHUNK_BLOCKS; i <= last; i++) {
		blob->chunks[i].pins++;
		blob->chunks[i].stamp = blob->cache->clock;
	}
}

/* Counts what is missing and marks what has to be asked for. */
static int pin_look_locked(struct cache_pin *pin, struct starts *starts)
{
	struct cached_blob *blob = pin->blob;
	struct cache_stats *stats = &blob->cache->stats;

	for (uint32_t b = pin->first; b < pin->first + pin->count; b++) {
		switch (block_state(blob, b)) {
		case BLOCK_PRESENT:
		case BLOCK_MEMORY:
			stats->hits++;
			continue;
		case BLOCK_INFLIGHT:
			stats->joins++;
			break;
		default:
			if (starts_add(starts, blob, b) < 0)
				return -ENOMEM;
			stats->misses++;
			blob->blocks[b] |= BLOCK_INFLIGHT;
		}
		pin->missing++;
	}
	return 0;
}

static void pin_init(struct cache_pin *pin, struct cache_wait *wait,
		     const struct extent *extent)
{
	struct cached_blob *blob = cached_blob_of(extent->blob);

	*pin = (struct cache_pin){ .wait = wait };
	if (!blob || blob->local)
		return; /* read in place */
	pin->blob = blob;
	pin->first = first_block(extent);
	pin->count = last_block(extent) - pin->first + 1;
}

/* For a while: then what the hub gives may be right. */
static bool blob_is_bad_locked(struct cached_blob *blob)
{
	if (blob->bad && clock_now_ns() >= blob->bad_until_ns)
		blob->bad = false;
	return blob->bad;
}

static int pin_begin_locked(struct cache_pin *pin, struct starts *starts)
{
	if (!pin->blob)
		return 0;
	if (blob_needs_proof(pin->blob)) {
		pin->first = 0;
		pin->count = pin->blob->block_count;
		pin->proof = true;
	}
	pin_take_locked(pin);
	if (blob_is_bad_locked(pin->blob))
		return -EIO;
	if (pin_look_locked(pin, starts) < 0)
		return -ENOMEM;
	if (pin->proof && !pin->missing && !pin->blob->checking)
		return -EAGAIN; /* B5 */
	pin->missing += pin->proof;
	return 0;
}

static void wait_park_locked(struct cache_wait *wait)
{
	for (size_t i = 0; i < wait->pin_count; i++) {
		struct cache_pin *pin = &wait->pins[i];

		if (!pin->blob || !pin->missing)
			continue;
		pin->next = pin->blob->waiting;
		if (pin->next)
			pin->next->prev = pin;
		pin->blob->waiting = pin;
	}
	wait->state = WAIT_PARKED;
	wait->cache->stats.waiting++;
}

static int ensure_locked(struct cache_wait *wait, struct starts *starts,
			 size_t pin_count)
{
	int r = 0;

	wait->pin_count = 0;
	wait->missing = 0;
	wait->cache->clock++;
	for (size_t i = 0; r == 0 && i < pin_count; i++) {
		r = pin_begin_locked(&wait->pins[i], starts);
		wait->pin_count = i + 1;
		wait->missing += wait->pins[i].missing > 0;
	}
	if (r < 0) {
		starts_undo_locked(starts);
		pins_drop_locked(wait);
		return r;
	}
	if (wait->missing == 0)
		return 0;
	wait_park_locked(wait);
	return -EINPROGRESS;
}

/* Blobs complete but not proven, that nothing will arrive for. */
static void start_proofs(const struct extents *extents)
{
	for (size_t i = 0; i < extents->count; i++) {
		struct cached_blob *blob =
			cached_blob_of(extents->list[i].blob);

		if (blob && !blob->local)
			digest_check_start(blob);
	}
}

static int ensure(struct cache_wait *wait, const struct extents *extents,
		  struct starts *starts)
{
	struct cache *cache = wait->cache;
	int r = -EAGAIN;

	for (int tries = 0; r == -EAGAIN && tries < PROOF_TRIES_MAX; tries++) {
		if (cache->verify == CACHE_VERIFY_FULL)
			start_proofs(extents);
		for (size_t i = 0; i < extents->count; i++)
			pin_init(&wait->pins[i], wait, &extents->list[i]);
		lock_take(&cache->lock);
		r = ensure_locked(wait, starts, extents->count);
		lock_drop(&cache->lock);
	}
	return r == -EAGAIN ? -EIO : r;
}

int cache_ensure(struct cache *cache, const struct extents *extents,
		 uint64_t deadline_ns, struct cache_wait *wait)
{
	struct starts starts = { 0 };
	int r;

	wait->cache = cache;
	wait->deadline_ns = deadline_ns;
	wait->restarted = false;
	wait->state = WAIT_IDLE;
	wait->pins = mem_array(extents->count + 1, sizeof(*wait->pins));
	if (!wait->pins)
		return -ENOMEM;
	r = ensure(wait, extents, &starts);
	if (r < 0 && r != -EINPROGRESS) {
		free(wait->pins);
		wait->pins = NULL;
	}
	/* @wait may have been woken already, and its extents be gone. */
	starts_run(&starts, SOURCE_WANTED, deadline_ns);
	return r;
}

bool cache_cancel(struct cache_wait *wait)
{
	struct cache *cache = wait->cache;
	struct wakes none = { 0 };
	bool parked;

	if (!cache)
		return false;
	lock_take(&cache->lock);
	parked = wait->state == WAIT_PARKED;
	if (parked)
		wait_end_locked(wait, -ECANCELED, &none);
	lock_drop(&cache->lock);
	if (parked) {
		free(wait->pins);
		wait->pins = NULL;
	}
	return parked;
}

void cache_release(struct cache_wait *wait)
{
	lock_take(&wait->cache->lock);
	pins_drop_locked(wait);
	lock_drop(&wait->cache->lock);
	free(wait->pins);
	wait->pins = NULL;
}

/* Marks the absent blocks of @extent until there is enough in flight. */
static void ahead_locked(const struct extent *extent, struct starts *starts)
{
	struct cached_blob *blob = cached_blob_of(extent->blob);
	size_t before = starts->count;
	uint32_t room;

	if (!blob || blob->local || blob->bad ||
	    blob->ahead >= AHEAD_RANGES_MAX)
		return;
	room = (AHEAD_RANGES_MAX - blob->ahead) * RANGE_BLOCKS;
	for (uint32_t b = first_block(extent); room && b <= last_block(extent);
	     b++) {
		if (block_state(blob, b) != BLOCK_ABSENT)
			continue;
		if (starts_add(starts, blob, b) < 0)
			break;
		blob->blocks[b] |= BLOCK_INFLIGHT;
		blob->chunks[b / CHUNK_BLOCKS].stamp = blob->cache->clock;
		blob->cache->stats.misses++;
		room--;
	}
	blob->ahead += (unsigned int)(starts->count - before);
}

void cache_prefetch(struct cache *cache, const struct extents *extents,
		    uint64_t deadline_ns)
{
	struct starts starts = { 0 };

	if (cache_bypassed(cache))
		return;
	lock_take(&cache->lock);
	for (size_t i = 0; i < extents->count; i++)
		ahead_locked(&extents->list[i], &starts);
	lock_drop(&cache->lock);
	starts_run(&starts, SOURCE_AHEAD, deadline_ns);
}
