/* SPDX-License-Identifier: MIT */
#include "providers/repo_cache.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"

struct slot {
	char *path;	      /* NULL: free */
	struct repo *repo;    /* one reference, or NULL */
	int64_t until_wall_s; /* believed before */
	uint64_t stamp;	      /* of the last use */
	unsigned int waiters; /* threads that look at it when it is done */
	int result;	      /* of the last opening, for the waiters */
	bool busy;	      /* a thread is opening it */
	bool ask;	      /* refresh was called for */
};

struct repo_cache {
	struct repo_opener opener; /* fixed */
	struct lock lock;
	struct cond done;		   /* some opening ended */
	uint64_t stamp;			   /* lock */
	struct slot slots[REPOS_OPEN_MAX]; /* lock */
};

int repo_cache_new(const struct repo_opener *opener, struct repo_cache **out)
{
	struct repo_cache *cache = mem_zalloc(sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->opener = *opener;
	lock_init(&cache->lock);
	cond_init(&cache->done);
	*out = cache;
	return 0;
}

static void slot_release(struct slot *slot)
{
	free(slot->path);
	if (slot->repo)
		repo_unref(slot->repo);
	*slot = (struct slot){ 0 };
}

void repo_cache_free(struct repo_cache *cache)
{
	for (size_t i = 0; i < ARRAY_LEN(cache->slots); i++)
		slot_release(&cache->slots[i]);
	cond_release(&cache->done);
	lock_release(&cache->lock);
	free(cache);
}

static struct slot *slot_find_locked(struct repo_cache *cache, const char *path)
{
	lock_assert_held(&cache->lock);
	for (size_t i = 0; i < ARRAY_LEN(cache->slots); i++) {
		struct slot *slot = &cache->slots[i];

		if (slot->path && !strcmp(slot->path, path))
			return slot;
	}
	return NULL;
}

/*
 * A free slot, at need that of the least recently used, whose repository
 * goes to *@old.  NULL: all are busy.
 */
static struct slot *slot_take_locked(struct repo_cache *cache,
				     struct repo **old)
{
	struct slot *best = NULL;

	lock_assert_held(&cache->lock);
	for (size_t i = 0; i < ARRAY_LEN(cache->slots); i++) {
		struct slot *slot = &cache->slots[i];

		if (slot->busy || slot->waiters)
			continue;
		if (!best || slot->stamp < best->stamp)
			best = slot;
	}
	if (!best)
		return NULL;
	*old = take_ptr(best->repo);
	slot_release(best);
	return best;
}

static struct slot *slot_add_locked(struct repo_cache *cache, const char *path,
				    struct repo **old)
{
	struct slot *slot = slot_take_locked(cache, old);

	if (!slot)
		return NULL;
	slot->path = mem_strdup(path);
	return slot->path ? slot : NULL;
}

/* It gave up sooner than one with @deadline_ns would have. */
static bool gave_up_early(int r, uint64_t deadline_ns)
{
	return (r == -EINPROGRESS || r == -ETIMEDOUT) &&
	       clock_now_ns() < deadline_ns;
}

/*
 * Waits while another thread opens @slot.  -ETIMEDOUT, or its result; 1: to
 * be tried again.
 */
static int slot_wait_locked(struct repo_cache *cache, struct slot *slot,
			    uint64_t deadline_ns, struct repo **out)
{
	int r = 0;

	lock_assert_held(&cache->lock);
	if (deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	slot->waiters++;
	while (slot->busy && r == 0)
		r = cond_wait_until(&cache->done, &cache->lock, deadline_ns);
	slot->waiters--;
	if (slot->busy)
		return -ETIMEDOUT;
	if (slot->ask || gave_up_early(slot->result, deadline_ns))
		return 1; /* what was found may be of before a refresh */
	if (slot->result == 0)
		*out = repo_ref(slot->repo);
	return slot->result;
}

/* Opens without the lock, then tells all who wait.  Holds it again. */
static int slot_open_locked(struct repo_cache *cache, struct slot *slot,
			    const char *path, uint64_t deadline_ns,
			    struct repo **out, struct repo **old)
{
	bool ask = slot->ask;
	struct repo *repo = NULL;
	int64_t until = 0;
	int r;

	slot->busy = true;
	slot->ask = false;
	lock_drop(&cache->lock);
	r = cache->opener.open(cache->opener.arg, path, ask, deadline_ns, &repo,
			       &until);
	lock_take(&cache->lock);
	slot->busy = false;
	if (r == -EINPROGRESS)
		slot->ask |= ask; /* by who may wait for it */
	slot->result = r;
	slot->until_wall_s = until;
	*old = slot->repo;
	slot->repo = repo;
	if (r == 0)
		*out = repo_ref(repo);
	if (r < 0 && !slot->waiters && !slot->ask)
		slot_release(slot);
	cond_wake_all(&cache->done);
	return r;
}

static int open_once(struct repo_cache *cache, const char *path,
		     uint64_t deadline_ns, struct repo **out)
{
	auto_repo struct repo *dropped = NULL, *replaced = NULL;
	struct slot *slot;
	int64_t until;
	int r;

	lock_take(&cache->lock);
	slot = slot_find_locked(cache, path);
	if (!slot)
		slot = slot_add_locked(cache, path, &dropped);
	if (!slot) {
		lock_drop(&cache->lock);
		return cache->opener.open(cache->opener.arg, path, false,
					  deadline_ns, out, &until);
	}
	slot->stamp = ++cache->stamp;
	if (slot->busy) {
		r = slot_wait_locked(cache, slot, deadline_ns, out);
	} else if (slot->repo && !slot->ask &&
		   clock_wall_s() < slot->until_wall_s) {
		*out = repo_ref(slot->repo);
		r = 0;
	} else {
		r = slot_open_locked(cache, slot, path, deadline_ns, out,
				     &replaced);
	}
	lock_drop(&cache->lock);
	return r;
}

int repo_cache_open(struct repo_cache *cache, const char *path,
		    uint64_t deadline_ns, struct repo **out)
{
	int r;

	do {
		r = open_once(cache, path, deadline_ns, out);
	} while (r == 1);
	return r;
}

void repo_cache_refresh(struct repo_cache *cache, const char *path)
{
	auto_repo struct repo *dropped = NULL;
	struct slot *slot;

	lock_take(&cache->lock);
	slot = slot_find_locked(cache, path);
	if (!slot)
		slot = slot_add_locked(cache, path, &dropped);
	if (slot)
		slot->ask = true;
	lock_drop(&cache->lock);
}
