/* SPDX-License-Identifier: MIT */
/*
 * staging/external/snapshot.h - the files of a repository that a converter
 * is given, as plain files.
 *
 * They are copied: the converter then depends on nothing that we do, and a
 * mount that ends is not held by who reads it.  Every byte is checked
 * against the hub's digest before the converter sees it.
 */
#ifndef STAGING_EXTERNAL_SNAPSHOT_H
#define STAGING_EXTERNAL_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"
#include "staging/staging.h"

struct snapshot {
	size_t *files; /* owned; indices in repo->files, rising */
	size_t count;
	uint64_t bytes; /* of all of them */
};

/*
 * Chooses: the weights that would be staged (one form of them, all parts),
 * and small files of configuration and tokenizers; never code.  Fetches an
 * index of parts where there is one.  -EBADMSG: refused, @why says so.  On
 * success release.
 */
int snapshot_choose(const struct stage_repo *repo, struct snapshot *out,
		    struct refusal *why) MUST_CHECK;
void snapshot_release(struct snapshot *snapshot);
DEFINE_AUTO(snapshot, struct snapshot, snapshot_release)
#define auto_snapshot auto_of(snapshot)

/* Whether a file of that path is one of the small ones.  Pure. */
bool snapshot_wants(const char *path, uint64_t size);

struct snapshot_copy {
	atomic_uint_fast64_t *done; /* bytes; risen as they come */
	int (*look)(void *arg);	    /* 0, or with which error to end */
	void *arg;
};

/*
 * Writes them below @folder, to be read only.  -EBADMSG with @why: a digest
 * is wrong; -ENOSPC; what look() says; the errno of getting a file.
 */
int snapshot_write(const struct snapshot *snapshot,
		   const struct stage_repo *repo, const char *folder,
		   const struct snapshot_copy *copy,
		   struct refusal *why) MUST_CHECK;

#endif
