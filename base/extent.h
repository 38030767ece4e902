/* SPDX-License-Identifier: MIT */
/*
 * base/extent.h - ranges of blobs: what must be there before a copy.
 */
#ifndef BASE_EXTENT_H
#define BASE_EXTENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct blob;

struct extent {
	struct blob *blob; /* borrowed from the content resolved */
	uint64_t off;
	uint64_t len; /* > 0 */
};

/* Most reads touch one or two: those need no memory. */
#define EXTENTS_INLINE 4

struct extents {
	struct extent *list; /* inline_list or owned */
	size_t count;
	size_t cap;
	struct extent inline_list[EXTENTS_INLINE];
};

void extents_init(struct extents *extents);
void extents_release(struct extents *extents);

/*
 * Appends; a range that touches or overlaps the last one is merged into it
 * if both are of one blob.  An empty range adds nothing.  -ENOMEM.
 */
int extents_add(struct extents *extents, struct blob *blob, uint64_t off,
		uint64_t len) MUST_CHECK;

DEFINE_AUTO(extents, struct extents, extents_release)
#define auto_extents auto_of(extents)

#endif
