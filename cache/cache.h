/* SPDX-License-Identifier: MIT */
/*
 * cache/cache.h - blocks of immutable content, kept on disk.
 *
 * A source (base/source.h) becomes a blob that is got block by block, each
 * block once whoever asks (single flight), kept in one sparse file per
 * blob with a checksum per block, and evicted least recently used first.
 * What is on disk is described in cache/README.md.
 *
 * cache_ensure() is the middle of every read: it makes extents resident
 * and pins them until cache_release().  It never blocks: what must be
 * fetched is waited for by a struct cache_wait, not by a thread.
 *
 * A full or failing disk turns caching off, never reading.
 *
 * Threads: any, except where said.  Errors: -errno.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/blob.h"
#include "base/extent.h"
#include "base/memo.h"
#include "base/source.h"

struct cache;

enum cache_verify {
	CACHE_VERIFY_COMPLETE, /* the digest, once all blocks are there */
	CACHE_VERIFY_FULL,     /* the digest, before the first byte */
	CACHE_VERIFY_OFF
};

/* A twentieth of the disk, at most 10 GiB. */
#define CACHE_FREE_MIN UINT64_MAX

struct cache_options {
	const char *dir;    /* made, mode 0700, if absent; borrowed */
	uint64_t bytes_max; /* budget for blocks; 0: a tenth of the disk */
	uint64_t free_min;  /* left free on the disk; or CACHE_FREE_MIN */
	enum cache_verify verify;
	unsigned int deadline_s; /* of a fetch that nobody waits for */

	/*
	 * The digest of @blob was wrong: bytes of it that were read before
	 * are false.  On a thread of the cache, no lock held; may block, but
	 * not on a wait of this cache.  May be NULL.
	 */
	void (*spoiled)(void *arg, struct blob *blob);
	void *spoiled_arg;
};

/*
 * Opens the folder, which no other process may have open.  Starts threads:
 * call it after daemonizing.  On success the caller closes.
 * -EBUSY: in use; -EACCES: not ours alone; -EINVAL: a folder of another
 * program, or on a file system that cannot hold it.
 */
int cache_open(const struct cache_options *options,
	       struct cache **out) MUST_CHECK;

/*
 * The transport has stopped: every wait ends now, with -ESHUTDOWN at worst,
 * and no wake and no spoiled() comes after it returned.
 */
void cache_quiet(struct cache *cache);

/* Commits, stops its threads.  Every blob is gone and no source will call. */
void cache_close(struct cache *cache);

/*
 * The blob of @source; takes its own reference of it.  Sources of one key
 * give one blob.  May read the index and prove files found without one:
 * slow lane.  One reference.
 */
int cache_blob(struct cache *cache, struct source *source,
	       struct blob **out) MUST_CHECK;

/* Embedded in what waits.  The caller sets wake and zeroes the rest. */
struct cache_wait {
	/*
	 * Once, on a thread of the cache or of the transport, with no lock
	 * held; must not block.  0: resident and pinned.  The wait is the
	 * caller's again.
	 */
	void (*wake)(struct cache_wait *wait, int result);

	/* Private to the cache. */
	struct cache *cache;
	struct cache_pin *pins;
	size_t pin_count;
	size_t missing;
	struct cache_wait *next;
	uint64_t deadline_ns;
	int result;
	int state;
	bool restarted;
};

/*
 * Makes @extents (of blobs of this cache, or local ones) resident.
 *
 * 0: they are, and pinned by @wait: copy, then cache_release().
 * -EINPROGRESS: wake() will be called, or was already.
 * Else an error; nothing is pinned.
 */
int cache_ensure(struct cache *cache, const struct extents *extents,
		 uint64_t deadline_ns, struct cache_wait *wait) MUST_CHECK;

/*
 * Stops waiting.  True: wake() will not be called, nothing is pinned.
 * False: it was called, or is being called.
 */
bool cache_cancel(struct cache_wait *wait);

/* Unpins, after a result of 0. */
void cache_release(struct cache_wait *wait);

/* Begins to fetch, for nobody yet; may do less than asked, or nothing. */
void cache_prefetch(struct cache *cache, const struct extents *extents,
		    uint64_t deadline_ns);

/* Listings and plans, kept in the index; lives as long as the cache. */
struct memo *cache_memo(struct cache *cache);

enum cache_blob_state {
	CACHE_BLOB_LOCAL, /* read in place, never copied */
	CACHE_BLOB_PARTIAL,
	CACHE_BLOB_COMPLETE, /* all blocks; digest unknown or not yet proven */
	CACHE_BLOB_VERIFIED,
	CACHE_BLOB_BAD /* the digest was wrong: reads give EIO for a while */
};

struct cache_blob_info {
	enum cache_blob_state state;
	uint64_t cached_bytes;
	bool pinned; /* by the user: never evicted */
};

/* -EINVAL: not a blob of @cache (a local one gives LOCAL). */
int cache_blob_info(struct cache *cache, struct blob *blob,
		    struct cache_blob_info *out) MUST_CHECK;

/* Pins for, or releases to, eviction; kept across mounts.  Slow lane. */
int cache_blob_pin(struct cache *cache, struct blob *blob,
		   bool pinned) MUST_CHECK;

/* Drops what is cached of @blob and nobody is reading.  Slow lane. */
int cache_blob_drop(struct cache *cache, struct blob *blob) MUST_CHECK;

struct cache_stats {
	uint64_t bytes_used;
	uint64_t bytes_max;
	uint64_t blobs;	 /* open ones */
	uint64_t hits;	 /* blocks found resident */
	uint64_t misses; /* blocks fetched */
	uint64_t joins;	 /* blocks someone else was fetching */
	uint64_t evicted_bytes;
	uint64_t waiting;  /* waits parked now */
	uint64_t inflight; /* ranges being fetched now */
	uint64_t damaged;  /* blocks whose checksum was wrong */
	uint64_t bad_digests;
	bool bypass; /* the disk is full or failing */
};
void cache_stats(struct cache *cache, struct cache_stats *out);

#endif
