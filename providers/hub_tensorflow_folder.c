/* SPDX-License-Identifier: MIT */
/*
 * A folder instead of Kaggle: <publisher>/<model>/<variation>/<version>/
 * with a SavedModel's files, or with saved_model/ or bundle.tar.gz as the
 * mount itself shows them.  Nothing is remembered.
 */
#include "providers/hubs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/hub_listing.h"
#include "providers/kaggle_hub.h"
#include "providers/local_file.h"
#include "providers/local_repo.h"
#include "providers/repo_facts.h"

struct folder_hub {
	struct provider provider;
	char *root; /* fixed; of local_root_open() */
};

static struct folder_hub *folder_of(struct provider *provider)
{
	return container_of(provider, struct folder_hub, provider);
}

static void close_dir(DIR *dir)
{
	closedir(dir);
}
DEFINE_AUTO_PTR(dir, DIR, close_dir)
#define auto_dir auto_of(dir)

static bool exists(const struct folder_hub *hub, const char *path,
		   const char *name, mode_t type)
{
	auto_free char *full = mem_printf("%s/%s/%s", hub->root, path, name);
	struct stat st;

	return full && stat(full, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

/* ---- directories ---- */

/* Of a folder: the newest of its versions so far, 0: it has none. */
static int entry_add(const struct folder_hub *hub, const char *path,
		     const char *name, struct hub_listing *out,
		     uint64_t *newest)
{
	auto_kaggle_name struct kaggle_name parsed = { 0 };
	auto_free char *full = mem_printf("%s%s%s", path, *path ? "/" : "",
					  name);
	uint64_t version;
	int r = full ? kaggle_path_parse(full, &parsed) : -ENOMEM;

	if (r == -ENOENT || (r == 0 && !exists(hub, path, name, S_IFDIR)))
		return 0;
	if (r < 0)
		return r;
	if (!parsed.version)
		return hub_listing_add(out, name, HUB_DIR, NULL);
	if (parse_u64(name, strlen(name), KAGGLE_VERSION_MAX, &version) < 0)
		return 0;
	*newest = u64_max(*newest, version);
	return hub_listing_add(out, name, HUB_REPO, NULL);
}

static int latest_add(struct hub_listing *out, uint64_t newest)
{
	auto_free char *name = mem_printf("%ju", (uintmax_t)newest);

	return name ? hub_listing_add(out, KAGGLE_LATEST, HUB_LINK, name)
		    : -ENOMEM;
}

static int list_folder(const struct folder_hub *hub, const char *path,
		       struct hub_listing *out)
{
	auto_free char *full = mem_printf("%s/%s", hub->root, path);
	auto_dir DIR *dir = full ? opendir(full) : NULL;
	const struct dirent *entry;
	uint64_t newest = 0;
	int r = 0;

	if (!full)
		return -ENOMEM;
	if (!dir)
		return errno == ENOTDIR ? -ENOENT : -errno;
	while (r == 0 && (entry = readdir(dir)))
		r = entry_add(hub, path, entry->d_name, out, &newest);
	return r == 0 && newest ? latest_add(out, newest) : r;
}

static int folder_list(struct provider *provider, const char *path,
		       uint64_t deadline_ns, struct hub_listing *out)
{
	auto_kaggle_name struct kaggle_name name = { 0 };
	int r = *path ? kaggle_path_parse(path, &name) : 0;

	(void)deadline_ns;
	if (r == 0 && name.version)
		r = -ENOENT;
	if (r == 0)
		r = list_folder(folder_of(provider), path, out);
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

/* "latest" of a variation. */
static int lookup_latest(struct provider *provider, const char *path,
			 struct hub_entry *out)
{
	auto_free char *above =
		mem_strndup(path, strlen(path) - strlen(KAGGLE_LATEST) - 1);
	auto_hub_listing struct hub_listing versions = { 0 };
	int r = above ? folder_list(provider, above, DEADLINE_NOW, &versions)
		      : -ENOMEM;

	for (size_t i = 0; r == 0 && i < versions.count; i++)
		if (versions.entries[i].kind == HUB_LINK)
			return hub_entry_link(out, versions.entries[i].target);
	return r < 0 ? r : -ENOENT;
}

static int folder_lookup(struct provider *provider, const char *path,
			 uint64_t deadline_ns, struct hub_entry *out)
{
	auto_kaggle_name struct kaggle_name name = { 0 };
	int r = kaggle_path_parse(path, &name);

	(void)deadline_ns;
	*out = (struct hub_entry){ .kind = HUB_DIR };
	if (r < 0)
		return r;
	if (name.version && !strcmp(name.version, KAGGLE_LATEST))
		return lookup_latest(provider, path, out);
	if (name.version)
		out->kind = HUB_REPO;
	return exists(folder_of(provider), path, "", S_IFDIR) ? 0 : -ENOENT;
}

/* ---- models ---- */

static int facts_fill(const struct kaggle_name *name, struct repo *repo)
{
	auto_repo_facts struct repo_facts facts;

	repo_facts_init(&facts);
	repo_facts_text(&facts, "hub", "tensorflow");
	repo_facts_text(&facts, "publisher", name->owner);
	repo_facts_text(&facts, "model", name->model);
	repo_facts_text(&facts, "framework", name->framework);
	repo_facts_text(&facts, "variation", name->variation);
	repo_facts_number(&facts, "version", name->version);
	return repo_facts_take(&facts, &repo->facts);
}

static int folder_open(struct provider *provider, const char *path,
		       uint64_t deadline_ns, struct repo **out)
{
	struct folder_hub *hub = folder_of(provider);
	auto_kaggle_name struct kaggle_name name = { 0 };
	auto_local_repo struct local_repo *local = NULL;
	auto_repo struct repo *repo = NULL;
	bool shown = exists(hub, path, "saved_model", S_IFDIR) ||
		     exists(hub, path, KAGGLE_BUNDLE, S_IFREG);
	int r = kaggle_path_parse(path, &name);

	(void)deadline_ns;
	if (r == 0 && (!name.version || !strcmp(name.version, KAGGLE_LATEST) ||
		       !exists(hub, path, "", S_IFDIR)))
		r = -ENOENT;
	if (r == 0)
		r = local_repo_new(hub->root, path, &local);
	if (r == 0)
		r = local_repo_walk(local, path, shown ? "" : KAGGLE_FOLDER,
				    false);
	if (r == 0)
		r = local_repo_seal(take_ptr(local), NULL, &repo);
	if (r == 0 && !repo->file_count)
		r = -ENOENT;
	if (r == 0)
		r = facts_fill(&name, repo);
	if (r < 0)
		return r;
	repo->kind = "saved-model";
	repo->files_dir = "";
	*out = take_ptr(repo);
	return 0;
}

/* ---- life ---- */

static void folder_free(struct provider *provider)
{
	struct folder_hub *hub = folder_of(provider);

	free(hub->root);
	free(hub);
}

int hub_tensorflow_folder_new(const char *folder, struct provider **out)
{
	static const struct provider_ops ops = {
		.list = folder_list,
		.lookup = folder_lookup,
		.open = folder_open,
		.free = folder_free,
	};
	struct folder_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &ops, "tensorflow", 1 };
	r = local_root_open(folder, &hub->root);
	if (r < 0) {
		free(hub);
		return r;
	}
	*out = &hub->provider;
	return 0;
}
