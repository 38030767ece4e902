/* SPDX-License-Identifier: MIT */
/*
 * staging/jobs.h - what takes long: the unpacking of archives, and what is
 * converted (converter.h).
 *
 * One job for a content, whoever asks, in a process of its own
 * (archive/worker/sandbox.h); results are blobs like any other.  What a job
 * is for, and who starts one, is in archive/archive.h.
 *
 * Threads: any, except where said.
 */
#ifndef STAGING_JOBS_H
#define STAGING_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"

struct jobs;

struct jobs_options {
	const char *dir;    /* for files without a name: the cache's folder */
	const char *worker; /* path of omnihub-unpack; NULL: it is looked for */
};

/*
 * One a process.  Starts threads: call it after daemonizing.  -ENOENT: no
 * worker is installed.  On success jobs_free().
 */
int jobs_new(const struct jobs_options *options, struct jobs **out) MUST_CHECK;

/*
 * Ends the workers; whoever waits gets -ESHUTDOWN.  Waits for the piece of
 * an archive that is being fetched: call it once the transport has stopped.
 * From none of its threads.  NULL is fine.
 */
void jobs_stop(struct jobs *jobs);

/* Once every archive and every blob of a member is gone.  Stops it first. */
void jobs_free(struct jobs *jobs);

struct job_status {
	char *label;	   /* owned */
	const char *state; /* "unpacking", "keeping", "converting"; static */
	uint64_t done;	   /* bytes so far */
	uint64_t total;	   /* of how many; 0: not known */
	uint64_t seconds;
};

struct jobs_status {
	struct job_status *jobs; /* owned */
	size_t count;
};

/* -ENOMEM.  On success jobs_status_release(). */
int jobs_status(struct jobs *jobs, struct jobs_status *out) MUST_CHECK;
void jobs_status_release(struct jobs_status *status);

/*
 * Of the job that unpacks the tar, or the member, of this key.  -ENOENT:
 * none does.
 */
int archive_progress(struct jobs *jobs, const struct content_key *key,
		     uint64_t *done, uint64_t *total) MUST_CHECK;

#endif
