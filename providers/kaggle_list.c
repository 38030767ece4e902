/* SPDX-License-Identifier: MIT */
/* What a directory has by the API: models, variations, the newest version. */
#include "providers/kaggle_hub.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/hub_listing.h"
#include "providers/url.h"

static int line_add(void *lines, const char *model)
{
	return str_printf(lines, "%s\n", model);
}

/* As the first pages have them: more is no help to "ls". */
static int ask_models(struct kaggle_hub *hub, const char *owner,
		      uint64_t deadline_ns, struct str *answer)
{
	auto_free char *token = NULL;
	int r = 0;

	for (size_t pages = 0; r == 0 && pages < HUB_LIST_PAGES_MAX; pages++) {
		auto_str struct str path, body;
		char *next = NULL;

		str_init(&path, URL_BYTES_MAX);
		str_init(&body, HUB_JSON_BYTES_MAX);
		r = str_printf(&path, "models/list?owner=%s&pageSize=100%s",
			       owner, token ? "&pageToken=" : "");
		if (r == 0 && token)
			r = url_append_segment(&path, token);
		if (r == 0)
			r = kaggle_get(hub, str_text(&path), deadline_ns,
				       &body);
		if (r == 0)
			r = kaggle_models_parse(str_text(&body), body.len,
						owner, line_add, answer, &next);
		free(token);
		token = next;
		if (!token)
			break;
	}
	return r == 0 && answer->len == 0 ? -ENOENT : r;
}

int kaggle_models_get(struct kaggle_hub *hub, const char *owner,
		      uint64_t deadline_ns, struct str *lines)
{
	const struct kaggle_question question = {
		.kind = "models",
		.name = owner,
		.ttl_s = hub->provider.ttl_s,
		.ask = ask_models,
	};

	return kaggle_know(hub, &question, deadline_ns, lines);
}

static int list_owner(struct kaggle_hub *hub, const char *owner,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	auto_str struct str lines;
	char *at, *end;
	int r;

	str_init(&lines, HUB_JSON_BYTES_MAX);
	r = kaggle_models_get(hub, owner, deadline_ns, &lines);
	for (at = lines.bytes; r == 0 && at && (end = strchr(at, '\n'));
	     at = end + 1) {
		*end = '\0';
		r = hub_listing_add(out, at, HUB_DIR, NULL);
	}
	return r;
}

int kaggle_model_get(struct kaggle_hub *hub, const struct kaggle_name *name,
		     uint64_t deadline_ns, struct kaggle_instances *out)
{
	auto_free char *model = mem_printf("%s/%s", name->owner, name->model);

	return model ? kaggle_instances_get(hub, model, deadline_ns, out)
		     : -ENOMEM;
}

bool kaggle_is_plain(struct kaggle_hub *hub, const struct kaggle_name *name,
		     const struct kaggle_instances *all)
{
	static const char first[] = "tensorFlow2";
	const char *plain;

	if (kaggle_plain_framework(hub, name, false, DEADLINE_NOW, &plain) == 0)
		return !strcmp(plain, name->framework);
	return !strcmp(name->framework, first) ||
	       !kaggle_instance_find(all, first, name->variation);
}

static int list_model(struct kaggle_hub *hub, const struct kaggle_name *model,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	auto_kaggle_instances struct kaggle_instances all = { 0 };
	int r = kaggle_model_get(hub, model, deadline_ns, &all);

	for (size_t i = 0; r == 0 && i < all.count; i++) {
		struct kaggle_name name = *model; /* borrows */
		auto_free char *full = NULL;

		name.framework = all.list[i].framework;
		name.variation = all.list[i].variation;
		if (kaggle_is_plain(hub, &name, &all)) {
			r = hub_listing_add(out, name.variation, HUB_DIR, NULL);
			continue;
		}
		full = mem_printf("%s@%s", name.variation, name.framework);
		r = full ? hub_listing_add(out, full, HUB_DIR, NULL) : -ENOMEM;
	}
	return r;
}

int kaggle_latest_get(struct kaggle_hub *hub, const struct kaggle_name *path,
		      uint64_t deadline_ns, char **out)
{
	auto_kaggle_instances struct kaggle_instances one = { 0 };
	const struct kaggle_instance *instance;
	struct kaggle_name name = *path; /* borrows */
	auto_free char *handle = NULL;
	int r = 0;

	name.version = NULL;
	if (!name.framework)
		r = kaggle_plain_framework(hub, &name, true, deadline_ns,
					   &name.framework);
	if (r < 0)
		return r;
	handle = kaggle_handle_text(&name);
	r = handle ? kaggle_instances_get(hub, handle, deadline_ns, &one)
		   : -ENOMEM;
	if (r < 0)
		return r;
	instance = kaggle_instance_find(&one, name.framework, name.variation);
	if (!instance || !instance->version)
		return -EIO;
	*out = mem_printf("%" PRIu64, instance->version);
	return *out ? 0 : -ENOMEM;
}

static int list_variation(struct kaggle_hub *hub,
			  const struct kaggle_name *name, uint64_t deadline_ns,
			  struct hub_listing *out)
{
	auto_free char *latest = NULL;
	int r = kaggle_latest_get(hub, name, deadline_ns, &latest);

	if (r == 0)
		r = hub_listing_add(out, latest, HUB_REPO, NULL);
	return r < 0 ? r
		     : hub_listing_add(out, KAGGLE_LATEST, HUB_LINK, latest);
}

int kaggle_list_asked(struct kaggle_hub *hub, const struct kaggle_name *name,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	if (name->variation)
		return list_variation(hub, name, deadline_ns, out);
	return name->model ? list_model(hub, name, deadline_ns, out)
			   : list_owner(hub, name->owner, deadline_ns, out);
}
