/* SPDX-License-Identifier: MIT */
/* Reading what is resident, with every block's checksum seen once (D2). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

/* A block found damaged is fetched again, this often. */
#define FETCH_TRIES_MAX 3

/* Bytes are read again where a doubt came up meanwhile, this often. */
#define RUN_TRIES_MAX 8

uint64_t block_sum(const struct cached_blob *blob, uint32_t block,
		   const void *bytes, size_t len)
{
	return xxh3_64_seed(bytes, len,
			    le64(blob->blob.key.bytes) ^ (uint64_t)block);
}

static int read_local(struct cached_blob *blob, uint64_t off, size_t len,
		      void *to)
{
	auto_close int fd = blob->source->ops->open_local(blob->source);

	return fd < 0 ? fd : file_pread(fd, off, len, to);
}

/*
 * Two may find the same damage: then the second finds the block changed.
 * Where it is the file that changed, the others are due to be checked again.
 */
void block_damaged(struct cached_blob *blob, uint32_t block, uint8_t seen,
		   int error)
{
	struct cache *cache = blob->cache;
	const uint8_t mask = BLOCK_STATE_MASK | BLOCK_PROVEN;
	bool same;
	bool first;

	lock_take(&cache->lock);
	same = (blob->blocks[block] & mask) == (seen & mask);
	first = same && !blob->damaged;
	if (same) {
		blob->damaged = true;
		cache->stats.damaged++;
		block_drop_locked(blob, block);
	}
	if (same && (seen & BLOCK_PROVEN || error != -EBADMSG))
		blob_distrust_locked(blob);
	lock_drop(&cache->lock);
	if (same)
		log_at(first ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "cache",
		       "block %u of %s is damaged on disk (%s): dropped", block,
		       blob->source->label, strerror(-error));
}

/* What is believed of a block at one moment. */
struct look {
	uint8_t flags;
	uint64_t sum;
	uint32_t doubts; /* blob's */
};

/* Its bytes too, if they are in memory. */
static struct look block_look(struct cached_blob *blob, uint32_t block,
			      size_t at, size_t len, void *to)
{
	struct cache *cache = blob->cache;
	struct look look;

	lock_take(&cache->lock);
	look = (struct look){ blob->blocks[block], blob->sums[block],
			      blob->doubts };
	if (block_state(blob, block) == BLOCK_MEMORY)
		memcpy(to, blob->memory[block] + at, len);
	lock_drop(&cache->lock);
	return look;
}

static int block_prove(struct cached_blob *blob, uint32_t block,
		       const struct look *look)
{
	size_t len = block_bytes(blob, block);
	auto_free uint8_t *bytes = mem_alloc(len);
	struct cache *cache = blob->cache;
	int r;

	if (!bytes)
		return -ENOMEM;
	r = block_file_read(cache->files, &blob->name,
			    (uint64_t)block * BLOCK_BYTES, len, bytes);
	if (r == 0 && block_sum(blob, block, bytes, len) != look->sum)
		r = -EBADMSG;
	if (r < 0) {
		block_damaged(blob, block, look->flags, r);
		return -ENODATA;
	}
	lock_take(&cache->lock);
	if (block_state(blob, block) == BLOCK_PRESENT &&
	    blob->doubts == look->doubts)
		blob->blocks[block] |= BLOCK_PROVEN;
	lock_drop(&cache->lock);
	return 0;
}

/* Of one block: 1: its bytes were in memory; 0: they can be read. */
static int block_ready(struct cached_blob *blob, uint32_t block, size_t at,
		       size_t len, void *to, uint32_t *doubts)
{
	struct look look = block_look(blob, block, at, len, to);

	*doubts = look.doubts;
	switch (look.flags & BLOCK_STATE_MASK) {
	case BLOCK_MEMORY:
		return 1;
	case BLOCK_PRESENT:
		return look.flags & BLOCK_PROVEN
			       ? 0
			       : block_prove(blob, block, &look);
	default:
		return -ENODATA;
	}
}

/* Reads of proven neighbours are one call to the disk. */
struct run {
	uint64_t off;
	size_t len;
	uint8_t *to;
	uint32_t doubts; /* when the first of its blocks was looked at */
};

static uint32_t run_first(const struct run *run)
{
	return (uint32_t)(run->off / BLOCK_BYTES);
}

static uint32_t run_last(const struct run *run)
{
	return (uint32_t)((run->off + run->len - 1) / BLOCK_BYTES);
}

static void run_add(struct run *run, uint64_t off, size_t len, uint8_t *to,
		    uint32_t doubts)
{
	if (run->len == 0)
		*run = (struct run){ off, 0, to, doubts };
	run->len += len;
}

/* None of its blocks was dropped or doubted while it was read. */
static bool run_holds(struct cached_blob *blob, const struct run *run)
{
	bool holds;

	lock_take(&blob->cache->lock);
	holds = blob->doubts == run->doubts;
	for (uint32_t i = run_first(run); holds && i <= run_last(run); i++)
		holds = block_state(blob, i) == BLOCK_PRESENT;
	lock_drop(&blob->cache->lock);
	return holds;
}

/* Which of its blocks are there, if not all as they were? */
static int run_prove(struct cached_blob *blob, struct run *run)
{
	uint8_t nothing;
	int r = 0;

	for (uint32_t i = run_first(run); i <= run_last(run); i++) {
		uint32_t doubts;
		int error = block_ready(blob, i, 0, 0, &nothing, &doubts);

		if (i == run_first(run))
			run->doubts = doubts;
		if (error < 0 && error != -ENODATA)
			return error;
		if (error != 0)
			r = -ENODATA;
	}
	return r;
}

