/* SPDX-License-Identifier: MIT */
#include "cache/cached_blob.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

void wakes_run(struct wakes *wakes)
{
	while (wakes->first) {
		struct cache_wait *wait = wakes->first;

		wakes->first = wait->next;
		if (wait->result < 0) {
			free(wait->pins);
			wait->pins = NULL;
		}
		wait->wake(wait, wait->result);
	}
}

static void waiting_remove_locked(struct cache_pin *pin)
{
	struct cached_blob *blob = pin->blob;

	if (pin->prev)
		pin->prev->next = pin->next;
	else if (blob->waiting == pin)
		blob->waiting = pin->next;
	if (pin->next)
		pin->next->prev = pin->prev;
	pin->prev = pin->next = NULL;
}

/* Bytes that only pins kept in memory. */
static void chunk_unpinned_locked(struct cached_blob *blob, uint32_t chunk)
{
	uint32_t first = chunk * CHUNK_BLOCKS;

	if (!blob->memory)
		return;
	for (uint32_t i = first;
	     i < first + CHUNK_BLOCKS && i < blob->block_count; i++)
		if (block_state(blob, i) == BLOCK_MEMORY)
			block_drop_locked(blob, i);
}

void chunk_unpin_locked(struct cached_blob *blob, uint32_t chunk)
{
	assert(blob->chunks[chunk].pins > 0);
	if (--blob->chunks[chunk].pins == 0)
		chunk_unpinned_locked(blob, chunk);
}

static void pin_drop_locked(struct cache_pin *pin)
{
	uint32_t last = (pin->first + pin->count - 1) / CHUNK_BLOCKS;

	for (uint32_t i = pin->first / CHUNK_BLOCKS; i <= last; i++)
		chunk_unpin_locked(pin->blob, i);
}

struct cached_blob *cached_blob_of(struct blob *blob)
{
	return blob->ops == &cached_blob_ops ? cached_of(blob) : NULL;
}

bool cached_try_ref(struct cached_blob *blob)
{
	unsigned int refs = atomic_load(&blob->blob.refs);

	while (refs > 0)
		if (atomic_compare_exchange_weak(&blob->blob.refs, &refs,
						 refs + 1))
			return true;
	return false;
}

void pins_drop_locked(struct cache_wait *wait)
{
	for (size_t i = 0; i < wait->pin_count; i++)
		if (wait->pins[i].blob)
			pin_drop_locked(&wait->pins[i]);
	wait->pin_count = 0;
}

void wait_end_locked(struct cache_wait *wait, int result, struct wakes *wakes)
{
	lock_assert_held(&wait->cache->lock);
	assert(wait->state == WAIT_PARKED);
	for (size_t i = 0; i < wait->pin_count; i++)
		if (wait->pins[i].blob && wait->pins[i].missing)
			waiting_remove_locked(&wait->pins[i]); /* B3 */
	if (result < 0)
		pins_drop_locked(wait);
	wait->cache->stats.waiting--;
	wait->state = WAIT_ENDED;
	wait->result = result;
	wait->next = wakes->first;
	wakes->first = wait;
}

/* One thing less for @pin to wait for. */
static void pin_less_locked(struct cache_pin *pin, struct wakes *wakes)
{
	assert(pin->missing > 0);
	if (--pin->missing > 0)
		return;
	waiting_remove_locked(pin); /* B3 */
	if (--pin->wait->missing == 0)
		wait_end_locked(pin->wait, 0, wakes);
}

void blob_arrived_locked(struct cached_blob *blob, uint32_t block,
			 struct wakes *wakes)
{
	struct cache_pin *next;

	for (struct cache_pin *pin = blob->waiting; pin; pin = next) {
		next = pin->next;
		if (block >= pin->first && block < pin->first + pin->count)
			pin_less_locked(pin, wakes);
	}
}

void blob_proven_locked(struct cached_blob *blob, struct wakes *wakes)
{
	struct cache_pin *next;

	for (struct cache_pin *pin = blob->waiting; pin; pin = next) {
		next = pin->next;
		if (!pin->proof)
			continue;
		pin->proof = false;
		pin_less_locked(pin, wakes);
	}
}

void blob_unproven_locked(struct cached_blob *blob, int error,
			  struct wakes *wakes)
{
	struct cache_pin *next;

	for (struct cache_pin *pin = blob->waiting; pin; pin = next) {
		next = pin->next;
		if (!pin->proof)
			continue;
		wait_end_locked(pin->wait, error, wakes);
		next = blob->waiting; /* others of this wait may be gone */
	}
}

void block_drop_locked(struct cached_blob *blob, uint32_t block)
{
	struct cache *cache = blob->cache;

	lock_assert_held(&cache->lock);
	switch (block_state(blob, block)) {
	case BLOCK_PRESENT:
		blob->drops++;
		blob->present--;
		cache->stats.bytes_used -= BLOCK_BYTES;
		/* The group's record has to forget it too. */
		blob->blocks[block] = BLOCK_ABSENT | BLOCK_DIRTY;
		blob->verified = false;
		blob_dirty_locked(blob);
		break;
	case BLOCK_MEMORY:
		free(take_ptr(blob->memory[block]));
		cache->memory_bytes -= BLOCK_BYTES;
		blob->blocks[block] &= (uint8_t)~BLOCK_STATE_MASK;
		break;
	default:
		break;
	}
}

void blob_distrust_locked(struct cached_blob *blob)
{
	lock_assert_held(&blob->cache->lock);
	blob->doubts++;
	for (uint32_t i = 0; blob->present && i < blob->block_count; i++)
		if (block_state(blob, i) == BLOCK_PRESENT)
			blob->blocks[i] &= (uint8_t)~BLOCK_PROVEN;
}

void blob_dirty_locked(struct cached_blob *blob)
{
	struct cache *cache = blob->cache;

	if (blob->in_dirty)
		return;
	blob->in_dirty = true;
	blob_ref(&blob->blob);
	blob->next_dirty = cache->dirty;
	cache->dirty = blob;
	cond_wake_one(&cache->commit_wanted);
}
