/* SPDX-License-Identifier: MIT */
/*
 * base/pool.h - a fixed number of threads and a bounded queue of work.
 *
 * Threads: every call from any thread, pool_stop() and pool_free() from none
 * of its own.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/annot.h"

struct pool;

struct pool_work {
	void (*run)(struct pool_work *work);
	struct pool_work *next; /* private to the pool while queued */
};

/*
 * @name (at most 15 bytes) is that of the threads.  On success the caller
 * frees *@out with pool_free().  -ENOMEM, -EAGAIN: no thread to be had.
 */
int pool_new(const char *name, unsigned int threads, size_t queue_max,
	     struct pool **out) MUST_CHECK;

/*
 * Queues @work, which is embedded in what it works on and belongs to the
 * pool until run() is called; run() may free it.
 * -EBUSY: the queue is full; -ESHUTDOWN: the pool is closing.
 */
int pool_add(struct pool *pool, struct pool_work *work) MUST_CHECK;

/* Threads now at work plus work queued. */
size_t pool_load(struct pool *pool);

/*
 * Runs what is queued, then ends the threads; pool_add() gives -ESHUTDOWN
 * from now on.  Once.  NULL is fine.
 */
void pool_stop(struct pool *pool);

/* Stops it unless that was done, and frees it. */
void pool_free(struct pool *pool);

#endif
