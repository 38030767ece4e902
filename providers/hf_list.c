/* SPDX-License-Identifier: MIT */
#include "providers/hf_hub.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/huggingface_alias.h"
#include "providers/huggingface_parse.h"
#include "providers/url.h"

/* A line an id, as all lists are kept. */
#define LINES_BYTES_MAX \
	(2 * HUB_LIST_PAGES_MAX * (size_t)1000 * (REPO_ID_BYTES_MAX + 1))

/* Calls @each with each line, which is NUL-terminated for the while. */
static int lines_each(struct str *lines, int (*each)(void *arg, const char *id),
		      void *arg)
{
	char *at = lines->bytes;
	char *end = at ? at + lines->len : NULL;
	int r = 0;

	while (r == 0 && at < end) {
		char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			break;
		*stop = '\0';
		if (repo_id_ok(at, false))
			r = each(arg, at);
		*stop = '\n';
		at = stop + 1;
	}
	return r;
}

static int line_add(void *lines, const char *id)
{
	return str_printf(lines, "%s\n", id);
}

static int list_page(void *lines, const void *bytes, size_t len)
{
	return hf_list_parse(bytes, len, line_add, lines);
}

/* ---- lists of the hub ---- */

struct list_spec {
	const char *name; /* in the memo */
	const char *query;
	size_t pages_max;
	unsigned int ttl_s;
	bool optional; /* not worth waiting for a hub that is down */
};

static int list_ask(struct hf_hub *hub, const struct list_spec *spec,
		    uint64_t deadline_ns, struct str *lines)
{
	auto_free char *url = mem_printf("%s/api/models?%s", hub->endpoint,
					 spec->query);
	int r;

	if (!url)
		return -ENOMEM;
	r = hf_get_pages(hub, url, spec->pages_max, false, deadline_ns,
			 list_page, lines);
	return r == -ENOENT ? 0 : r; /* no such author: no models */
}

/* A list as lines: fresh from the memo, else asked for, else as it was. */
static int list_get(struct hf_hub *hub, const struct list_spec *spec,
		    uint64_t deadline_ns, struct str *lines)
{
	auto_str struct str anew;
	struct hf_fact fact;
	int r = hf_memo_get(hub, "list", spec->name, lines, &fact);

	str_init(&anew, LINES_BYTES_MAX);
	if (r == -ENOMEM)
		return r;
	if (hf_recent(hub, &fact, spec->ttl_s))
		return 0;
	if ((fact.has || spec->optional) && hf_down(hub))
		return fact.has ? 0 : -ENETUNREACH;
	if (fact.has)
		deadline_ns = hf_refresh_deadline(deadline_ns);
	r = list_ask(hub, spec, deadline_ns, &anew);
	if (r == -EINPROGRESS)
		return r;
	if (r < 0)
		return fact.has ? 0 : r;
	hf_memo_put(hub, "list", spec->name, true, str_text(&anew), anew.len);
	str_clear(lines);
	return anew.len ? str_append(lines, anew.bytes, anew.len) : 0;
}

/* ---- what was used here ---- */

static int used_insert_locked(struct hf_hub *hub, const char *id, bool *added)
{
	char *copy;
	int r;

	lock_assert_held(&hub->lock);
	*added = false;
	if (map_get(&hub->used, id) || hub->used.count >= HUB_USED_MAX)
		return 0;
	copy = mem_strdup(id);
	if (!copy)
		return -ENOMEM;
	r = map_add(&hub->used, id, copy);
	if (r < 0)
		free(copy);
	*added = r == 0;
	return r;
}

static int used_insert(void *arg, const char *id)
{
	struct hf_hub *hub = arg;
	bool added;
	int r;

	lock_take(&hub->lock);
	r = used_insert_locked(hub, id, &added);
	lock_drop(&hub->lock);
	return r;
}

/* Twice at the same time is harmless. */
static void used_load(struct hf_hub *hub)
{
	auto_str struct str lines;
	struct hf_fact fact;
	bool loaded;

	str_init(&lines, LINES_BYTES_MAX);
	lock_take(&hub->lock);
	loaded = hub->used_loaded;
	lock_drop(&hub->lock);
	if (loaded)
		return;
	if (hf_memo_get_any(hub, "used", "", &lines, &fact) == 0)
		(void)!lines_each(&lines, used_insert, hub);
	lock_take(&hub->lock);
	hub->used_loaded = true;
	lock_drop(&hub->lock);
}

