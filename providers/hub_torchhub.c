/* SPDX-License-Identifier: MIT */
/*
 * torch.hub: repositories of github.com with a hubconf.py.
 *
 *	<owner>/<repo>/<ref>		a branch, tag ("refs%2Fx") or commit
 *	pytorch/vision/<ref>/models/<builder>	-> its weights, torchvision's
 *
 * The owners listed are those of pytorch/hub's cards; any other works as
 * well.  GitHub answers 60 questions an hour, so that an owner or a
 * repository is a directory unasked, and only a ref is asked for.
 */
#include "providers/hubs.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "providers/catalogue.h"
#include "providers/github.h"
#include "providers/hub_listing.h"
#include "providers/repo_cache.h"
#include "providers/repo_facts.h"

#define TORCHHUB_TTL_S 600
#define MODELS "models"
#define MODELS_OF "pytorch/vision" /* torchvision's own repository */
#define PARTS_MAX 5		   /* owner/repo/ref/models/builder */

enum { ID, REFS, CARDS, COLUMNS };
static const char *const column_names[COLUMNS] = { "id", "refs", "models" };

/* All fixed but for what .repos keeps. */
struct torch_hub {
	struct provider provider;
	struct provider_env env;
	struct github github;	    /* owned */
	struct catalogue *table;    /* owned */
	struct catalogue *builders; /* owned; torchvision's */
	size_t columns[COLUMNS];
	struct repo_cache *repos; /* owned */
};

/* A path in its parts. */
struct hub_path {
	char *text;		/* owned, cut at each "/" */
	char *parts[PARTS_MAX]; /* within it */
	size_t count;
	char *id; /* owned; "owner/repo", or NULL of less */
};

static struct torch_hub *torch_of(struct provider *provider)
{
	return container_of(provider, struct torch_hub, provider);
}

static const char *field(const struct torch_hub *hub, size_t row, int column)
{
	return catalogue_field(hub->table, row, hub->columns[column]);
}

static void hub_path_release(struct hub_path *path)
{
	free(path->text);
	free(path->id);
}
DEFINE_AUTO(hub_path, struct hub_path, hub_path_release)
#define auto_hub_path auto_of(hub_path)

/* -ENOENT: no such path can be; @out is zeroed before. */
static int hub_path_split(const char *path, struct hub_path *out)
{
	char *at;

	*out = (struct hub_path){ .text = mem_strdup(path) };
	if (!out->text)
		return -ENOMEM;
	for (at = out->text; at; out->count++) {
		char *slash = strchr(at, '/');

		if (out->count == PARTS_MAX || at[0] == '/' || !at[0])
			return -ENOENT;
		out->parts[out->count] = at;
		if (slash)
			*slash = '\0';
		at = slash ? slash + 1 : NULL;
	}
	for (size_t i = 0; i < out->count && i < 2; i++)
		if (!repo_part_ok(out->parts[i], strlen(out->parts[i])))
			return -ENOENT;
	if (out->count < 2)
		return 0;
	out->id = mem_printf("%s/%s", out->parts[0], out->parts[1]);
	return out->id ? 0 : -ENOMEM;
}

/* The ref of the path, as a name for github.h.  -ENOENT: no ref. */
static int name_of(const struct hub_path *path, struct repo_name *out)
{
	auto_free char *name = mem_printf("%s@%s", path->id, path->parts[2]);

	return name ? repo_name_parse(name, out) : -ENOMEM;
}

/* The rest of @path names the models of a repository that has some. */
static bool in_models(const struct hub_path *path)
{
	return path->count > 3 && !strcmp(path->id, MODELS_OF) &&
	       !strcmp(path->parts[3], MODELS);
}

/* ---- directories ---- */

static int list_owners(struct torch_hub *hub, struct hub_listing *out)
{
	size_t count = catalogue_all(hub->table).count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *id = field(hub, i, ID);
		auto_free char *owner = mem_strndup(id, strcspn(id, "/"));

		r = owner ? hub_listing_add(out, owner, HUB_DIR, NULL)
			  : -ENOMEM;
	}
	return r;
}

