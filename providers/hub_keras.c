/* SPDX-License-Identifier: MIT */
/*
 * keras.applications, by its table, and KerasHub's presets as links to their
 * mirrors on Hugging Face.
 *
 *	<application>			its weights, as Keras builds it unasked
 *	<application>/notop		without the head
 *	<application>/0.75_192[_notop]	of other width, input size ...
 *	hub/<preset>			-> ../../huggingface/keras/<preset>
 */
#include "providers/hubs.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/catalogue.h"
#include "providers/hub_listing.h"
#include "providers/repo_cache.h"
#include "providers/repo_facts.h"
#include "providers/web_repo.h"

#define KERAS_TTL_S 600
#define PRESETS "hub"

enum {
	APPLICATION,
	VARIANT,
	CONFIG,
	URL,
	CACHE_NAME,
	DIGEST,
	SIZE,
	PARAMS,
	INPUT_SIZE,
	MIN_SIZE,
	PREPROCESS,
	CLASSES,
	COLUMNS
};
static const char *const column_names[COLUMNS] = {
	"application", "variant",  "config",	 "url",
	"cache_name",  "digest",   "size",	 "params",
	"input_size",  "min_size", "preprocess", "classes",
};

enum { PRESET, MIRROR, PRESET_COLUMNS };
static const char *const preset_names[PRESET_COLUMNS] = { "preset",
							  "hf_mirror" };

/* All fixed but for what .repos keeps. */
struct keras_hub {
	struct provider provider;
	struct provider_env env;
	struct catalogue *files;   /* owned */
	struct catalogue *presets; /* owned */
	size_t columns[COLUMNS];
	size_t preset_columns[PRESET_COLUMNS];
	struct repo_cache *repos; /* owned */
};

static struct keras_hub *keras_of(struct provider *provider)
{
	return container_of(provider, struct keras_hub, provider);
}

static const char *field(const struct keras_hub *hub, size_t row, int column)
{
	return catalogue_field(hub->files, row, hub->columns[column]);
}

/* The part of @path after its first "/", or NULL; *@len is of the first. */
static const char *rest_of(const char *path, size_t *len)
{
	*len = strcspn(path, "/");
	return path[*len] ? path + *len + 1 : NULL;
}

/* The rows of the application that @path names; *@variant: what follows. */
static struct catalogue_rows rows_of(const struct keras_hub *hub,
				     const char *path, const char **variant)
{
	size_t len;
	auto_free char *name = NULL;

	*variant = rest_of(path, &len);
	name = mem_strndup(path, len);
	return name ? catalogue_find(hub->files, name)
		    : (struct catalogue_rows){ 0 };
}

/* 0 and its row.  -ENOENT. */
static int find_row(const struct keras_hub *hub, const char *path, size_t *row)
{
	const char *variant;
	struct catalogue_rows rows = rows_of(hub, path, &variant);

	if (variant && !*variant)
		return -ENOENT;
	for (size_t i = rows.first; i < rows.first + rows.count; i++) {
		if (strcmp(field(hub, i, VARIANT), variant ? variant : "") != 0)
			continue;
		*row = i;
		return 0;
	}
	return -ENOENT;
}

/* ---- directories ---- */

static int list_top(struct keras_hub *hub, struct hub_listing *out)
{
	size_t count = catalogue_all(hub->files).count;
	int r = hub_listing_add(out, PRESETS, HUB_DIR, NULL);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (!*field(hub, i, VARIANT))
			r = hub_listing_add(out, field(hub, i, APPLICATION),
					    HUB_REPO, NULL);
	return r;
}

static int list_variants(struct keras_hub *hub, const char *application,
			 struct hub_listing *out)
{
	struct catalogue_rows rows = catalogue_find(hub->files, application);
	int r = rows.count ? 0 : -ENOENT;

	for (size_t i = rows.first; r == 0 && i < rows.first + rows.count; i++)
		if (*field(hub, i, VARIANT))
			r = hub_listing_add(out, field(hub, i, VARIANT),
					    HUB_REPO, NULL);
	return r;
}

/* NULL: it has no mirror. */
static char *preset_target(const struct keras_hub *hub, size_t row)
{
	return mem_printf("../../huggingface/%s",
			  catalogue_field(hub->presets, row,
					  hub->preset_columns[MIRROR]));
}

static bool has_mirror(const struct keras_hub *hub, size_t row)
{
	return *catalogue_field(hub->presets, row, hub->preset_columns[MIRROR]);
}

static int list_presets(struct keras_hub *hub, struct hub_listing *out)
{
	size_t count = catalogue_all(hub->presets).count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		auto_free char *target = NULL;

		if (!has_mirror(hub, i))
			continue;
		target = preset_target(hub, i);
		r = target ? hub_listing_add(
				     out, catalogue_field(hub->presets, i, 0),
				     HUB_LINK, target)
			   : -ENOMEM;
	}
	return r;
}

