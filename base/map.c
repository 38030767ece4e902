/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/mem.h"

#define MAP_TABLE_MIN 16

/* Keys come from hubs: which collide must not be known to them. */
static uint64_t hash_seed;
static pthread_once_t hash_seed_once = PTHREAD_ONCE_INIT;

static void hash_seed_init(void)
{
	if (getrandom(&hash_seed, sizeof(hash_seed), GRND_NONBLOCK) < 0)
		hash_seed = (uint64_t)(uintptr_t)&hash_seed;
}

static uint64_t key_hash(const void *key, size_t len)
{
	pthread_once(&hash_seed_once, hash_seed_init);
	return xxh3_64_seed(key, len, hash_seed);
}

void map_init(struct map *map)
{
	*map = (struct map){ 0 };
}

void map_release(struct map *map)
{
	for (size_t i = 0; i < map->used; i++)
		free(map->slots[i].key);
	free(map->slots);
	free(map->table);
	map_init(map);
}

/* The place after @at in the table, round. */
static size_t table_next(const struct map *map, size_t at)
{
	return (at + 1) & (map->table_len - 1);
}

static void table_put(struct map *map, size_t slot)
{
	size_t at = map->slots[slot].hash & (map->table_len - 1);

	while (map->table[at] != 0)
		at = table_next(map, at);
	map->table[at] = (uint32_t)slot + 1;
}

static struct map_slot *find(const struct map *map, const void *key, size_t len,
			     uint64_t hash)
{
	if (map->count == 0)
		return NULL;
	for (size_t at = hash & (map->table_len - 1); map->table[at] != 0;
	     at = table_next(map, at)) {
		struct map_slot *slot = &map->slots[map->table[at] - 1];

		if (slot->key && slot->hash == hash && slot->key_len == len &&
		    memcmp(slot->key, key, len) == 0)
			return slot;
	}
	return NULL;
}

/* A table is at most half full, so that searches are short and end. */
static size_t table_len_for(size_t count)
{
	size_t len = MAP_TABLE_MIN;

	while (len / 4 < count)
		len *= 2;
	return len;
}

/* Twice the room for what is left once removed slots are dropped. */
static int rebuild(struct map *map)
{
	size_t len = table_len_for(map->count + 1), used = 0;
	auto_free struct map_slot *slots = mem_array(len / 2, sizeof(*slots));
	auto_free uint32_t *table = mem_array(len, sizeof(*table));

	if (!slots || !table || len > UINT32_MAX)
		return -ENOMEM;
	for (size_t i = 0; i < map->used; i++)
		if (map->slots[i].key)
			slots[used++] = map->slots[i];
	free(map->slots);
	free(map->table);
	map->slots = take_ptr(slots);
	map->table = take_ptr(table);
	map->table_len = len;
	map->used = used;
	for (size_t i = 0; i < used; i++)
		table_put(map, i);
	return 0;
}

void *map_get(const struct map *map, const char *key)
{
	return map_get_bytes(map, key, strlen(key));
}

void *map_get_bytes(const struct map *map, const void *key, size_t len)
{
	struct map_slot *slot = find(map, key, len, key_hash(key, len));

	return slot ? slot->value : NULL;
}

int map_add(struct map *map, const char *key, void *value)
{
	return map_add_bytes(map, key, strlen(key), value);
}

int map_add_bytes(struct map *map, const void *key, size_t len, void *value)
{
	uint64_t hash = key_hash(key, len);
	char *copy;

	if (find(map, key, len, hash))
		return -EEXIST;
	if (map->used == map->table_len / 2 && rebuild(map) < 0)
		return -ENOMEM;
	copy = mem_strndup(key, len);
	if (!copy)
		return -ENOMEM;
	map->slots[map->used] = (struct map_slot){ copy, len, hash, value };
	table_put(map, map->used);
	map->used++;
	map->count++;
	return 0;
}

void *map_remove(struct map *map, const char *key)
{
	return map_remove_bytes(map, key, strlen(key));
}

void *map_remove_bytes(struct map *map, const void *key, size_t len)
{
	struct map_slot *slot = find(map, key, len, key_hash(key, len));

	if (!slot)
		return NULL;
	free(slot->key);
	slot->key = NULL;
	map->count--;
	return slot->value;
}

const struct map_slot *map_next(const struct map *map, size_t *at)
{
	while (*at < map->used) {
		const struct map_slot *slot = &map->slots[(*at)++];

		if (slot->key)
			return slot;
	}
	return NULL;
}
