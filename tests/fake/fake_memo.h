/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_memo.h - a memo in memory.
 */
#ifndef TESTS_FAKE_FAKE_MEMO_H
#define TESTS_FAKE_FAKE_MEMO_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/memo.h"

struct fake_memo {
	struct memo memo;
	struct lock lock;
	struct map facts; /* lock; struct fake_fact, owned */
};

struct fake_fact {
	int64_t stored_wall_s;
	size_t len;
	char bytes[];
};

static inline int fake_memo_get(struct memo *memo, const char *key,
				struct str *value, int64_t *stored_wall_s)
{
	struct fake_memo *fake = container_of(memo, struct fake_memo, memo);
	const struct fake_fact *fact;
	int r = -ENOENT;

	lock_take(&fake->lock);
	fact = map_get(&fake->facts, key);
	if (fact)
		r = str_append(value, fact->bytes, fact->len);
	if (fact && stored_wall_s)
		*stored_wall_s = fact->stored_wall_s;
	lock_drop(&fake->lock);
	return r;
}

static inline void fake_memo_put(struct memo *memo, const char *key,
				 const void *value, size_t len)
{
	struct fake_memo *fake = container_of(memo, struct fake_memo, memo);
	struct fake_fact *fact = mem_alloc(sizeof(*fact) + len);

	if (!fact)
		return;
	fact->stored_wall_s = clock_wall_s();
	fact->len = len;
	if (len)
		memcpy(fact->bytes, value, len);
	lock_take(&fake->lock);
	free(map_remove(&fake->facts, key));
	if (map_add(&fake->facts, key, fact) < 0)
		free(fact);
	lock_drop(&fake->lock);
}

static inline void fake_memo_init(struct fake_memo *fake)
{
	static const struct memo_ops ops = { fake_memo_get, fake_memo_put };

	fake->memo.ops = &ops;
	lock_init(&fake->lock);
	map_init(&fake->facts);
}

static inline void fake_memo_release(struct fake_memo *fake)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&fake->facts, &at)))
		free(slot->value);
	map_release(&fake->facts);
	lock_release(&fake->lock);
}

#endif
