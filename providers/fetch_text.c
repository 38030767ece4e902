/* SPDX-License-Identifier: MIT */
#include "providers/fetch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "providers/fetch_errno.h"
#include "providers/fetch_internal.h"
#include "providers/url.h"

/* On the stack of the one who waits. */
struct text_call {
	struct transfer transfer;
	struct str *body;
	size_t body_start; /* what was there before */
	struct fetch_reply *reply;
	struct lock lock;
	struct cond cond;
	bool done;  /* lock */
	int result; /* lock */
};

static struct text_call *call_of(struct transfer *transfer)
{
	return container_of(transfer, struct text_call, transfer);
}

static int text_aim(struct transfer *transfer)
{
	transfer->url = mem_strdup(transfer->start);
	return transfer->url ? 0 : -ENOMEM;
}

static int text_data(struct transfer *transfer, const void *bytes, size_t len)
{
	return str_append(call_of(transfer)->body, bytes, len);
}

static int text_answered(struct transfer *transfer,
			 const struct fetch_verdict *verdict)
{
	struct fetch_reply *reply = call_of(transfer)->reply;

	(void)verdict;
	free(reply->url);
	reply->url = mem_strdup(transfer->url);
	return reply->url ? answer_reply(transfer->easy, reply) : -ENOMEM;
}

static int text_follow(struct transfer *transfer, const char *url)
{
	struct fetch_reply *reply = call_of(transfer)->reply;

	if (!url_same_origin(url, transfer->start))
		return -EIO;
	free(take_ptr(reply->location));
	return 0;
}

static void text_again(struct transfer *transfer,
		       const struct fetch_verdict *verdict)
{
	struct text_call *call = call_of(transfer);

	(void)verdict;
	str_truncate(call->body, call->body_start);
	transfer->got = 0;
}

/* The waiting thread's stack may be gone once the lock is dropped. */
static void text_done(struct transfer *transfer, int result)
{
	struct text_call *call = call_of(transfer);

	lock_take(&call->lock);
	call->result = result;
	call->done = true;
	cond_wake_all(&call->cond);
	lock_drop(&call->lock);
}

static const struct transfer_ops text_ops = {
	.aim = text_aim,
	.data = text_data,
	.answered = text_answered,
	.follow = text_follow,
	.again = text_again,
	.done = text_done,
};

static int call_wait(struct text_call *call)
{
	int r = fetcher_submit(call->transfer.fetcher, &call->transfer);

	if (r < 0)
		return r;
	lock_take(&call->lock);
	while (!call->done)
		cond_wait(&call->cond, &call->lock);
	r = call->result;
	lock_drop(&call->lock);
	return r;
}

int fetch_text(struct fetcher *fetcher, const char *url,
	       const struct auth *auth, uint64_t deadline_ns, struct str *body,
	       struct fetch_reply *reply)
{
	struct text_call call = {
		.transfer = {
			.ops = &text_ops,
			.fetcher = fetcher,
			.auth = auth,
			.start = url,
			.urgency = SOURCE_WANTED,
			.deadline_ns = deadline_ns,
		},
		.body = body,
		.body_start = body->len,
		.reply = reply,
	};
	int r = url_check(url);

	*reply = (struct fetch_reply){ 0 };
	if (r < 0)
		return r;
	lock_init(&call.lock);
	cond_init(&call.cond);
	r = call_wait(&call);
	if (r < 0)
		str_truncate(body, call.body_start);
	cond_release(&call.cond);
	lock_release(&call.lock);
	return r;
}
