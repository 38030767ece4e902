/* SPDX-License-Identifier: MIT */
#include "staging/graph/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES ((size_t)64 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
};

void arena_release(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
}

static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk;

	if (size < CHUNK_BYTES)
		size = CHUNK_BYTES;
	if (size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = mem_alloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->next = arena->chunks;
	chunk->used = 0;
	chunk->size = size;
	arena->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = sizeof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	char *at;

	if (size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!chunk || size > chunk->size - chunk->used)
		chunk = chunk_add(arena, size);
	if (!chunk)
		return NULL;
	at = (char *)chunk->bytes + chunk->used;
	chunk->used += size;
	return memset(at, 0, size);
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}
