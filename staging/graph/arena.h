/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/arena.h - many small things that are freed together.
 *
 * Threads: one at a time for each struct arena.
 */
#ifndef STAGING_GRAPH_ARENA_H
#define STAGING_GRAPH_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/annot.h"

struct arena_chunk;

/* Zeroed before use; the fields are private to arena.c. */
struct arena {
	struct arena_chunk *chunks;
};

/* Frees all that was got from @arena, which is empty then. */
void arena_release(struct arena *arena);

/* Cleared, aligned for any type.  NULL: no memory. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;

/* NULL: no memory. */
char *arena_vprintf(struct arena *arena, const char *format,
		    va_list args) MUST_CHECK PRINTF_LIKE(2, 0);

#endif
