/* SPDX-License-Identifier: MIT */
#include "cache/readahead.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/limits.h"

/* Two reads in a row are the least that looks sequential. */
#define STREAK_MIN 2

/* The first window: a second range or so beside the one being read. */
#define WINDOW_MIN ((uint64_t)1 << 20)

/* Kernels send several reads at a time: this far out of order is in order. */
#define SLACK ((uint64_t)2 << 20)

static bool is_sequential(const struct readahead *ra, uint64_t off)
{
	uint64_t low = ra->next > SLACK ? ra->next - SLACK : 0;

	return ra->streak > 0 && off >= low && off <= ra->next + SLACK;
}

struct range readahead_next(struct readahead *ra, uint64_t off, uint64_t len,
			    uint64_t size)
{
	uint64_t end = off + len;
	uint64_t from;
	uint64_t to;

	if (!is_sequential(ra, off)) {
		/* The start of a file is where sequential readers begin. */
		*ra = (struct readahead){ .next = end, .streak = 1 };
		return (struct range){ 0, 0 };
	}
	ra->streak++;
	ra->next = u64_max(ra->next, end);
	if (ra->streak < STREAK_MIN)
		return (struct range){ 0, 0 };
	from = u64_max(ra->ahead, ra->next);
	/* Half the window is left: nothing to do yet. */
	if (ra->window && from > ra->next + ra->window / 2)
		return (struct range){ 0, 0 };
	ra->window = ra->window ? u64_min(2 * ra->window, FETCH_AHEAD_BYTES_MAX)
				: WINDOW_MIN;
	to = u64_min(ra->next + ra->window, size);
	if (to <= from)
		return (struct range){ 0, 0 };
	ra->ahead = to;
	return (struct range){ from, to - from };
}
