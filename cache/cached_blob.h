/* SPDX-License-Identifier: MIT */
/*
 * cache/cached_blob.h - what the cache's parts share.  Private to cache/.
 * What holds of the disk, D1 and on, is in cache/README.md.
 *
 * One lock, cache->lock, guards what is resident, in flight and pinned.  It
 * is held for moments, never across I/O, a source's call or a wake.
 *
 * States of a block, and who makes each step:
 *
 *	ABSENT -> INFLIGHT	ensure.c, before it asks the source
 *	INFLIGHT -> PRESENT	fill.c, once its bytes are in the file
 *	INFLIGHT -> MEMORY	fill.c, where the disk would not take them
 *	INFLIGHT -> ABSENT	fill.c, the transfer failed
 *	INFLIGHT -> ABSENT	fill.c, nobody waits and no disk would take it
 *	PRESENT -> INFLIGHT	room.c, until the hole is made; then ABSENT
 *	PRESENT -> ABSENT	blob_io.c, a checksum is wrong
 *	PRESENT -> ABSENT	digest_check.c, the digest is wrong
 *	MEMORY -> ABSENT	the last pin of its chunk is gone
 *
 * B1  A chunk with pins is not evicted and its MEMORY blocks stay.
 * B2  What the index says of DIRTY blocks is not so yet; PROVEN ones were
 *     checked, or written, by this process, in the file that is there now.
 * B3  A parked wait is in the waiting list of each blob that it misses
 *     blocks of, and of no other.
 * B4  An INFLIGHT block has a transfer or a hole under way, and so an end.
 * B5  A wait for a proof is parked only while blocks are missing or a
 *     check is under way.
 */
#ifndef CACHE_CACHED_BLOB_H
#define CACHE_CACHED_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/source.h"
#include "cache/block_file.h"
#include "cache/cache.h"
#include "cache/cache_dir.h"
#include "cache/index.h"

/* Evicted together: less would be a call to the disk for each block. */
#define CHUNK_BLOCKS 16
#define CHUNK_BYTES (CHUNK_BLOCKS * BLOCK_BYTES)

enum block_state { BLOCK_ABSENT, BLOCK_INFLIGHT, BLOCK_PRESENT, BLOCK_MEMORY };
#define BLOCK_STATE_MASK 3u
#define BLOCK_PROVEN 0x10u
#define BLOCK_DIRTY 0x20u

struct chunk {
	uint32_t pins;
	uint32_t stamp; /* cache->clock when last used */
};

/* States of a struct cache_wait. */
enum { WAIT_IDLE, WAIT_PARKED, WAIT_ENDED };

/* One blob's part of a wait. */
struct cache_pin {
	struct cached_blob *blob;
	struct cache_wait *wait;
	uint32_t first; /* block */
	uint32_t count;
	uint32_t missing; /* blocks not there yet, and 1 for a proof */
	bool proof;	  /* one of them is the digest's proof */
	struct cache_pin *prev, *next; /* blob's waiting list */
};

struct cached_blob {
	struct blob blob;
	struct cache *cache;   /* fixed, as source and block_count */
	struct source *source; /* one reference */
	struct block_name name;
	uint32_t block_count; /* 0: local */
	bool local;

	/* cache->lock from here on */
	uint8_t *blocks; /* state and flags */
	uint64_t *sums;
	uint8_t **memory; /* NULL until a block had to stay in memory */
	struct chunk *chunks;
	struct cache_pin *waiting;
	uint64_t present;   /* blocks PRESENT */
	uint32_t drops;	    /* how often a block went: a proof holds for none */
	uint32_t doubts;    /* how often blob_distrust_locked() was called */
	unsigned int ahead; /* ranges of readahead in flight */
	bool verified;
	bool bad;
	uint64_t bad_until_ns; /* then it is fetched and proven again */
	bool pinned;	       /* by the user */
	bool checking;
	bool record_dirty;
	bool damaged; /* some block was, and the log says so */
	struct cached_blob *next_dirty;	 /* cache->dirty */
	struct cached_blob *next_commit; /* the committer's own: no lock */
	bool in_dirty;
};

/* A blob on disk that is not open. */
struct closed_blob {
	struct content_key key;
	int64_t used_wall_s;
	uint64_t bytes;
	bool pinned; /* by the user: counts, and stays */
};

struct memo_put {
	struct memo_put *next;
	char *key;
	void *value;
	size_t len;
	int64_t stored_wall_s;
	bool replaced; /* a later put of the same key follows */
};

struct cache {
	struct memo memo;
	struct cache_dir dir;
	enum cache_verify verify;
	uint64_t bytes_max;
	uint64_t free_min;
	unsigned int deadline_s;
	void (*spoiled)(void *arg, struct blob *blob);
	void *spoiled_arg;
	struct index *index;
	struct block_files *files;
	struct pool *checks;

