/* SPDX-License-Identifier: MIT */
/*
 * staging/external/job_folder.h - the folder in which a conversion works.
 *
 *	<cache>/convert/<number>/
 *		snapshot/	the model's files; only read
 *		out/		what comes of them
 *		home/ tmp/	for the converter alone
 *		root/		where omnihub-box puts its view together
 *	<cache>/convert.old/	what a killed daemon left, until it is removed
 */
#ifndef STAGING_EXTERNAL_JOB_FOLDER_H
#define STAGING_EXTERNAL_JOB_FOLDER_H

#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct job_folder {
	char *path; /* owned; absolute */
};

/* In the cache's folder @dir.  On success job_folder_remove(). */
int job_folder_make(const char *dir, struct job_folder *out) MUST_CHECK;

/* With all that is in it; what cannot be removed is logged. */
void job_folder_remove(struct job_folder *folder);
DEFINE_AUTO(job_folder, struct job_folder, job_folder_remove)
#define auto_job_folder auto_of(job_folder)

/*
 * Folders that a daemon left behind when it was killed: first they are put
 * where no job will be, at once, then removed, which may take a while.
 * What cannot be is logged.
 */
void job_folders_set_aside(const char *dir);
void job_folders_sweep(const char *dir);

/* Bytes that may be written there: what is free but for SPOOL_FREE_MIN. */
int job_folder_room(const char *dir, uint64_t *out) MUST_CHECK;

#endif
