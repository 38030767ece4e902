/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/node.h"

int listing_new(uint64_t expires_ns, struct listing **out)
{
	struct listing *listing = mem_zalloc(sizeof(*listing));

	if (!listing)
		return -ENOMEM;
	atomic_init(&listing->refs, 1);
	listing->expires_ns = expires_ns;
	*out = listing;
	return 0;
}

struct listing *listing_ref(struct listing *listing)
{
	atomic_fetch_add(&listing->refs, 1);
	return listing;
}

void listing_unref(struct listing *listing)
{
	if (!listing || atomic_fetch_sub(&listing->refs, 1) != 1)
		return;
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->entries[i].name);
		node_unref(listing->entries[i].node);
	}
	free(listing->entries);
	free(listing);
}

bool listing_is_momentary(const struct listing *listing)
{
	return listing->incomplete || listing->passing;
}

static int listing_grow(struct listing *listing)
{
	size_t cap = listing->cap ? 2 * listing->cap : 16;
	struct dir_entry *entries;

	if (listing->count < listing->cap)
		return 0;
	entries = mem_resize(listing->entries, cap, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	listing->entries = entries;
	listing->cap = cap;
	return 0;
}

int listing_add(struct listing *listing, const char *name, struct node *node,
		enum node_kind kind)
{
	char *copy = mem_strdup(name);

	if (!copy || listing_grow(listing) < 0) {
		free(copy);
		node_unref(node);
		return -ENOMEM;
	}
	listing->entries[listing->count++] =
		(struct dir_entry){ copy, node, node ? node->kind : kind };
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct dir_entry *x = a;
	const struct dir_entry *y = b;

	return strcmp(x->name, y->name);
}

void listing_sort(struct listing *listing)
{
	size_t kept = 0;

	if (listing->count < 2)
		return;
	qsort(listing->entries, listing->count, sizeof(*listing->entries),
	      entry_compare);
	for (size_t i = 1; i < listing->count; i++) {
		struct dir_entry *entry = &listing->entries[i];

		if (entry_compare(&listing->entries[kept], entry) == 0) {
			free(entry->name);
			node_unref(entry->node);
		} else {
			listing->entries[++kept] = *entry;
		}
	}
	listing->count = kept + 1;
}

const struct dir_entry *listing_find(const struct listing *listing,
				     const char *name)
{
	struct dir_entry key = { .name = (char *)(uintptr_t)name };

	if (listing->count == 0)
		return NULL;
	return bsearch(&key, listing->entries, listing->count, sizeof(key),
		       entry_compare);
}
