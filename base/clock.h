/* SPDX-License-Identifier: MIT */
/*
 * base/clock.h - time, which tests can set.
 *
 * Waiting and deadlines use the monotonic clock; only what outlives the
 * process (ages of listings, expiry of signed URLs) uses wall time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* No deadline. */
#define CLOCK_NEVER UINT64_MAX

/* As a deadline: what would have to be waited for is -EINPROGRESS. */
#define DEADLINE_NOW ((uint64_t)0)

/* Monotonic nanoseconds. */
uint64_t clock_now_ns(void);

/* Seconds since 1970, UTC. */
int64_t clock_wall_s(void);

/* clock_now_ns() + @ns, held at CLOCK_NEVER. */
uint64_t clock_after_ns(uint64_t ns);

/*
 * For waiting until @at_ns: when to look again, on CLOCK_MONOTONIC itself.
 * That is sooner than @at_ns once clock_set() was used.
 */
uint64_t clock_wait_ns(uint64_t at_ns);

/* Tests: both clocks run on from these values; 0, 0: back to the real ones. */
void clock_set(uint64_t now_ns, int64_t wall_s);

#endif
