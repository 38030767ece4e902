/* SPDX-License-Identifier: MIT */
/*
 * The ONNX model zoo, by its manifest; what has none, by what is on Hugging
 * Face, where the zoo's files have moved.
 *
 *	<model>/<opset>		of the manifest; "Emotion FERPlus" is
 *				Emotion_FERPlus, and case does not matter
 *	<stem>			another model of onnxmodelzoo/ there
 *	tree/<path>		the whole zoo by path: a folder with a model
 *				is a repository
 *
 * Of a manifest's model all is known but where it is: the places that may
 * have it are tried when it is first read.
 */
#include "providers/hubs.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/hub_listing.h"
#include "providers/onnx_manifest.h"
#include "providers/origin.h"
#include "providers/repo_cache.h"
#include "providers/sub_repo.h"
#include "providers/web_repo.h"

#define ONNX_TTL_S 600
#define TREE "tree"
#define MIRROR "onnxmodelzoo"
#define MIRROR_TREE MIRROR "/legacy_models"
#define PAGES "https://github.com/onnx/models/tree/main/"

/* What makes a folder of the tree a repository. */
static const char *const model_suffixes[] = { ".onnx", ".tar.gz", ".zip",
					      NULL };

/* All fixed but for what .repos and .mirror keep. */
struct onnx_hub {
	struct provider provider;
	struct provider_env env;
	struct onnx_manifest manifest; /* owned */
	struct provider *mirror;       /* owned; Hugging Face, or its folder */
	struct repo_cache *repos;      /* owned; of the manifest's */
};

static struct onnx_hub *onnx_of(struct provider *provider)
{
	return container_of(provider, struct onnx_hub, provider);
}

/* What follows "tree" in @path: "" for itself; NULL: it is another. */
static const char *tree_path(const char *path)
{
	size_t len = sizeof(TREE) - 1;

	if (strncmp(path, TREE, len) != 0)
		return NULL;
	if (!path[len])
		return path + len;
	return path[len] == '/' && path[len + 1] ? path + len + 1 : NULL;
}

/* ---- repositories of the manifest ---- */

static int file_of(const struct onnx_hub *hub, size_t row,
		   enum onnx_column path_column, struct onnx_places *places,
		   struct web_file *out)
{
	const char *path = onnx_field(&hub->manifest, row, path_column);
	const char *sha256_hex = onnx_field(&hub->manifest, row,
					    path_column + 1);
	const char *bytes = onnx_field(&hub->manifest, row, path_column + 2);
	const char *slash = strrchr(path, '/');

	*out = (struct web_file){ .path = slash ? slash + 1 : path,
				  .urls = (const char *const *)places->urls };
	if (parse_u64(bytes, strlen(bytes), FILE_BYTES_MAX, &out->size) < 0 ||
	    digest_parse_as(DIGEST_SHA256, sha256_hex, strlen(sha256_hex),
			    &out->digest) < 0)
		return -EIO;
	return onnx_places_of(path, origin_endpoint(&hub->env, "onnx") != NULL,
			      places);
}

static int open_row(struct onnx_hub *hub, const char *id, size_t row, bool ask,
		    uint64_t deadline_ns, struct repo **out,
		    int64_t *until_wall_s)
{
	auto_onnx_places struct onnx_places model = { 0 }, archive = { 0 };
	auto_free char *facts = NULL, *url = NULL;
	struct web_file files[2];
	int r = file_of(hub, row, ONNX_PATH, &model, &files[0]);

	if (r == 0)
		r = file_of(hub, row, ONNX_TAR_PATH, &archive, &files[1]);
	if (r == 0)
		r = onnx_facts_of(&hub->manifest, row, &facts);
	if (r < 0)
		return r;
	files[0].url_count = model.count;
	files[1].url_count = archive.count;
	files[1].optional = true; /* what mirrors leave out first */
	url = mem_printf(PAGES "%s",
			 onnx_field(&hub->manifest, row, ONNX_PATH));
	if (!url)
		return -ENOMEM;
	return web_repo_open(
		&(struct web_repo_spec){
			.env = &hub->env,
			.hub = "onnx",
			.id = id,
			.url = url,
			.facts = facts,
			.kind = "onnx-zoo",
			.files_dir = "repo",
			.files = files,
			.file_count = ARRAY_LEN(files),
		},
		ask, deadline_ns, out, until_wall_s);
}

