/* SPDX-License-Identifier: MIT */
/*
 * torchvision's weights, by its table; all lie at one host.
 *
 *	<builder>			"resnet50"; case does not matter
 *	<builder>/<weights>		IMAGENET1K_V1: weights.pth
 *	<builder>/DEFAULT		-> those that torchvision calls so
 */
#include "providers/hubs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/catalogue.h"
#include "providers/hub_listing.h"
#include "providers/repo_cache.h"
#include "providers/repo_facts.h"
#include "providers/torch_preprocess.h"
#include "providers/web_repo.h"

#define TORCHVISION_TTL_S 600
#define DEFAULT "DEFAULT"
#define WEIGHTS_FILE "weights.pth"
#define PAGE "https://docs.pytorch.org/vision/stable/models.html"

enum {
	BUILDER,
	WEIGHTS,
	IS_DEFAULT,
	TASK,
	URL,
	DIGEST,
	PARAMS,
	INPUT_SIZE,
	MIN_SIZE,
	PREPROCESS,
	LABELS,
	CLASSES,
	METRICS,
	RECIPE,
	BACKEND,
	UNQUANTIZED,
	LICENCE,
	COLUMNS
};
static const char *const column_names[COLUMNS] = {
	"builder",     "weights", "is_default", "task",	    "url",
	"digest",      "params",  "input_size", "min_size", "preprocess",
	"labels",      "classes", "metrics",	"recipe",   "backend",
	"unquantized", "license",
};

/* All fixed but for what .repos keeps. */
struct vision_hub {
	struct provider provider;
	struct provider_env env;
	struct catalogue *table; /* owned */
	size_t columns[COLUMNS];
	struct repo_cache *repos; /* owned */
};

static struct vision_hub *vision_of(struct provider *provider)
{
	return container_of(provider, struct vision_hub, provider);
}

static const char *field(const struct vision_hub *hub, size_t row, int column)
{
	return catalogue_field(hub->table, row, hub->columns[column]);
}

/* The rows of the builder that @path names; *@weights: what follows. */
static struct catalogue_rows rows_of(const struct vision_hub *hub,
				     const char *path, const char **weights)
{
	size_t len = strcspn(path, "/");
	auto_free char *builder = mem_strndup(path, len);

	*weights = path[len] ? path + len + 1 : NULL;
	return builder ? catalogue_find(hub->table, builder)
		       : (struct catalogue_rows){ 0 };
}

/* 0 and its row.  -ENOENT. */
static int find_row(const struct vision_hub *hub, const char *path, size_t *row)
{
	const char *weights;
	struct catalogue_rows rows = rows_of(hub, path, &weights);

	for (size_t i = rows.first; weights && i < rows.first + rows.count;
	     i++) {
		if (strcmp(field(hub, i, WEIGHTS), weights) != 0)
			continue;
		*row = i;
		return 0;
	}
	return -ENOENT;
}

/* The weights of @rows that are the default; NULL: none is. */
static const char *default_of(const struct vision_hub *hub,
			      struct catalogue_rows rows)
{
	for (size_t i = rows.first; i < rows.first + rows.count; i++)
		if (*field(hub, i, IS_DEFAULT) == '1')
			return field(hub, i, WEIGHTS);
	return NULL;
}

/* ---- directories ---- */

static int list_builders(struct vision_hub *hub, struct hub_listing *out)
{
	size_t count = catalogue_all(hub->table).count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		if (i == 0 || strcmp(field(hub, i, BUILDER),
				     field(hub, i - 1, BUILDER)) != 0)
			r = hub_listing_add(out, field(hub, i, BUILDER),
					    HUB_DIR, NULL);
	return r;
}

static int list_weights(struct vision_hub *hub, const char *builder,
			struct hub_listing *out)
{
	struct catalogue_rows rows = catalogue_find(hub->table, builder);
	const char *usual = default_of(hub, rows);
	int r = rows.count ? 0 : -ENOENT;

	if (usual)
		r = hub_listing_add(out, DEFAULT, HUB_LINK, usual);
	for (size_t i = rows.first; r == 0 && i < rows.first + rows.count; i++)
		r = hub_listing_add(out, field(hub, i, WEIGHTS), HUB_REPO,
				    NULL);
	return r;
}

