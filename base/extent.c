/* SPDX-License-Identifier: MIT */
#include "base/extent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

void extents_init(struct extents *extents)
{
	extents->list = extents->inline_list;
	extents->count = 0;
	extents->cap = EXTENTS_INLINE;
}

void extents_release(struct extents *extents)
{
	if (extents->list != extents->inline_list)
		free(extents->list);
	extents_init(extents);
}

static int grow(struct extents *extents)
{
	bool owned = extents->list != extents->inline_list;
	size_t cap = 2 * extents->cap;
	struct extent *list = mem_resize(owned ? extents->list : NULL, cap,
					 sizeof(*list));

	if (!list)
		return -ENOMEM;
	if (!owned)
		memcpy(list, extents->inline_list,
		       sizeof(extents->inline_list));
	extents->list = list;
	extents->cap = cap;
	return 0;
}

/* True: [off, end) went into @last, which it touches or overlaps. */
static bool merge(struct extent *last, uint64_t off, uint64_t end)
{
	uint64_t last_end = last->off + last->len;

	if (off > last_end || last->off > end)
		return false;
	last->off = u64_min(last->off, off);
	last->len = u64_max(last_end, end) - last->off;
	return true;
}

int extents_add(struct extents *extents, struct blob *blob, uint64_t off,
		uint64_t len)
{
	struct extent *last = extents->count > 0
				      ? &extents->list[extents->count - 1]
				      : NULL;

	assert(len <= UINT64_MAX - off);
	if (len == 0)
		return 0;
	if (last && last->blob == blob && merge(last, off, off + len))
		return 0;
	if (extents->count == extents->cap && grow(extents) < 0)
		return -ENOMEM;
	extents->list[extents->count++] = (struct extent){ blob, off, len };
	return 0;
}
