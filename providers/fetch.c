/* SPDX-License-Identifier: MIT */
#include "providers/fetch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "providers/fetch_internal.h"
#include "providers/url.h"

#define POLL_MS_MAX 1000 /* curl wants to look at its own timers, too */

static void list_append(struct transfer_list *list, struct transfer *transfer)
{
	transfer->prev = list->tail;
	transfer->next = NULL;
	*(list->tail ? &list->tail->next : &list->head) = transfer;
	list->tail = transfer;
	list->count++;
}

static void list_prepend(struct transfer_list *list, struct transfer *transfer)
{
	transfer->prev = NULL;
	transfer->next = list->head;
	*(list->head ? &list->head->prev : &list->tail) = transfer;
	list->head = transfer;
	list->count++;
}

static void list_remove(struct transfer_list *list, struct transfer *transfer)
{
	*(transfer->prev ? &transfer->prev->next
			 : &list->head) = transfer->next;
	*(transfer->next ? &transfer->next->prev
			 : &list->tail) = transfer->prev;
	transfer->prev = transfer->next = NULL;
	list->count--;
}

/* A slot always is free: there are more than transfers. */
static struct host *host_get(struct fetcher *fetcher, const char *origin)
{
	struct host *spare = NULL;

	for (size_t i = 0; i < FETCH_HOSTS_MAX; i++) {
		struct host *host = &fetcher->hosts[i];

		if (host->origin && !strcmp(host->origin, origin))
			return host;
		if (host->active == 0 &&
		    (!spare || host->hold_until_ns < spare->hold_until_ns))
			spare = host;
	}
	free(spare->origin);
	*spare = (struct host){ .origin = mem_strdup(origin) };
	return spare->origin ? spare : NULL;
}

static void finish(struct transfer *transfer, int result)
{
	transfer->fetcher->look = true;
	free(take_ptr(transfer->url));
	free(take_ptr(transfer->origin));
	transfer->ops->done(transfer, result);
}

static void queue_drop(struct transfer *transfer, int result)
{
	list_remove(&transfer->fetcher->queued[transfer->urgency], transfer);
	finish(transfer, result);
}

/* .url and .origin, from aim() where there is none. */
static int aim(struct transfer *transfer)
{
	int r = transfer->url ? 0 : transfer->ops->aim(transfer);

	if (r == 0 && !transfer->origin)
		r = url_origin(transfer->url, &transfer->origin);
	return r == -EINVAL ? -EIO : r;
}

static int timeout_of(const struct transfer *transfer)
{
	return transfer->ranged ? -EIO : -ETIMEDOUT;
}

static void look_at(struct fetcher *fetcher, uint64_t at_ns)
{
	fetcher->look_ns = u64_min(fetcher->look_ns, at_ns);
}

/* Transfers that a host may have before one more of @urgency. */
static unsigned int host_limit(enum source_urgency urgency)
{
	return urgency == SOURCE_AHEAD ? FETCH_PARALLEL_AHEAD_MAX
				       : FETCH_PARALLEL_HOST_MAX;
}

/* 0: it is active; 1: it has all; -EAGAIN: it stays queued; else its end. */
static int try_start(struct fetcher *fetcher, struct transfer *transfer,
		     uint64_t now)
{
	struct host *host;
	int r;

	if (transfer->ranged && transfer->got == transfer->len)
		return 1;
	look_at(fetcher, transfer->deadline_ns);
	if (now >= transfer->deadline_ns)
		return timeout_of(transfer);
	if (now < transfer->not_before_ns) {
		look_at(fetcher, transfer->not_before_ns);
		return -EAGAIN;
	}
	r = aim(transfer);
	if (r < 0)
		return r;
	host = host_get(fetcher, transfer->origin);
	if (!host)
		return -ENOMEM;
	if (host->hold_until_ns >= transfer->deadline_ns)
		return -EIO;
	if (now < host->hold_until_ns)
		look_at(fetcher, host->hold_until_ns);
	if (now < host->hold_until_ns ||
	    host->active >= host_limit(transfer->urgency))
		return -EAGAIN;
	r = transfer_start(transfer);
	if (r < 0)
		return r;
	transfer->host = host;
	host->active++;
	atomic_fetch_add(&fetcher->requests, 1);
	return 0;
}

static void start_from(struct fetcher *fetcher, struct transfer_list *list)
{
	uint64_t now = clock_now_ns();
	struct transfer *next;

	for (struct transfer *t = list->head; t; t = next) {
		int r;

		next = t->next;
		if (fetcher->active.count >= FETCH_PARALLEL_MAX) {
			look_at(fetcher, t->deadline_ns);
			if (now < t->deadline_ns)
				continue;
		}
		r = try_start(fetcher, t, now);
		if (r == -EAGAIN)
			continue;
		if (r != 0) {
			queue_drop(t, r < 0 ? r : 0);
			continue;
		}
		list_remove(list, t);
		list_append(&fetcher->active, t);
	}
}

