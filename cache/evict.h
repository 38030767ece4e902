/* SPDX-License-Identifier: MIT */
/*
 * cache/evict.h - what goes when the budget is used up.  Pure.
 */
#ifndef CACHE_EVICT_H
#define CACHE_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can go together: a chunk of an open blob, or a closed blob. */
struct victim {
	uint64_t age;	/* larger: used longer ago */
	uint64_t bytes; /* on disk */
	void *owner;	/* the open blob; NULL: a closed one */
	uint32_t index; /* the chunk, or the closed blob */
};

/*
 * Puts first in @victims those to evict, oldest first, until @bytes are
 * freed; their number.  All of them if they do not suffice.
 */
size_t evict_choose(struct victim *victims, size_t count, uint64_t bytes);

/*
 * How many bytes must go before @need more are written: what is over
 * @bytes_max, or would leave less than @free_min of @free_bytes.
 */
uint64_t evict_need(uint64_t used, uint64_t need, uint64_t bytes_max,
		    uint64_t free_bytes, uint64_t free_min);

#endif
