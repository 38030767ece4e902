/* SPDX-License-Identifier: MIT */
#include "providers/hf_hub.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/memo.h"
#include "providers/huggingface_parse.h"
#include "providers/url.h"

bool hf_unreachable(int r)
{
	return r < 0 && r != -ENOENT && r != -EACCES && r != -ENOMEM &&
	       r != -EINPROGRESS;
}

int hf_result(int r)
{
	switch (r) {
	case 0:
	case -ENOENT:
	case -EACCES:
	case -ENOMEM:
	case -ETIMEDOUT:
	case -ENETUNREACH:
	case -EINPROGRESS:
	case -ESHUTDOWN:
		return r;
	default:
		return -EIO;
	}
}

bool hf_down(struct hf_hub *hub)
{
	return hub->offline || clock_now_ns() < hub->down_until_ns;
}

uint64_t hf_refresh_deadline(uint64_t deadline_ns)
{
	return u64_min(deadline_ns, clock_after_ns(HUB_REFRESH_S * NS_PER_S));
}

int hf_get(struct hf_hub *hub, const char *url, uint64_t deadline_ns,
	   struct str *body, struct fetch_reply *reply)
{
	int r;

	*reply = (struct fetch_reply){ 0 };
	if (hub->offline)
		return -ENETUNREACH;
	if (deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	r = fetch_text(hub->env.fetcher, url, &hub->auth, deadline_ns, body,
		       reply);
	r = hf_errno(r, reply->status, reply->error_code, reply->error_message);
	if (hf_unreachable(r))
		hub->down_until_ns =
			clock_after_ns(HUB_MISSING_TTL_S * NS_PER_S);
	else
		hub->down_until_ns = 0;
	if (r < 0)
		log_debug("huggingface", "%s: %ld %s", url, reply->status,
			  strerror(-r));
	return r;
}

/* The next page's URL, NULL at the end; never of another origin. */
static int next_page(struct hf_hub *hub, const struct fetch_reply *reply,
		     char **out)
{
	*out = NULL;
	if (!reply->link)
		return 0;
	switch (link_next(reply->link, out)) {
	case 0:
		break;
	case -ENOENT:
		return 0;
	case -ENOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
	if (!*out || url_same_origin(*out, hub->endpoint))
		return 0;
	log_warn("huggingface", "a next page on another host is refused");
	free(take_ptr(*out));
	return -EIO;
}

/* One page, and in *@url the next one or NULL. */
static int page_get(struct hf_hub *hub, char **url, uint64_t deadline_ns,
		    int (*page)(void *arg, const void *bytes, size_t len),
		    void *arg)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_str struct str body;
	char *next;
	int r;

	str_init(&body, HUB_JSON_BYTES_MAX);
	r = hf_get(hub, *url, deadline_ns, &body, &reply);
	if (r == 0)
		r = page(arg, str_text(&body), body.len);
	if (r == 0)
		r = next_page(hub, &reply, &next);
	if (r < 0)
		return r;
	free(*url);
	*url = next;
	return 0;
}

int hf_get_pages(struct hf_hub *hub, const char *url, size_t pages_max,
		 bool whole, uint64_t deadline_ns,
		 int (*page)(void *arg, const void *bytes, size_t len),
		 void *arg)
{
	auto_free char *at = mem_strdup(url);
	auto_map struct map seen;
	int r = at ? 0 : -ENOMEM;

	map_init(&seen);
	for (size_t pages = 0; r == 0 && at; pages++) {
		if (pages == pages_max)
			return whole ? -EFBIG : 0;
		r = map_add(&seen, at, hub);
		if (r == -EEXIST)
			return -EIO;
		if (r == 0)
			r = page_get(hub, &at, deadline_ns, page, arg);
	}
	return r;
}

static char *memo_key(struct hf_hub *hub, const char *kind, const char *who,
		      const char *name)
{
	return mem_printf("hf/%s/%s/%s/%s", kind, who, hub->endpoint, name);
}

static int memo_get_of(struct hf_hub *hub, const char *who, const char *kind,
		       const char *name, struct str *value,
		       int64_t *stored_wall_s)
{
	auto_free char *key = memo_key(hub, kind, who, name);

	if (!key)
		return -ENOMEM;
	return memo_get(hub->env.memo, key, value, stored_wall_s);
}

int hf_memo_get(struct hf_hub *hub, const char *kind, const char *name,
		struct str *value, struct hf_fact *fact)
{
	int r;

	*fact = (struct hf_fact){ 0 };
	r = memo_get_of(hub, hub->credential, kind, name, value,
			&fact->stored_wall_s);
	fact->has = r == 0;
	return r;
}

int hf_memo_get_any(struct hf_hub *hub, const char *kind, const char *name,
		    struct str *value, struct hf_fact *fact)
{
	int r = hf_memo_get(hub, kind, name, value, fact);

	if (r == 0 || r == -ENOMEM)
		return r;
	str_clear(value);
	r = memo_get_of(hub, "anon", kind, name, value, &fact->stored_wall_s);
	fact->has = r == 0;
	return r;
}

void hf_memo_put(struct hf_hub *hub, const char *kind, const char *name,
		 bool private, const void *value, size_t len)
{
	auto_free char *key =
		memo_key(hub, kind, private ? hub->credential : "anon", name);

	if (key)
		memo_put(hub->env.memo, key, value, len);
}

/* A clock that went back makes what was stored later old as well. */
bool hf_fresh(const struct hf_fact *fact, unsigned int ttl_s)
{
	int64_t age_s = clock_wall_s() - fact->stored_wall_s;

	return fact->has && age_s >= 0 && age_s < (int64_t)ttl_s;
}

bool hf_recent(struct hf_hub *hub, const struct hf_fact *fact,
	       unsigned int ttl_s)
{
	return hf_fresh(fact, ttl_s) &&
	       fact->stored_wall_s > hub->refreshed_wall_s;
}