static void start_queued(struct fetcher *fetcher)
{
	if (!fetcher->look && clock_now_ns() < fetcher->look_ns)
		return;
	fetcher->look = false;
	fetcher->look_ns = CLOCK_NEVER;
	start_from(fetcher, &fetcher->queued[SOURCE_WANTED]);
	start_from(fetcher, &fetcher->queued[SOURCE_AHEAD]);
}

static void requeue(struct transfer *transfer)
{
	list_prepend(&transfer->fetcher->queued[transfer->urgency], transfer);
}

static void forget_url(struct transfer *transfer)
{
	free(take_ptr(transfer->url));
	free(take_ptr(transfer->origin));
	transfer->away = transfer->foreign = transfer->remembered = false;
	transfer->hops = 0;
}

static void ask_again(struct transfer *transfer,
		      const struct fetch_verdict *verdict)
{
	atomic_fetch_add(&transfer->fetcher->retries, 1);
	log_debug("fetch", "%.*s: again in %u ms", transfer_name_len(transfer),
		  transfer->url, (unsigned int)verdict->delay_ms);
	transfer->attempts++;
	transfer->untrue += verdict->untrue;
	transfer->not_before_ns = clock_after_ns(verdict->delay_ms * NS_PER_MS);
	if (transfer->ops->again)
		transfer->ops->again(transfer, verdict);
	if (verdict->act == FETCH_RESOLVE) {
		transfer->resolved_again = true;
		forget_url(transfer);
	}
}

static void host_hold(struct host *host, uint64_t delay_ms)
{
	host->hold_until_ns = u64_max(host->hold_until_ns,
				      clock_after_ns(delay_ms * NS_PER_MS));
}

/* Takes @url. */
static int follow(struct transfer *transfer, char *url)
{
	int r = transfer->ops->follow ? transfer->ops->follow(transfer, url)
				      : 0;

	if (r < 0) {
		free(url);
		return r;
	}
	forget_url(transfer);
	transfer->url = url;
	transfer->away = true;
	transfer->foreign = !url_same_origin(url, transfer->start);
	return 0;
}

/* Off the active list, with what is to be done. */
static void leave(struct transfer *transfer, struct fetch_verdict verdict)
{
	unsigned int hops = transfer->hops;
	char *url = NULL;
	int r = verdict.error;

	if (verdict.act == FETCH_FOLLOW)
		r = transfer_location(transfer, &url);
	transfer_halt(transfer);
	if (r == 0 && verdict.act == FETCH_FOLLOW) {
		r = follow(transfer, url);
		transfer->hops = hops + 1;
	}
	if (verdict.host_waits)
		host_hold(transfer->host, verdict.delay_ms);
	if (verdict.untrue)
		atomic_fetch_add(&transfer->fetcher->rejects, 1);
	if (verdict.act == FETCH_RETRY || verdict.act == FETCH_RESOLVE)
		ask_again(transfer, &verdict);
	transfer->host->active--;
	transfer->host = NULL;
	list_remove(&transfer->fetcher->active, transfer);
	transfer->fetcher->look = true;
	if (verdict.act == FETCH_DELIVER || r < 0)
		finish(transfer, r);
	else
		requeue(transfer);
}

static void collect(struct fetcher *fetcher)
{
	struct transfer *transfer;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  &transfer);
		transfer->fresh = code == CURLE_OPERATION_TIMEDOUT;
		leave(transfer, transfer_conclude(transfer, code));
	}
}

static void watch(struct fetcher *fetcher)
{
	uint64_t now = clock_now_ns();
	struct transfer *next;

	for (struct transfer *t = fetcher->active.head; t; t = next) {
		next = t->next;
		if (now >= t->deadline_ns) {
			leave(t,
			      (struct fetch_verdict){ .act = FETCH_FAIL,
						      .error = timeout_of(t) });
		} else if (now >= t->heard_ns + t->stall_ns) {
			t->fresh = true;
			leave(t,
			      transfer_conclude(t, CURLE_OPERATION_TIMEDOUT));
		}
	}
}

static int poll_ms(const struct fetcher *fetcher)
{
	uint64_t now = clock_now_ns();
	uint64_t at = fetcher->look ? now : fetcher->look_ns;

	for (const struct transfer *t = fetcher->active.head; t; t = t->next) {
		at = u64_min(at, t->deadline_ns);
		at = u64_min(at, t->heard_ns + t->stall_ns);
	}
	if (at <= now)
		return 0;
	return (int)u64_min((at - now) / NS_PER_MS + 1, POLL_MS_MAX);
}

/* False: it is to stop. */
static bool take_inbox(struct fetcher *fetcher)
{
	struct transfer_list inbox;
	struct transfer *next;
	bool stopping;

	lock_take(&fetcher->lock);
	inbox = fetcher->inbox;
	fetcher->inbox = (struct transfer_list){ 0 };
	stopping = fetcher->stopping;
	lock_drop(&fetcher->lock);
	for (struct transfer *t = inbox.head; t; t = next) {
		next = t->next;
		list_append(&fetcher->queued[t->urgency], t);
		fetcher->look = true;
	}
	return !stopping;
}

