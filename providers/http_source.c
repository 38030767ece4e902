/* SPDX-License-Identifier: MIT */
#include "providers/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/fetch_internal.h"
#include "providers/url.h"

/*
 * S1  .resolver is a transfer of this source, queued or active, that asks
 *     the hub; others wait for what it hears, unless .direct.
 * S2  .signed_url is one that a redirect told, and no one was refused at.
 */
struct http_source {
	struct source source;
	struct fetcher *fetcher; /* fixed */
	const struct auth *auth; /* fixed */
	char *url;		 /* fixed; owned */

	/* The fetch thread's own. */
	char *signed_url; /* owned, or NULL */
	int64_t signed_until_wall_s;
	char *etag;	  /* owned; the hub's, or NULL */
	bool direct;	  /* the hub serves it itself */
	bool hub_private; /* and is at a private address */
	struct range *resolver;
};

struct range {
	struct transfer transfer;
	struct http_source *http; /* one reference */
	struct source_sink *sink;
};

static struct http_source *http_of(struct source *source)
{
	return container_of(source, struct http_source, source);
}

static struct range *range_of(struct transfer *transfer)
{
	return container_of(transfer, struct range, transfer);
}

static void signed_forget(struct http_source *http)
{
	free(take_ptr(http->signed_url));
}

static bool signed_is_good(struct http_source *http)
{
	if (http->signed_url && clock_wall_s() >= http->signed_until_wall_s)
		signed_forget(http);
	return http->signed_url != NULL;
}

static int signed_remember(struct http_source *http, const char *url)
{
	char *copy = mem_strdup(url);
	int64_t until;

	if (!copy)
		return -ENOMEM;
	if (signed_url_expiry(url, &until) < 0)
		until = clock_wall_s() + SIGNED_URL_DEFAULT_S +
			SIGNED_URL_SPARE_S;
	free(http->signed_url);
	http->signed_url = copy;
	http->signed_until_wall_s = until - SIGNED_URL_SPARE_S;
	return 0;
}

static void resolver_leave(struct range *range)
{
	if (range->http->resolver != range)
		return;
	range->http->resolver = NULL;
	range->transfer.fetcher->look = true;
}

/* A reader does not wait for a readahead that has not begun. */
static bool may_resolve(const struct range *range)
{
	const struct range *other = range->http->resolver;

	return !other || other == range || range->http->direct ||
	       (range->transfer.urgency == SOURCE_WANTED &&
		other->transfer.urgency == SOURCE_AHEAD &&
		!other->transfer.easy);
}

static int range_aim(struct transfer *transfer)
{
	struct range *range = range_of(transfer);
	struct http_source *http = range->http;
	bool known = signed_is_good(http);

	if (!known && !may_resolve(range))
		return -EAGAIN;
	transfer->url = mem_strdup(known ? http->signed_url : http->url);
	if (!transfer->url)
		return -ENOMEM;
	transfer->away = transfer->remembered = known;
	transfer->foreign = known && !url_same_origin(transfer->url, http->url);
	transfer->hub_private = http->hub_private;
	if (!known && !http->direct)
		http->resolver = range;
	return 0;
}

static int range_data(struct transfer *transfer, const void *bytes, size_t len)
{
	struct source_sink *sink = range_of(transfer)->sink;

	return sink->data(sink, transfer->off + transfer->got, bytes, len);
}