static int vision_list(struct provider *provider, const char *path,
		       uint64_t deadline_ns, struct hub_listing *out)
{
	struct vision_hub *hub = vision_of(provider);
	int r = *path ? list_weights(hub, path, out) : list_builders(hub, out);

	(void)deadline_ns;
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

/* "ResNet50" -> "resnet50". */
static int lookup_builder(struct vision_hub *hub, const char *builder,
			  struct hub_entry *out)
{
	struct catalogue_rows rows = catalogue_find_any_case(hub->table,
							     builder);

	if (!rows.count)
		return -ENOENT;
	return !strcmp(field(hub, rows.first, BUILDER), builder)
		       ? 0
		       : hub_entry_link(out, field(hub, rows.first, BUILDER));
}

static int vision_lookup(struct provider *provider, const char *path,
			 uint64_t deadline_ns, struct hub_entry *out)
{
	struct vision_hub *hub = vision_of(provider);
	const char *weights, *usual;
	struct catalogue_rows rows = rows_of(hub, path, &weights);
	size_t row;

	(void)deadline_ns;
	*out = (struct hub_entry){ .kind = HUB_DIR };
	if (!weights)
		return lookup_builder(hub, path, out);
	usual = default_of(hub, rows);
	if (usual && !strcmp(weights, DEFAULT))
		return hub_entry_link(out, usual);
	out->kind = HUB_REPO;
	return find_row(hub, path, &row);
}

/* ---- repositories ---- */

static void put_texts(struct repo_facts *facts, const struct vision_hub *hub,
		      size_t row)
{
	static const struct {
		const char *name;
		int column;
	} texts[] = {
		{ "task", TASK },	{ "labels", LABELS },
		{ "backend", BACKEND }, { "unquantized", UNQUANTIZED },
		{ "recipe", RECIPE },	{ "digest", DIGEST },
		{ "weights_url", URL }, { "variant", WEIGHTS },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		repo_facts_text(facts, texts[i].name,
				field(hub, row, texts[i].column));
}

static int facts_of(const struct vision_hub *hub, size_t row, char **out)
{
	auto_repo_facts struct repo_facts facts;
	auto_free char *preprocessing = NULL;
	auto_free char *skeleton = mem_printf("torchvision/%s",
					      field(hub, row, BUILDER));
	int r = skeleton ? torch_preprocess(field(hub, row, PREPROCESS),
					    &preprocessing)
			 : -ENOMEM;

	repo_facts_init(&facts);
	if (r < 0)
		return r == -EBADMSG ? -EIO : r;
	repo_facts_text(&facts, "skeleton", skeleton);
	repo_facts_text(&facts, "weights", WEIGHTS_FILE);
	repo_facts_json(&facts, "preprocessing", preprocessing);
	repo_facts_list(&facts, "input_size", field(hub, row, INPUT_SIZE), "x");
	repo_facts_list(&facts, "min_size", field(hub, row, MIN_SIZE), "x");
	repo_facts_number(&facts, "classes", field(hub, row, CLASSES));
	repo_facts_number(&facts, "params", field(hub, row, PARAMS));
	repo_facts_json(&facts, "metrics", field(hub, row, METRICS));
	put_texts(&facts, hub, row);
	return repo_facts_take(&facts, out);
}

/* Where torch.hub's own load_state_dict_from_url() puts it; NULL: nowhere. */
static int download_of(const char *url, char **out)
{
	static const struct {
		const char *variable, *below;
	} homes[] = {
		{ "TORCH_HOME", "" },
		{ "XDG_CACHE_HOME", "/torch" },
		{ "HOME", "/.cache/torch" },
	};
	const char *slash = strrchr(url, '/');

	for (size_t i = 0; slash && i < ARRAY_LEN(homes); i++) {
		const char *home = getenv(homes[i].variable);

		if (!home || *home != '/')
			continue;
		*out = mem_printf("%s%s/hub/checkpoints%s", home,
				  homes[i].below, slash);
		return *out ? 0 : -ENOMEM;
	}
	return 0;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static int open_row(struct vision_hub *hub, const char *path, size_t row,
		    bool ask, uint64_t deadline_ns, struct repo **out,
		    int64_t *until_wall_s)
{
	const char *url = field(hub, row, URL);
	struct web_file file = { .path = WEIGHTS_FILE,
				 .urls = &url,
				 .url_count = 1,
				 .size = WEB_SIZE_UNKNOWN };
	auto_free char *id = mem_printf("torchvision/%s", path);
	auto_free char *facts = NULL, *download = NULL;
	int r = id ? facts_of(hub, row, &facts) : -ENOMEM;

	if (r == 0)
		r = download_of(url, &download);
	file.download = download;
	if (r == 0 && digest_of_text(field(hub, row, DIGEST), &file.digest) < 0)
		r = -EIO;
	if (r < 0)
		return r;
	return web_repo_open(
		&(struct web_repo_spec){
			.env = &hub->env,
			.hub = "pytorch",
			.id = id,
			.url = PAGE,
			.licence = or_null(field(hub, row, LICENCE)),
			.facts = facts,
			.kind = "torchvision",
			.files_dir = "",
			.files = &file,
			.file_count = 1,
		},
		ask, deadline_ns, out, until_wall_s);
}

static int vision_open_repo(void *arg, const char *path, bool ask,
			    uint64_t deadline_ns, struct repo **out,
			    int64_t *until_wall_s)
{
	size_t row;
	int r = find_row(arg, path, &row);

	return r < 0 ? r
		     : open_row(arg, path, row, ask, deadline_ns, out,
				until_wall_s);
}

static int vision_open(struct provider *provider, const char *path,
		       uint64_t deadline_ns, struct repo **out)
{
	return repo_cache_open(vision_of(provider)->repos, path, deadline_ns,
			       out);
}

static void vision_refresh(struct provider *provider, const char *path)
{
	repo_cache_refresh(vision_of(provider)->repos, path);
}

/* ---- life ---- */

static void hub_free(struct vision_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	catalogue_free(hub->table);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct vision_hub, hub_free)
#define auto_hub auto_of(hub)

static void vision_free(struct provider *provider)
{
	hub_free(vision_of(provider));
}

static const struct provider_ops vision_ops = {
	.list = vision_list,
	.lookup = vision_lookup,
	.open = vision_open,
	.refresh = vision_refresh,
	.free = vision_free,
};

int hub_torchvision_new(const struct provider_env *env, const char *endpoint,
			struct provider **out)
{
	auto_hub struct vision_hub *hub = mem_zalloc(sizeof(*hub));
	struct repo_opener opener = { .open = vision_open_repo, .arg = hub };
	int r;

	(void)endpoint; /* origin.h asks for it */
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &vision_ops, "torchvision",
					   TORCHVISION_TTL_S };
	hub->env = *env;
	r = catalogue_load("torchvision", &hub->table);
	if (r == 0)
		r = catalogue_columns(hub->table, column_names, COLUMNS,
				      hub->columns);
	if (r == 0)
		r = repo_cache_new(&opener, &hub->repos);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
