/* SPDX-License-Identifier: MIT */
#include "cache/cache.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

/* Where nothing is said: as much as nobody will miss. */
#define BUDGET_SHARE 10
#define FREE_SHARE 20
#define FREE_MOST (10ULL << 30) /* others want no more of a large disk */

/* How exactly it is known, across mounts, when a blob was last used. */
#define USED_STEP_S 3600

/* Complete files wait here for their proof; more are checked when read. */
#define CHECK_QUEUE_MAX 1024

static int budget_init(struct cache *cache, const struct cache_options *options)
{
	struct statvfs st;
	uint64_t disk_bytes;

	if (fstatvfs(cache->dir.dir_fd, &st) < 0)
		return -errno;
	disk_bytes = (uint64_t)st.f_blocks * st.f_frsize;
	cache->bytes_max = options->bytes_max ? options->bytes_max
					      : disk_bytes / BUDGET_SHARE;
	cache->free_min = options->free_min != CACHE_FREE_MIN
				  ? options->free_min
				  : u64_min(disk_bytes / FREE_SHARE, FREE_MOST);
	cache->stats.bytes_max = cache->bytes_max;
	return 0;
}

static int add_closed(void *arg, const struct content_key *key,
		      const struct blob_record *record, uint64_t blocks)
{
	struct cache *cache = arg;
	struct closed_blob closed = { .key = *key,
				      .used_wall_s = record->used_wall_s,
				      .bytes = blocks * BLOCK_BYTES,
				      .pinned = record->pinned };

	lock_take(&cache->lock);
	closed_add_locked(cache, &closed);
	lock_drop(&cache->lock);
	return 0;
}

/* A file that the index does not know takes room too, and can go (D4). */
static void add_unknown(void *arg, const struct block_file_found *file)
{
	struct cache *cache = arg;
	struct closed_blob closed = {
		.key = file->key,
		.used_wall_s = file->written_wall_s,
		.bytes = u64_ceil(file->disk_bytes, BLOCK_BYTES),
	};
	struct blob_record record;

	if (index_get_blob(cache->index, &file->key, &record) == 0)
		return;
	lock_take(&cache->lock);
	closed_add_locked(cache, &closed);
	lock_drop(&cache->lock);
}

static int index_init(struct cache *cache, const char *dir)
{
	auto_free char *path = mem_printf("%s/index", dir);
	int r = path ? index_open(path, &cache->index) : -ENOMEM;

	if (r == 0)
		r = index_walk(cache->index, add_closed, cache);
	if (r == 0 && (cache->dir.suspect || index_is_new(cache->index)))
		r = block_files_walk(cache->files, add_unknown, cache);
	return r;
}

static void cache_free(struct cache *cache, bool clean)
{
	commit_stop(cache);
	if (cache->checks)
		pool_free(cache->checks);
	if (cache->index)
		index_close(cache->index);
	if (cache->files)
		block_files_free(cache->files);
	cache_dir_close(&cache->dir, clean);
	map_release(&cache->open);
	map_release(&cache->memo_pending);
	cond_release(&cache->commit_wanted);
	lock_release(&cache->lock);
	free(cache->closed);
	free(cache->deletes);
	free(cache);
}

static struct cache *cache_new(const struct cache_options *options)
{
	struct cache *cache = mem_zalloc(sizeof(*cache));

	if (!cache)
		return NULL;
	cache->memo.ops = &cache_memo_ops;
	cache->verify = options->verify;
	cache->deadline_s = options->deadline_s;
	cache->spoiled = options->spoiled;
	cache->spoiled_arg = options->spoiled_arg;
	cache->dir = (struct cache_dir){ -1, -1, -1, false };
	lock_init(&cache->lock);
	cond_init(&cache->commit_wanted);
	map_init(&cache->open);
	map_init(&cache->memo_pending);
	return cache;
}