	struct lock lock; /* guards all below, and the blobs */
	struct cond commit_wanted;
	struct map open; /* key bytes -> struct cached_blob * */
	struct closed_blob *closed;
	size_t closed_count;
	size_t closed_cap;
	struct content_key *deletes; /* evicted ones, for the committer */
	size_t delete_count;
	size_t delete_cap;
	struct cached_blob *dirty; /* with a reference each */
	struct map memo_pending; /* key -> struct memo_put *, not yet written */
	struct memo_put *memo_first, *memo_last;
	uint32_t clock;
	uint64_t memory_bytes;
	uint64_t bypass_until_ns; /* 0: caching is on */
	bool closing;
	bool quiet; /* no more checks */
	struct cache_stats stats;
	pthread_t committer;
	bool has_committer;
	bool commit_failed; /* the committer's, until it is joined */
};

static inline struct cached_blob *cached_of(struct blob *blob)
{
	return container_of(blob, struct cached_blob, blob);
}

/* NULL: not a blob of this cache's making. */
struct cached_blob *cached_blob_of(struct blob *blob);

/* One reference, but for a blob whose last one is gone: false. */
bool cached_try_ref(struct cached_blob *blob);

static inline enum block_state block_state(const struct cached_blob *blob,
					   uint32_t block)
{
	return blob->blocks[block] & BLOCK_STATE_MASK;
}

static inline size_t block_bytes(const struct cached_blob *blob, uint32_t block)
{
	uint64_t left = blob->blob.size - (uint64_t)block * BLOCK_BYTES;

	return left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
}

/* With --verify full nothing is read before all of it is proven. */
static inline bool blob_needs_proof(const struct cached_blob *blob)
{
	return blob->cache->verify == CACHE_VERIFY_FULL && !blob->verified &&
	       blob->blob.digest.kind != DIGEST_NONE;
}

/* cached_blob.c.  The wakes are made by the caller, without the lock. */
struct wakes {
	struct cache_wait *first;
};
void wakes_run(struct wakes *wakes);

/* Takes @wait out of every list, unpins it if @result < 0, adds to @wakes. */
void wait_end_locked(struct cache_wait *wait, int result, struct wakes *wakes);
void pins_drop_locked(struct cache_wait *wait);
void chunk_unpin_locked(struct cached_blob *blob, uint32_t chunk);

/* @block has arrived, or (proof) the digest was right. */
void blob_arrived_locked(struct cached_blob *blob, uint32_t block,
			 struct wakes *wakes);
void blob_proven_locked(struct cached_blob *blob, struct wakes *wakes);

/* Ends the waits for the proof, which will not come. */
void blob_unproven_locked(struct cached_blob *blob, int error,
			  struct wakes *wakes);

/* No longer there, on disk or in memory. */
void block_drop_locked(struct cached_blob *blob, uint32_t block);

/* The file may be another than was written to: checksums are due again. */
void blob_distrust_locked(struct cached_blob *blob);
void blob_dirty_locked(struct cached_blob *blob);

/* ensure.c: fetches @count blocks from @first, which are INFLIGHT. */
void fetch_blocks(struct cached_blob *blob, uint32_t first, uint32_t count,
		  enum source_urgency urgency, uint64_t deadline_ns);

/* fill.c */
int fill_start(struct cached_blob *blob, uint32_t first, uint32_t count,
	       enum source_urgency urgency, uint64_t deadline_ns) MUST_CHECK;
void fill_failed(struct cached_blob *blob, uint32_t first, uint32_t count,
		 int error, uint64_t deadline_ns);

/*
 * room.c.  -ENOSPC: the disk is full; -EBUSY: the budget is, and all of it
 * is in use.
 */
int cache_make_room(struct cache *cache, uint64_t bytes) MUST_CHECK;
/* All of @blob that nobody reads. */
void cache_evict_blob(struct cached_blob *blob);
void cache_bypass_begin(struct cache *cache, int error);
bool cache_bypassed(struct cache *cache);
/* Adds @closed and its bytes; without memory neither: until next mount. */
void closed_add_locked(struct cache *cache, const struct closed_blob *closed);
void closed_remove_locked(struct cache *cache, const struct content_key *key);

/* commit.c */
int commit_start(struct cache *cache) MUST_CHECK;
void commit_stop(struct cache *cache);

/*
 * digest_check.c: hashes @blob if it is complete, unproven and has a digest.
 * Takes no reference; the caller holds one.
 */
void digest_check_start(struct cached_blob *blob);
int digest_adopt(struct cached_blob *blob) MUST_CHECK;

/* blob_io.c */
extern const struct blob_ops cached_blob_ops;

/* Not what was written: to be fetched again.  @seen: its flags before. */
void block_damaged(struct cached_blob *blob, uint32_t block, uint8_t seen,
		   int error);
uint64_t block_sum(const struct cached_blob *blob, uint32_t block,
		   const void *bytes, size_t len);

/* cache_memo.c */
extern const struct memo_ops cache_memo_ops;

#endif
