/* SPDX-License-Identifier: MIT */
/*
 * base/lock.h - mutexes that know their holder, conditions on our clock.
 *
 * In debug builds a mutex is of the error-checking type, so
 * lock_assert_held() is a relock that must give EDEADLK.  The order of
 * locks is in ARCHITECTURE.md.  No lock is held across I/O or a callback.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdint.h>

#include "base/annot.h"

struct lock {
	pthread_mutex_t mutex;
};

struct cond {
	pthread_cond_t cond; /* waits on CLOCK_MONOTONIC */
};

void lock_init(struct lock *lock);
void lock_release(struct lock *lock);
void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);
void lock_assert_held(struct lock *lock);

void cond_init(struct cond *cond);
void cond_release(struct cond *cond);
void cond_wait(struct cond *cond, struct lock *lock);

/* @until_ns: clock_now_ns() time.  -ETIMEDOUT, else 0 (spurious too). */
int cond_wait_until(struct cond *cond, struct lock *lock, uint64_t until_ns);
void cond_wake_one(struct cond *cond);
void cond_wake_all(struct cond *cond);

#endif