static int keras_list(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct hub_listing *out)
{
	struct keras_hub *hub = keras_of(provider);
	int r;

	(void)deadline_ns;
	if (!*path)
		r = list_top(hub, out);
	else if (!strcmp(path, PRESETS))
		r = list_presets(hub, out);
	else
		r = list_variants(hub, path, out);
	if (r == 0)
		r = out->count ? hub_listing_finish(out) : -ENOENT;
	if (r < 0)
		hub_listing_release(out);
	return r;
}

static int lookup_preset(struct keras_hub *hub, const char *preset,
			 struct hub_entry *out)
{
	struct catalogue_rows rows = catalogue_find(hub->presets, preset);
	auto_free char *target = NULL;

	if (!rows.count || !has_mirror(hub, rows.first))
		return -ENOENT;
	target = preset_target(hub, rows.first);
	return target ? hub_entry_link(out, target) : -ENOMEM;
}

/* "resnet50" -> "ResNet50". */
static int lookup_other_case(struct keras_hub *hub, const char *path,
			     struct hub_entry *out)
{
	struct catalogue_rows rows = catalogue_find_any_case(hub->files, path);

	return rows.count ? hub_entry_link(out,
					   field(hub, rows.first, APPLICATION))
			  : -ENOENT;
}

static int keras_lookup(struct provider *provider, const char *path,
			uint64_t deadline_ns, struct hub_entry *out)
{
	struct keras_hub *hub = keras_of(provider);
	size_t len, row;
	const char *rest = rest_of(path, &len);

	(void)deadline_ns;
	*out = (struct hub_entry){ .kind = HUB_DIR };
	if (!strcmp(path, PRESETS))
		return 0;
	if (!strncmp(path, PRESETS "/", sizeof(PRESETS)))
		return lookup_preset(hub, rest, out);
	if (find_row(hub, path, &row) < 0)
		return lookup_other_case(hub, path, out);
	out->kind = HUB_REPO;
	return 0;
}

/* ---- repositories ---- */

/*
 * What is done to the numbers of an image, by the modes of
 * keras/src/applications/imagenet_utils.py; "builtin" models do it
 * themselves.
 */
static const char *scaling_of(const char *mode)
{
	static const struct {
		const char *mode;
		const char *json;
	} scalings[] = {
		{ "caffe", "\"channel_order\":\"BGR\","
			   "\"mean\":[103.939,116.779,123.68]" },
		{ "tf", "\"channel_order\":\"RGB\","
			"\"rescale\":0.00784313725490196,\"offset\":-1" },
		{ "torch", "\"channel_order\":\"RGB\","
			   "\"rescale\":0.00392156862745098,"
			   "\"mean\":[0.485,0.456,0.406],"
			   "\"std\":[0.229,0.224,0.225]" },
		{ "builtin", "\"channel_order\":\"RGB\","
			     "\"built_in\":true" },
	};

	for (size_t i = 0; i < ARRAY_LEN(scalings); i++)
		if (!strncmp(mode, scalings[i].mode, strlen(scalings[i].mode)))
			return scalings[i].json;
	return NULL;
}

/* The object of info.json; images come as numbers from 0 to 255. */
static void preprocessing_of(const struct keras_hub *hub, size_t row,
			     struct repo_facts *facts)
{
	const char *scaling = scaling_of(field(hub, row, PREPROCESS));
	unsigned int height, width;
	auto_free char *json = NULL;

	if (!scaling ||
	    sscanf(field(hub, row, INPUT_SIZE), "%ux%u", &height, &width) != 2)
		return;
	json = mem_printf("{\"layout\":\"NHWC\",\"range\":[0,255],"
			  "\"resize\":{\"height\":%u,\"width\":%u},%s}",
			  height, width, scaling);
	if (json)
		repo_facts_json(facts, "preprocessing", json);
}

static int facts_of(const struct keras_hub *hub, size_t row, char **out)
{
	auto_repo_facts struct repo_facts facts;
	const char *classes = field(hub, row, CLASSES);

	repo_facts_init(&facts);
	repo_facts_text(&facts, "application", field(hub, row, APPLICATION));
	repo_facts_text(&facts, "variant", field(hub, row, VARIANT));
	repo_facts_text(&facts, "config", field(hub, row, CONFIG));
	preprocessing_of(hub, row, &facts);
	repo_facts_list(&facts, "input_size", field(hub, row, INPUT_SIZE), "x");
	repo_facts_number(&facts, "min_size", field(hub, row, MIN_SIZE));
	repo_facts_number(&facts, "classes", classes);
	repo_facts_text(&facts, "labels", *classes ? "imagenet1k" : "");
	repo_facts_number(&facts, "params", field(hub, row, PARAMS));
	repo_facts_text(&facts, "digest", field(hub, row, DIGEST));
	repo_facts_text(&facts, "weights_url", field(hub, row, URL));
	repo_facts_text(&facts, "cache_name", field(hub, row, CACHE_NAME));
	return repo_facts_take(&facts, out);
}

