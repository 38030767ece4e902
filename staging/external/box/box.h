/* SPDX-License-Identifier: MIT */
/*
 * staging/external/box/box.h - what a converter is locked into.
 *
 * A converter is a program of the user's that reads what a stranger made:
 * a pickle may take it over.  So it runs in one of these:
 *
 *	namespaces	own user, mounts, processes, network, IPC: all of the
 *			file system is read-only and without devices but for
 *			three folders; /run, /tmp and /var/tmp are empty
 *	landlock	where user namespaces are forbidden: landlock(7) allows
 *			reading everywhere and writing in the three folders;
 *			the process group cannot be left
 *	off		limits only; the user said so
 *
 * In the first two seccomp(2) refuses every socket, io_uring, and the calls
 * that would undo the rest.  In all of them: no new privileges, bounds on
 * memory, time, files and processes.
 *
 * Private to omnihub-box.
 */
#ifndef STAGING_EXTERNAL_BOX_BOX_H
#define STAGING_EXTERNAL_BOX_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/annot.h"

enum box_mode { BOX_NAMESPACES, BOX_LANDLOCK, BOX_OFF };

/* Ends with this status where the box could not be made. */
#define BOX_BROKEN 125

/* The folders of a job that may be written to; snapshot/ is only read. */
#define BOX_FOLDERS                  \
	{                            \
		"out", "home", "tmp" \
	}

/* Where the new root is put together; a folder of the job, too. */
#define BOX_ROOT "root"

struct box {
	enum box_mode mode;
	const char *folder; /* of the job; absolute */
	uint64_t memory_bytes;
	uint64_t cpu_s;
	uint64_t file_bytes; /* the longest file that may be written */
	char **argv;	     /* [0] is a path */
};

/* "omnihub-box: cannot ..., errno" on standard error; returns BOX_BROKEN. */
int box_complain(const char *what);

/*
 * box_namespaces.c.  Runs box->argv and waits for it: its exit status, 128
 * and a signal, or BOX_BROKEN.  All it started is gone then.
 */
int box_run_namespaces(const struct box *box);

/* The same by other means: BOX_LANDLOCK and BOX_OFF. */
int box_run_group(const struct box *box);

/* True: box_run_namespaces() would work. */
bool box_has_namespaces(const struct box *box);

/* box_mounts.c: the view of the file system; 0 or BOX_BROKEN. */
int box_mount(const struct box *box);

/* box_landlock.c */
bool box_has_landlock(void);
int box_landlock(const struct box *box) MUST_CHECK; /* -errno */

/* box_filter.c: seccomp.  @group: the process group is all there is. */
int box_filter(bool group) MUST_CHECK; /* -errno */

/* box_limits.c: bounds, privileges; then the program.  Does not return. */
int box_limit(const struct box *box) MUST_CHECK; /* -errno */
int box_drop_privileges(void) MUST_CHECK;	 /* -errno */
void box_exec(const struct box *box) __attribute__((noreturn));

/* 128 and the signal, or the status. */
int box_status(int wait_status);

#endif
