/* SPDX-License-Identifier: MIT */
/* Small facts: found at once after a put, on disk with the next commit. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/cached_blob.h"

static int pending_get_locked(struct cache *cache, const char *key,
			      struct str *value, int64_t *stored_wall_s)
{
	const struct memo_put *put = map_get(&cache->memo_pending, key);

	if (!put)
		return -ENOENT;
	if (stored_wall_s)
		*stored_wall_s = put->stored_wall_s;
	return str_append(value, put->value, put->len);
}

static int cache_memo_get(struct memo *memo, const char *key, struct str *value,
			  int64_t *stored_wall_s)
{
	struct cache *cache = container_of(memo, struct cache, memo);
	int r;

	lock_take(&cache->lock);
	r = pending_get_locked(cache, key, value, stored_wall_s);
	lock_drop(&cache->lock);
	if (r != -ENOENT)
		return r;
	return index_get_memo(cache->index, key, value, stored_wall_s);
}

/* NULL: no memory, and so no memo. */
static struct memo_put *put_new(const char *key, const void *value, size_t len)
{
	struct memo_put *put = mem_zalloc(sizeof(*put));

	if (!put)
		return NULL;
	put->key = mem_strdup(key);
	put->value = mem_dup(value, len);
	put->len = len;
	put->stored_wall_s = clock_wall_s();
	if (put->key && (put->value || !len))
		return put;
	free(put->key);
	free(put->value);
	free(put);
	return NULL;
}

static void cache_memo_put(struct memo *memo, const char *key,
			   const void *value, size_t len)
{
	struct cache *cache = container_of(memo, struct cache, memo);
	struct memo_put *put = put_new(key, value, len);
	struct memo_put *old;

	if (!put)
		return;
	lock_take(&cache->lock);
	old = map_remove(&cache->memo_pending, key);
	if (old)
		old->replaced = true;
	if (map_add(&cache->memo_pending, key, put) < 0)
		put->replaced = true; /* found once it is in the index */
	if (cache->memo_last)
		cache->memo_last->next = put;
	else
		cache->memo_first = put;
	cache->memo_last = put;
	cond_wake_one(&cache->commit_wanted);
	lock_drop(&cache->lock);
}

const struct memo_ops cache_memo_ops = {
	.get = cache_memo_get,
	.put = cache_memo_put,
};
