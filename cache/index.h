/* SPDX-License-Identifier: MIT */
/*
 * cache/index.h - what is known of the blocks on disk.  Sole user of LMDB.
 *
 * One environment a process, opened once, never used after a fork.  Reads
 * come from any thread; writes are batches, made by one thread (the
 * committer) but for the opening.  Nothing in it is needed: it may be
 * thrown away and is made anew.
 */
#ifndef CACHE_INDEX_H
#define CACHE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"
#include "cache/index_format.h"

struct index;

/* Opens, or makes, the index in @dir; one that is damaged is moved aside. */
int index_open(const char *dir, struct index **out) MUST_CHECK;
void index_close(struct index *index);

/* It was made by index_open(): nothing of what is on disk is known. */
bool index_is_new(const struct index *index);

/* -ENOENT: absent or damaged, which is the same. */
int index_get_blob(struct index *index, const struct content_key *key,
		   struct blob_record *out) MUST_CHECK;
int index_get_group(struct index *index, const struct content_key *key,
		    uint32_t group, struct group_record *out) MUST_CHECK;
int index_get_memo(struct index *index, const char *key, struct str *value,
		   int64_t *stored_wall_s) MUST_CHECK;

/* Each blob with the number of its blocks on disk. */
int index_walk(struct index *index,
	       int (*blob)(void *arg, const struct content_key *key,
			   const struct blob_record *record, uint64_t blocks),
	       void *arg) MUST_CHECK;

/* Writes that become visible together, or not at all. */
struct index_batch;
int index_begin(struct index *index, struct index_batch **out) MUST_CHECK;
int index_put_blob(struct index_batch *batch, const struct content_key *key,
		   const struct blob_record *record) MUST_CHECK;
int index_put_group(struct index_batch *batch, const struct content_key *key,
		    uint32_t group,
		    const struct group_record *record) MUST_CHECK;
int index_put_memo(struct index_batch *batch, const char *key,
		   int64_t stored_wall_s, const void *value,
		   size_t len) MUST_CHECK;

/* The blob and all its groups. */
int index_delete_blob(struct index_batch *batch,
		      const struct content_key *key) MUST_CHECK;

/* Frees @batch in any case.  -ENOSPC, -EIO: nothing was written. */
int index_commit(struct index_batch *batch) MUST_CHECK;
void index_abort(struct index_batch *batch);

#endif
