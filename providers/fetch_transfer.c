/* SPDX-License-Identifier: MIT */
#include "providers/fetch_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "providers/peer.h"
#include "providers/url.h"

#define DATA_BUFFER_BYTES (512L << 10) /* curl's largest: fewest calls */
#define KEEPALIVE_S 30L
#define CONNECTION_LIFE_S 3600L

static struct fetch_ask ask_of(const struct transfer *transfer)
{
	uint64_t now = clock_now_ns();
	uint64_t end = transfer->deadline_ns;

	return (struct fetch_ask){
		.ranged = transfer->ranged,
		.probe = transfer->probe,
		.first = transfer->off + transfer->attempt_got,
		.last = transfer->off + transfer->len - 1,
		.size = transfer->size,
		.away = transfer->away,
		.foreign = transfer->foreign,
		.remembered = transfer->remembered,
		.resolved_again = transfer->resolved_again,
		.answered = transfer->judged,
		.attempts = transfer->attempts,
		.untrue = transfer->untrue,
		.hops = transfer->hops,
		.left_ms = end > now ? (end - now) / NS_PER_MS : 0,
	};
}

/* Once per attempt, when the headers are complete. */
static void judge(struct transfer *transfer)
{
	struct fetch_ask ask = ask_of(transfer);
	struct fetch_answer answer;

	answer_read(transfer->easy, &answer);
	if (transfer->header_count > HTTP_HEADERS_MAX ||
	    transfer->header_bytes_max > HTTP_HEADER_BYTES_MAX)
		answer.bad = true;
	transfer->judged = true;
	if (!transfer->foreign)
		transfer->hub_private = answer_is_private(transfer->easy);
	transfer->verdict = fetch_judge(&ask, &answer);
	transfer->error = transfer->ops->answered(transfer, &transfer->verdict);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;

	(void)bytes;
	transfer->heard_ns = clock_now_ns();
	transfer->header_count++;
	if (size * count > transfer->header_bytes_max)
		transfer->header_bytes_max = size * count;
	return transfer->header_count > 2 * HTTP_HEADERS_MAX ? 0 : size * count;
}

static bool deliver(struct transfer *transfer, const void *bytes, size_t len)
{
	size_t wanted = len;

	if (transfer->ranged || transfer->probe)
		wanted = (size_t)u64_min(len, transfer->len - transfer->got);
	if (wanted > 0)
		transfer->error = transfer->ops->data(transfer, bytes, wanted);
	if (transfer->error < 0)
		return false;
	transfer->got += wanted;
	atomic_fetch_add(&transfer->fetcher->useful, wanted);
	return wanted == len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t len = size * count;

	transfer->heard_ns = clock_now_ns();
	atomic_fetch_add(&transfer->fetcher->bytes, len);
	if (!transfer->judged)
		judge(transfer);
	if (transfer->error < 0)
		return 0;
	if (transfer->verdict.act == FETCH_DELIVER)
		return deliver(transfer, bytes, len) ? len : 0;
	transfer->dropped_bytes += len;
	return transfer->dropped_bytes > FETCH_DROP_BYTES_MAX ? 0 : len;
}

/*
 * Only a hub that is itself at a private address may send us to one.  With
 * a proxy, it is the proxy's address that counts, here and for the hub.
 */
static curl_socket_t on_socket(void *arg, curlsocktype purpose,
			       struct curl_sockaddr *address)
{
	struct transfer *transfer = arg;

	(void)purpose;
	if (transfer->foreign && !transfer->hub_private &&
	    peer_is_private(&address->addr, address->addrlen)) {
		transfer->peer_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		      address->protocol);
}

static int header_add(struct transfer *transfer, const char *text)
{
	struct curl_slist *headers = curl_slist_append(transfer->headers, text);

	if (!headers)
		return -ENOMEM;
	transfer->headers = headers;
	return 0;
}

static int set_token(struct transfer *transfer)
{
	char *text;
	int r;

	if (!fetch_token_for(transfer->auth, transfer->url))
		return 0;
	text = mem_printf("Authorization: %s %s",
			  transfer->auth->basic ? "Basic" : "Bearer",
			  transfer->auth->token);
	if (!text)
		return -ENOMEM;
	r = header_add(transfer, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

static CURLcode set_range(struct transfer *transfer)
{
	char range[48];

	if (!transfer->ranged && !transfer->probe)
		return CURLE_OK;
	snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64,
		 transfer->off + transfer->got,
		 transfer->off + transfer->len - 1);
	return curl_easy_setopt(transfer->easy, CURLOPT_RANGE, range);
}

static CURLcode set_limits(CURL *easy, const struct transfer *transfer)
{
	long ms = (long)(transfer->stall_ns / NS_PER_MS);
	CURLcode code = CURLE_OK;

	if (ms > CONNECT_TIMEOUT_S * 1000L)
		ms = CONNECT_TIMEOUT_S * 1000L;
	code |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms);
	code |= curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
				 CONNECTION_LIFE_S);
	code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
	code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
	code |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
				 transfer->fresh ? 1L : 0L);
	if (transfer->ranged)
		code |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
					 DATA_BUFFER_BYTES);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Without it, giving up on a name waits for the resolver. */
	code |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	return code;
}

