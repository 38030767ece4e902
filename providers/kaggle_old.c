/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_old.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/origin.h"
#include "providers/url.h"

#define TFHUB "https://tfhub.dev/"
#define PAGE_BYTES_MAX ((size_t)64 << 10) /* of what is not wanted */

static int old_url(struct kaggle_hub *hub, const char *old, char **out)
{
	auto_str struct str url;
	int r;

	str_init(&url, URL_BYTES_MAX);
	r = str_append_text(&url, TFHUB);
	if (r == 0)
		r = url_append_path(&url, old);
	if (r == 0)
		r = str_append_text(&url, "?tf-hub-format=compressed");
	if (r == 0)
		r = origin_url(&hub->env, "tensorflow", str_text(&url), out);
	return r < 0 ? r : origin_file(*out) ? -ENOENT : 0;
}

/* The first of where it was sent that is a model's page. */
static int read_reply(const struct fetch_reply *reply, struct kaggle_name *name)
{
	int r = -ENOENT;

	if (reply->location)
		r = kaggle_page_parse(reply->location, name);
	if (r == -ENOENT && reply->url)
		r = kaggle_page_parse(reply->url, name);
	return r;
}

static bool is_redirect(long status)
{
	return status >= 300 && status < 400;
}

/* A mirror may send us on within itself, down to the bytes: too many. */
static int ask_handle(struct kaggle_hub *hub, const char *old,
		      uint64_t deadline_ns, struct str *answer)
{
	auto_kaggle_name struct kaggle_name name = { 0 };
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_free char *url = NULL, *handle = NULL;
	auto_str struct str body;
	int found, r = kaggle_may_ask(hub, deadline_ns);

	str_init(&body, PAGE_BYTES_MAX);
	if (r == 0)
		r = old_url(hub, old, &url);
	if (r < 0)
		return r;
	r = fetch_text(hub->env.fetcher, url, NULL, deadline_ns, &body, &reply);
	found = read_reply(&reply, &name);
	if (found == 0) {
		handle = kaggle_handle_text(&name);
		return handle ? str_append_text(answer, handle) : -ENOMEM;
	}
	if (r == 0 || r == -EFBIG || is_redirect(reply.status)) {
		log_warn("tensorflow",
			 "%s did not move to Kaggle as a model of TensorFlow",
			 old);
		r = -ENOENT;
	}
	return found == -ENOMEM ? found : r;
}

/* Up to the hub's own folder from that of @old, and down again. */
static int target_make(struct kaggle_hub *hub, const char *old,
		       const struct kaggle_name *name, char **out)
{
	auto_free char *variation = kaggle_variation_text(hub, name);
	auto_str struct str target;
	int r = variation ? 0 : -ENOMEM;

	str_init(&target, PATH_BYTES_MAX);
	for (; r == 0 && old; old = strchr(old, '/')) {
		old += *old == '/';
		r = str_append_text(&target, "../");
	}
	if (r == 0)
		r = str_printf(&target, "%s/%s/%s/%s", name->owner, name->model,
			       variation, name->version);
	if (r == 0)
		*out = str_take(&target, NULL);
	return r;
}

int kaggle_old_target(struct kaggle_hub *hub, const char *old,
		      uint64_t deadline_ns, char **out)
{
	const struct kaggle_question question = {
		.kind = "tfhub",
		.name = old,
		.ttl_s = KAGGLE_FOR_EVER,
		.ask = ask_handle,
	};
	auto_kaggle_name struct kaggle_name name = { 0 };
	auto_str struct str answer;
	int r;

	str_init(&answer, PATH_BYTES_MAX);
	r = kaggle_know(hub, &question, deadline_ns, &answer);
	if (r == 0)
		r = kaggle_handle_parse(str_text(&answer), &name);
	return r < 0 ? r : target_make(hub, old, &name, out);
}
