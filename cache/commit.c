/* SPDX-License-Identifier: MIT */
/*
 * The committer: one thread that makes lasting what was cached.
 *
 * Order, per batch: the blocks of a blob are in its file; fdatasync of the
 * file and of its folder; one index transaction for all blobs and memos.
 * A crash in between loses what was cached last, and nothing else (D1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "cache/cached_blob.h"

/* As long as recent blocks may be lost to a crash. */
#define COMMIT_DELAY_NS (200 * NS_PER_MS)

static uint32_t group_count(const struct cached_blob *blob)
{
	return (blob->block_count + GROUP_BLOCKS - 1) / GROUP_BLOCKS;
}

static uint32_t group_end(const struct cached_blob *blob, uint32_t group)
{
	uint32_t end = (group + 1) * GROUP_BLOCKS;

	return end < blob->block_count ? end : blob->block_count;
}

/* Marks the groups with DIRTY blocks, which are then clean (B2). */
static bool groups_take_locked(struct cached_blob *blob, uint8_t *groups)
{
	bool any = false;

	for (uint32_t g = 0; g < group_count(blob); g++) {
		for (uint32_t i = g * GROUP_BLOCKS; i < group_end(blob, g);
		     i++) {
			if (!(blob->blocks[i] & BLOCK_DIRTY))
				continue;
			blob->blocks[i] &= (uint8_t)~BLOCK_DIRTY;
			groups[g] = 1;
			any = true;
		}
	}
	return any;
}

/* What is synced: blocks that came since then are DIRTY again. */
static void group_snapshot_locked(const struct cached_blob *blob,
				  uint32_t group, struct group_record *out)
{
	uint32_t first = group * GROUP_BLOCKS;

	*out = (struct group_record){ 0 };
	for (uint32_t i = first; i < group_end(blob, group); i++) {
		if (block_state(blob, i) != BLOCK_PRESENT ||
		    blob->blocks[i] & BLOCK_DIRTY)
			continue;
		out->present[(i - first) / 8] |= (uint8_t)(1u
							   << (i - first) % 8);
		out->sums[i - first] = blob->sums[i];
	}
}

static int put_groups(struct cached_blob *blob, struct index_batch *batch,
		      const uint8_t *groups)
{
	struct group_record record;
	int r = 0;

	for (uint32_t g = 0; r == 0 && g < group_count(blob); g++) {
		if (!groups[g])
			continue;
		lock_take(&blob->cache->lock);
		group_snapshot_locked(blob, g, &record);
		lock_drop(&blob->cache->lock);
		r = index_put_group(batch, &blob->blob.key, g, &record);
	}
	return r;
}

static int put_record(struct cached_blob *blob, struct index_batch *batch)
{
	struct blob_record record = { .size = blob->blob.size,
				      .used_wall_s = clock_wall_s() };

	lock_take(&blob->cache->lock);
	record.verified = blob->verified;
	record.pinned = blob->pinned;
	blob->record_dirty = false;
	lock_drop(&blob->cache->lock);
	return index_put_blob(batch, &blob->blob.key, &record);
}

/* The disk lost what it took: nothing of it is believed any more. */
static void blob_distrust(struct cached_blob *blob)
{
	lock_take(&blob->cache->lock);
	blob_distrust_locked(blob);
	lock_drop(&blob->cache->lock);
}

static int commit_blob(struct cached_blob *blob, struct index_batch *batch)
{
	auto_free uint8_t *groups = mem_zalloc(group_count(blob) + 1);
	bool any;
	int r = 0;

	if (!groups)
		return -ENOMEM;
	lock_take(&blob->cache->lock);
	any = groups_take_locked(blob, groups);
	lock_drop(&blob->cache->lock);
	if (any)
		r = block_file_sync(blob->cache->files, &blob->name);
	if (r == -ENOENT)
		r = 0; /* all of it was evicted, or someone removed it */
	if (r < 0) {
		blob_distrust(blob);
		return r;
	}
	r = put_groups(blob, batch, groups);
	return r < 0 ? r : put_record(blob, batch);
}

/* Everything that waits to be committed. */
struct work {
	struct cached_blob *blobs; /* linked, a reference each */
	struct memo_put *memos;
	struct content_key *deletes;
	size_t delete_count;
};

