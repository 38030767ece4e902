/* SPDX-License-Identifier: MIT */
/*
 * TorchServe's model zoo, by its table: <name> is an archive of a model.
 * Nobody looks after its hosts any more; each is tried.
 */
#include "providers/hubs.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "providers/catalogue.h"
#include "providers/hub_listing.h"
#include "providers/repo_cache.h"
#include "providers/repo_facts.h"
#include "providers/web_repo.h"

#define TORCHSERVE_TTL_S 600
#define PAGE "https://github.com/pytorch/serve/blob/master/docs/model_zoo.md"

enum { ID, FILE_NAME, URLS, NAME, TYPE, DATASET, MODE, SKELETON, COLUMNS };
static const char *const column_names[COLUMNS] = {
	"id", "file", "urls", "name", "type", "dataset", "mode", "skeleton",
};

/* All fixed but for what .repos keeps. */
struct serve_hub {
	struct provider provider;
	struct provider_env env;
	struct catalogue *table; /* owned */
	size_t columns[COLUMNS];
	struct repo_cache *repos; /* owned */
};

/* Where an archive may be. */
struct urls {
	char *list[WEB_CANDIDATES_MAX]; /* owned */
	size_t count;
};

static void urls_release(struct urls *urls)
{
	for (size_t i = 0; i < urls->count; i++)
		free(urls->list[i]);
}
DEFINE_AUTO(urls, struct urls, urls_release)
#define auto_urls auto_of(urls)

static struct serve_hub *serve_of(struct provider *provider)
{
	return container_of(provider, struct serve_hub, provider);
}

static const char *field(const struct serve_hub *hub, size_t row, int column)
{
	return catalogue_field(hub->table, row, hub->columns[column]);
}

static int serve_list(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	struct serve_hub *hub = serve_of(provider);
	size_t count = catalogue_all(hub->table).count;
	int r = *path ? -ENOENT : 0;

	(void)deadline_ns;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = hub_listing_add(out, field(hub, i, ID), HUB_REPO, NULL);
	if (r == 0)
		r = hub_listing_finish(out);
	if (r < 0)
		hub_listing_release(out);
	return r;
}

static int serve_lookup(struct provider *provider, const char *path,
			uint64_t deadline_ns, struct hub_entry *out)
{
	struct serve_hub *hub = serve_of(provider);
	struct catalogue_rows rows = catalogue_find_any_case(hub->table, path);

	(void)deadline_ns;
	*out = (struct hub_entry){ .kind = HUB_REPO };
	if (!rows.count)
		return -ENOENT;
	return !strcmp(field(hub, rows.first, ID), path)
		       ? 0
		       : hub_entry_link(out, field(hub, rows.first, ID));
}

/* ---- repositories ---- */

static int facts_of(const struct serve_hub *hub, size_t row, char **out)
{
	auto_repo_facts struct repo_facts facts;
	auto_free char *skeleton = mem_printf("torchvision/%s",
					      field(hub, row, SKELETON));

	repo_facts_init(&facts);
	if (!skeleton)
		return -ENOMEM;
	if (*field(hub, row, SKELETON))
		repo_facts_text(&facts, "skeleton", skeleton);
	repo_facts_text(&facts, "archive", field(hub, row, FILE_NAME));
	repo_facts_text(&facts, "name", field(hub, row, NAME));
	repo_facts_text(&facts, "task", field(hub, row, TYPE));
	repo_facts_text(&facts, "dataset", field(hub, row, DATASET));
	repo_facts_text(&facts, "mode", field(hub, row, MODE));
	return repo_facts_take(&facts, out);
}

/* Those of @text, between spaces. */
static int urls_of(const char *text, struct urls *out)
{
	while (*text && out->count < WEB_CANDIDATES_MAX) {
		size_t len = strcspn(text, " ");
		char *url = mem_strndup(text, len);

		if (!url)
			return -ENOMEM;
		out->list[out->count++] = url;
		text += len + (text[len] == ' ');
	}
	return out->count ? 0 : -EIO;
}

static int open_row(struct serve_hub *hub, size_t row, bool ask,
		    uint64_t deadline_ns, struct repo **out,
		    int64_t *until_wall_s)
{
	struct web_file file = { .path = field(hub, row, FILE_NAME),
				 .size = WEB_SIZE_UNKNOWN };
	auto_free char *id = mem_printf("torchserve/%s", field(hub, row, ID));
	auto_free char *facts = NULL;
	auto_urls struct urls urls = { 0 };
	int r = id ? facts_of(hub, row, &facts) : -ENOMEM;

	if (r == 0)
		r = urls_of(field(hub, row, URLS), &urls);
	if (r < 0)
		return r;
	file.urls = (const char *const *)urls.list;
	file.url_count = urls.count;
	return web_repo_open(
		&(struct web_repo_spec){
			.env = &hub->env,
			.hub = "pytorch",
			.id = id,
			.url = PAGE,
			.facts = facts,
			.kind = "torchserve",
			.files_dir = "",
			.files = &file,
			.file_count = 1,
		},
		ask, deadline_ns, out, until_wall_s);
}

static int serve_open_repo(void *arg, const char *path, bool ask,
			   uint64_t deadline_ns, struct repo **out,
			   int64_t *until_wall_s)
{
	struct serve_hub *hub = arg;
	struct catalogue_rows rows = catalogue_find(hub->table, path);

	return rows.count ? open_row(hub, rows.first, ask, deadline_ns, out,
				     until_wall_s)
			  : -ENOENT;
}

static int serve_open(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct repo **out)
{
	return repo_cache_open(serve_of(provider)->repos, path, deadline_ns,
			       out);
}

static void serve_refresh(struct provider *provider, const char *path)
{
	repo_cache_refresh(serve_of(provider)->repos, path);
}

/* ---- life ---- */

static void hub_free(struct serve_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	catalogue_free(hub->table);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct serve_hub, hub_free)
#define auto_hub auto_of(hub)

static void serve_free(struct provider *provider)
{
	hub_free(serve_of(provider));
}

static const struct provider_ops serve_ops = {
	.list = serve_list,
	.lookup = serve_lookup,
	.open = serve_open,
	.refresh = serve_refresh,
	.free = serve_free,
};

int hub_torchserve_new(const struct provider_env *env, const char *endpoint,
		       struct provider **out)
{
	auto_hub struct serve_hub *hub = mem_zalloc(sizeof(*hub));
	struct repo_opener opener = { .open = serve_open_repo, .arg = hub };
	int r;

	(void)endpoint; /* origin.h asks for it */
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &serve_ops, "torchserve",
					   TORCHSERVE_TTL_S };
	hub->env = *env;
	r = catalogue_load("torchserve", &hub->table);
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
