/* SPDX-License-Identifier: MIT */
#include "providers/hub_listing.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

void hub_entry_release(struct hub_entry *entry)
{
	free(entry->name);
	free(entry->target);
	*entry = (struct hub_entry){ 0 };
}

void hub_listing_release(struct hub_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		hub_entry_release(&listing->entries[i]);
	free(listing->entries);
	*listing = (struct hub_listing){ 0 };
}

/* Room for one more: the array doubles each time its count is 0 or 2^n. */
static int listing_grow(struct hub_listing *listing)
{
	size_t count = listing->count;
	struct hub_entry *entries;

	if (count >= HUB_ENTRIES_MAX)
		return -EFBIG;
	if (count & (count - 1))
		return 0;
	entries = mem_resize(listing->entries, count ? 2 * count : 1,
			     sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	listing->entries = entries;
	return 0;
}

int hub_listing_add(struct hub_listing *listing, const char *name,
		    enum hub_entry_kind kind, const char *target)
{
	struct hub_entry entry = { .kind = kind };
	int r = listing_grow(listing);

	if (r < 0)
		return r;
	entry.name = mem_strdup(name);
	if (target)
		entry.target = mem_strdup(target);
	if (!entry.name || (target && !entry.target)) {
		hub_entry_release(&entry);
		return -ENOMEM;
	}
	listing->entries[listing->count++] = entry;
	return 0;
}

/* Sorting pointers keeps the order of adding, which breaks ties. */
static int entry_compare(const void *a, const void *b)
{
	const struct hub_entry *x = *(struct hub_entry *const *)a;
	const struct hub_entry *y = *(struct hub_entry *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

int hub_listing_finish(struct hub_listing *listing)
{
	size_t count = listing->count, kept = 0;
	auto_free struct hub_entry **order = NULL;
	struct hub_entry *sorted;

	if (!count)
		return 0;
	order = mem_array(count, sizeof(struct hub_entry *));
	sorted = mem_array(count, sizeof(*sorted));
	if (!order || !sorted) {
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &listing->entries[i];
	qsort(order, count, sizeof(*order), entry_compare);
	for (size_t i = 0; i < count; i++) {
		if (kept && !strcmp(sorted[kept - 1].name, order[i]->name))
			hub_entry_release(order[i]);
		else
			sorted[kept++] = *order[i];
	}
	free(listing->entries);
	*listing = (struct hub_listing){ sorted, kept };
	return 0;
}

int hub_entry_link(struct hub_entry *out, const char *target)
{
	out->kind = HUB_LINK;
	out->target = mem_strdup(target);
	return out->target ? 0 : -ENOMEM;
}
