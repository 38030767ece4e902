/* SPDX-License-Identifier: MIT */
/*
 * staging/spawn.h - starting the program's own helpers.
 */
#ifndef STAGING_SPAWN_H
#define STAGING_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/annot.h"

/*
 * The path of @program: beside the running one (in a build), or where it is
 * installed.  The caller frees *@out.  -ENOENT.
 */
int spawn_find(const char *program, char **out) MUST_CHECK;

/*
 * Starts @path in a group of its own, no signal blocked or ignored, with the
 * file descriptors @fds as 0, 1 and 2 (-1: /dev/null) and no others, if all
 * of ours are close-on-exec.  On success the caller waits for *@pid.
 */
int spawn_start(const char *path, char *const argv[], char *const environment[],
		const int fds[3], pid_t *pid) MUST_CHECK;

#endif
