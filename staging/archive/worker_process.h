/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/worker_process.h - omnihub-unpack, started and ended.
 */
#ifndef STAGING_ARCHIVE_WORKER_PROCESS_H
#define STAGING_ARCHIVE_WORKER_PROCESS_H

#include <sys/types.h>

#include "base/annot.h"

struct worker {
	pid_t pid; /* its group's too */
	int in;	 /* we write: its standard input; does not block; -1: closed */
	int out; /* we read: its standard output; does not block */
};

/*
 * The path of the program: beside the running one (in a build), or where it
 * is installed.  The caller frees *@out.  -ENOENT.
 */
int worker_find(char **out) MUST_CHECK;

/*
 * Starts @path with @argv, no environment, no signal blocked, two pipes and
 * nothing else.  It is killed when the calling *thread* ends (sandbox.h):
 * a job's thread outlives its workers.  On success worker_end().
 */
int worker_start(const char *path, char *const argv[],
		 struct worker *out) MUST_CHECK;

/* That it reads the end. */
void worker_close_in(struct worker *worker);

/*
 * Kills it unless it ended by itself, and waits for it.  What waitpid() says
 * of one that did, else 0.
 */
int worker_end(struct worker *worker);

#endif