/* Where Keras's own get_file() puts it; NULL: nowhere. */
static int download_of(const char *cache_name, char **out)
{
	const char *home = getenv("KERAS_HOME");
	const char *user = getenv("HOME");

	if (home && *home == '/')
		*out = mem_printf("%s/models/%s", home, cache_name);
	else if (user && *user == '/')
		*out = mem_printf("%s/.keras/models/%s", user, cache_name);
	else
		return 0;
	return *out ? 0 : -ENOMEM;
}

static int file_of(const struct keras_hub *hub, size_t row, const char **url,
		   struct web_file *out)
{
	const char *size = field(hub, row, SIZE);

	*url = field(hub, row, URL);
	*out = (struct web_file){
		.path = "weights.h5",
		.urls = url,
		.url_count = 1,
		.size = WEB_SIZE_UNKNOWN,
	};
	if (*size &&
	    parse_u64(size, strlen(size), FILE_BYTES_MAX, &out->size) < 0)
		return -EIO;
	return digest_of_text(field(hub, row, DIGEST), &out->digest) < 0 ? -EIO
									 : 0;
}

static int keras_open_repo(void *arg, const char *path, bool ask,
			   uint64_t deadline_ns, struct repo **out,
			   int64_t *until_wall_s)
{
	struct keras_hub *hub = arg;
	auto_free char *facts = NULL, *download = NULL;
	struct web_file file;
	const char *url;
	size_t row;
	int r = find_row(hub, path, &row);

	if (r == 0)
		r = file_of(hub, row, &url, &file);
	if (r == 0)
		r = facts_of(hub, row, &facts);
	if (r == 0)
		r = download_of(field(hub, row, CACHE_NAME), &download);
	if (r < 0)
		return r;
	file.download = download;
	return web_repo_open(
		&(struct web_repo_spec){
			.env = &hub->env,
			.hub = "keras",
			.id = path,
			.url = "https://keras.io/api/applications/",
			.facts = facts,
			.kind = "keras",
			.files_dir = "",
			.files = &file,
			.file_count = 1,
		},
		ask, deadline_ns, out, until_wall_s);
}

static int keras_open(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct repo **out)
{
	return repo_cache_open(keras_of(provider)->repos, path, deadline_ns,
			       out);
}

static void keras_refresh(struct provider *provider, const char *path)
{
	repo_cache_refresh(keras_of(provider)->repos, path);
}

/* ---- life ---- */

static void hub_free(struct keras_hub *hub)
{
	if (hub->repos)
		repo_cache_free(hub->repos);
	catalogue_free(hub->files);
	catalogue_free(hub->presets);
	free(hub);
}
DEFINE_AUTO_PTR(hub, struct keras_hub, hub_free)
#define auto_hub auto_of(hub)

static void keras_free(struct provider *provider)
{
	hub_free(keras_of(provider));
}

static const struct provider_ops keras_ops = {
	.list = keras_list,
	.lookup = keras_lookup,
	.open = keras_open,
	.refresh = keras_refresh,
	.free = keras_free,
};

static int hub_fill(struct keras_hub *hub)
{
	struct repo_opener opener = { .open = keras_open_repo, .arg = hub };
	int r = catalogue_load("keras", &hub->files);

	if (r == 0)
		r = catalogue_columns(hub->files, column_names, COLUMNS,
				      hub->columns);
	if (r == 0)
		r = catalogue_load("kerashub", &hub->presets);
	if (r == 0)
		r = catalogue_columns(hub->presets, preset_names,
				      PRESET_COLUMNS, hub->preset_columns);
	return r < 0 ? r : repo_cache_new(&opener, &hub->repos);
}

int hub_keras_new(const struct provider_env *env, const char *endpoint,
		  struct provider **out)
{
	auto_hub struct keras_hub *hub = mem_zalloc(sizeof(*hub));
	int r;

	(void)endpoint; /* origin.h asks for it */
	if (!hub)
		return -ENOMEM;
	hub->provider = (struct provider){ &keras_ops, "keras", KERAS_TTL_S };
	hub->env = *env;
	r = hub_fill(hub);
	if (r < 0)
		return r;
	*out = &take_ptr(hub)->provider;
	return 0;
}
