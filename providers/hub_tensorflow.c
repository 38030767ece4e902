/* SPDX-License-Identifier: MIT */
/*
 * TensorFlow's models: those of Kaggle Models, where TensorFlow Hub moved.
 *
 *	<publisher>/<model>/<variation>/<version>	a SavedModel
 *	<publisher>/<model>/<variation>/latest		-> the newest version
 *	<variation>@<framework>		the one of tensorFlow1 or tensorFlow2,
 *					where there are both under one name
 *	tfhub.dev/<publisher>/<path>/<version>		-> where it is now
 *
 * A variation's name alone means the framework that the table says, else
 * tensorFlow2 before tensorFlow1 (kaggle_plain_framework()).
 *
 * Addresses of tfhub.dev have a folder of their own.  Versions were counted
 * anew when they moved, so that an old one read as a new one would be
 * another model; where each went, tfhub.dev itself is asked, once.
 *
 * What the table has or was used here is listed without a request; the
 * rest of a directory is asked for.
 */
#include "providers/hubs.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/hub_listing.h"
#include "providers/kaggle_auth.h"
#include "providers/kaggle_hub.h"
#include "providers/kaggle_old.h"
#include "providers/origin.h"

#define KAGGLE_TTL_S 600
#define KAGGLE_API "https://www.kaggle.com/api/v1"

static struct kaggle_hub *kaggle_of(struct provider *provider)
{
	return container_of(provider, struct kaggle_hub, provider);
}

/* What follows KAGGLE_OLD in @path: "" for itself; NULL: it is another. */
static const char *old_path(const char *path)
{
	size_t len = sizeof(KAGGLE_OLD) - 1;

	if (strncmp(path, KAGGLE_OLD, len) != 0)
		return NULL;
	if (!path[len])
		return path + len;
	return path[len] == '/' && path[len + 1] ? path + len + 1 : NULL;
}

/* ---- directories ---- */

/* The top and the folder of old are never asked for. */
static int list_path(struct kaggle_hub *hub, const char *path,
		     uint64_t deadline_ns, struct hub_listing *out)
{
	auto_kaggle_name struct kaggle_name name = { 0 };
	const char *old = old_path(path);
	bool any, whole = false;
	int asked, r = 0;

	if (!old && *path)
		r = kaggle_path_parse(path, &name);
	else if (old && *old && (!kaggle_old_path_ok(old, &whole) || whole))
		r = -ENOENT;
	if (r == 0 && name.version)
		r = -ENOENT;
	if (r == 0)
		r = kaggle_known_list(hub, path, out, &any);
	if (r < 0 || !name.owner)
		return r < 0 || *path ? r
				      : hub_listing_add(out, KAGGLE_OLD,
							HUB_DIR, NULL);
	asked = kaggle_list_asked(hub, &name, deadline_ns, out);
	if (asked == -ENOMEM || asked == -EINPROGRESS)
		return asked;
	return any ? 0 : asked;
}

