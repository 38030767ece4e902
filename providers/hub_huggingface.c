/* SPDX-License-Identifier: MIT */
#include "providers/hubs.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/hf_cache_layout.h"
#include "providers/hf_hub.h"
#include "providers/huggingface_alias.h"
#include "providers/url.h"

#define HF_ENDPOINT "https://huggingface.co"
#define HF_TTL_S 600

static struct hf_hub *hf_of(struct provider *provider)
{
	return container_of(provider, struct hf_hub, provider);
}

/* ---- lookup ---- */

/* "alias@rev" -> "org/model@rev".  1: no alias. */
static int lookup_alias(const struct repo_name *name, struct hub_entry *out)
{
	const char *id = hf_alias_find(name->id);
	auto_free char *target = NULL;

	if (!id)
		return 1;
	target = repo_name_link(name, id);
	return target ? hub_entry_link(out, target) : -ENOMEM;
}

/* A repository under its own name, or a link to that name. */
static int lookup_repo(struct hf_hub *hub, const struct repo_name *name,
		       const char *path, uint64_t deadline_ns,
		       struct hub_entry *out)
{
	auto_repo struct repo *repo = NULL;
	auto_free char *target = NULL;
	int r = repo_cache_open(hub->repos, path, deadline_ns, &repo);

	if (r < 0)
		return r;
	if (!strcmp(repo->id, name->id)) {
		out->kind = HUB_REPO;
		return 0;
	}
	target = repo_name_link(name, repo->id);
	return target ? hub_entry_link(out, target) : -ENOMEM;
}

/* 0: @org has models; -ENOENT; or why that could not be learnt. */
static int lookup_org(struct hf_hub *hub, const char *org, uint64_t deadline_ns,
		      struct hub_entry *out)
{
	auto_hub_listing struct hub_listing models = { 0 };
	bool any = false;
	int r;

	out->kind = HUB_DIR;
	if (hf_used_org(hub, org))
		return 0;
	r = hf_list_org(hub, org, deadline_ns, &models, &any);
	if (r < 0)
		return r;
	return any ? 0 : -ENOENT;
}

/* An alias, an organisation, or a model's id of old. */
static int lookup_top(struct hf_hub *hub, const struct repo_name *name,
		      const char *path, uint64_t deadline_ns,
		      struct hub_entry *out)
{
	int org = -ENOENT, r = lookup_alias(name, out);

	if (r <= 0)
		return r;
	if (!*name->suffix)
		org = lookup_org(hub, name->id, deadline_ns, out);
	if (org == 0 || org == -ENOMEM || org == -EINPROGRESS)
		return org;
	r = lookup_repo(hub, name, path, deadline_ns, out);
	return r == -ENOENT ? org : r;
}

static int hf_lookup(struct provider *provider, const char *path,
		     uint64_t deadline_ns, struct hub_entry *out)
{
	struct hf_hub *hub = hf_of(provider);
	auto_repo_name struct repo_name name;
	int r = repo_name_parse(path, &name);

	*out = (struct hub_entry){ 0 };
	if (r < 0)
		return r;
	if (strchr(name.id, '/'))
		return lookup_repo(hub, &name, path, deadline_ns, out);
	return lookup_top(hub, &name, path, deadline_ns, out);
}

static int hf_list(struct provider *provider, const char *path,
		   uint64_t deadline_ns, struct hub_listing *out)
{
	struct hf_hub *hub = hf_of(provider);
	bool any = true;
	int r;

	if (!*path)
		r = hf_list_root(hub, deadline_ns, out);
	else if (!repo_part_ok(path, strlen(path)))
		r = -ENOENT;
	else
		r = hf_list_org(hub, path, deadline_ns, out, &any);
	if (r == 0)
		r = any ? hub_listing_finish(out) : -ENOENT;
	if (r < 0)
		hub_listing_release(out);
	return r;
}

static int hf_provider_open(struct provider *provider, const char *path,
			    uint64_t deadline_ns, struct repo **out)
{
	return repo_cache_open(hf_of(provider)->repos, path, deadline_ns, out);
}

static void hf_refresh(struct provider *provider, const char *path)
{
	struct hf_hub *hub = hf_of(provider);

	hub->refreshed_wall_s = clock_wall_s();
	repo_cache_refresh(hub->repos, path);
}

/* ---- life ---- */

static void used_release(struct map *used)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(used, &at)))
		free(slot->value);
	map_release(used);
}

static void hub_free(struct hf_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	used_release(&hub->used);
	lock_release(&hub->lock);
	auth_release(&hub->auth);
	free(hub->cache_root);
	free(hub->endpoint);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct hf_hub, hub_free)
#define auto_hub auto_of(hub)

static void hf_free(struct provider *provider)
{
	hub_free(hf_of(provider));
}

static const struct provider_ops hf_ops = {
	.list = hf_list,
	.lookup = hf_lookup,
	.open = hf_provider_open,
	.refresh = hf_refresh,
	.free = hf_free,
};

/* "1", "on", "yes", "true", of any case, as the hub's clients have it. */
static bool env_flag(const char *name)
{
	static const char *const words[] = { "1", "on", "yes", "true" };
	const char *value = getenv(name);

	for (size_t i = 0; value && i < ARRAY_LEN(words); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return false;
}

static int endpoint_choose(const char *endpoint, char **out)
{
	size_t len;

	if (!endpoint)
		endpoint = getenv("HF_ENDPOINT");
	if (!endpoint || !*endpoint)
		endpoint = HF_ENDPOINT;
	if (strncmp(endpoint, "http://", 7) != 0 &&
	    strncmp(endpoint, "https://", 8) != 0)
		return -EINVAL;
	len = strlen(endpoint);
	while (endpoint[len - 1] == '/')
		len--;
	*out = mem_strndup(endpoint, len);
	return *out ? 0 : -ENOMEM;
}

static int hub_fill(struct hf_hub *hub, const char *endpoint)
{
	struct repo_opener opener = { .open = hf_open, .arg = hub };
	int r = endpoint_choose(endpoint, &hub->endpoint);

	if (r == 0)
		r = auth_load(hub->endpoint, &hub->auth);
	if (r == 0)
		r = auth_who(&hub->auth, hub->credential);
	if (r == 0)
		r = hf_cache_root(&hub->cache_root);
	if (r == -ENOENT)
		r = 0;
	return r < 0 ? r : repo_cache_new(&opener, &hub->repos);
}

int hub_huggingface_new(const struct provider_env *env, const char *endpoint,
			struct provider **out)
{
	auto_hub struct hf_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &hf_ops, "huggingface", HF_TTL_S };
	hub->env = *env;
	lock_init(&hub->lock);
	map_init(&hub->used);
	hub->offline = env->offline || !env->fetcher ||
		       env_flag("HF_HUB_OFFLINE") ||
		       env_flag("TRANSFORMERS_OFFLINE");
	r = hub_fill(hub, endpoint);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
