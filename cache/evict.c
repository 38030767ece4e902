/* SPDX-License-Identifier: MIT */
#include "cache/evict.h"

#include <stdlib.h>

#include "base/bytes.h"

static int older_first(const void *a, const void *b)
{
	const struct victim *x = a;
	const struct victim *y = b;

	return (x->age < y->age) - (x->age > y->age);
}

size_t evict_choose(struct victim *victims, size_t count, uint64_t bytes)
{
	uint64_t freed = 0;
	size_t chosen = 0;

	if (count)
		qsort(victims, count, sizeof(*victims), older_first);
	while (chosen < count && freed < bytes)
		freed += victims[chosen++].bytes;
	return chosen;
}

uint64_t evict_need(uint64_t used, uint64_t need, uint64_t bytes_max,
		    uint64_t free_bytes, uint64_t free_min)
{
	uint64_t over = 0;
	uint64_t short_of = 0;

	if (used + need > bytes_max)
		over = used + need - bytes_max;
	if (free_bytes < free_min + need)
		short_of = free_min + need - free_bytes;
	return u64_max(over, short_of);
}