static int tensorflow_list(struct provider *provider, const char *path,
			   uint64_t deadline_ns, struct hub_listing *out)
{
	int r = list_path(kaggle_of(provider), path, deadline_ns, out);

	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

/* ---- names ---- */

static int lookup_old(struct kaggle_hub *hub, const char *path, const char *old,
		      uint64_t deadline_ns, struct hub_entry *out)
{
	auto_free char *target = NULL;
	bool whole;
	int r;

	if (!*old)
		return 0;
	if (!kaggle_old_path_ok(old, &whole))
		return -ENOENT;
	if (!whole)
		return 0;
	r = kaggle_old_target(hub, old, deadline_ns, &target);
	if (r < 0)
		return r;
	kaggle_used_add(hub, path, target);
	return hub_entry_link(out, target);
}

/* "v@fw" of what "v" is as well: a link to that. */
static int lookup_variation(struct kaggle_hub *hub,
			    const struct kaggle_name *name,
			    uint64_t deadline_ns, struct hub_entry *out)
{
	auto_kaggle_instances struct kaggle_instances all = { 0 };
	const char *plain;
	int r;

	if (!name->framework)
		return kaggle_plain_framework(hub, name, true, deadline_ns,
					      &plain);
	r = kaggle_plain_framework(hub, name, false, deadline_ns, &plain);
	if (r == 0 && !strcmp(plain, name->framework))
		return hub_entry_link(out, name->variation);
	r = kaggle_model_get(hub, name, deadline_ns, &all);
	if (r < 0)
		return r;
	if (!kaggle_instance_find(&all, name->framework, name->variation))
		return -ENOENT;
	return kaggle_is_plain(hub, name, &all)
		       ? hub_entry_link(out, name->variation)
		       : 0;
}

static int lookup_version(struct kaggle_hub *hub,
			  const struct kaggle_name *name, const char *path,
			  uint64_t deadline_ns, struct hub_entry *out)
{
	auto_free char *latest = NULL;
	auto_repo struct repo *repo = NULL;
	int r;

	if (!strcmp(name->version, KAGGLE_LATEST)) {
		r = kaggle_latest_get(hub, name, deadline_ns, &latest);
		return r < 0 ? r : hub_entry_link(out, latest);
	}
	out->kind = HUB_REPO;
	return repo_cache_open(hub->repos, path, deadline_ns, &repo);
}

/* Where lists are refused, its models may still be there by name. */
static int lookup_owner(struct kaggle_hub *hub, const char *owner,
			uint64_t deadline_ns)
{
	auto_str struct str lines;
	int r;

	str_init(&lines, HUB_JSON_BYTES_MAX);
	r = kaggle_models_get(hub, owner, deadline_ns, &lines);
	return r == -EACCES ? 0 : r;
}

static int lookup_asked(struct kaggle_hub *hub, const struct kaggle_name *name,
			const char *path, uint64_t deadline_ns,
			struct hub_entry *out)
{
	auto_kaggle_instances struct kaggle_instances all = { 0 };

	if (name->version)
		return lookup_version(hub, name, path, deadline_ns, out);
	if (name->variation)
		return lookup_variation(hub, name, deadline_ns, out);
	return name->model ? kaggle_model_get(hub, name, deadline_ns, &all)
			   : lookup_owner(hub, name->owner, deadline_ns);
}

static int tensorflow_lookup(struct provider *provider, const char *path,
			     uint64_t deadline_ns, struct hub_entry *out)
{
	auto_kaggle_name struct kaggle_name name = { 0 };
	struct kaggle_hub *hub = kaggle_of(provider);
	const char *old = old_path(path);
	bool found;
	int r;

	*out = (struct hub_entry){ .kind = HUB_DIR };
	r = kaggle_known_lookup(hub, path, out, &found);
	if (r < 0 || found)
		return r;
	if (old)
		return lookup_old(hub, path, old, deadline_ns, out);
	r = kaggle_path_parse(path, &name);
	return r < 0 ? r : lookup_asked(hub, &name, path, deadline_ns, out);
}

static int tensorflow_open(struct provider *provider, const char *path,
			   uint64_t deadline_ns, struct repo **out)
{
	return repo_cache_open(kaggle_of(provider)->repos, path, deadline_ns,
			       out);
}

static void tensorflow_refresh(struct provider *provider, const char *path)
{
	struct kaggle_hub *hub = kaggle_of(provider);

	hub->refreshed_wall_s = clock_wall_s();
	repo_cache_refresh(hub->repos, path);
}

/* ---- life ---- */

static void hub_free(struct kaggle_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	kaggle_known_release(hub);
	lock_release(&hub->lock);
	auth_release(&hub->auth);
	free(hub->api);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct kaggle_hub, hub_free)
#define auto_hub auto_of(hub)

static void tensorflow_free(struct provider *provider)
{
	hub_free(kaggle_of(provider));
}

static const struct provider_ops tensorflow_ops = {
	.list = tensorflow_list,
	.lookup = tensorflow_lookup,
	.open = tensorflow_open,
	.refresh = tensorflow_refresh,
	.free = tensorflow_free,
};

static int hub_fill(struct kaggle_hub *hub)
{
	struct repo_opener opener = { .open = kaggle_open, .arg = hub };
	int r = origin_url(&hub->env, "tensorflow", KAGGLE_API, &hub->api);

	if (r == 0 && origin_file(hub->api))
		r = -EINVAL;
	if (r == 0)
		r = kaggle_auth_load(hub->api, &hub->auth);
	if (r == 0)
		r = auth_who(&hub->auth, hub->credential);
	if (r == 0)
		r = kaggle_table_load(hub);
	return r < 0 ? r : repo_cache_new(&opener, &hub->repos);
}

int hub_tensorflow_new(const struct provider_env *env, const char *endpoint,
		       struct provider **out)
{
	const char *folder = endpoint ? origin_folder(endpoint) : NULL;
	auto_hub struct kaggle_hub *hub = NULL;
	int r;

	if (folder)
		return hub_tensorflow_folder_new(folder, out);
	hub = mem_zalloc(sizeof(*hub));
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &tensorflow_ops, "tensorflow",
					   KAGGLE_TTL_S };
	hub->env = *env;
	hub->offline = env->offline || !env->fetcher;
	lock_init(&hub->lock);
	map_init(&hub->used);
	map_init(&hub->told);
	r = hub_fill(hub);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
