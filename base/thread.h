/* SPDX-License-Identifier: MIT */
/*
 * base/thread.h - how every thread of the program begins.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/annot.h"

/*
 * Starts a thread with every signal blocked, so that signals reach the
 * thread that waits for them.  @name has at most 15 bytes.  The caller
 * joins *@out.  -EAGAIN: no thread to be had.
 */
int thread_start(const char *name, void *(*run)(void *arg), void *arg,
		 pthread_t *out) MUST_CHECK;

#endif
