/* SPDX-License-Identifier: MIT */
/*
 * fs/call.h - a request that does not end where it began.
 *
 * A FUSE thread never waits.  What cannot be answered at once becomes a
 * call: it goes to a lane (a pool) or is parked, and is answered once, by
 * whichever comes first of its work, its deadline and an interrupt.
 *
 * Metadata begins on the disk lane, which waits for no hub, and goes on to
 * the slow lane only if the index cannot answer it: so what is known here
 * is told at once, however many wait for a hub that is silent.
 *
 *	who			claims, then
 *	the work		replies
 *	the timer		replies -ops->late, ops->abandon()
 *	the kernel's interrupt	replies -EINTR, ops->abandon()
 *
 * References: the work's (from call_init()) and one each for a timer that
 * is armed and an interrupt that is queued.  The last one frees.
 */
#ifndef FS_CALL_H
#define FS_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/pool.h"
#include "base/timer.h"
#include "fs/fs.h"
#include "fs/fuse_api.h"

struct call;

struct call_ops {
	/*
	 * Does the work, on a lane: answers if call_claim() lets it, then
	 * drops its reference.
	 */
	void (*run)(struct call *call);

	/*
	 * Someone else has answered and run() need not come; may be NULL.
	 * Called once, with a reference held.
	 */
	void (*abandon)(struct call *call);

	/* The last reference is gone. */
	void (*free)(struct call *call);

	int late; /* errno of a deadline: ETIMEDOUT, or EIO for reads */
};

struct call {
	const struct call_ops *ops;
	struct fs *fs;
	fuse_req_t req;
	uint64_t began_ns;
	uint64_t deadline_ns;
	struct late_range asked; /* see call_ask() */
	atomic_bool hurried;	 /* the same ran out of time just now */
	uint64_t heard;		 /* fs_heard() when it began */
	struct pool *lane;	 /* where run() is, or will be */
	atomic_uint refs;
	atomic_bool answered;
	atomic_bool interrupted;
	struct timer timer;
	struct pool_work work;
	struct pool_work interrupt;
};

/* One reference: the work's. */
void call_init(struct call *call, const struct call_ops *ops, struct fs *fs,
	       fuse_req_t req);

/*
 * Says what is asked, before anyone watches: what runs out of time is noted
 * (late.h), and what just did has little of it.
 */
void call_ask(struct call *call, struct late_range range);

/*
 * To be told of work that failed with @r, which is noted too; but not what a
 * hub does not have, or refused within LATE_MS.
 */
void call_failed(struct call *call, int r);

/* From here on deadline and interrupt may answer. */
void call_watch(struct call *call);

/* Watches it and gives it to @lane; a full lane answers -EIO. */
void call_start(struct call *call, struct pool *lane);

/* How long run() may wait for a hub: DEADLINE_NOW on the disk lane. */
uint64_t call_patience(const struct call *call);

/*
 * For run(), with a result of @r.  True: it was -EINPROGRESS on the disk
 * lane, and run() comes again on the slow one.
 */
bool call_defer(struct call *call, int r) MUST_CHECK;

/* True, once: the caller must reply to call->req now. */
bool call_claim(struct call *call) MUST_CHECK;

void call_ref(struct call *call);
void call_unref(struct call *call);

#endif
