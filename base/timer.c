/* SPDX-License-Identifier: MIT */
#include "base/timer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/thread.h"

/*
 * T1  heap[1 .. count] are the armed timers; heap[i]->place == i.
 * T2  No timer is due before its parent: heap[i / 2]->at_ns <= heap[i]->at_ns.
 */
struct timers {
	pthread_t thread;    /* fixed once started */
	struct lock lock;    /* a leaf */
	struct cond changed; /* with lock: a new first timer, or closing */
	struct timer **heap GUARDED_BY(lock);
	size_t count GUARDED_BY(lock);
	size_t cap GUARDED_BY(lock);
	bool closing GUARDED_BY(lock);
};

static void heap_put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place; /* T1 */
}

static void heap_rise(struct timers *timers, size_t at)
{
	struct timer *timer = timers->heap[at];

	for (; at > 1 && timers->heap[at / 2]->at_ns > timer->at_ns; at /= 2)
		heap_put(timers, at, timers->heap[at / 2]);
	heap_put(timers, at, timer);
}

static void heap_sink(struct timers *timers, size_t at)
{
	struct timer *timer = timers->heap[at];

	for (;;) {
		size_t child = 2 * at;

		if (child < timers->count &&
		    timers->heap[child + 1]->at_ns < timers->heap[child]->at_ns)
			child++;
		if (child > timers->count ||
		    timers->heap[child]->at_ns >= timer->at_ns)
			break;
		heap_put(timers, at, timers->heap[child]);
		at = child;
	}
	heap_put(timers, at, timer);
}

static void heap_remove_locked(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last = timers->heap[timers->count--];

	lock_assert_held(&timers->lock);
	timer->place = 0;
	if (last == timer)
		return;
	heap_put(timers, place, last);
	heap_rise(timers, place);
	heap_sink(timers, last->place);
}

static int heap_add_locked(struct timers *timers, struct timer *timer)
{
	lock_assert_held(&timers->lock);
	if (timers->count + 1 >= timers->cap) {
		size_t cap = timers->cap > 0 ? 2 * timers->cap : 16;
		struct timer **heap = mem_resize(timers->heap, cap,
						 sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		timers->heap = heap;
		timers->cap = cap;
	}
	heap_put(timers, ++timers->count, timer);
	heap_rise(timers, timers->count);
	return 0;
}

/* Waits for a timer to be due and takes it out; NULL: closing. */
static struct timer *next_due_locked(struct timers *timers)
{
	lock_assert_held(&timers->lock);
	while (!timers->closing) {
		struct timer *first = timers->count ? timers->heap[1] : NULL;

		if (!first) {
			cond_wait(&timers->changed, &timers->lock);
		} else if (first->at_ns <= clock_now_ns()) {
			heap_remove_locked(timers, first);
			return first;
		} else {
			cond_wait_until(&timers->changed, &timers->lock,
					first->at_ns);
		}
	}
	return NULL;
}

static void *timers_thread(void *arg)
{
	struct timers *timers = arg;
	struct timer *due;

	lock_take(&timers->lock);
	while ((due = next_due_locked(timers))) {
		lock_drop(&timers->lock);
		due->fire(due);
		lock_take(&timers->lock);
	}
	lock_drop(&timers->lock);
	return NULL;
}

static void timers_destroy(struct timers *timers)
{
	cond_release(&timers->changed);
	lock_release(&timers->lock);
	free(timers->heap);
	free(timers);
}

int timers_new(struct timers **out)
{
	struct timers *timers = mem_zalloc(sizeof(*timers));
	int r;

	if (!timers)
		return -ENOMEM;
	lock_init(&timers->lock);
	cond_init(&timers->changed);
	r = thread_start("omnihub-timer", timers_thread, timers,
			 &timers->thread);
	if (r < 0) {
		timers_destroy(timers);
		return r;
	}
	*out = timers;
	return 0;
}

void timers_free(struct timers *timers)
{
	if (!timers)
		return;
	lock_take(&timers->lock);
	timers->closing = true;
	cond_wake_all(&timers->changed);
	lock_drop(&timers->lock);
	pthread_join(timers->thread, NULL);
	timers_destroy(timers);
}

int timer_arm(struct timers *timers, struct timer *timer, uint64_t at_ns)
{
	int r;

	lock_take(&timers->lock);
	assert(timer->place == 0);
	timer->at_ns = at_ns;
	r = heap_add_locked(timers, timer);
	if (r == 0 && timer->place == 1)
		cond_wake_one(&timers->changed);
	lock_drop(&timers->lock);
	return r;
}

bool timer_cancel(struct timers *timers, struct timer *timer)
{
	bool armed;

	lock_take(&timers->lock);
	armed = timer->place > 0;
	if (armed)
		heap_remove_locked(timers, timer);
	lock_drop(&timers->lock);
	return armed;
}
