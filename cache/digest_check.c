/* SPDX-License-Identifier: MIT */
/* The hub's digest of a whole file, against what is on the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

struct digest_check {
	struct pool_work work;
	struct cached_blob *blob; /* one reference, all chunks pinned */
};

/* Each block of the file to @each, in order. */
static int walk_blocks(struct cached_blob *blob, struct hasher *hasher,
		       bool keep_sums)
{
	auto_free uint8_t *bytes = mem_alloc(BLOCK_BYTES);
	int r = bytes ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < blob->block_count; i++) {
		size_t len = block_bytes(blob, i);

		r = block_file_read(blob->cache->files, &blob->name,
				    (uint64_t)i * BLOCK_BYTES, len, bytes);
		if (r == 0)
			r = hasher_add(hasher, bytes, len);
		if (r == 0 && keep_sums)
			blob->sums[i] = block_sum(blob, i, bytes, len);
	}
	return r;
}

/* 0: it is what the hub says; -EBADMSG: it is not. */
static int prove(struct cached_blob *blob, bool keep_sums)
{
	struct hasher *hasher = hasher_new(blob->blob.digest.kind,
					   blob->blob.size);
	struct digest digest;
	int r;

	if (!hasher)
		return -ENOMEM;
	r = walk_blocks(blob, hasher, keep_sums);
	if (r < 0) {
		hasher_free(hasher);
		return r;
	}
	r = hasher_finish(hasher, &digest);
	if (r < 0)
		return r;
	return digest_equal(&digest, &blob->blob.digest) ? 0 : -EBADMSG;
}

static void chunks_pin_locked(struct cached_blob *blob, int by)
{
	uint32_t chunks = (blob->block_count + CHUNK_BLOCKS - 1) / CHUNK_BLOCKS;

	for (uint32_t i = 0; i < chunks; i++)
		blob->chunks[i].pins += (uint32_t)by;
}

/* Not what the hub promised: none of it is shown or kept. */
static void quarantine_locked(struct cached_blob *blob, struct wakes *wakes)
{
	blob->bad = true;
	blob->cache->stats.bad_digests++;
	while (blob->waiting)
		wait_end_locked(blob->waiting->wait, -EIO, wakes);
	for (uint32_t i = 0; i < blob->block_count; i++)
		if (block_state(blob, i) == BLOCK_PRESENT)
			block_drop_locked(blob, i);
}

static void check_end(struct cached_blob *blob, int r)
{
	struct cache *cache = blob->cache;
	struct wakes wakes = { 0 };

	lock_take(&cache->lock);
	chunks_pin_locked(blob, -1);
	blob->checking = false;
	if (r == 0) {
		blob->verified = true;
		blob->record_dirty = true;
		blob_dirty_locked(blob);
		blob_proven_locked(blob, &wakes);
	} else if (r == -EBADMSG) {
		quarantine_locked(blob, &wakes);
	}
	lock_drop(&cache->lock);
	wakes_run(&wakes);
}

static void check_run(struct pool_work *work)
{
	struct digest_check *check = container_of(work, struct digest_check,
						  work);
	struct cached_blob *blob = check->blob;
	int r = prove(blob, false);

	if (r == -EBADMSG)
		log_error("cache", "%s is not what the hub says it is: refused",
			  blob->source->label);
	else if (r < 0)
		log_warn("cache", "cannot check %s: %s", blob->source->label,
			 strerror(-r));
	check_end(blob, r);
	blob_unref(&blob->blob);
	free(check);
}

static bool wants_check_locked(const struct cached_blob *blob)
{
	return !blob->verified && !blob->bad && !blob->checking &&
	       blob->present == blob->block_count && blob->block_count > 0 &&
	       blob->blob.digest.kind != DIGEST_NONE &&
	       blob->cache->verify != CACHE_VERIFY_OFF;
}

void digest_check_start(struct cached_blob *blob)
{
	struct cache *cache = blob->cache;
	struct digest_check *check = mem_zalloc(sizeof(*check));
	bool wanted;

	if (!check)
		return;
	check->work.run = check_run;
	check->blob = blob;
	lock_take(&cache->lock);
	wanted = wants_check_locked(blob) && !cache->closing;
	if (wanted) {
		blob->checking = true;
		chunks_pin_locked(blob, 1);
		blob_ref(&blob->blob);
	}
	lock_drop(&cache->lock);
	if (!wanted) {
		free(check);
	} else if (pool_add(cache->checks, &check->work) < 0) {
		check_end(blob, -EBUSY);
		blob_unref(&blob->blob);
		free(check);
	}
}

int digest_adopt(struct cached_blob *blob)
{
	struct cache *cache = blob->cache;
	int r;

	if (blob->blob.digest.kind == DIGEST_NONE)
		return -ENOENT;
	r = block_file_whole(cache->files, &blob->name, blob->blob.size);
	if (r == 0)
		r = prove(blob, true);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < blob->block_count; i++)
		blob->blocks[i] = BLOCK_PRESENT | BLOCK_PROVEN | BLOCK_DIRTY;
	blob->present = blob->block_count;
	blob->verified = true;
	blob->record_dirty = true;
	return 0;
}
