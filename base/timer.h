/* SPDX-License-Identifier: MIT */
/*
 * base/timer.h - calls at a time, from one thread.
 *
 * Threads: every call from any thread, also from within fire().
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"

struct timers;

/* Embedded in what it watches; the caller sets fire. */
struct timer {
	/* On the timers' thread, no lock held.  Must not block. */
	void (*fire)(struct timer *timer);
	uint64_t at_ns; /* private from here on */
	size_t place;	/* in the heap, from 1; 0: not in it */
};

int timers_new(struct timers **out) MUST_CHECK;

/* No fire() runs or will run after it returns. */
void timers_free(struct timers *timers);

/* @timer must not be armed.  -ENOMEM. */
int timer_arm(struct timers *timers, struct timer *timer,
	      uint64_t at_ns) MUST_CHECK;

/* True: it was armed and fire() will not be called.  False: fired or firing. */
bool timer_cancel(struct timers *timers, struct timer *timer);

#endif
