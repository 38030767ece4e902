/* SPDX-License-Identifier: MIT */
/* The hubs of PyTorch as one: the first part of a path says which. */
#include "providers/hubs.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "providers/hub_listing.h"

#define PYTORCH_TTL_S 600

static const struct {
	const char *name;
	int (*make)(const struct provider_env *env, const char *endpoint,
		    struct provider **out);
} parts[] = {
	{ "hub", hub_torchhub_new },
	{ "timm", hub_timm_new },
	{ "torchserve", hub_torchserve_new },
	{ "torchvision", hub_torchvision_new },
};

/* All fixed. */
struct pytorch_hub {
	struct provider provider;
	struct provider *parts[ARRAY_LEN(parts)]; /* owned */
};

static struct pytorch_hub *pytorch_of(struct provider *provider)
{
	return container_of(provider, struct pytorch_hub, provider);
}

/* The part that @path names, and what follows in *@rest; NULL: none. */
static struct provider *part_of(struct provider *provider, const char *path,
				const char **rest)
{
	size_t len = strcspn(path, "/");

	if (path[len] == '/' && !path[len + 1])
		return NULL;
	*rest = path[len] ? path + len + 1 : path + len;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strlen(parts[i].name) == len &&
		    memcmp(parts[i].name, path, len) == 0)
			return pytorch_of(provider)->parts[i];
	return NULL;
}

static int list_parts(struct hub_listing *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = hub_listing_add(out, parts[i].name, HUB_DIR, NULL);
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

static int pytorch_list(struct provider *provider, const char *path,
			uint64_t deadline_ns, struct hub_listing *out)
{
	const char *rest;
	struct provider *part;

	if (!*path)
		return list_parts(out);
	part = part_of(provider, path, &rest);
	return part ? part->ops->list(part, rest, deadline_ns, out) : -ENOENT;
}

static int pytorch_lookup(struct provider *provider, const char *path,
			  uint64_t deadline_ns, struct hub_entry *out)
{
	const char *rest;
	struct provider *part = part_of(provider, path, &rest);

	*out = (struct hub_entry){ .kind = HUB_DIR };
	if (!part)
		return -ENOENT;
	return *rest ? part->ops->lookup(part, rest, deadline_ns, out) : 0;
}

static int pytorch_open(struct provider *provider, const char *path,
			uint64_t deadline_ns, struct repo **out)
{
	const char *rest;
	struct provider *part = part_of(provider, path, &rest);

	return part && *rest ? part->ops->open(part, rest, deadline_ns, out)
			     : -ENOENT;
}

static void pytorch_refresh(struct provider *provider, const char *path)
{
	const char *rest;
	struct provider *part = part_of(provider, path, &rest);

	if (part && part->ops->refresh)
		part->ops->refresh(part, rest);
}

static void hub_free(struct pytorch_hub *hub)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		provider_free(hub->parts[i]);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct pytorch_hub, hub_free)
#define auto_hub auto_of(hub)

static void pytorch_free(struct provider *provider)
{
	hub_free(pytorch_of(provider));
}

static const struct provider_ops pytorch_ops = {
	.list = pytorch_list,
	.lookup = pytorch_lookup,
	.open = pytorch_open,
	.refresh = pytorch_refresh,
	.free = pytorch_free,
};

int hub_pytorch_new(const struct provider_env *env, const char *endpoint,
		    struct provider **out)
{
	auto_hub struct pytorch_hub *hub = mem_zalloc(sizeof(*hub));
	int r = hub ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = parts[i].make(env, endpoint, &hub->parts[i]);
	if (r < 0)
		return r;
	hub->provider = (struct provider){ &pytorch_ops, "pytorch",
					   PYTORCH_TTL_S };
	*out = &take_ptr(hub)->provider;
	return 0;
}
