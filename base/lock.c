/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"

#ifdef NDEBUG
#define MUTEX_TYPE PTHREAD_MUTEX_DEFAULT
#else
#define MUTEX_TYPE PTHREAD_MUTEX_ERRORCHECK
#endif

/* These calls fail only if misused: an assert is their whole handling. */
static void must_be(int got, int wanted)
{
	assert(got == wanted);
	(void)got;
	(void)wanted;
}

void lock_init(struct lock *lock)
{
	pthread_mutexattr_t attr;

	must_be(pthread_mutexattr_init(&attr), 0);
	must_be(pthread_mutexattr_settype(&attr, MUTEX_TYPE), 0);
	must_be(pthread_mutex_init(&lock->mutex, &attr), 0);
	must_be(pthread_mutexattr_destroy(&attr), 0);
}

void lock_release(struct lock *lock)
{
	must_be(pthread_mutex_destroy(&lock->mutex), 0);
}

void lock_take(struct lock *lock)
{
	must_be(pthread_mutex_lock(&lock->mutex), 0);
}

void lock_drop(struct lock *lock)
{
	must_be(pthread_mutex_unlock(&lock->mutex), 0);
}

void lock_assert_held(struct lock *lock)
{
#ifndef NDEBUG
	must_be(pthread_mutex_lock(&lock->mutex), EDEADLK);
#else
	(void)lock;
#endif
}

void cond_init(struct cond *cond)
{
	pthread_condattr_t attr;

	must_be(pthread_condattr_init(&attr), 0);
	must_be(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
	must_be(pthread_cond_init(&cond->cond, &attr), 0);
	must_be(pthread_condattr_destroy(&attr), 0);
}

void cond_release(struct cond *cond)
{
	must_be(pthread_cond_destroy(&cond->cond), 0);
}

void cond_wait(struct cond *cond, struct lock *lock)
{
	must_be(pthread_cond_wait(&cond->cond, &lock->mutex), 0);
}

int cond_wait_until(struct cond *cond, struct lock *lock, uint64_t until_ns)
{
	uint64_t look_ns;
	struct timespec at;
	int r;

	if (until_ns == CLOCK_NEVER) {
		cond_wait(cond, lock);
		return 0;
	}
	look_ns = clock_wait_ns(until_ns);
	at.tv_sec = (time_t)(look_ns / NS_PER_S);
	at.tv_nsec = (long)(look_ns % NS_PER_S);
	r = pthread_cond_timedwait(&cond->cond, &lock->mutex, &at);
	if (r != ETIMEDOUT)
		must_be(r, 0);
	return r == ETIMEDOUT && clock_now_ns() >= until_ns ? -ETIMEDOUT : 0;
}

void cond_wake_one(struct cond *cond)
{
	must_be(pthread_cond_signal(&cond->cond), 0);
}

void cond_wake_all(struct cond *cond)
{
	must_be(pthread_cond_broadcast(&cond->cond), 0);
}
