/* SPDX-License-Identifier: MIT */
/*
 * fs/daemon.h - a mount's life: wiring, serving, the end.
 */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include "base/annot.h"
#include "base/str.h"
#include "fs/config.h"

/*
 * Mounts what @config (complete) says and serves it until it is unmounted
 * or a signal ends it.  Called in a process of one thread.
 *
 * @ready is called once: with 0 when the mount stands, else with the error
 * and a sentence for people.  Returns 0, or the error given to @ready.
 */
int daemon_run(const struct config *config,
	       void (*ready)(void *arg, int error, const char *why),
	       void *arg) MUST_CHECK;

#endif
