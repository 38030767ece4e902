/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/job.h - what the parts of archive/ share.  Private to it.
 *
 * States of a job, and who makes each step (jobs.c, under jobs->lock):
 *
 *	WORKING -> SPOOLED	job_finish(): all is in the spool and right
 *	WORKING -> ENDED	job_finish(): it failed, and left the table
 *	SPOOLED -> ENDED	job_leave(): the cache has it, or would not
 *
 * J1  A job is in the table if and only if it is WORKING or SPOOLED, and
 *     then the table holds a reference.
 * J2  A range is in job->ranges only while the job is WORKING.
 * J3  What a job made (.archive, .spool, .result, .why) is fixed once it is
 *     not WORKING.
 */
#ifndef STAGING_ARCHIVE_JOB_H
#define STAGING_ARCHIVE_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/lock.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/source.h"
#include "staging/archive/archive.h"
#include "staging/archive/spool.h"
#include "staging/archive/worker_process.h"
#include "staging/job_table.h"

enum job_state { JOB_WORKING, JOB_SPOOLED, JOB_ENDED };

#define NO_MEMBER SIZE_MAX /* all of a tar */

/* What a job unpacks; the names are for the others. */
struct job_spec {
	const struct content_key *key; /* of the tar, or of the member */
	struct archive *archive;       /* borrowed; without members: a tar */
	size_t member;		       /* of a zip, or NO_MEMBER */
};

/* A part of a member that someone waits for. */
struct range {
	struct pool_work work;
	struct range *next;    /* job->ranges */
	struct job *job;       /* one reference */
	struct source *source; /* the member; one reference */
	uint64_t off, len;
	struct source_sink *sink; /* done() is due */
};

struct job {
	struct pool_work work;
	struct job_entry entry;
	struct jobs *jobs;    /* fixed, as all up to .refs */
	struct archive *from; /* the archive; one reference */
	size_t member;
	atomic_uint refs;

	enum job_state state; /* jobs->lock, as .ranges */
	struct range *ranges;

	struct archive *archive; /* J3; of a tar: what came; one reference */
	struct spool *spool;	 /* J3; owned */
	int result;		 /* J3 */
	struct refusal why;	 /* J3 */
};

struct job_failure;

struct jobs {
	char *dir;	     /* fixed; owned */
	char *worker;	     /* fixed; owned */
	struct pool *pool;   /* runs jobs */
	struct pool *serve;  /* gives ranges out of spools */
	atomic_bool closing; /* set with the lock held; jobs look at it */
	struct lock lock;
	struct cond changed; /* a job's state */
	struct map running;  /* lock; key -> struct job_entry * */
	struct map failures; /* lock; key -> struct job_failure *, owned */
};

/*
 * jobs.c.  The job of @spec, begun unless there is one.  @range (may be
 * NULL) is given to it: from then on done() will come, and the range is the
 * job's.  *@out (may be NULL): one reference.  On failure @range is the
 * caller's still.
 */
int jobs_join(struct jobs *jobs, const struct job_spec *spec,
	      struct range *range, struct job **out) MUST_CHECK;

/* Until @job is not WORKING: its result, or -ETIMEDOUT. */
int job_wait(struct job *job, uint64_t deadline_ns) MUST_CHECK;
void job_unref(struct job *job);
DEFINE_AUTO_PTR(job, struct job, job_unref)
#define auto_job auto_of(job)

/* @result of its work; ranges are served or ended. */
void job_finish(struct job *job, int result);
void job_leave(struct job *job);

/* job_run.c: all of a job, on a thread of its own. */
void job_run(struct pool_work *work);

/* job_take.c: what comes out of the worker, or of a stored member. */
struct job_take;
int job_take_new(struct job *job, struct job_take **out) MUST_CHECK;
void job_take_free(struct job_take *take);
DEFINE_AUTO_PTR(job_take, struct job_take, job_take_free)
#define auto_job_take auto_of(job_take)

/* More than this cannot be right; the worker is told. */
uint64_t job_take_bytes_max(const struct job *job);
extern const struct frame_taker_ops job_take_ops;

/* All came: sets job->archive and ->spool.  -EBADMSG with job->why. */
int job_take_end(struct job_take *take) MUST_CHECK;

/* member_source.c */
struct member_source;
int member_source_new(struct archive *archive, size_t member,
		      struct source **out) MUST_CHECK;
void range_serve(struct pool_work *work);
void range_end(struct range *range, int result);

/* archive.c: takes @table and @zip (may be NULL) also on failure. */
int archive_new_like(const struct archive *like, struct archive_table *table,
		     struct zip_directory *zip,
		     struct archive **out) MUST_CHECK;

/* archive_zip.c: -ENODATA: no end of a zip was found. */
int archive_read_zip(const struct archive *bare, uint64_t deadline_ns,
		     struct archive **out, struct refusal *why) MUST_CHECK;

/* archive_memo.c: -ENOENT; -EBADMSG: refused before, with @why. */
int archive_recall(struct archive *bare, struct archive **out,
		   struct refusal *why) MUST_CHECK;
void archive_remember(const struct archive *archive);
void archive_remember_refusal(const struct archive *bare,
			      const struct refusal *why);

/* archive_magic.c: -EBADMSG unless it may be a tar, or is a zip (@zip). */
int archive_check_head(const void *head, size_t len, const char *label,
		       bool *zip, struct refusal *why) MUST_CHECK;

#endif
