/* SPDX-License-Identifier: MIT */
/*
 * timm's pretrained models, by its table.
 *
 *	<arch.tag>[@<revision>]		"resnet50.a1_in1k"
 *	<arch>				-> the tag that timm takes unasked
 *
 * Nearly all are repositories of Hugging Face, of which the files at the
 * top are shown; some are only where they were first published.  A name
 * that the table does not have is looked for in timm/ on Hugging Face.
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
#include "providers/sub_repo.h"
#include "providers/torch_preprocess.h"
#include "providers/web_repo.h"

#define TIMM_TTL_S 600
#define MIRROR "timm"
#define NO_ROW SIZE_MAX

enum {
	ID,
	IS_DEFAULT,
	HF_ID,
	LEGACY_URL,
	INPUT_SIZE,
	PREPROCESS,
	LABELS,
	CLASSES,
	LICENCE,
	COLUMNS
};
static const char *const column_names[COLUMNS] = {
	"id",	      "is_default", "hf_hub_id", "legacy_url", "input_size",
	"preprocess", "labels",	    "classes",	 "license",
};

/* timm's models/_hub.py: what it looks for, in its order. */
static const char *const weights_names[] = {
	"model.safetensors",
	"pytorch_model.bin",
	"open_clip_model.safetensors",
	"open_clip_pytorch_model.bin",
};

/* All fixed but for what .repos and .mirror keep. */
struct timm_hub {
	struct provider provider;
	struct provider_env env;
	struct catalogue *table; /* owned */
	size_t columns[COLUMNS];
	struct provider *mirror;  /* owned; Hugging Face, or its folder */
	struct repo_cache *repos; /* owned; of what is not on Hugging Face */
};

static struct timm_hub *timm_of(struct provider *provider)
{
	return container_of(provider, struct timm_hub, provider);
}

static const char *field(const struct timm_hub *hub, size_t row, int column)
{
	return catalogue_field(hub->table, row, hub->columns[column]);
}

/* A name and its row.  -ENOENT: no name; *@row may be NO_ROW. */
static int find_row(const struct timm_hub *hub, const char *path, size_t *row)
{
	size_t len = strcspn(path, "@");
	auto_free char *name = NULL;
	struct catalogue_rows rows;

	if (!len || strchr(path, '/'))
		return -ENOENT;
	name = mem_strndup(path, len);
	if (!name)
		return -ENOMEM;
	rows = catalogue_find(hub->table, name);
	*row = rows.count ? rows.first : NO_ROW;
	return 0;
}

/* ---- directories ---- */

static int timm_list(struct provider *provider, const char *path,
		     uint64_t deadline_ns, struct hub_listing *out)
{
	struct timm_hub *hub = timm_of(provider);
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

/* Row @row is a tag of architecture @arch. */
static bool is_tag_of(const struct timm_hub *hub, size_t row, const char *arch)
{
	size_t len = strlen(arch);
	const char *id = field(hub, row, ID);

	return !strncmp(id, arch, len) && id[len] == '.';
}

/* The default tag of @arch, else its first; NULL: it has none. */
static const char *tag_of(const struct timm_hub *hub, const char *arch)
{
	size_t count = catalogue_all(hub->table).count;
	const char *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!is_tag_of(hub, i, arch))
			continue;
		if (*field(hub, i, IS_DEFAULT) == '1')
			return field(hub, i, ID);
		if (!first)
			first = field(hub, i, ID);
	}
	return first;
}

/* NULL: no memory. */
static char *mirror_path(const struct timm_hub *hub, const char *path,
			 size_t row)
{
	if (row == NO_ROW)
		return mem_printf(MIRROR "/%s", path);
	return mem_printf("%s%s", field(hub, row, HF_ID),
			  path + strcspn(path, "@"));
}

