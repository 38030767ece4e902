/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/worker/sandbox.h - what the worker gives up before it
 * reads the first hostile byte.
 *
 * After sandbox_enter() the process can read file descriptor 0, write 1 and
 * use the memory and time it was given.  It cannot open, connect, fork,
 * execute, map a file, make memory executable, or send signals: such calls
 * give EPERM (seccomp(2), a list of what is allowed).  It dies with the
 * thread that started it.
 */
#ifndef STAGING_ARCHIVE_WORKER_SANDBOX_H
#define STAGING_ARCHIVE_WORKER_SANDBOX_H

#include <stdint.h>

#include "base/annot.h"

/*
 * One way; the process has one thread.  Sanitizers need what is forbidden
 * here: in their builds only file descriptors and time are limited.
 * -errno: not all of it could be given up, and the caller must end.
 */
int sandbox_enter(uint64_t memory_bytes, uint64_t cpu_s) MUST_CHECK;

#endif