static int run_flush(struct cached_blob *blob, struct run *run)
{
	int r = run->len ? -ENODATA : 0;

	for (int i = 0; run->len && i < RUN_TRIES_MAX; i++) {
		r = block_file_read(blob->cache->files, &blob->name, run->off,
				    run->len, run->to);
		if (r == 0 && run_holds(blob, run))
			break;
		if (r < 0) {
			lock_take(&blob->cache->lock);
			blob_distrust_locked(blob);
			lock_drop(&blob->cache->lock);
		}
		r = run_prove(blob, run);
		if (r < 0)
			break;
		r = -ENODATA;
	}
	run->len = 0;
	return r;
}

/* Where one block is damaged those behind it are looked at all the same. */
static int cached_read(struct blob *base, uint64_t off, size_t len, void *to)
{
	struct cached_blob *blob = cached_of(base);
	struct run run = { 0 };
	uint8_t *at = to;
	bool missing = false;

	if (blob->local)
		return read_local(blob, off, len, to);
	while (len > 0) {
		uint32_t block = (uint32_t)(off / BLOCK_BYTES);
		size_t in = (size_t)(off % BLOCK_BYTES);
		size_t part = (size_t)u64_min(len, BLOCK_BYTES - in);
		uint32_t doubts;
		int r = block_ready(blob, block, in, part, at, &doubts);

		if (r == 0)
			run_add(&run, off, part, at, doubts);
		if (r == 1)
			r = run_flush(blob, &run);
		if (r < 0 && r != -ENODATA)
			return r;
		if (r == -ENODATA) {
			missing = true;
			run.len = 0;
		}
		off += part;
		at += part;
		len -= part;
	}
	return missing ? -ENODATA : run_flush(blob, &run);
}

/* A wait that a thread sits in. */
struct sitting {
	struct cache_wait wait;
	struct lock lock;
	struct cond done;
	bool woken; /* lock */
	int result; /* lock */
};

static void sitting_woken(struct cache_wait *wait, int result)
{
	struct sitting *sitting = container_of(wait, struct sitting, wait);

	lock_take(&sitting->lock);
	sitting->woken = true;
	sitting->result = result;
	cond_wake_one(&sitting->done);
	lock_drop(&sitting->lock);
}

/* Until woken, or the deadline; then the wait is nobody's. */
static int sit(struct sitting *sitting, uint64_t deadline_ns)
{
	int r = 0;

	lock_take(&sitting->lock);
	while (!sitting->woken && r == 0)
		r = cond_wait_until(&sitting->done, &sitting->lock,
				    deadline_ns);
	if (!sitting->woken) {
		lock_drop(&sitting->lock);
		if (cache_cancel(&sitting->wait))
			return -ETIMEDOUT;
		lock_take(&sitting->lock);
		while (!sitting->woken)
			cond_wait(&sitting->done, &sitting->lock);
	}
	r = sitting->result;
	lock_drop(&sitting->lock);
	return r;
}

static int fetch_once(struct blob *base, uint64_t off, size_t len, void *to,
		      uint64_t deadline_ns)
{
	struct cached_blob *blob = cached_of(base);
	struct sitting sitting = { .wait.wake = sitting_woken };
	auto_extents struct extents extents;
	int r;

	extents_init(&extents);
	r = extents_add(&extents, base, off, len);
	if (r < 0)
		return r;
	lock_init(&sitting.lock);
	cond_init(&sitting.done);
	r = cache_ensure(blob->cache, &extents, deadline_ns, &sitting.wait);
	if (r == -EINPROGRESS)
		r = sit(&sitting, deadline_ns);
	if (r == 0) {
		r = cached_read(base, off, len, to);
		cache_release(&sitting.wait);
	}
	cond_release(&sitting.done);
	lock_release(&sitting.lock);
	return r;
}

static int cached_fetch(struct blob *base, uint64_t off, size_t len, void *to,
			uint64_t deadline_ns)
{
	int r = -ENODATA;

	if (cached_of(base)->local || len == 0)
		return cached_read(base, off, len, to);
	if (deadline_ns == DEADLINE_NOW) {
		r = cached_read(base, off, len, to);
		return r == -ENODATA ? -EINPROGRESS : r;
	}
	for (int i = 0; i < FETCH_TRIES_MAX && r == -ENODATA; i++)
		r = fetch_once(base, off, len, to, deadline_ns);
	return r == -ENODATA ? -EIO : r;
}

static void cached_free(struct blob *base)
{
	struct cached_blob *blob = cached_of(base);
	struct cache *cache = blob->cache;
	struct closed_blob closed = { .key = base->key,
				      .used_wall_s = clock_wall_s() };

	lock_take(&cache->lock);
	closed.bytes = blob->present * BLOCK_BYTES;
	closed.pinned = blob->pinned;
	cache->stats.bytes_used -= closed.bytes;
	/* It may have been opened again meanwhile: then it is not closed. */
	if (map_get_bytes(&cache->open, base->key.bytes,
			  sizeof(base->key.bytes)) == blob) {
		map_remove_bytes(&cache->open, base->key.bytes,
				 sizeof(base->key.bytes));
		if (closed.bytes)
			closed_add_locked(cache, &closed);
	}
	cache->stats.blobs--;
	lock_drop(&cache->lock);
	source_unref(blob->source);
	free(blob->blocks);
	free(blob->sums);
	free(blob->chunks);
	free(blob->memory);
	free(blob);
}

const struct blob_ops cached_blob_ops = {
	.read = cached_read,
	.fetch = cached_fetch,
	.free = cached_free,
};