static int onnx_open_repo(void *arg, const char *path, bool ask,
			  uint64_t deadline_ns, struct repo **out,
			  int64_t *until_wall_s)
{
	size_t row;
	struct onnx_hub *hub = arg;
	int r = onnx_find_row(&hub->manifest, path, &row);

	return r < 0 ? r
		     : open_row(hub, path, row, ask, deadline_ns, out,
				until_wall_s);
}

/* ---- what is on Hugging Face ---- */

static int open_tree(struct onnx_hub *hub, uint64_t deadline_ns,
		     struct repo **out)
{
	return hub->mirror->ops->open(hub->mirror, MIRROR_TREE, deadline_ns,
				      out);
}

static int open_folder(struct onnx_hub *hub, const char *path,
		       const char *folder, uint64_t deadline_ns,
		       struct repo **out)
{
	auto_repo struct repo *tree = NULL;
	enum hub_entry_kind kind;
	int r = open_tree(hub, deadline_ns, &tree);

	if (r == 0)
		r = sub_repo_kind(tree, folder, model_suffixes, &kind);
	if (r == 0 && kind != HUB_REPO)
		r = -ENOENT;
	return r < 0 ? r
		     : sub_repo_new(tree, folder, path, "onnx-zoo", NULL, out);
}

/* NULL: no memory. */
static char *mirror_path(const char *stem)
{
	return mem_printf(MIRROR "/%s", stem);
}

static int open_stem(struct onnx_hub *hub, const char *stem,
		     uint64_t deadline_ns, struct repo **out)
{
	auto_free char *path = mirror_path(stem);
	auto_repo struct repo *repo = NULL;
	int r;

	if (!path)
		return -ENOMEM;
	r = hub->mirror->ops->open(hub->mirror, path, deadline_ns, &repo);
	return r < 0 ? r : sub_repo_new(repo, "", stem, "onnx-zoo", NULL, out);
}

static int onnx_open(struct provider *provider, const char *path,
		     uint64_t deadline_ns, struct repo **out)
{
	struct onnx_hub *hub = onnx_of(provider);
	const char *folder = tree_path(path);

	if (folder)
		return *folder ? open_folder(hub, path, folder, deadline_ns,
					     out)
			       : -ENOENT;
	if (strchr(path, '/'))
		return repo_cache_open(hub->repos, path, deadline_ns, out);
	return catalogue_find(hub->manifest.models, path).count
		       ? -ENOENT
		       : open_stem(hub, path, deadline_ns, out);
}

static void onnx_refresh(struct provider *provider, const char *path)
{
	struct onnx_hub *hub = onnx_of(provider);
	auto_free char *mirrored = NULL;

	if (!tree_path(path) && strchr(path, '/')) {
		repo_cache_refresh(hub->repos, path);
		return;
	}
	mirrored = tree_path(path) ? mem_strdup(MIRROR_TREE)
				   : mirror_path(path);
	if (mirrored && hub->mirror->ops->refresh)
		hub->mirror->ops->refresh(hub->mirror, mirrored);
}

/* ---- directories ---- */

static int list_top(struct onnx_hub *hub, struct hub_listing *out)
{
	size_t count = catalogue_all(hub->manifest.models).count;
	int r = hub_listing_add(out, TREE, HUB_DIR, NULL);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (i == 0 ||
		    strcmp(onnx_field(&hub->manifest, i, ONNX_NAME),
			   onnx_field(&hub->manifest, i - 1, ONNX_NAME)) != 0)
			r = hub_listing_add(
				out, onnx_field(&hub->manifest, i, ONNX_NAME),
				HUB_DIR, NULL);
	return r;
}

static int list_opsets(struct onnx_hub *hub, const char *model,
		       struct hub_listing *out)
{
	struct catalogue_rows rows = catalogue_find(hub->manifest.models,
						    model);
	int r = rows.count ? 0 : -ENOENT;

	for (size_t i = rows.first; r == 0 && i < rows.first + rows.count; i++)
		r = hub_listing_add(out,
				    onnx_field(&hub->manifest, i, ONNX_OPSET),
				    HUB_REPO, NULL);
	return r;
}

