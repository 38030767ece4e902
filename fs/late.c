/* SPDX-License-Identifier: MIT */
#include "fs/late.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

void late_init(struct late *late)
{
	*late = (struct late){ 0 };
	lock_init(&late->lock);
}

void late_release(struct late *late)
{
	lock_release(&late->lock);
}

void late_note(struct late *late, const struct late_range *range)
{
	uint64_t until_ns = clock_after_ns(LATE_MS * NS_PER_MS);

	if (range->id == 0)
		return;
	lock_take(&late->lock);
	late->entries[late->next] = (struct late_entry){ *range, until_ns };
	late->next = (late->next + 1) % LATE_MAX;
	lock_drop(&late->lock);
	atomic_store(&late->until_ns, until_ns);
}

static bool overlaps(const struct late_range *a, const struct late_range *b)
{
	return a->id == b->id && a->from < b->to && b->from < a->to;
}

bool late_has(struct late *late, const struct late_range *range)
{
	uint64_t now = clock_now_ns();
	bool found = false;

	if (now >= atomic_load(&late->until_ns))
		return false;
	lock_take(&late->lock);
	for (size_t i = 0; !found && i < LATE_MAX; i++)
		found = late->entries[i].until_ns > now &&
			overlaps(&late->entries[i].range, range);
	lock_drop(&late->lock);
	return found;
}

struct late_range late_name(uint64_t dir_id, const char *name)
{
	uint64_t id = xxh3_64_seed(name, strlen(name), dir_id);

	return (struct late_range){ id ? id : 1, 0, 1 };
}