int cache_open(const struct cache_options *options, struct cache **out)
{
	struct cache *cache = cache_new(options);
	int r = cache ? cache_dir_open(options->dir, &cache->dir) : -ENOMEM;

	if (r == 0)
		r = block_files_new(cache->dir.blobs_fd, &cache->files);
	if (r == 0)
		r = budget_init(cache, options);
	if (r == 0)
		r = index_init(cache, options->dir);
	if (r == 0)
		r = pool_new("omnihub-check", 1, CHECK_QUEUE_MAX,
			     &cache->checks);
	if (r == 0)
		r = commit_start(cache);
	/* The budget may be smaller than it was. */
	if (r == 0)
		(void)!cache_make_room(cache, 0);
	if (r < 0) {
		if (cache)
			cache_free(cache, false);
		return r;
	}
	*out = cache;
	return 0;
}

void cache_quiet(struct cache *cache)
{
	const struct map_slot *slot;
	struct wakes wakes = { 0 };
	size_t at = 0;

	lock_take(&cache->lock);
	cache->quiet = true;
	lock_drop(&cache->lock);
	pool_stop(cache->checks);
	lock_take(&cache->lock);
	while ((slot = map_next(&cache->open, &at))) {
		struct cached_blob *blob = slot->value;

		while (blob->waiting)
			wait_end_locked(blob->waiting->wait, -ESHUTDOWN,
					&wakes);
	}
	lock_drop(&cache->lock);
	wakes_run(&wakes);
}

void cache_close(struct cache *cache)
{
	/* Checks may make blobs dirty: they end before the last commit. */
	cache_quiet(cache);
	commit_stop(cache);
	cache_free(cache, !cache->commit_failed);
}

/* ---- blobs ---- */

static void free_unopened(struct cached_blob *blob)
{
	free(blob->blocks);
	free(blob->sums);
	free(blob->chunks);
	free(blob);
}

static int blob_alloc(struct cache *cache, struct source *source,
		      struct cached_blob **out)
{
	struct cached_blob *blob = mem_zalloc(sizeof(*blob));
	uint64_t blocks = (source->size + BLOCK_BYTES - 1) / BLOCK_BYTES;

	if (!blob)
		return -ENOMEM;
	if (blocks > UINT32_MAX / 2) {
		free(blob);
		return -EFBIG;
	}
	blob_init(&blob->blob, &cached_blob_ops, source->size, &source->key,
		  &source->digest);
	blob->cache = cache;
	blob->source = source;
	block_name_make(&source->key, &blob->name);
	blob->block_count = (uint32_t)blocks;
	blob->blocks = mem_array(blocks + 1, sizeof(*blob->blocks));
	blob->sums = mem_array(blocks + 1, sizeof(*blob->sums));
	blob->chunks = mem_array(blocks / CHUNK_BLOCKS + 1,
				 sizeof(*blob->chunks));
	if (!blob->blocks || !blob->sums || !blob->chunks) {
		free_unopened(blob);
		return -ENOMEM;
	}
	*out = blob;
	return 0;
}

static void load_group(struct cached_blob *blob, uint32_t group,
		       const struct group_record *record)
{
	uint32_t first = group * GROUP_BLOCKS;

	for (uint32_t i = 0; i < GROUP_BLOCKS && first + i < blob->block_count;
	     i++) {
		if (!(record->present[i / 8] & 1u << i % 8))
			continue;
		blob->blocks[first + i] = BLOCK_PRESENT;
		blob->sums[first + i] = record->sums[i];
		blob->present++;
	}
}

/* What the index knows; without a record, what can be proven. */
static void blob_load(struct cached_blob *blob)
{
	const struct content_key *key = &blob->blob.key;
	struct index *index = blob->cache->index;
	struct blob_record record;
	struct group_record group;

	if (index_get_blob(index, key, &record) < 0) {
		if (digest_adopt(blob) < 0)
			log_debug("cache", "nothing of %s is cached",
				  blob->source->label);
		return;
	}
	if (record.size != blob->blob.size)
		return;
	if (clock_wall_s() - record.used_wall_s >= USED_STEP_S)
		blob->record_dirty = true;
	for (uint32_t i = 0; i * GROUP_BLOCKS < blob->block_count; i++)
		if (index_get_group(index, key, i, &group) == 0)
			load_group(blob, i, &group);
	blob->pinned = record.pinned;
	blob->verified = record.verified && blob->present == blob->block_count;
}