/* Of the hub, not of where it sends us; one that changes is another file. */
static int check_etag(struct transfer *transfer, bool delivers)
{
	struct http_source *http = range_of(transfer)->http;
	auto_free char *etag = NULL;
	bool bad = false;
	const char *text = answer_header(transfer->easy, "X-Linked-ETag", &bad);
	int r;

	if (!text && delivers)
		text = answer_header(transfer->easy, "ETag", &bad);
	r = etag_parse(text, &etag);
	if (r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	if (!http->etag)
		http->etag = take_ptr(etag);
	else if (strcmp(http->etag, etag) != 0)
		return -ESTALE;
	return 0;
}

/* X-Linked-Size: that of the file behind a redirect. */
static int check_size(const struct transfer *transfer)
{
	bool bad = false;
	const char *text = answer_header(transfer->easy, "X-Linked-Size", &bad);
	uint64_t size;

	if (!text)
		return 0;
	if (bad || parse_u64(text, strlen(text), FILE_BYTES_MAX, &size) < 0)
		return -EIO;
	return size == transfer->size ? 0 : -ESTALE;
}

static int range_answered(struct transfer *transfer,
			  const struct fetch_verdict *verdict)
{
	struct range *range = range_of(transfer);
	struct http_source *http = range->http;
	bool delivers = verdict->act == FETCH_DELIVER;
	int r = 0;

	if (delivers || verdict->act == FETCH_FOLLOW) {
		if (!transfer->foreign)
			r = check_etag(transfer, delivers);
		if (r == 0 && !transfer->foreign)
			r = check_size(transfer);
	}
	if (r < 0 || !delivers)
		return r;
	if (transfer->away && !transfer->remembered)
		r = signed_remember(http, transfer->url);
	else if (!transfer->away)
		http->direct = true;
	resolver_leave(range);
	return r;
}

static int range_follow(struct transfer *transfer, const char *url)
{
	struct range *range = range_of(transfer);
	struct http_source *http = range->http;
	bool foreign = !url_same_origin(url, http->url);
	int r;

	http->hub_private = transfer->hub_private;
	if (!foreign)
		return 0;
	r = signed_remember(http, url);
	if (r == 0)
		resolver_leave(range);
	return r;
}

static void range_again(struct transfer *transfer,
			const struct fetch_verdict *verdict)
{
	struct range *range = range_of(transfer);
	struct http_source *http = range->http;

	if (verdict->act == FETCH_RESOLVE) {
		log_debug("fetch", "%s: asking for a new address",
			  http->source.label);
		if (http->signed_url &&
		    !strcmp(http->signed_url, transfer->url))
			signed_forget(http);
	}
	/* What stalls once must not keep the others waiting. */
	if (transfer->fresh)
		resolver_leave(range);
}

static void range_done(struct transfer *transfer, int result)
{
	struct range *range = range_of(transfer);
	struct source_sink *sink = range->sink;

	resolver_leave(range);
	if (result < 0 && result != -ESHUTDOWN)
		log_info("fetch", "%s: %s", range->http->source.label,
			 strerror(-result));
	source_unref(&range->http->source);
	free(range);
	sink->done(sink, result);
}

static const struct transfer_ops range_ops = {
	.aim = range_aim,
	.data = range_data,
	.answered = range_answered,
	.follow = range_follow,
	.again = range_again,
	.done = range_done,
};

static int http_fetch(struct source *source, uint64_t off, uint64_t len,
		      enum source_urgency urgency, uint64_t deadline_ns,
		      struct source_sink *sink)
{
	struct http_source *http = http_of(source);
	struct range *range;
	int r;

	if (off > source->size || len > source->size - off)
		return -EINVAL;
	range = mem_zalloc(sizeof(*range));
	if (!range)
		return -ENOMEM;
	range->transfer = (struct transfer){
		.ops = &range_ops,
		.auth = http->auth,
		.start = http->url,
		.ranged = true,
		.off = off,
		.len = len,
		.size = source->size,
		.urgency = urgency,
		.deadline_ns = deadline_ns,
	};
	range->http = http;
	range->sink = sink;
	source_ref(source);
	r = fetcher_submit(http->fetcher, &range->transfer);
	if (r < 0) {
		source_unref(source);
		free(range);
	}
	return r;
}

static void http_free(struct source *source)
{
	struct http_source *http = http_of(source);

	source_fini(source);
	free(http->signed_url);
	free(http->etag);
	free(http->url);
	free(http);
}

int http_source_new(const struct http_source_spec *spec, struct source **out)
{
	static const struct source_ops ops = {
		.fetch = http_fetch,
		.free = http_free,
	};
	int r = url_check(spec->url);
	struct http_source *http;

	if (r < 0)
		return r;
	http = mem_zalloc(sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->fetcher = spec->fetcher;
	http->auth = spec->auth;
	http->url = mem_strdup(spec->url);
	if (spec->etag)
		http->etag = mem_strdup(spec->etag);
	r = -ENOMEM;
	if (http->url && (http->etag || !spec->etag))
		r = source_init(&http->source, &ops, spec->size, &spec->digest,
				&spec->key, spec->label);
	if (r < 0) {
		free(http->etag);
		free(http->url);
		free(http);
		return r;
	}
	*out = &http->source;
	return 0;
}
