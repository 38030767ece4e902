/* SPDX-License-Identifier: MIT */
/*
 * staging/job_table.h - what jobs of every kind share: being told of, and
 * the thread that gives what they made to the cache.
 *
 * A job of another kind than an archive's is in the table from
 * jobs_enter() to jobs_exit(); who runs it, and when it ends, is its own
 * affair.  Private to staging/.  Threads: any.
 */
#ifndef STAGING_JOB_TABLE_H
#define STAGING_JOB_TABLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "base/pool.h"
#include "staging/jobs.h"

/* Embedded in a job. */
struct job_entry {
	char key[CONTENT_KEY_HEX]; /* fixed, as label and begun_ns */
	const char *label;	   /* the job's */
	uint64_t begun_ns;
	_Atomic(const char *) state; /* a word; static text */
	atomic_uint_fast64_t done;   /* of .total; in bytes */
	atomic_uint_fast64_t total;  /* 0: not known */
};

/* -EEXIST: one of that key is there; -ESHUTDOWN; -ENOMEM. */
int jobs_enter(struct jobs *jobs, struct job_entry *entry) MUST_CHECK;

/* The entry may be freed then. */
void jobs_exit(struct jobs *jobs, struct job_entry *entry);

/* Runs @work on the thread that serves ranges; as pool_add(). */
int jobs_serve(struct jobs *jobs, struct pool_work *work) MUST_CHECK;

#endif
