/* SPDX-License-Identifier: MIT */
#include "fs/call.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"

static void call_fire(struct timer *timer);
static void call_interrupted(struct pool_work *work);

static void call_run(struct pool_work *work)
{
	struct call *call = container_of(work, struct call, work);

	call->ops->run(call);
}

void call_init(struct call *call, const struct call_ops *ops, struct fs *fs,
	       fuse_req_t req)
{
	call->ops = ops;
	call->fs = fs;
	call->req = req;
	call->began_ns = clock_now_ns();
	call->deadline_ns = fs_deadline_ns(fs);
	atomic_init(&call->refs, 1);
	atomic_init(&call->answered, false);
	atomic_init(&call->interrupted, false);
	call->timer = (struct timer){ .fire = call_fire };
	call->work.run = call_run;
	call->interrupt.run = call_interrupted;
	fs->counters.waiting++;
}

void call_ask(struct call *call, struct late_range range)
{
	call->asked = range;
	call->hurried = late_has(&call->fs->late, &range);
	call->heard = fs_heard(call->fs);
	if (call->hurried)
		call->deadline_ns =
			clock_after_ns(LATE_PATIENCE_MS * NS_PER_MS);
}

/* A hub that says no at once is there, and may be asked again. */
static bool is_answer(const struct call *call, int r)
{
	return r >= 0 || r == -ENOENT ||
	       (r == -EACCES &&
		clock_now_ns() - call->began_ns < LATE_MS * NS_PER_MS);
}

/* One in a hurry proves nothing. */
void call_failed(struct call *call, int r)
{
	if (!is_answer(call, r) && !call->hurried)
		late_note(&call->fs->late, &call->asked);
}

void call_ref(struct call *call)
{
	atomic_fetch_add(&call->refs, 1);
}

void call_unref(struct call *call)
{
	if (atomic_fetch_sub(&call->refs, 1) == 1)
		call->ops->free(call);
}

bool call_claim(struct call *call)
{
	if (atomic_exchange(&call->answered, true))
		return false;
	/* Waits for an interrupt function at work: none runs after it. */
	fuse_req_interrupt_func(call->req, NULL, NULL);
	if (timer_cancel(call->fs->timers, &call->timer))
		call_unref(call);
	call->fs->counters.waiting--;
	return true;
}

/* Answers in the place of the work. */
static void call_give_up(struct call *call, int error)
{
	if (!call_claim(call))
		return;
	fuse_reply_err(call->req, error);
	if (call->ops->abandon)
		call->ops->abandon(call);
}

/* In a hurry, and a hub is back: it has all the time there is. */
static bool call_extend(struct call *call)
{
	if (!call->hurried || fs_heard(call->fs) == call->heard)
		return false;
	call->hurried = false;
	if (timer_arm(call->fs->timers, &call->timer,
		      fs_deadline_ns(call->fs)) < 0)
		return false;
	/* Answered meanwhile, by one who found no timer to cancel? */
	if (atomic_load(&call->answered) &&
	    timer_cancel(call->fs->timers, &call->timer))
		call_unref(call);
	return true;
}

static void call_fire(struct timer *timer)
{
	struct call *call = container_of(timer, struct call, timer);

	if (call_extend(call))
		return; /* the timer's reference stays with it */
	call->fs->counters.deadlines++;
	call_failed(call, -ETIMEDOUT);
	call_give_up(call, call->ops->late);
	call_unref(call);
}

static void call_interrupted(struct pool_work *work)
{
	struct call *call = container_of(work, struct call, interrupt);

	call_give_up(call, EINTR);
	call_unref(call);
}

/* libfuse holds the request's lock here, so another thread answers. */
static void call_on_interrupt(fuse_req_t req, void *data)
{
	struct call *call = data;

	(void)req;
	if (atomic_exchange(&call->interrupted, true))
		return;
	call->fs->counters.interrupts++;
	call_ref(call);
	if (pool_add(call->fs->disk, &call->interrupt) < 0)
		call_unref(call);
}

void call_watch(struct call *call)
{
	call_ref(call);
	if (timer_arm(call->fs->timers, &call->timer, call->deadline_ns) < 0)
		call_unref(call);
	fuse_req_interrupt_func(call->req, call_on_interrupt, call);
}

/* The work, and its reference, are the lane's. */
static void call_enter(struct call *call, struct pool *lane)
{
	call->lane = lane;
	if (lane == call->fs->slow)
		call->fs->counters.slow++;
	if (pool_add(lane, &call->work) == 0)
		return;
	log_warn("fs", "a lane is full: request refused");
	call_give_up(call, EIO);
	call_unref(call);
}

void call_start(struct call *call, struct pool *lane)
{
	call_ref(call);
	call_watch(call);
	call_enter(call, lane);
	call_unref(call);
}

uint64_t call_patience(const struct call *call)
{
	return call->lane == call->fs->slow ? call->deadline_ns : DEADLINE_NOW;
}

bool call_defer(struct call *call, int r)
{
	if (r != -EINPROGRESS || call->lane == call->fs->slow)
		return false;
	call_enter(call, call->fs->slow);
	return true;
}
