/* SPDX-License-Identifier: MIT */
/*
 * Paths of the hub that are known without asking: of the table, and used
 * here before.  A directory that lies on the way to one is known, too.
 */
#include "providers/kaggle_hub.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "providers/catalogue.h"
#include "providers/hub_listing.h"
#include "providers/repo_files.h"

#define USED_BYTES_MAX (HUB_USED_MAX * (2 * PATH_BYTES_MAX + (size_t)2))

/* ---- the table ---- */

static int table_fill(struct kaggle_hub *hub, const struct catalogue *models)
{
	static const char *const names[] = { "kaggle_handle" };
	size_t column, count = catalogue_all(models).count;
	int r = catalogue_columns(models, names, 1, &column);

	if (r < 0)
		return r;
	hub->table = mem_array(count + 1, sizeof(*hub->table));
	if (!hub->table)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		r = kaggle_handle_parse(catalogue_field(models, i, column),
					&hub->table[hub->table_count]);
		if (r == -ENOMEM)
			return r;
		hub->table_count += r == 0; /* others: of TensorFlow Lite */
	}
	return 0;
}

int kaggle_table_load(struct kaggle_hub *hub)
{
	auto_catalogue struct catalogue *models = NULL;
	int r = catalogue_load("tfhub", &models);

	return r < 0 ? r : table_fill(hub, models);
}

/* ---- what was used here ---- */

void kaggle_known_release(struct kaggle_hub *hub)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&hub->used, &at)))
		free(slot->value);
	map_release(&hub->used);
	map_release(&hub->told);
	for (size_t i = 0; i < hub->table_count; i++)
		kaggle_name_release(&hub->table[i]);
	free(hub->table);
}

static bool used_insert(struct kaggle_hub *hub, const char *path,
			const char *target)
{
	char *copy = mem_strdup(target);
	bool added = false;

	lock_take(&hub->lock);
	if (copy && hub->used.count < HUB_USED_MAX)
		added = map_add(&hub->used, path, copy) == 0;
	lock_drop(&hub->lock);
	if (!added)
		free(copy);
	return added;
}

/* "<path> <target>", NUL-terminated for the while. */
static void line_insert(struct kaggle_hub *hub, char *line)
{
	char *space = strchr(line, ' ');

	if (!space)
		return;
	*space = '\0';
	if (repo_path_ok(line, strlen(line)))
		used_insert(hub, line, space + 1);
}

/* Twice at the same time is harmless. */
static void used_load(struct kaggle_hub *hub)
{
	auto_str struct str lines;
	char *at, *end;
	bool loaded;

	str_init(&lines, USED_BYTES_MAX);
	lock_take(&hub->lock);
	loaded = hub->used_loaded;
	lock_drop(&hub->lock);
	if (loaded)
		return;
	if (kaggle_recall(hub, "used", "", &lines) == 0)
		for (at = lines.bytes; at && (end = strchr(at, '\n'));
		     at = end + 1) {
			*end = '\0';
			line_insert(hub, at);
		}
	lock_take(&hub->lock);
	hub->used_loaded = true;
	lock_drop(&hub->lock);
}

static int used_lines(struct kaggle_hub *hub, struct str *lines)
{
	const struct map_slot *slot;
	size_t at = 0;
	int r = 0;

	lock_take(&hub->lock);
	while (r == 0 && (slot = map_next(&hub->used, &at)))
		r = str_printf(lines, "%s %s\n", slot->key,
			       (const char *)slot->value);
	lock_drop(&hub->lock);
	return r;
}

void kaggle_used_add(struct kaggle_hub *hub, const char *path,
		     const char *target)
{
	auto_str struct str lines;

	str_init(&lines, USED_BYTES_MAX);
	if (hub->env.quiet)
		return;
	used_load(hub);
	if (!used_insert(hub, path, target ? target : ""))
		return;
	if (used_lines(hub, &lines) == 0)
		kaggle_remember(hub, "used", "", lines.bytes, lines.len);
}

/* ---- walking all of them ---- */

/* Of what is known: "" where it is a repository. */
typedef int each_fn(void *arg, const char *path, const char *target);

static int each_of_table(struct kaggle_hub *hub, each_fn *each, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hub->table_count; i++) {
		const struct kaggle_name *row = &hub->table[i];
		auto_free char *variation = kaggle_variation_text(hub, row);
		auto_free char *path = NULL;

		if (variation)
			path = mem_printf("%s/%s/%s/%s", row->owner, row->model,
					  variation, row->version);
		r = path ? each(arg, path, "") : -ENOMEM;
	}
	return r;
}

static int each_known(struct kaggle_hub *hub, each_fn *each, void *arg)
{
	auto_str struct str lines;
	char *at, *end;
	int r = each_of_table(hub, each, arg);

	str_init(&lines, USED_BYTES_MAX);
	used_load(hub);
	if (r == 0)
		r = used_lines(hub, &lines);
	for (at = lines.bytes; r == 0 && at && (end = strchr(at, '\n'));
	     at = end + 1) {
		char *space = strchr(at, ' ');

		*end = *space = '\0';
		r = each(arg, at, space + 1);
	}
	return r;
}

/* What follows "<above>/" in @path; @above "" is above all.  NULL. */
static const char *below(const char *path, const char *above)
{
	size_t len = strlen(above);

	if (len == 0)
		return path;
	return !strncmp(path, above, len) && path[len] == '/' ? path + len + 1
							      : NULL;
}

struct listing {
	const char *above;
	struct hub_listing *out;
	bool any;
};

static enum hub_entry_kind kind_of(const char *target)
{
	return *target ? HUB_LINK : HUB_REPO;
}

static int list_one(void *arg, const char *path, const char *target)
{
	struct listing *listing = arg;
	const char *rest = below(path, listing->above);
	size_t len = rest ? strcspn(rest, "/") : 0;
	auto_free char *name = NULL;

	if (!rest)
		return 0;
	listing->any = true;
	if (!rest[len])
		return hub_listing_add(listing->out, rest, kind_of(target),
				       *target ? target : NULL);
	name = mem_strndup(rest, len);
	return name ? hub_listing_add(listing->out, name, HUB_DIR, NULL)
		    : -ENOMEM;
}

int kaggle_known_list(struct kaggle_hub *hub, const char *path,
		      struct hub_listing *out, bool *any)
{
	struct listing listing = { .above = path, .out = out };
	int r = each_known(hub, list_one, &listing);

	*any = listing.any;
	return r;
}

struct finding {
	const char *path;
	struct hub_entry *out;
	bool found;
};

static int find_one(void *arg, const char *path, const char *target)
{
	struct finding *finding = arg;

	if (finding->found)
		return 0;
	if (below(path, finding->path)) {
		finding->found = true;
		finding->out->kind = HUB_DIR;
		return 0;
	}
	if (strcmp(path, finding->path) != 0)
		return 0;
	finding->found = true;
	finding->out->kind = kind_of(target);
	return *target ? hub_entry_link(finding->out, target) : 0;
}

int kaggle_known_lookup(struct kaggle_hub *hub, const char *path,
			struct hub_entry *out, bool *found)
{
	struct finding finding = { .path = path, .out = out };
	int r = each_known(hub, find_one, &finding);

	*found = finding.found;
	return r;
}
