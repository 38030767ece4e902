/* SPDX-License-Identifier: MIT */
#include "providers/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/mem.h"
#include "providers/fetch_internal.h"
#include "providers/url.h"

/* On the stack of the one who waits. */
struct probe_call {
	struct transfer transfer;
	struct fetch_probe *out;
	struct lock lock;
	struct cond cond;
	bool done;  /* lock */
	int result; /* lock */
};

static struct probe_call *call_of(struct transfer *transfer)
{
	return container_of(transfer, struct probe_call, transfer);
}

void fetch_probe_release(struct fetch_probe *probe)
{
	free(probe->etag);
	free(probe->away_etag);
	free(probe->modified);
	*probe = (struct fetch_probe){ 0 };
}

static int probe_aim(struct transfer *transfer)
{
	transfer->url = mem_strdup(transfer->start);
	return transfer->url ? 0 : -ENOMEM;
}

/* The transfer gives no more than it was told. */
static int probe_data(struct transfer *transfer, const void *bytes, size_t len)
{
	struct fetch_probe *out = call_of(transfer)->out;

	memcpy(out->head + out->head_len, bytes, len);
	out->head_len += len;
	return 0;
}

/* An ETag as later requests will see it: check_etag() of http_source.c. */
static int read_etag(struct transfer *transfer, bool delivers,
		     struct fetch_probe *out)
{
	bool several = false, linked = true;
	const char *text = transfer->foreign
				   ? NULL
				   : answer_header(transfer->easy,
						   "X-Linked-ETag", &several);
	char **to = transfer->foreign ? &out->away_etag : &out->etag;
	char *etag;
	int r;

	if (!text && delivers) {
		text = answer_header(transfer->easy, "ETag", &several);
		linked = false;
	}
	r = etag_parse(text, &etag);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	free(*to);
	*to = etag;
	if (linked && strlen(etag) == 2 * SHA256_BYTES &&
	    digest_parse(etag, strlen(etag), &out->digest) < 0)
		out->digest.kind = DIGEST_NONE;
	return 0;
}

/* The header may come in two lines, of which one has the MD5. */
static void read_goog_hash(struct transfer *transfer, struct fetch_probe *out)
{
	struct curl_header *header;

	if (out->digest.kind != DIGEST_NONE)
		return;
	for (size_t i = 0; i < 2; i++)
		if (curl_easy_header(transfer->easy, "x-goog-hash", i,
				     CURLH_HEADER, -1, &header) == CURLHE_OK &&
		    goog_hash_parse(header->value, &out->digest) == 0)
			return;
}

static int read_size(struct transfer *transfer, struct fetch_probe *out)
{
	struct fetch_answer answer;

	answer_read(transfer->easy, &answer);
	out->size = answer.status == 206 ? answer.range.total
					 : answer.length.value;
	return out->size ? 0 : -EIO;
}

static int read_modified(struct transfer *transfer, struct fetch_probe *out)
{
	bool several = false;
	const char *text = answer_header(transfer->easy, "Last-Modified",
					 &several);

	free(take_ptr(out->modified));
	if (!text)
		return 0;
	out->modified = mem_strdup(text);
	return out->modified ? 0 : -ENOMEM;
}

static int probe_answered(struct transfer *transfer,
			  const struct fetch_verdict *verdict)
{
	struct fetch_probe *out = call_of(transfer)->out;
	bool delivers = verdict->act == FETCH_DELIVER;
	int r = 0;

	if (delivers || verdict->act == FETCH_FOLLOW)
		r = read_etag(transfer, delivers, out);
	if (r < 0 || !delivers)
		return r;
	read_goog_hash(transfer, out);
	r = read_modified(transfer, out);
	return r < 0 ? r : read_size(transfer, out);
}

static void probe_again(struct transfer *transfer,
			const struct fetch_verdict *verdict)
{
	(void)verdict;
	call_of(transfer)->out->head_len = 0;
	transfer->got = 0;
}

/* The waiting thread's stack may be gone once the lock is dropped. */
static void probe_done(struct transfer *transfer, int result)
{
	struct probe_call *call = call_of(transfer);

	lock_take(&call->lock);
	call->result = result;
	call->done = true;
	cond_wake_all(&call->cond);
	lock_drop(&call->lock);
}

static const struct transfer_ops probe_ops = {
	.aim = probe_aim,
	.data = probe_data,
	.answered = probe_answered,
	.again = probe_again,
	.done = probe_done,
};

static int call_wait(struct probe_call *call)
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

int fetch_probe(struct fetcher *fetcher, const char *url,
		const struct auth *auth, uint64_t deadline_ns,
		struct fetch_probe *out)
{
	struct probe_call call = {
		.transfer = {
			.ops = &probe_ops,
			.fetcher = fetcher,
			.auth = auth,
			.start = url,
			.probe = true,
			.len = FETCH_PROBE_BYTES,
			.urgency = SOURCE_WANTED,
			.deadline_ns = deadline_ns,
		},
		.out = out,
	};
	int r = url_check(url);

	*out = (struct fetch_probe){ 0 };
	if (r < 0)
		return r;
	lock_init(&call.lock);
	cond_init(&call.cond);
	r = call_wait(&call);
	if (r < 0)
		fetch_probe_release(out);
	cond_release(&call.cond);
	lock_release(&call.lock);
	return r;
}