/* All of them as lines. */
static int used_lines(struct hf_hub *hub, struct str *lines)
{
	const struct map_slot *slot;
	size_t at = 0;
	int r = 0;

	used_load(hub);
	lock_take(&hub->lock);
	while (r == 0 && (slot = map_next(&hub->used, &at)))
		r = line_add(lines, slot->value);
	lock_drop(&hub->lock);
	return r;
}

void hf_used_add(struct hf_hub *hub, const char *id)
{
	auto_str struct str lines;
	bool added = false;

	str_init(&lines, LINES_BYTES_MAX);
	if (hub->env.quiet || !repo_id_ok(id, false))
		return;
	used_load(hub);
	lock_take(&hub->lock);
	(void)!used_insert_locked(hub, id, &added);
	lock_drop(&hub->lock);
	if (!added)
		return;
	if (used_lines(hub, &lines) == 0)
		hf_memo_put(hub, "used", "", true, lines.bytes, lines.len);
}

bool hf_used_org(struct hf_hub *hub, const char *org)
{
	const struct map_slot *slot;
	size_t len = strlen(org), at = 0;
	bool found = false;

	used_load(hub);
	lock_take(&hub->lock);
	while (!found && (slot = map_next(&hub->used, &at)))
		found = slot->key_len > len && slot->key[len] == '/' &&
			!memcmp(slot->key, org, len);
	lock_drop(&hub->lock);
	return found;
}

/* ---- directories ---- */

struct org_listing {
	struct hub_listing *out;
	const char *org;
};

/* Adds "model" of "org/model"; ids of other authors are passed over. */
static int org_add(void *arg, const char *id)
{
	struct org_listing *listing = arg;
	size_t len = strlen(listing->org);

	if (strncmp(id, listing->org, len) != 0 || id[len] != '/')
		return 0;
	return hub_listing_add(listing->out, id + len + 1, HUB_REPO, NULL);
}

int hf_list_org(struct hf_hub *hub, const char *org, uint64_t deadline_ns,
		struct hub_listing *out, bool *any)
{
	struct org_listing listing = { out, org };
	size_t before = out->count;
	auto_str struct str lines, query;
	int asked, r;

	str_init(&lines, LINES_BYTES_MAX);
	str_init(&query, PATH_BYTES_MAX);
	r = str_printf(&query, "author=%s&limit=1000&expand=lastModified", org);
	if (r < 0)
		return r;
	asked = list_get(hub,
			 &(struct list_spec){
				 .name = org,
				 .query = str_text(&query),
				 .pages_max = HUB_LIST_PAGES_MAX,
				 .ttl_s = hub->provider.ttl_s,
			 },
			 deadline_ns, &lines);
	if (asked == -ENOMEM || asked == -EINPROGRESS)
		return asked;
	r = used_lines(hub, &lines);
	if (r == 0)
		r = lines_each(&lines, org_add, &listing);
	if (r < 0)
		return r;
	*any = out->count > before;
	return *any ? 0 : hf_result(asked);
}

/* Adds "org" of "org/model". */
static int org_of_add(void *out, const char *id)
{
	auto_free char *org = mem_strndup(id, strcspn(id, "/"));

	if (!org)
		return -ENOMEM;
	return hub_listing_add(out, org, HUB_DIR, NULL);
}

static int aliases_add(struct hub_listing *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hf_alias_count(); i++) {
		const struct hf_alias *alias = hf_alias_at(i);

		r = hub_listing_add(out, alias->name, HUB_LINK, alias->id);
	}
	return r;
}

/* The hub need not be there for "ls" to work. */
static int top_add(struct hf_hub *hub, uint64_t deadline_ns,
		   struct hub_listing *out)
{
	auto_free char *query = mem_printf("sort=downloads&limit=%d",
					   HUB_TOP_COUNT);
	auto_str struct str lines;
	int r;

	str_init(&lines, LINES_BYTES_MAX);
	if (!query)
		return -ENOMEM;
	r = list_get(hub,
		     &(struct list_spec){
			     .name = "",
			     .query = query,
			     .pages_max = 1,
			     .ttl_s = HUB_TOP_TTL_S,
			     .optional = true,
		     },
		     hf_refresh_deadline(deadline_ns), &lines);
	if (r < 0)
		return r == -ENOMEM || r == -EINPROGRESS ? r : 0;
	return lines_each(&lines, org_of_add, out);
}

int hf_list_root(struct hf_hub *hub, uint64_t deadline_ns,
		 struct hub_listing *out)
{
	auto_str struct str used;
	int r = aliases_add(out);

	str_init(&used, LINES_BYTES_MAX);
	if (r == 0)
		r = used_lines(hub, &used);
	if (r == 0)
		r = lines_each(&used, org_of_add, out);
	return r < 0 ? r : top_add(hub, deadline_ns, out);
}
