/* SPDX-License-Identifier: MIT */
/*
 * A folder instead of a hub.  Nothing is remembered: what the folder holds
 * is what there is, and a revision changes with the files.
 */
#include "providers/hubs.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "providers/hf_cache_layout.h"
#include "providers/hub_listing.h"
#include "providers/huggingface_alias.h"
#include "providers/local_file.h"
#include "providers/local_repo.h"
#include "providers/repo_name.h"

struct local_hub {
	struct provider provider;
	char *root; /* fixed; of local_root_open() */
};

static struct local_hub *local_of(struct provider *provider)
{
	return container_of(provider, struct local_hub, provider);
}

static void close_dir(DIR *dir)
{
	closedir(dir);
}
DEFINE_AUTO_PTR(dir, DIR, close_dir)
#define auto_dir auto_of(dir)

static bool is_dir(const char *root, const char *folder, const char *name)
{
	auto_free char *path = mem_printf("%s/%s/%s", root, folder, name);
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- listing ---- */

struct local_walk {
	const char *root;
	const char *org; /* "" at the top */
	struct hub_listing *out;
};

/* A folder models--org--name of the other layout. */
static int cached_add(struct local_walk *walk, const char *name)
{
	auto_free char *id = NULL;
	char *slash;
	int r = hf_cache_model_id(name, &id);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	slash = strchr(id, '/');
	if (slash)
		*slash = '\0';
	if (!*walk->org)
		return hub_listing_add(walk->out, id,
				       slash ? HUB_DIR : HUB_REPO, NULL);
	if (!slash || strcmp(id, walk->org) != 0)
		return 0;
	return hub_listing_add(walk->out, slash + 1, HUB_REPO, NULL);
}

static int plain_add(struct local_walk *walk, const char *name)
{
	/* The store that several cached models share is no organisation. */
	if (!repo_part_ok(name, strlen(name)) || !strcmp(name, "blobs"))
		return 0;
	return hub_listing_add(walk->out, name, *walk->org ? HUB_REPO : HUB_DIR,
			       NULL);
}

/* Gives @add the name of each folder in @folder below the root. */
static int each_folder(struct local_walk *walk, const char *folder,
		       int (*add)(struct local_walk *walk, const char *name))
{
	auto_free char *path = mem_printf("%s/%s", walk->root, folder);
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *entry;
	int r = 0;

	if (!path)
		return -ENOMEM;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (is_dir(walk->root, folder, entry->d_name))
			r = add(walk, entry->d_name);
	return r;
}

static bool has_model(const char *root, const char *id)
{
	auto_free char *cached = hf_cache_model_name(id);

	return is_dir(root, ".", id) || (cached && is_dir(root, ".", cached));
}

static int aliases_add(struct local_walk *walk)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hf_alias_count(); i++) {
		const struct hf_alias *alias = hf_alias_at(i);

		if (has_model(walk->root, alias->id))
			r = hub_listing_add(walk->out, alias->name, HUB_LINK,
					    alias->id);
	}
	return r;
}

static int local_list(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	struct local_walk walk = { local_of(provider)->root, path, out };
	int r = 0;

	(void)deadline_ns;
	if (!*path)
		r = aliases_add(&walk);
	else if (!repo_part_ok(path, strlen(path)))
		r = -ENOENT;
	if (r == 0)
		r = each_folder(&walk, *path ? path : ".", plain_add);
	if (r == 0)
		r = each_folder(&walk, ".", cached_add);
	if (r == 0 && *path && !out->count && !is_dir(walk.root, ".", path))
		r = -ENOENT;
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

/* ---- models ---- */

/* <org>/<model>/: "main", or the very revision it has now. */
static int open_plain(struct local_hub *hub, const struct repo_name *name,
		      struct repo **out)
{
	auto_local_repo struct local_repo *local = NULL;
	auto_repo struct repo *repo = NULL;
	int r;

	if (!strchr(name->id, '/') || !is_dir(hub->root, ".", name->id))
		return -ENOENT;
	r = local_repo_new(hub->root, name->id, &local);
	if (r == 0)
		r = local_repo_walk(local, name->id, "", false);
	if (r == 0)
		r = local_repo_seal(take_ptr(local), NULL, &repo);
	if (r < 0)
		return r;
	if (strcmp(name->revision, "main") != 0 &&
	    strcmp(name->revision, repo->revision) != 0)
		return -ENOENT;
	*out = take_ptr(repo);
	return 0;
}

static int open_named(struct local_hub *hub, const struct repo_name *name,
		      struct repo **out)
{
	int r = open_plain(hub, name, out);

	return r == -ENOENT ? hf_cache_repo_open(hub->root, name->id,
						 name->revision, out)
			    : r;
}

static int local_provider_open(struct provider *provider, const char *path,
			       uint64_t deadline_ns, struct repo **out)
{
	auto_repo_name struct repo_name name;
	int r = repo_name_parse(path, &name);

	(void)deadline_ns;
	return r < 0 ? r : open_named(local_of(provider), &name, out);
}

/* The entry of that name at the top, handed over.  -ENOENT. */
static int lookup_top(struct provider *provider, const char *name,
		      struct hub_entry *out)
{
	auto_hub_listing struct hub_listing top = { 0 };
	int r = local_list(provider, "", 0, &top);

	for (size_t i = 0; r == 0 && i < top.count; i++) {
		struct hub_entry *entry = &top.entries[i];

		if (strcmp(entry->name, name) != 0)
			continue;
		out->kind = entry->kind;
		out->target = take_ptr(entry->target);
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

static int local_lookup(struct provider *provider, const char *path,
			uint64_t deadline_ns, struct hub_entry *out)
{
	auto_repo_name struct repo_name name;
	auto_repo struct repo *repo = NULL;
	int r = repo_name_parse(path, &name);

	(void)deadline_ns;
	*out = (struct hub_entry){ 0 };
	if (r < 0)
		return r;
	if (!strchr(path, '/') && !*name.suffix)
		return lookup_top(provider, path, out);
	r = open_named(local_of(provider), &name, &repo);
	out->kind = HUB_REPO;
	return r;
}

static void local_free(struct provider *provider)
{
	struct local_hub *hub = local_of(provider);

	free(hub->root);
	free(hub);
}

static const struct provider_ops local_ops = {
	.list = local_list,
	.lookup = local_lookup,
	.open = local_provider_open,
	.free = local_free,
};

int hub_local_new(const char *name, const char *folder, struct provider **out)
{
	struct local_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &local_ops, name, 1 };
	r = local_root_open(folder, &hub->root);
	if (r < 0) {
		free(hub);
		return r;
	}
	*out = &hub->provider;
	return 0;
}