static void work_take_locked(struct cache *cache, struct work *out)
{
	*out = (struct work){ .blobs = cache->dirty,
			      .memos = cache->memo_first,
			      .deletes = cache->deletes,
			      .delete_count = cache->delete_count };
	cache->dirty = NULL;
	cache->memo_first = cache->memo_last = NULL;
	cache->deletes = NULL;
	cache->delete_count = cache->delete_cap = 0;
	/* From now on they may be made dirty again, and listed anew. */
	for (struct cached_blob *blob = out->blobs; blob;
	     blob = blob->next_commit) {
		blob->next_commit = blob->next_dirty;
		blob->in_dirty = false;
	}
}

/* Not those that were opened again since. */
static int commit_deletes(struct cache *cache, const struct work *work,
			  struct index_batch *batch)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < work->delete_count; i++) {
		const struct content_key *key = &work->deletes[i];
		bool open;

		lock_take(&cache->lock);
		open = map_get_bytes(&cache->open, key->bytes,
				     sizeof(key->bytes));
		lock_drop(&cache->lock);
		if (!open)
			r = index_delete_blob(batch, key);
	}
	return r;
}

static int commit_work(struct cache *cache, const struct work *work)
{
	struct index_batch *batch;
	int r = index_begin(cache->index, &batch);

	if (r < 0)
		return r;
	r = commit_deletes(cache, work, batch);
	for (struct cached_blob *blob = work->blobs; blob;
	     blob = blob->next_commit) {
		int error = commit_blob(blob, batch);

		if (error == 0)
			continue;
		log_warn("cache", "%s is not kept: %s", blob->source->label,
			 strerror(-error));
		cache_bypass_begin(cache, error);
	}
	for (struct memo_put *put = work->memos; r == 0 && put; put = put->next)
		r = index_put_memo(batch, put->key, put->stored_wall_s,
				   put->value, put->len);
	if (r == 0)
		return index_commit(batch);
	index_abort(batch);
	return r;
}

static void memo_put_free(struct memo_put *put)
{
	free(put->key);
	free(put->value);
	free(put);
}

/* Written: memo_get() finds them in the index from now on. */
static void memos_done(struct cache *cache, struct memo_put *puts)
{
	while (puts) {
		struct memo_put *put = puts;

		puts = put->next;
		lock_take(&cache->lock);
		if (!put->replaced)
			map_remove(&cache->memo_pending, put->key);
		lock_drop(&cache->lock);
		memo_put_free(put);
	}
}

static void work_done(struct cache *cache, struct work *work)
{
	while (work->blobs) {
		struct cached_blob *blob = work->blobs;

		work->blobs = blob->next_commit;
		blob_unref(&blob->blob);
	}
	memos_done(cache, work->memos);
	free(work->deletes);
}

static bool work_waits_locked(const struct cache *cache)
{
	return cache->dirty || cache->memo_first || cache->delete_count;
}

/* Waits until there is work, then a moment for more of it. */
static bool commit_wait_locked(struct cache *cache)
{
	uint64_t until_ns;

	while (!work_waits_locked(cache) && !cache->closing)
		cond_wait(&cache->commit_wanted, &cache->lock);
	until_ns = clock_after_ns(COMMIT_DELAY_NS);
	while (!cache->closing && clock_now_ns() < until_ns)
		cond_wait_until(&cache->commit_wanted, &cache->lock, until_ns);
	return work_waits_locked(cache);
}

static void *commit_loop(void *arg)
{
	struct cache *cache = arg;
	struct work work;
	bool any;

	do {
		int r = 0;

		lock_take(&cache->lock);
		any = commit_wait_locked(cache);
		work_take_locked(cache, &work);
		lock_drop(&cache->lock);
		if (any)
			r = commit_work(cache, &work);
		if (r < 0) {
			cache->commit_failed = true;
			cache_bypass_begin(cache, r);
		}
		work_done(cache, &work);
	} while (any || !cache->closing);
	return NULL;
}

int commit_start(struct cache *cache)
{
	int r = thread_start("omnihub-commit", commit_loop, cache,
			     &cache->committer);

	cache->has_committer = r == 0;
	return r;
}

void commit_stop(struct cache *cache)
{
	if (!cache->has_committer)
		return;
	lock_take(&cache->lock);
	cache->closing = true;
	cond_wake_all(&cache->commit_wanted);
	lock_drop(&cache->lock);
	pthread_join(cache->committer, NULL);
	cache->has_committer = false;
}