static int list_repos(struct torch_hub *hub, const char *owner,
		      struct hub_listing *out)
{
	size_t count = catalogue_all(hub->table).count, len = strlen(owner);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *id = field(hub, i, ID);

		if (!strncmp(id, owner, len) && id[len] == '/')
			r = hub_listing_add(out, id + len + 1, HUB_DIR, NULL);
	}
	return r;
}

/* Adds the refs of @refs, between spaces. */
static int add_refs(const char *refs, struct hub_listing *out)
{
	int r = 0;

	while (r == 0 && *refs) {
		size_t len = strcspn(refs, " ");
		auto_free char *ref = mem_strndup(refs, len);

		r = ref ? hub_listing_add(out, ref, HUB_REPO, NULL) : -ENOMEM;
		refs += len + (refs[len] == ' ');
	}
	return r;
}

/* As torch.hub has it where no ref is named: "main", else "master". */
static int add_usual_ref(struct torch_hub *hub, const char *id,
			 uint64_t deadline_ns, struct hub_listing *out)
{
	static const char *const refs[] = { "main", "master" };
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LEN(refs); i++) {
		auto_free char *path = mem_printf("%s/%s", id, refs[i]);
		auto_repo struct repo *repo = NULL;

		if (!path)
			return -ENOMEM;
		r = repo_cache_open(hub->repos, path, deadline_ns, &repo);
		if (r == 0)
			return hub_listing_add(out, refs[i], HUB_REPO, NULL);
	}
	return r;
}

static int list_refs(struct torch_hub *hub, const char *id,
		     uint64_t deadline_ns, struct hub_listing *out)
{
	struct catalogue_rows rows = catalogue_find(hub->table, id);
	const char *refs = rows.count ? field(hub, rows.first, REFS) : "";

	return *refs ? add_refs(refs, out)
		     : add_usual_ref(hub, id, deadline_ns, out);
}

/* From <ref>/models/ of pytorch/vision to the same builder here. */
static char *builder_target(const char *builder)
{
	return mem_printf("../../../../../torchvision/%s", builder);
}

static int list_models(struct torch_hub *hub, struct hub_listing *out)
{
	size_t count = catalogue_all(hub->builders).count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *builder = catalogue_field(hub->builders, i, 0);
		auto_free char *target = builder_target(builder);

		r = target ? hub_listing_add(out, builder, HUB_LINK, target)
			   : -ENOMEM;
	}
	return r;
}

/* Beside a repository's own files: what is below a ref. */
static int list_variants(const struct hub_path *path, struct hub_listing *out)
{
	return strcmp(path->id, MODELS_OF) != 0
		       ? -ENOENT
		       : hub_listing_add(out, MODELS, HUB_DIR, NULL);
}

static int list_path(struct torch_hub *hub, const struct hub_path *path,
		     uint64_t deadline_ns, struct hub_listing *out)
{
	switch (path->count) {
	case 1:
		return list_repos(hub, path->parts[0], out);
	case 2:
		return list_refs(hub, path->id, deadline_ns, out);
	case 3:
		return list_variants(path, out);
	case 4:
		return in_models(path) ? list_models(hub, out) : -ENOENT;
	default:
		return -ENOENT;
	}
}