/* One that moved within the mirror is a link here, too. */
static int lookup_mirror(struct timm_hub *hub, const char *name,
			 uint64_t deadline_ns, struct hub_entry *out)
{
	auto_free char *path = mirror_path(hub, name, NO_ROW);
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

static int timm_lookup(struct provider *provider, const char *path,
		       uint64_t deadline_ns, struct hub_entry *out)
{
	struct timm_hub *hub = timm_of(provider);
	const char *tag;
	size_t row;
	int r = find_row(hub, path, &row);

	*out = (struct hub_entry){ .kind = HUB_REPO };
	if (r < 0)
		return r;
	if (row != NO_ROW && (!strchr(path, '@') || *field(hub, row, HF_ID)))
		return 0;
	tag = tag_of(hub, path);
	return tag ? hub_entry_link(out, tag)
		   : lookup_mirror(hub, path, deadline_ns, out);
}

/* ---- repositories ---- */

static void put_row(struct repo_facts *facts, const struct timm_hub *hub,
		    size_t row)
{
	repo_facts_list(facts, "input_size", field(hub, row, INPUT_SIZE), "x");
	repo_facts_text(facts, "labels", field(hub, row, LABELS));
	repo_facts_number(facts, "classes", field(hub, row, CLASSES));
	repo_facts_text(facts, "weights_url", field(hub, row, LEGACY_URL));
}

/* @weights: the file's name, or NULL. */
static int facts_of(const struct timm_hub *hub, const char *path, size_t row,
		    const char *weights, char **out)
{
	auto_repo_facts struct repo_facts facts;
	auto_free char *preprocessing = NULL;
	auto_free char *skeleton = mem_printf("timm/%.*s",
					      (int)strcspn(path, ".@"), path);
	int r = skeleton ? 0 : -ENOMEM;

	if (r == 0 && row != NO_ROW)
		r = torch_preprocess(field(hub, row, PREPROCESS),
				     &preprocessing);
	repo_facts_init(&facts);
	if (r < 0)
		return r == -EBADMSG ? -EIO : r;
	repo_facts_text(&facts, "skeleton", skeleton);
	repo_facts_text(&facts, "weights", weights);
	repo_facts_json(&facts, "preprocessing", preprocessing);
	if (row != NO_ROW)
		put_row(&facts, hub, row);
	return repo_facts_take(&facts, out);
}

static const char *weights_of(const struct repo *repo)
{
	for (size_t i = 0; i < ARRAY_LEN(weights_names); i++)
		if (repo_find(repo, weights_names[i], NULL))
			return weights_names[i];
	return NULL;
}

/* What the repository's own card does not say. */
static int put_licence(const struct timm_hub *hub, size_t row,
		       struct repo *repo)
{
	if (row == NO_ROW || repo->licence || !*field(hub, row, LICENCE))
		return 0;
	repo->licence = mem_strdup(field(hub, row, LICENCE));
	return repo->licence ? 0 : -ENOMEM;
}

static int open_mirror(struct timm_hub *hub, const char *path, size_t row,
		       uint64_t deadline_ns, struct repo **out)
{
	auto_free char *there = mirror_path(hub, path, row);
	auto_free char *id = mem_printf("timm/%s", path), *facts = NULL;
	auto_repo struct repo *repo = NULL, *top = NULL;
	int r;

	if (!there || !id)
		return -ENOMEM;
	r = hub->mirror->ops->open(hub->mirror, there, deadline_ns, &repo);
	if (r == 0)
		r = facts_of(hub, path, row, weights_of(repo), &facts);
	if (r == 0)
		r = sub_repo_new(repo, "", id, "timm", facts, &top);
	if (r == 0)
		r = put_licence(hub, row, top);
	if (r < 0)
		return r;
	top->files_dir = "";
	*out = take_ptr(top);
	return 0;
}

/* The last part of a URL's path. */
static const char *name_of(const char *url)
{
	return strrchr(url, '/') + 1;
}

static int open_legacy(struct timm_hub *hub, const char *path, size_t row,
		       bool ask, uint64_t deadline_ns, struct repo **out,
		       int64_t *until_wall_s)
{
	const char *url = field(hub, row, LEGACY_URL);
	const char *licence = field(hub, row, LICENCE);
	struct web_file file = { .path = name_of(url),
				 .urls = &url,
				 .url_count = 1,
				 .size = WEB_SIZE_UNKNOWN };
	auto_free char *id = mem_printf("timm/%s", path), *facts = NULL;
	int r = id ? facts_of(hub, path, row, file.path, &facts) : -ENOMEM;

	if (r < 0)
		return r;
	return web_repo_open(
		&(struct web_repo_spec){
			.env = &hub->env,
			.hub = "pytorch",
			.id = id,
			.url = url,
			.licence = *licence ? licence : NULL,
			.facts = facts,
			.kind = "timm",
			.files_dir = "",
			.files = &file,
			.file_count = 1,
		},
		ask, deadline_ns, out, until_wall_s);
}

static int timm_open_repo(void *arg, const char *path, bool ask,
			  uint64_t deadline_ns, struct repo **out,
			  int64_t *until_wall_s)
{
	size_t row;
	int r = find_row(arg, path, &row);

	if (r == 0 && row == NO_ROW)
		r = -ENOENT;
	return r < 0 ? r
		     : open_legacy(arg, path, row, ask, deadline_ns, out,
				   until_wall_s);
}

/* A revision is one of Hugging Face. */
static bool has_legacy(const struct timm_hub *hub, const char *path, size_t row)
{
	return row != NO_ROW && !strchr(path, '@') &&
	       *field(hub, row, LEGACY_URL);
}

static int timm_open(struct provider *provider, const char *path,
		     uint64_t deadline_ns, struct repo **out)
{
	struct timm_hub *hub = timm_of(provider);
	size_t row;
	int r = find_row(hub, path, &row);

	if (r < 0)
		return r;
	r = -ENOENT;
	if (row == NO_ROW || *field(hub, row, HF_ID))
		r = open_mirror(hub, path, row, deadline_ns, out);
	if ((r == -ENOENT || r == -EACCES) && has_legacy(hub, path, row))
		r = repo_cache_open(hub->repos, path, deadline_ns, out);
	return r;
}

static void timm_refresh(struct provider *provider, const char *path)
{
	struct timm_hub *hub = timm_of(provider);
	auto_free char *there = NULL;
	size_t row;

	if (find_row(hub, path, &row) < 0)
		return;
	repo_cache_refresh(hub->repos, path);
	there = mirror_path(hub, path, row);
	if (there && hub->mirror->ops->refresh)
		hub->mirror->ops->refresh(hub->mirror, there);
}

/* ---- life ---- */

static void hub_free(struct timm_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	provider_free(hub->mirror);
	catalogue_free(hub->table);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct timm_hub, hub_free)
#define auto_hub auto_of(hub)

static void timm_free(struct provider *provider)
{
	hub_free(timm_of(provider));
}

static const struct provider_ops timm_ops = {
	.list = timm_list,
	.lookup = timm_lookup,
	.open = timm_open,
	.refresh = timm_refresh,
	.free = timm_free,
};

static int hub_fill(struct timm_hub *hub)
{
	struct repo_opener opener = { .open = timm_open_repo, .arg = hub };
	struct provider_env quiet = hub->env;
	int r = catalogue_load("timm", &hub->table);

	quiet.quiet = true;
	if (r == 0)
		r = catalogue_columns(hub->table, column_names, COLUMNS,
				      hub->columns);
	if (r == 0)
		r = provider_new_named("huggingface", &quiet, &hub->mirror);
	return r < 0 ? r : repo_cache_new(&opener, &hub->repos);
}

int hub_timm_new(const struct provider_env *env, const char *endpoint,
		 struct provider **out)
{
	auto_hub struct timm_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	(void)endpoint; /* origin.h asks for it */
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &timm_ops, "timm", TIMM_TTL_S };
	hub->env = *env;
	r = hub_fill(hub);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
