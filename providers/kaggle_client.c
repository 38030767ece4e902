/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_hub.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/memo.h"

static const char no_such[] = "!ENOENT";
static const char no_access[] = "!EACCES";

/* True: it says nothing of the model, so an old answer may serve. */
static bool unreachable(int r)
{
	return r < 0 && r != -ENOENT && r != -EACCES && r != -ENOMEM &&
	       r != -EINPROGRESS;
}

/* The contract's errno: what made no sense is -EIO. */
static int result(int r)
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

int kaggle_may_ask(const struct kaggle_hub *hub, uint64_t deadline_ns)
{
	if (hub->offline)
		return -ENETUNREACH;
	return deadline_ns == DEADLINE_NOW ? -EINPROGRESS : 0;
}

int kaggle_get(struct kaggle_hub *hub, const char *path, uint64_t deadline_ns,
	       struct str *body)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_free char *url = mem_printf("%s/%s", hub->api, path);
	int r = kaggle_may_ask(hub, deadline_ns);

	if (r < 0 || !url)
		return r < 0 ? r : -ENOMEM;
	r = fetch_text(hub->env.fetcher, url, &hub->auth, deadline_ns, body,
		       &reply);
	hub->down_until_ns =
		unreachable(r) ? clock_after_ns(HUB_MISSING_TTL_S * NS_PER_S)
			       : 0;
	if (r < 0)
		log_debug("tensorflow", "%s: %ld %s", path, reply.status,
			  strerror(-r));
	return r;
}

/* ---- the memo ---- */

static char *memo_key(const struct kaggle_hub *hub, const char *who,
		      const char *kind, const char *name)
{
	return mem_printf("kaggle/1/%s/%s/%s/%s", kind, who, hub->api, name);
}

static int get_of(struct kaggle_hub *hub, const char *who, const char *kind,
		  const char *name, struct str *answer, int64_t *stored_wall_s)
{
	auto_free char *key = memo_key(hub, who, kind, name);

	return key ? memo_get(hub->env.memo, key, answer, stored_wall_s)
		   : -ENOMEM;
}

/* 1: nothing is there.  What is, and anyone may know, serves all. */
static int fact_get(struct kaggle_hub *hub, const char *kind, const char *name,
		    struct str *answer, int64_t *stored_wall_s)
{
	int r = get_of(hub, hub->credential, kind, name, answer, stored_wall_s);

	if (r == 0 || r == -ENOMEM || !hub->auth.token)
		return r < 0 && r != -ENOMEM ? 1 : r;
	str_clear(answer);
	r = get_of(hub, "anon", kind, name, answer, stored_wall_s);
	if (r == 0 && str_text(answer)[0] != '!')
		return 0;
	str_clear(answer);
	return r == -ENOMEM ? r : 1;
}

void kaggle_remember(struct kaggle_hub *hub, const char *kind, const char *name,
		     const void *bytes, size_t len)
{
	auto_free char *key = memo_key(hub, hub->credential, kind, name);

	if (key)
		memo_put(hub->env.memo, key, bytes, len);
}

static int error_of(const struct str *answer)
{
	const char *text = str_text(answer);

	if (!strcmp(text, no_such))
		return -ENOENT;
	return strcmp(text, no_access) ? 0 : -EACCES;
}

int kaggle_recall(struct kaggle_hub *hub, const char *kind, const char *name,
		  struct str *answer)
{
	int64_t stored_wall_s;
	int r = fact_get(hub, kind, name, answer, &stored_wall_s);

	if (r == 0)
		r = error_of(answer);
	if (r == 0 || r == -ENOMEM)
		return r;
	str_clear(answer);
	return -ENOENT;
}

/* A clock that went back makes what was stored later old as well. */
static bool is_fresh(struct kaggle_hub *hub, unsigned int ttl_s,
		     int64_t stored_wall_s)
{
	int64_t age_s = clock_wall_s() - stored_wall_s;

	if (ttl_s == KAGGLE_FOR_EVER)
		return true;
	return age_s >= 0 && age_s < (int64_t)ttl_s &&
	       stored_wall_s > hub->refreshed_wall_s;
}

/* ---- questions ---- */

static bool is_down(struct kaggle_hub *hub)
{
	return hub->offline || clock_now_ns() < hub->down_until_ns;
}

static int ask_anew(struct kaggle_hub *hub, const struct kaggle_question *q,
		    bool has_old, uint64_t deadline_ns, struct str *answer)
{
	int r;

	if (has_old && is_down(hub))
		return -ENETUNREACH;
	if (has_old)
		deadline_ns = u64_min(deadline_ns,
				      clock_after_ns(HUB_REFRESH_S * NS_PER_S));
	r = q->ask(hub, q->name, deadline_ns, answer);
	if (r == 0)
		kaggle_remember(hub, q->kind, q->name, str_text(answer),
				answer->len);
	else if (r == -ENOENT)
		kaggle_remember(hub, q->kind, q->name, no_such,
				sizeof(no_such) - 1);
	else if (r == -EACCES)
		kaggle_remember(hub, q->kind, q->name, no_access,
				sizeof(no_access) - 1);
	return r;
}

int kaggle_know(struct kaggle_hub *hub, const struct kaggle_question *question,
		uint64_t deadline_ns, struct str *answer)
{
	auto_str struct str anew;
	unsigned int ttl_s = question->ttl_s;
	int64_t stored_wall_s = 0;
	int error, r = fact_get(hub, question->kind, question->name, answer,
				&stored_wall_s);
	bool has = r == 0;

	str_init(&anew, answer->len_max);
	if (r < 0)
		return r;
	error = has ? error_of(answer) : 0;
	if (error < 0)
		ttl_s = HUB_MISSING_TTL_S;
	if (has && is_fresh(hub, ttl_s, stored_wall_s))
		return error;
	r = ask_anew(hub, question, has, deadline_ns, &anew);
	if (has && unreachable(r))
		return error;
	str_clear(answer);
	if (r == 0 && anew.len)
		r = str_append(answer, anew.bytes, anew.len);
	return result(r);
}

/* ---- the log ---- */

/* True: not before, as far as is remembered. */
static bool tell_first(struct kaggle_hub *hub, const char *what)
{
	bool first = true;

	lock_take(&hub->lock);
	if (hub->told.count < HUB_USED_MAX)
		first = map_add(&hub->told, what, hub) != -EEXIST;
	lock_drop(&hub->lock);
	return first;
}

void kaggle_tell(struct kaggle_hub *hub, const char *handle, int r)
{
	if (r != -EACCES || !tell_first(hub, handle))
		return;
	if (hub->auth.token)
		log_warn("tensorflow",
			 "%s: refused; accept its terms on " KAGGLE_PAGES
			 "%s, as the user whose credentials are set here",
			 handle, handle);
	else
		log_warn("tensorflow",
			 "%s: refused; accept its terms on " KAGGLE_PAGES
			 "%s, then set KAGGLE_API_TOKEN",
			 handle, handle);
}
