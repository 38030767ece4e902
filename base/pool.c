/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/lock.h"
#include "base/mem.h"
#include "base/thread.h"

struct pool {
	size_t queue_max;	   /* fixed */
	pthread_t *threads;	   /* fixed once started; owned */
	unsigned int thread_count; /* as threads */
	struct lock lock;	   /* a leaf */
	struct cond changed;	   /* with lock: work came, or closing */
	struct pool_work *head GUARDED_BY(lock);
	struct pool_work **tail GUARDED_BY(lock);
	size_t queued GUARDED_BY(lock);
	size_t at_work GUARDED_BY(lock);
	bool closing GUARDED_BY(lock);
};

/* NULL: closing, and nothing is left. */
static struct pool_work *take_work_locked(struct pool *pool)
{
	struct pool_work *work;

	lock_assert_held(&pool->lock);
	while (!pool->head && !pool->closing)
		cond_wait(&pool->changed, &pool->lock);
	work = pool->head;
	if (!work)
		return NULL;
	pool->head = work->next;
	if (!pool->head)
		pool->tail = &pool->head;
	pool->queued--;
	pool->at_work++;
	return work;
}

static void *pool_thread(void *arg)
{
	struct pool *pool = arg;
	struct pool_work *work;

	lock_take(&pool->lock);
	while ((work = take_work_locked(pool))) {
		lock_drop(&pool->lock);
		work->run(work);
		lock_take(&pool->lock);
		pool->at_work--;
	}
	lock_drop(&pool->lock);
	return NULL;
}

int pool_new(const char *name, unsigned int threads, size_t queue_max,
	     struct pool **out)
{
	struct pool *pool = mem_zalloc(sizeof(*pool));

	assert(threads > 0);
	if (!pool)
		return -ENOMEM;
	pool->queue_max = queue_max;
	pool->tail = &pool->head;
	lock_init(&pool->lock);
	cond_init(&pool->changed);
	pool->threads = mem_array(threads, sizeof(*pool->threads));
	if (!pool->threads) {
		pool_free(pool);
		return -ENOMEM;
	}
	for (; pool->thread_count < threads; pool->thread_count++) {
		int r = thread_start(name, pool_thread, pool,
				     &pool->threads[pool->thread_count]);

		if (r < 0) {
			pool_free(pool);
			return r;
		}
	}
	*out = pool;
	return 0;
}

static int queue_locked(struct pool *pool, struct pool_work *work)
{
	lock_assert_held(&pool->lock);
	if (pool->closing)
		return -ESHUTDOWN;
	if (pool->queued >= pool->queue_max)
		return -EBUSY;
	work->next = NULL;
	*pool->tail = work;
	pool->tail = &work->next;
	pool->queued++;
	cond_wake_one(&pool->changed);
	return 0;
}

int pool_add(struct pool *pool, struct pool_work *work)
{
	int r;

	lock_take(&pool->lock);
	r = queue_locked(pool, work);
	lock_drop(&pool->lock);
	return r;
}

size_t pool_load(struct pool *pool)
{
	size_t load;

	lock_take(&pool->lock);
	load = pool->queued + pool->at_work;
	lock_drop(&pool->lock);
	return load;
}

void pool_stop(struct pool *pool)
{
	if (!pool)
		return;
	lock_take(&pool->lock);
	pool->closing = true;
	cond_wake_all(&pool->changed);
	lock_drop(&pool->lock);
	for (unsigned int i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pool->thread_count = 0;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pool_stop(pool);
	cond_release(&pool->changed);
	lock_release(&pool->lock);
	free(pool->threads);
	free(pool);
}
