/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "base/bytes.h"

/* A waiter on a clock that is set looks this often whether it was again. */
#define SET_CLOCK_LOOK_NS (5 * NS_PER_MS)

/* What clock_set() adds to the real clocks; wraps round. */
static atomic_uint_fast64_t now_shift_ns;
static atomic_int_fast64_t wall_shift_s;
static atomic_bool is_set;

static uint64_t real_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return real_now_ns() +
	       atomic_load_explicit(&now_shift_ns, memory_order_relaxed);
}

int64_t clock_wall_s(void)
{
	return (int64_t)time(NULL) +
	       atomic_load_explicit(&wall_shift_s, memory_order_relaxed);
}

uint64_t clock_after_ns(uint64_t ns)
{
	uint64_t at_ns;

	return u64_add(clock_now_ns(), ns, &at_ns) ? at_ns : CLOCK_NEVER;
}

uint64_t clock_wait_ns(uint64_t at_ns)
{
	uint64_t now_ns, left_ns;

	if (!atomic_load(&is_set))
		return at_ns;
	now_ns = clock_now_ns();
	left_ns = at_ns > now_ns ? at_ns - now_ns : 0;
	return real_now_ns() + u64_min(left_ns, SET_CLOCK_LOOK_NS);
}

void clock_set(uint64_t now_ns, int64_t wall_s)
{
	bool set = now_ns != 0 || wall_s != 0;

	if (set)
		atomic_store(&is_set, true);
	atomic_store(&now_shift_ns, set ? now_ns - real_now_ns() : 0);
	atomic_store(&wall_shift_s, set ? wall_s - (int64_t)time(NULL) : 0);
}