static CURLcode set_callbacks(CURL *easy, struct transfer *transfer)
{
	CURLcode code = CURLE_OK;

	code |= curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	code |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	code |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	code |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	code |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	code |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	code |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	return code;
}

/* What every request of ours has; never gzip, and no file but our token. */
static CURLcode set_rules(CURL *easy, const struct transfer *transfer)
{
	CURLcode code = CURLE_OK;

	code |= curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
	code |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	code |= curl_easy_setopt(easy, CURLOPT_USERAGENT,
				 "omnihub/" OMNIHUB_VERSION);
	code |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	code |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
				 CURL_HTTP_VERSION_1_1);
	code |= curl_easy_setopt(easy, CURLOPT_SSLVERSION,
				 CURL_SSLVERSION_TLSv1_2);
	code |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	code |= curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	code |= curl_easy_setopt(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	code |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	return code;
}

static int errno_of_setup(CURLcode code)
{
	return code == CURLE_OK ? 0 : -ENOMEM;
}

static int set_up(struct transfer *transfer)
{
	int r = set_token(transfer);

	if (r == 0)
		r = header_add(transfer, "Accept: */*");
	if (r == 0)
		r = errno_of_setup(set_rules(transfer->easy, transfer));
	if (r == 0)
		r = errno_of_setup(set_limits(transfer->easy, transfer));
	if (r == 0)
		r = errno_of_setup(set_callbacks(transfer->easy, transfer));
	if (r == 0)
		r = errno_of_setup(set_range(transfer));
	return r;
}

int transfer_start(struct transfer *transfer)
{
	int r;

	transfer->attempt_got = transfer->got;
	transfer->heard_ns = clock_now_ns();
	transfer->header_count = transfer->header_bytes_max = 0;
	transfer->dropped_bytes = 0;
	transfer->judged = transfer->peer_refused = false;
	transfer->error = 0;
	transfer->easy = curl_easy_init();
	r = transfer->easy ? set_up(transfer) : -ENOMEM;
	if (r == 0 && curl_multi_add_handle(transfer->fetcher->multi,
					    transfer->easy) != CURLM_OK)
		r = -ENOMEM;
	if (r < 0)
		transfer_halt(transfer);
	return r;
}

void transfer_halt(struct transfer *transfer)
{
	if (transfer->easy) {
		curl_multi_remove_handle(transfer->fetcher->multi,
					 transfer->easy);
		curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
	curl_slist_free_all(take_ptr(transfer->headers));
}

static struct fetch_verdict end(enum fetch_act act, int error)
{
	return (struct fetch_verdict){ .act = act, .error = error };
}

struct fetch_verdict transfer_conclude(struct transfer *transfer, CURLcode code)
{
	struct fetch_ask ask;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && status >= 200 && !transfer->judged)
		judge(transfer);
	if (transfer->error < 0)
		return end(FETCH_FAIL, transfer->error);
	if (transfer->judged && transfer->verdict.act != FETCH_DELIVER)
		return transfer->verdict;
	if ((transfer->ranged || transfer->probe) &&
	    transfer->got == transfer->len)
		return end(FETCH_DELIVER, 0);
	if (!transfer->ranged && code == CURLE_OK && transfer->judged)
		return end(FETCH_DELIVER, 0);
	if (transfer->peer_refused && code == CURLE_COULDNT_CONNECT)
		return end(FETCH_FAIL, -EIO);
	if (transfer->got > transfer->attempt_got && transfer->ranged)
		transfer->attempts = 0;
	ask = ask_of(transfer);
	return fetch_judge_break(&ask,
				 code == CURLE_OK ? CURLE_PARTIAL_FILE : code);
}

int transfer_location(struct transfer *transfer, char **out)
{
	bool bad = false;
	const char *text = answer_header(transfer->easy, "Location", &bad);
	int r = text && !bad ? url_resolve(transfer->url, text, out) : -EINVAL;

	return r == -EINVAL ? -EIO : r;
}

int transfer_name_len(const struct transfer *transfer)
{
	return transfer->url ? (int)strcspn(transfer->url, "?") : 0;
}
