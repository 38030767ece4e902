/* SPDX-License-Identifier: MIT */
#include "providers/fetch_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "providers/peer.h"

static bool is_clean(const char *value)
{
	for (const char *c = value; *c; c++)
		if ((*c < ' ' && *c != '\t') || *c == 0x7f)
			return false;
	return strlen(value) <= HTTP_HEADER_BYTES_MAX;
}

const char *answer_header(CURL *easy, const char *name, bool *bad)
{
	struct curl_header *header;
	const char *value;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return NULL;
	value = header->value;
	if (!is_clean(value)) {
		*bad = true;
		return NULL;
	}
	if (header->amount > 1)
		*bad = true;
	return value;
}

static struct fetch_number number_of(const char *text)
{
	struct fetch_number number = { 0 };

	number.known = text && parse_u64(text, strlen(text), FILE_BYTES_MAX,
					 &number.value) == 0;
	return number;
}

static void read_length(CURL *easy, struct fetch_answer *out)
{
	const char *text = answer_header(easy, "Content-Length", &out->bad);

	out->length = number_of(text);
	if (text && !out->length.known)
		out->bad = true;
}

static void read_range(CURL *easy, struct fetch_answer *out)
{
	const char *text = answer_header(easy, "Content-Range", &out->bad);
	const char *type;
	bool several = false;

	out->has_range = content_range_parse(text, &out->range) == 0;
	out->total.known = content_range_total(text, &out->total.value) == 0;
	type = answer_header(easy, "Content-Type", &several);
	out->multipart = type && !strncasecmp(type, "multipart/", 10);
}

static void read_waits(CURL *easy, struct fetch_answer *out)
{
	bool several = false;
	uint64_t remaining, reset_s;

	out->retry_after_s.known =
		retry_after_parse(answer_header(easy, "Retry-After", &several),
				  clock_wall_s(),
				  &out->retry_after_s.value) == 0;
	if (rate_limit_parse(answer_header(easy, "RateLimit", &several),
			     &remaining, &reset_s) == 0 &&
	    remaining == 0)
		out->reset_s = (struct fetch_number){ true, reset_s };
}

void answer_read(CURL *easy, struct fetch_answer *out)
{
	const char *encoding;
	bool several = false;

	*out = (struct fetch_answer){ 0 };
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out->status);
	read_length(easy, out);
	read_range(easy, out);
	read_waits(easy, out);
	encoding = answer_header(easy, "Content-Encoding", &out->bad);
	out->encoded = encoding && strcasecmp(encoding, "identity") != 0;
	out->has_location = answer_header(easy, "Location", &out->bad) != NULL;
	out->error_code = answer_header(easy, "X-Error-Code", &several);
}

static int copy_header(CURL *easy, const char *name, char **out)
{
	bool several = false;
	const char *value = answer_header(easy, name, &several);

	free(take_ptr(*out));
	if (!value)
		return 0;
	*out = mem_strdup(value);
	return *out ? 0 : -ENOMEM;
}

static int copy_etag(CURL *easy, char **out)
{
	bool several = false;
	const char *value = answer_header(easy, "ETag", &several);
	int r;

	free(take_ptr(*out));
	r = etag_parse(value, out);
	return r == -EINVAL ? 0 : r;
}

/* A 404 of a commit that is named: it will stay so. */
static bool is_final_absence(const struct fetch_reply *reply)
{
	return reply->status == 404 && reply->repo_commit &&
	       reply->error_code && !strcmp(reply->error_code, "EntryNotFound");
}

int answer_reply(CURL *easy, struct fetch_reply *out)
{
	int r;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out->status);
	r = copy_header(easy, "Location", &out->location);
	if (r == 0)
		r = copy_header(easy, "Link", &out->link);
	if (r == 0)
		r = copy_header(easy, "X-Error-Code", &out->error_code);
	if (r == 0)
		r = copy_header(easy, "X-Error-Message", &out->error_message);
	if (r == 0)
		r = copy_header(easy, "X-Repo-Commit", &out->repo_commit);
	if (r == 0)
		r = copy_etag(easy, &out->etag);
	out->negative_cachable = is_final_absence(out);
	return r;
}

void fetch_reply_release(struct fetch_reply *reply)
{
	free(reply->url);
	free(reply->location);
	free(reply->link);
	free(reply->error_code);
	free(reply->error_message);
	free(reply->repo_commit);
	free(reply->etag);
	*reply = (struct fetch_reply){ 0 };
}

bool answer_is_private(CURL *easy)
{
	char *ip = NULL;

	return curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK &&
	       ip && peer_text_is_private(ip);
}
