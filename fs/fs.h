/* SPDX-License-Identifier: MIT */
/*
 * fs/fs.h - one mounted filesystem: what its parts share.
 *
 * Private to fs/.  Everything here is fixed while the session runs, or
 * counts for the status.
 */
#ifndef FS_FS_H
#define FS_FS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/pool.h"
#include "base/timer.h"
#include "cache/cache.h"
#include "fs/config.h"
#include "fs/handle.h"
#include "fs/late.h"
#include "fs/node.h"
#include "providers/provider.h"

struct converter;
struct fuse_session;
struct jobs;

struct fs_counters {
	atomic_ullong reads; /* answered */
	atomic_ullong read_bytes;
	atomic_ullong parked; /* reads that had to wait */
	atomic_ullong opens;
	atomic_ullong lookups;
	atomic_ullong slow;	 /* requests that went to the slow lane */
	atomic_ullong deadlines; /* requests that ran out of time */
	atomic_ullong interrupts;
	atomic_llong waiting; /* requests unanswered now */
};

struct fs {
	const struct config *config;
	struct cache *cache;
	struct fetcher *fetcher; /* NULL: offline */
	struct provider **hubs;
	size_t hub_count;
	struct pool *slow;	     /* metadata that may wait for a network */
	struct pool *disk;	     /* opens and parked reads: disk only */
	struct jobs *jobs;	     /* unpacking of archives */
	struct converter *converter; /* NULL: its helpers are missing */
	struct timers *timers;
	struct fuse_session *session;
	struct tree tree;
	struct handles handles;
	struct late late;
	atomic_bool greeted;	/* the kernel's INIT is being answered */
	struct timer readahead; /* daemon.c, as the next */
	bool readahead_asked;
	struct fs_counters counters;
	uid_t uid;
	gid_t gid;
	int64_t started_wall_s;
};

/* clock time by which a request that begins now is answered. */
uint64_t fs_deadline_ns(const struct fs *fs);

/* Bytes that were asked of hubs and came, so far. */
uint64_t fs_heard(const struct fs *fs);

#endif