static void publish(struct fetcher *fetcher)
{
	atomic_store(&fetcher->active_count, fetcher->active.count);
	atomic_store(&fetcher->queued_count,
		     fetcher->queued[SOURCE_WANTED].count +
			     fetcher->queued[SOURCE_AHEAD].count);
}

static void end_all(struct fetcher *fetcher)
{
	for (int urgency = SOURCE_WANTED; urgency <= SOURCE_AHEAD; urgency++)
		while (fetcher->queued[urgency].head)
			queue_drop(fetcher->queued[urgency].head, -ESHUTDOWN);
	while (fetcher->active.head)
		leave(fetcher->active.head,
		      (struct fetch_verdict){ .act = FETCH_FAIL,
					      .error = -ESHUTDOWN });
}

static void *run(void *arg)
{
	struct fetcher *fetcher = arg;
	int running;

	while (take_inbox(fetcher)) {
		start_queued(fetcher);
		publish(fetcher);
		curl_multi_perform(fetcher->multi, &running);
		collect(fetcher);
		watch(fetcher);
		curl_multi_poll(fetcher->multi, NULL, 0, poll_ms(fetcher),
				NULL);
	}
	end_all(fetcher);
	publish(fetcher);
	return NULL;
}

/*
 * What is read ahead has as long as a request; what is waited for has the
 * deadline of who waits, which of jobs is that of no request.
 */
static uint64_t patience_ns(const struct fetcher *fetcher,
			    const struct transfer *transfer)
{
	return transfer->urgency == SOURCE_AHEAD
		       ? fetcher->deadline_ns
		       : u64_max(fetcher->deadline_ns,
				 REQUEST_DEADLINE_S * NS_PER_S);
}

int fetcher_submit(struct fetcher *fetcher, struct transfer *transfer)
{
	uint64_t now = clock_now_ns();
	bool taken;

	transfer->fetcher = fetcher;
	transfer->deadline_ns =
		u64_min(transfer->deadline_ns,
			clock_after_ns(patience_ns(fetcher, transfer)));
	transfer->stall_ns = STALL_TIMEOUT_S * NS_PER_S;
	if (transfer->deadline_ns > now)
		transfer->stall_ns = u64_min(transfer->stall_ns,
					     (transfer->deadline_ns - now) / 3);
	lock_take(&fetcher->lock);
	taken = !fetcher->stopping;
	if (taken)
		list_append(&fetcher->inbox, transfer);
	lock_drop(&fetcher->lock);
	if (!taken)
		return -ESHUTDOWN;
	curl_multi_wakeup(fetcher->multi);
	return 0;
}

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int fetcher_new(unsigned int deadline_s, struct fetcher **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct fetcher *fetcher = mem_zalloc(sizeof(*fetcher));
	int r = -ENOMEM;

	if (!fetcher)
		return -ENOMEM;
	pthread_once(&once, curl_begin);
	lock_init(&fetcher->lock);
	fetcher->deadline_ns = deadline_s * NS_PER_S;
	fetcher->look_ns = CLOCK_NEVER;
	fetcher->multi = curl_multi_init();
	if (fetcher->multi &&
	    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS,
			      (long)FETCH_PARALLEL_MAX) == CURLM_OK)
		r = thread_start("omnihub-fetch", run, fetcher,
				 &fetcher->thread);
	if (r < 0) {
		fetcher->joined = true;
		fetcher_free(fetcher);
		return r;
	}
	*out = fetcher;
	return 0;
}

void fetcher_stop(struct fetcher *fetcher)
{
	if (fetcher->joined)
		return;
	lock_take(&fetcher->lock);
	fetcher->stopping = true;
	lock_drop(&fetcher->lock);
	curl_multi_wakeup(fetcher->multi);
	pthread_join(fetcher->thread, NULL);
	fetcher->joined = true;
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	fetcher_stop(fetcher);
	assert(!fetcher->inbox.head);
	curl_multi_cleanup(fetcher->multi);
	for (size_t i = 0; i < FETCH_HOSTS_MAX; i++)
		free(fetcher->hosts[i].origin);
	lock_release(&fetcher->lock);
	free(fetcher);
}

void fetcher_stats(struct fetcher *fetcher, struct fetcher_stats *out)
{
	*out = (struct fetcher_stats){
		.requests = atomic_load(&fetcher->requests),
		.bytes = atomic_load(&fetcher->bytes),
		.useful = atomic_load(&fetcher->useful),
		.retries = atomic_load(&fetcher->retries),
		.rejects = atomic_load(&fetcher->rejects),
		.active = atomic_load(&fetcher->active_count),
		.queued = atomic_load(&fetcher->queued_count),
	};
}
