/* SPDX-License-Identifier: MIT */
/* The hub's digest of a whole file, against what is on the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

/* A file whose digest was wrong is refused so long, then asked for anew. */
#define BAD_NS (30 * NS_PER_S)

struct digest_check {
	struct pool_work work;
	struct cached_blob *blob; /* one reference */
	uint32_t drops;		  /* blob's, when it began */
};

/* -EBADMSG: not the bytes of that sum. */
static int read_whole(struct cached_blob *blob, uint32_t block, uint64_t sum,
		      void *bytes)
{
	size_t len = block_bytes(blob, block);
	int r = block_file_read(blob->cache->files, &blob->name,
				(uint64_t)block * BLOCK_BYTES, len, bytes);

	if (r == 0 && block_sum(blob, block, bytes, len) != sum)
		r = -EBADMSG;
	return r;
}

/*
 * One block, which is believed to be there.  Damage on this disk is not the
 * hub's: such a block is dropped, and there is nothing to prove.
 */
static int read_known(struct cached_blob *blob, uint32_t block, void *bytes)
{
	uint64_t sum;
	uint8_t seen;
	int r;

	lock_take(&blob->cache->lock);
	seen = blob->blocks[block];
	sum = blob->sums[block];
	blob->chunks[block / CHUNK_BLOCKS].pins++;
	lock_drop(&blob->cache->lock);
	r = (seen & BLOCK_STATE_MASK) == BLOCK_PRESENT
		    ? read_whole(blob, block, sum, bytes)
		    : -ENODATA;
	lock_take(&blob->cache->lock);
	chunk_unpin_locked(blob, block / CHUNK_BLOCKS);
	lock_drop(&blob->cache->lock);
	if (r == 0 || r == -ENODATA)
		return r;
	block_damaged(blob, block, seen, r);
	return -ENODATA;
}

/* One block of a file without a record, of a blob that nobody has yet. */
static int read_unknown(struct cached_blob *blob, uint32_t block, void *bytes)
{
	size_t len = block_bytes(blob, block);
	int r = block_file_read(blob->cache->files, &blob->name,
				(uint64_t)block * BLOCK_BYTES, len, bytes);

	if (r == 0)
		blob->sums[block] = block_sum(blob, block, bytes, len);
	return r;
}

/* All blocks are read, and if one is damaged those behind it too. */
static int walk_blocks(struct cached_blob *blob, struct hasher *hasher,
		       int (*read)(struct cached_blob *blob, uint32_t block,
				   void *bytes))
{
	auto_free uint8_t *bytes = mem_alloc(BLOCK_BYTES);
	bool damaged = false;
	int r = bytes ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < blob->block_count; i++) {
		r = read(blob, i, bytes);
		damaged = damaged || r == -ENODATA;
		if (r == 0)
			r = hasher_add(hasher, bytes, block_bytes(blob, i));
		if (r == -ENODATA)
			r = 0;
	}
	return r == 0 && damaged ? -ENODATA : r;
}

/* 0: it is what the hub says; -EBADMSG: it is not. */
static int prove(struct cached_blob *blob,
		 int (*read)(struct cached_blob *blob, uint32_t block,
			     void *bytes))
{
	struct hasher *hasher = hasher_new(blob->blob.digest.kind,
					   blob->blob.size);
	struct digest digest;
	int r;

	if (!hasher)
		return -ENOMEM;
	r = walk_blocks(blob, hasher, read);
	if (r < 0) {
		hasher_free(hasher);
		return r;
	}
	r = hasher_finish(hasher, &digest);
	if (r < 0)
		return r;
	return digest_proves(&digest, &blob->blob.digest) ? 0 : -EBADMSG;
}

/* Not what the hub promised: none of it is shown or kept. */
static void quarantine_locked(struct cached_blob *blob, struct wakes *wakes)
{
	blob->bad = true;
	blob->bad_until_ns = clock_after_ns(BAD_NS);
	blob->cache->stats.bad_digests++;
	while (blob->waiting)
		wait_end_locked(blob->waiting->wait, -EIO, wakes);
	for (uint32_t i = 0; i < blob->block_count; i++)
		if (block_state(blob, i) == BLOCK_PRESENT)
			block_drop_locked(blob, i);
}

/* @r, or -ENODATA: what was proven is not what is there now. */
static int check_end(struct cached_blob *blob, uint32_t drops, int r)
{
	struct cache *cache = blob->cache;
	struct wakes wakes = { 0 };

	lock_take(&cache->lock);
	blob->checking = false;
	if ((r == 0 || r == -EBADMSG) && blob->drops != drops)
		r = -ENODATA;
	if (r == 0) {
		blob->verified = true;
		blob->record_dirty = true;
		blob_dirty_locked(blob);
		blob_proven_locked(blob, &wakes);
	} else if (r == -EBADMSG) {
		quarantine_locked(blob, &wakes);
	} else {
		blob_unproven_locked(blob, r, &wakes); /* B5 */
	}
	lock_drop(&cache->lock);
	/* Before anyone is told, who might have it fetched anew. */
	if (r == -EBADMSG && block_file_remove(cache->files, &blob->name) < 0)
		log_warn("cache", "%s stays on the disk", blob->name.path);
	wakes_run(&wakes);
	if (r == -EBADMSG && cache->spoiled)
		cache->spoiled(cache->spoiled_arg, &blob->blob);
	return r;
}

static void check_run(struct pool_work *work)
{
	struct digest_check *check = container_of(work, struct digest_check,
						  work);
	struct cached_blob *blob = check->blob;
	int r = check_end(blob, check->drops, prove(blob, read_known));

	if (r == -EBADMSG)
		log_error("cache", "%s is not what the hub says it is: refused",
			  blob->source->label);
	else if (r < 0 && r != -ENODATA)
		log_warn("cache", "cannot check %s: %s", blob->source->label,
			 strerror(-r));
	if (r == -ENODATA)
		digest_check_start(blob); /* it may be complete again */
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
	struct digest_check *check;
	uint32_t drops;
	bool wanted;
	int r;

	lock_take(&cache->lock);
	wanted = wants_check_locked(blob) && !cache->quiet;
	drops = blob->drops;
	blob->checking = blob->checking || wanted;
	lock_drop(&cache->lock);
	if (!wanted)
		return;
	check = mem_zalloc(sizeof(*check));
	r = check ? 0 : -ENOMEM;
	if (r == 0) {
		check->work.run = check_run;
		check->blob = cached_of(blob_ref(&blob->blob));
		check->drops = drops;
		r = pool_add(cache->checks, &check->work);
	}
	if (r == 0)
		return;
	check_end(blob, drops, r);
	if (check)
		blob_unref(&blob->blob);
	free(check);
}

int digest_adopt(struct cached_blob *blob)
{
	struct cache *cache = blob->cache;
	int r;

	if (blob->blob.digest.kind == DIGEST_NONE)
		return -ENOENT;
	r = block_file_whole(cache->files, &blob->name, blob->blob.size);
	if (r == 0)
		r = prove(blob, read_unknown);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < blob->block_count; i++)
		blob->blocks[i] = BLOCK_PRESENT | BLOCK_PROVEN | BLOCK_DIRTY;
	blob->present = blob->block_count;
	blob->verified = true;
	blob->record_dirty = true;
	return 0;
}