static struct cached_blob *find_open_locked(struct cache *cache,
					    const struct content_key *key)
{
	struct cached_blob *blob = map_get_bytes(&cache->open, key->bytes,
						 sizeof(key->bytes));

	return blob && cached_try_ref(blob) ? blob : NULL;
}

/* Enters @fresh, unless one of its key came first: that one. */
static int enter(struct cache *cache, struct cached_blob *fresh,
		 struct cached_blob **out)
{
	const struct content_key *key = &fresh->blob.key;
	int r = 0;

	lock_take(&cache->lock);
	*out = find_open_locked(cache, key);
	if (!*out) {
		/* One whose last reference just went may still be there. */
		map_remove_bytes(&cache->open, key->bytes, sizeof(key->bytes));
		r = map_add_bytes(&cache->open, key->bytes, sizeof(key->bytes),
				  fresh);
	}
	if (!*out && r == 0) {
		source_ref(fresh->source);
		closed_remove_locked(cache, key);
		cache->stats.bytes_used += fresh->present * BLOCK_BYTES;
		cache->stats.blobs++;
		if (fresh->record_dirty)
			blob_dirty_locked(fresh);
		*out = fresh;
	}
	lock_drop(&cache->lock);
	return r;
}

/* Is there a local file?  Then it is read in place. */
static bool is_local(struct source *source)
{
	int fd = source->ops->open_local ? source->ops->open_local(source)
					 : -ENOENT;

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int cache_blob(struct cache *cache, struct source *source, struct blob **out)
{
	struct cached_blob *fresh;
	struct cached_blob *blob;
	int r;

	lock_take(&cache->lock);
	blob = find_open_locked(cache, &source->key);
	lock_drop(&cache->lock);
	if (blob) {
		*out = &blob->blob;
		return 0;
	}
	r = blob_alloc(cache, source, &fresh);
	if (r < 0)
		return r;
	fresh->local = is_local(source);
	if (!fresh->local)
		blob_load(fresh);
	r = enter(cache, fresh, &blob);
	if (r < 0 || blob != fresh)
		free_unopened(fresh);
	if (r < 0)
		return r;
	/* A crash may have come between the last block and the proof. */
	if (blob == fresh && !fresh->local)
		digest_check_start(fresh);
	*out = &blob->blob;
	return 0;
}

int cache_blob_info(struct cache *cache, struct blob *base,
		    struct cache_blob_info *out)
{
	struct cached_blob *blob = cached_blob_of(base);

	*out = (struct cache_blob_info){ .state = CACHE_BLOB_LOCAL };
	if (!blob)
		return -EINVAL;
	if (blob->local)
		return 0;
	lock_take(&cache->lock);
	out->state = blob->bad				  ? CACHE_BLOB_BAD
		     : blob->verified			  ? CACHE_BLOB_VERIFIED
		     : blob->present == blob->block_count ? CACHE_BLOB_COMPLETE
							  : CACHE_BLOB_PARTIAL;
	out->cached_bytes = blob->present == blob->block_count
				    ? base->size
				    : blob->present * BLOCK_BYTES;
	out->pinned = blob->pinned;
	lock_drop(&cache->lock);
	return 0;
}

int cache_blob_pin(struct cache *cache, struct blob *base, bool pinned)
{
	struct cached_blob *blob = cached_blob_of(base);

	if (!blob || blob->local)
		return -EINVAL;
	lock_take(&cache->lock);
	blob->pinned = pinned;
	blob->record_dirty = true;
	blob_dirty_locked(blob);
	lock_drop(&cache->lock);
	return 0;
}

int cache_blob_drop(struct cache *cache, struct blob *base)
{
	struct cached_blob *blob = cached_blob_of(base);

	if (!blob || blob->local)
		return -EINVAL;
	cache_evict_blob(blob);
	lock_take(&cache->lock);
	blob->bad = false;
	lock_drop(&cache->lock);
	return 0;
}

struct memo *cache_memo(struct cache *cache)
{
	return &cache->memo;
}

void cache_stats(struct cache *cache, struct cache_stats *out)
{
	lock_take(&cache->lock);
	*out = cache->stats;
	out->bypass = cache->bypass_until_ns > clock_now_ns();
	lock_drop(&cache->lock);
}
