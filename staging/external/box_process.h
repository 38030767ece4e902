/* SPDX-License-Identifier: MIT */
/*
 * staging/external/box_process.h - omnihub-box, started, watched and ended.
 */
#ifndef STAGING_EXTERNAL_BOX_PROCESS_H
#define STAGING_EXTERNAL_BOX_PROCESS_H

#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"

struct box_process {
	const char *path; /* of omnihub-box */
	char *const *argv;
	char *const *environment;
	uint64_t until_ns;

	/*
	 * Some times a second: 0, or with which error to end it.  May be
	 * NULL.
	 */
	int (*look)(void *arg);
	void *arg;

	struct str *output; /* as tail_add() has it: 1 and 2 */
};

/*
 * Runs it to its end: the exit status of omnihub-box, -ETIMEDOUT, or what
 * look() says; -errno where it cannot be started.  It, and all that it
 * started, is gone then.  It dies with the calling thread.
 */
int box_process_run(const struct box_process *process) MUST_CHECK;

#endif