static int list_tree(struct onnx_hub *hub, const char *folder,
		     uint64_t deadline_ns, struct hub_listing *out)
{
	auto_repo struct repo *tree = NULL;
	int r = open_tree(hub, deadline_ns, &tree);

	return r < 0 ? r : sub_repo_list(tree, folder, model_suffixes, out);
}

static int onnx_list(struct provider *provider, const char *path,
		     uint64_t deadline_ns, struct hub_listing *out)
{
	struct onnx_hub *hub = onnx_of(provider);
	const char *folder = tree_path(path);
	int r;

	if (!*path)
		r = list_top(hub, out);
	else if (folder)
		r = list_tree(hub, folder, deadline_ns, out);
	else
		r = list_opsets(hub, path, out);
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

static int lookup_tree(struct onnx_hub *hub, const char *folder,
		       uint64_t deadline_ns, struct hub_entry *out)
{
	auto_repo struct repo *tree = NULL;
	int r;

	if (!*folder)
		return 0;
	r = open_tree(hub, deadline_ns, &tree);
	return r < 0 ? r
		     : sub_repo_kind(tree, folder, model_suffixes, &out->kind);
}

/* One that moved within the mirror is a link here, too. */
static int lookup_stem(struct onnx_hub *hub, const char *stem,
		       uint64_t deadline_ns, struct hub_entry *out)
{
	auto_free char *path = mirror_path(stem);
	auto_hub_entry struct hub_entry there = { 0 };
	int r;

	if (!path)
		return -ENOMEM;
	r = hub->mirror->ops->lookup(hub->mirror, path, deadline_ns, &there);
	if (r < 0)
		return r;
	if (there.kind == HUB_DIR ||
	    (there.target && strchr(there.target, '/')))
		return -ENOENT;
	out->kind = there.kind;
	out->target = take_ptr(there.target);
	return 0;
}

static int lookup_top(struct onnx_hub *hub, const char *name,
		      uint64_t deadline_ns, struct hub_entry *out)
{
	const char *safe;

	if (catalogue_find(hub->manifest.models, name).count)
		return 0;
	safe = onnx_safe_name(&hub->manifest, name);
	return safe ? hub_entry_link(out, safe)
		    : lookup_stem(hub, name, deadline_ns, out);
}

static int onnx_lookup(struct provider *provider, const char *path,
		       uint64_t deadline_ns, struct hub_entry *out)
{
	struct onnx_hub *hub = onnx_of(provider);
	const char *folder = tree_path(path);
	size_t row;

	*out = (struct hub_entry){ .kind = HUB_DIR };
	if (folder)
		return lookup_tree(hub, folder, deadline_ns, out);
	if (!strchr(path, '/'))
		return lookup_top(hub, path, deadline_ns, out);
	out->kind = HUB_REPO;
	return onnx_find_row(&hub->manifest, path, &row);
}

/* ---- life ---- */

static void hub_free(struct onnx_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	provider_free(hub->mirror);
	onnx_manifest_release(&hub->manifest);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct onnx_hub, hub_free)
#define auto_hub auto_of(hub)

static void onnx_free(struct provider *provider)
{
	hub_free(onnx_of(provider));
}

static const struct provider_ops onnx_ops = {
	.list = onnx_list,
	.lookup = onnx_lookup,
	.open = onnx_open,
	.refresh = onnx_refresh,
	.free = onnx_free,
};

static int hub_fill(struct onnx_hub *hub)
{
	struct repo_opener opener = { .open = onnx_open_repo, .arg = hub };
	struct provider_env quiet = hub->env;
	int r = onnx_manifest_load(&hub->manifest);

	quiet.quiet = true;
	if (r == 0)
		r = provider_new_named("huggingface", &quiet, &hub->mirror);
	return r < 0 ? r : repo_cache_new(&opener, &hub->repos);
}

int hub_onnx_new(const struct provider_env *env, const char *endpoint,
		 struct provider **out)
{
	auto_hub struct onnx_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	(void)endpoint; /* origin.h asks for it */
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &onnx_ops, "onnx", ONNX_TTL_S };
	hub->env = *env;
	r = hub_fill(hub);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
