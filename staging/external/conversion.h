/* SPDX-License-Identifier: MIT */
/*
 * staging/external/conversion.h - what the parts of external/ share.  Private
 * to it.
 *
 * C1  A conversion is in converter->conversions from its beginning until its
 *     result is kept, or its failure is forgotten; the table has a reference.
 * C2  What it failed of (.why, .lines, .took_s) is fixed once .failed is set.
 * C3  Its entry is in the table of jobs while it is not .failed.
 */
#ifndef STAGING_EXTERNAL_CONVERSION_H
#define STAGING_EXTERNAL_CONVERSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/pool.h"
#include "staging/converter.h"
#include "staging/external/convert_tool.h"
#include "staging/job_table.h"
#include "staging/refusal.h"

struct converter {
	struct converter_options options; /* fixed; strings owned */
	struct pool *pool;		  /* one conversion at a time */
	atomic_bool closing;
	struct pool_work sweep; /* of what a killed daemon left behind */
	struct lock lock;
	struct cond found;	   /* lock; .looking has ended */
	struct map conversions;	   /* lock; C1 */
	struct convert_tool *tool; /* lock; one reference; NULL: not looked */
	bool looking;		   /* lock */
};

/* What names a conversion, and its result in the memo. */
struct conversion_key {
	char hex[CONTENT_KEY_HEX];
};

struct conversion {
	struct pool_work work;
	struct job_entry entry;
	struct converter *converter; /* fixed, as all up to .refs */
	struct stage_repo repo;	     /* its .arg is one reference */
	struct conversion_key key;
	char *task;		   /* owned */
	char *label;		   /* owned */
	struct convert_tool *tool; /* one reference */
	atomic_uint refs;
	atomic_bool stop; /* somebody wants it to end */
	uint64_t look_ns; /* its thread's: when conversion_look() is due */

	bool failed;	    /* converter->lock */
	struct refusal why; /* C2 */
	char *lines;	    /* C2; owned; the last ones that were printed */
	uint64_t took_s;    /* C2 */
};

/* ---- converter.c ---- */

int conversion_key_of(const struct stage_repo *repo, const char *task,
		      struct conversion_key *out) MUST_CHECK;

/* One reference, or NULL. */
struct conversion *converter_conversion(struct converter *converter,
					const struct conversion_key *key);
void conversion_unref(struct conversion *conversion);
DEFINE_AUTO_PTR(conversion, struct conversion, conversion_unref)
#define auto_conversion auto_of(conversion)

bool conversion_has_failed(struct conversion *conversion);

/*
 * What converts; looked for once, and @again where it was missing.  One
 * reference.  -EINPROGRESS: it has to be looked for, and the deadline is
 * DEADLINE_NOW; -ETIMEDOUT.
 */
int converter_tool(struct converter *converter, uint64_t deadline_ns,
		   bool again, struct convert_tool **out) MUST_CHECK;

/*
 * Ends it for the table: kept where @r is 0, else failed of .why and .lines;
 * -ESHUTDOWN and -ECANCELED leave nothing behind.
 */
void conversion_end(struct conversion *conversion, int r);

/* ---- conversion_run.c: all of it, on its thread ---- */
void conversion_run(struct pool_work *work);

/* 0, -ESHUTDOWN, -ECANCELED; or -ENOSPC where the disk is nearly full. */
int conversion_look(void *conversion) MUST_CHECK;

/* ---- convert_result.c ---- */

/*
 * Checks what is in @folder's out/ and gives it to the cache.  -EBADMSG with
 * conversion->why.
 */
int convert_result_keep(struct conversion *conversion,
			const struct job_folder *folder) MUST_CHECK;

/*
 * Adds the files and info.json of a kept result to @out.  -ENOENT: there is
 * none, or none any more.
 */
int convert_result_list(struct converter *converter,
			const struct stage_repo *repo, const char *task,
			struct stage_listing *out) MUST_CHECK;

/* Lets it be evicted, and no more be found.  -ENOENT. */
int convert_result_forget(struct converter *converter,
			  const struct stage_repo *repo,
			  const char *task) MUST_CHECK;

#endif
