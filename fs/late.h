/* SPDX-License-Identifier: MIT */
/*
 * fs/late.h - what ran out of time a moment ago.
 *
 * The kernel asks again: for the page of a failed readahead, and for each
 * of those who waited for the same page or name behind the first.  Each
 * would wait the whole deadline anew.  For LATE_MS they wait for no more
 * than LATE_PATIENCE_MS, unless something comes from a hub meanwhile: so one
 * deadline ends them all, and a hub that is back is noticed.
 *
 * Threads: any; the lock is a leaf.
 */
#ifndef FS_LATE_H
#define FS_LATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

/* Longer than the kernel takes to ask again, shorter than people do. */
#define LATE_MS 1000

/* Ten who wait for one name are answered in two seconds more. */
#define LATE_PATIENCE_MS 200

/* Noted at a time: a read of each page that the kernel lets wait. */
#define LATE_MAX 256

/* What was asked: bytes of an inode, or a name in a directory. */
struct late_range {
	uint64_t id; /* 0: nothing that is asked again */
	uint64_t from, to;
};

struct late_entry {
	struct late_range range;
	uint64_t until_ns;
};

struct late {
	_Atomic uint64_t until_ns; /* the last entry's: mostly it is past */
	struct lock lock;
	struct late_entry entries[LATE_MAX]; /* lock */
	size_t next;			     /* lock; the oldest */
};

void late_init(struct late *late);
void late_release(struct late *late);
void late_note(struct late *late, const struct late_range *range);

/* Some of @range ran out of time a moment ago. */
bool late_has(struct late *late, const struct late_range *range);

/* The range that stands for name @name in directory @dir_id. */
struct late_range late_name(uint64_t dir_id, const char *name);

#endif