static int torch_list(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	struct torch_hub *hub = torch_of(provider);
	auto_hub_path struct hub_path split = { 0 };
	int r = *path ? hub_path_split(path, &split) : list_owners(hub, out);

	if (r == 0 && *path)
		r = list_path(hub, &split, deadline_ns, out);
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

static bool is_listed_ref(const struct torch_hub *hub,
			  const struct hub_path *path)
{
	struct catalogue_rows rows = catalogue_find(hub->table, path->id);
	const char *at = rows.count ? field(hub, rows.first, REFS) : "";
	size_t want = strlen(path->parts[2]);

	while (*at) {
		size_t len = strcspn(at, " ");

		if (len == want && !memcmp(at, path->parts[2], len))
			return true;
		at += len + (at[len] == ' ');
	}
	return false;
}

static int lookup_ref(struct torch_hub *hub, const struct hub_path *split,
		      const char *path, uint64_t deadline_ns,
		      struct hub_entry *out)
{
	auto_repo struct repo *repo = NULL;

	out->kind = HUB_REPO;
	return is_listed_ref(hub, split)
		       ? 0
		       : repo_cache_open(hub->repos, path, deadline_ns, &repo);
}

static int lookup_builder(struct torch_hub *hub, const char *builder,
			  struct hub_entry *out)
{
	auto_free char *target = NULL;

	if (!catalogue_find(hub->builders, builder).count)
		return -ENOENT;
	target = builder_target(builder);
	return target ? hub_entry_link(out, target) : -ENOMEM;
}

static int torch_lookup(struct provider *provider, const char *path,
			uint64_t deadline_ns, struct hub_entry *out)
{
	struct torch_hub *hub = torch_of(provider);
	auto_hub_path struct hub_path split = { 0 };
	int r = hub_path_split(path, &split);

	*out = (struct hub_entry){ .kind = HUB_DIR };
	if (r < 0 || split.count < 3)
		return r;
	if (split.count == 3)
		return lookup_ref(hub, &split, path, deadline_ns, out);
	if (!in_models(&split))
		return -ENOENT;
	return split.count == 4 ? 0 : lookup_builder(hub, split.parts[4], out);
}

/* ---- repositories ---- */

static int facts_of(const struct torch_hub *hub, const struct repo_name *name,
		    char **out)
{
	struct catalogue_rows rows = catalogue_find(hub->table, name->id);
	auto_repo_facts struct repo_facts facts;

	repo_facts_init(&facts);
	repo_facts_text(&facts, "repository", name->id);
	repo_facts_text(&facts, "ref", name->revision);
	if (rows.count)
		repo_facts_text(&facts, "models",
				field(hub, rows.first, CARDS));
	return repo_facts_take(&facts, out);
}

static int torch_open_repo(void *arg, const char *path, bool ask,
			   uint64_t deadline_ns, struct repo **out,
			   int64_t *until_wall_s)
{
	struct torch_hub *hub = arg;
	auto_hub_path struct hub_path split = { 0 };
	auto_repo_name struct repo_name name = { 0 };
	auto_repo struct repo *repo = NULL;
	int r = hub_path_split(path, &split);

	if (r == 0)
		r = split.count == 3 ? name_of(&split, &name) : -ENOENT;
	if (r == 0)
		r = github_open(&hub->github, &name, ask, deadline_ns, &repo,
				until_wall_s);
	if (r == 0)
		r = facts_of(hub, &name, &repo->facts);
	if (r == 0)
		*out = take_ptr(repo);
	return r;
}

static int torch_open(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct repo **out)
{
	return repo_cache_open(torch_of(provider)->repos, path, deadline_ns,
			       out);
}

static void torch_refresh(struct provider *provider, const char *path)
{
	repo_cache_refresh(torch_of(provider)->repos, path);
}

/* ---- life ---- */

static void hub_free(struct torch_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	github_release(&hub->github);
	catalogue_free(hub->table);
	catalogue_free(hub->builders);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct torch_hub, hub_free)
#define auto_hub auto_of(hub)

static void torch_free(struct provider *provider)
{
	hub_free(torch_of(provider));
}

static const struct provider_ops torch_ops = {
	.list = torch_list,
	.lookup = torch_lookup,
	.open = torch_open,
	.refresh = torch_refresh,
	.free = torch_free,
};

static int hub_fill(struct torch_hub *hub)
{
	struct repo_opener opener = { .open = torch_open_repo, .arg = hub };
	int r = github_init(&hub->github, &hub->env);

	if (r == 0)
		r = catalogue_load("torchvision", &hub->builders);
	if (r == 0)
		r = catalogue_load("torchhub", &hub->table);
	if (r == 0)
		r = catalogue_columns(hub->table, column_names, COLUMNS,
				      hub->columns);
	return r < 0 ? r : repo_cache_new(&opener, &hub->repos);
}

int hub_torchhub_new(const struct provider_env *env, const char *endpoint,
		     struct provider **out)
{
	auto_hub struct torch_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	(void)endpoint; /* origin.h asks for it */
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &torch_ops, "hub", TORCHHUB_TTL_S };
	hub->env = *env;
	r = hub_fill(hub);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
