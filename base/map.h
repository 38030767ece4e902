/* SPDX-License-Identifier: MIT */
/*
 * base/map.h - from byte strings to pointers.
 *
 * Keys are copied; values are borrowed.  Order of walking is that of
 * insertion while nothing was removed.
 *
 * Threads: one at a time for each struct map.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct map_slot {
	char *key; /* owned; NUL-terminated; NULL: removed */
	size_t key_len;
	uint64_t hash;
	void *value;
};

/* Private to map.c but for .count. */
struct map {
	struct map_slot *slots; /* in order of insertion */
	uint32_t *table;	/* slot number + 1, 0 empty */
	size_t used;		/* slots, removed ones too */
	size_t count;		/* entries */
	size_t table_len;	/* power of two */
};

void map_init(struct map *map);
void map_release(struct map *map);

void *map_get(const struct map *map, const char *key);
void *map_get_bytes(const struct map *map, const void *key, size_t len);

/* -EEXIST: it is there already; *@map unchanged. */
int map_add(struct map *map, const char *key, void *value) MUST_CHECK;
int map_add_bytes(struct map *map, const void *key, size_t len,
		  void *value) MUST_CHECK;

/* The value that was there, or NULL. */
void *map_remove(struct map *map, const char *key);
void *map_remove_bytes(struct map *map, const void *key, size_t len);

/* Walks: *@at starts as 0.  NULL at the end.  No change while walking. */
const struct map_slot *map_next(const struct map *map, size_t *at);

DEFINE_AUTO(map, struct map, map_release)
#define auto_map auto_of(map)

#endif
