/* SPDX-License-Identifier: MIT */
/* From a name and a revision to a repository: what is asked, and when. */
#include "providers/hf_hub.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/hf_cache_layout.h"
#include "providers/huggingface_parse.h"
#include "providers/repo_files.h"
#include "providers/repo_memo.h"
#include "providers/url.h"

#define API_URL_BYTES_MAX ((size_t)4096)   /* id, and revision encoded */
#define MEMO_BYTES_MAX ((size_t)256 << 20) /* REPO_FILES_MAX paths of 200 */

/* A struct repo on the stack, with nobody's ops. */
DEFINE_AUTO(fields, struct repo, repo_fini)
#define auto_fields auto_of(fields)

/* What the memo says of a name at a revision. */
struct known {
	struct repo info; /* no files */
	struct hf_fact info_fact;
	int missing; /* -errno */
	struct hf_fact missing_fact;
};

static void known_release(struct known *known)
{
	repo_fini(&known->info);
}

/* One opening, from here to the end of the file. */
struct resolve {
	struct hf_hub *hub;
	struct repo_name name;
	char *key; /* "id@revision" */
	struct known known;
	uint64_t deadline_ns;
};

static void resolve_release(struct resolve *resolve)
{
	repo_name_release(&resolve->name);
	free(resolve->key);
	known_release(&resolve->known);
}
DEFINE_AUTO(resolve, struct resolve, resolve_release)
#define auto_resolve auto_of(resolve)

/* A record that does not decode counts as not there. */
static int record_get(struct hf_hub *hub, const char *kind, const char *key,
		      struct repo *repo, struct hf_fact *fact)
{
	auto_str struct str value;
	int r;

	str_init(&value, MEMO_BYTES_MAX);
	r = hf_memo_get_any(hub, kind, key, &value, fact);
	if (r == 0)
		r = repo_memo_decode(str_text(&value), value.len, repo);
	if (r == 0)
		return 0;
	repo_fini(repo);
	repo_init(repo, NULL);
	*fact = (struct hf_fact){ 0 };
	return r == -ENOMEM ? r : -ENOENT;
}

static void record_put(struct hf_hub *hub, const char *kind, const char *id,
		       const char *revision, bool private,
		       const struct repo *repo)
{
	auto_free char *key = mem_printf("%s@%s", id, revision);
	auto_str struct str value;

	str_init(&value, MEMO_BYTES_MAX);
	if (key && repo_memo_encode(repo, &value) == 0)
		hf_memo_put(hub, kind, key, private, value.bytes, value.len);
}

static void missing_put(struct resolve *resolve, int r)
{
	uint8_t bytes[4];

	put_le32(bytes, (uint32_t)-r);
	hf_memo_put(resolve->hub, "missing", resolve->key, true, bytes,
		    r ? sizeof(bytes) : 0);
}

static void missing_get(struct resolve *resolve)
{
	struct known *known = &resolve->known;
	auto_str struct str value;
	uint32_t code;

	str_init(&value, 64);
	if (hf_memo_get(resolve->hub, "missing", resolve->key, &value,
			&known->missing_fact) < 0 ||
	    value.len != 4) {
		known->missing_fact.has = false;
		return;
	}
	code = le32(value.bytes);
	known->missing = code == EACCES ? -EACCES : -ENOENT;
}

static int resolve_init(struct resolve *resolve, struct hf_hub *hub,
			const char *path, uint64_t deadline_ns)
{
	int r;

	*resolve = (struct resolve){ .hub = hub, .deadline_ns = deadline_ns };
	repo_init(&resolve->known.info, NULL);
	r = repo_name_parse(path, &resolve->name);
	if (r < 0)
		return r;
	resolve->key = mem_printf("%s@%s", resolve->name.id,
				  resolve->name.revision);
	if (!resolve->key)
		return -ENOMEM;
	r = record_get(hub, "rev", resolve->key, &resolve->known.info,
		       &resolve->known.info_fact);
	missing_get(resolve);
	return r == -ENOENT ? 0 : r;
}

/* ---- the tree of a commit ---- */

static int tree_page(void *files, const void *bytes, size_t len)
{
	return hf_tree_parse(bytes, len, files);
}

static int tree_ask(struct resolve *resolve, const struct repo *info,
		    struct repo *tree)
{
	struct hf_hub *hub = resolve->hub;
	auto_repo_files struct repo_files files = { 0 };
	auto_free char *url =
		mem_printf("%s/api/models/%s/tree/%s?recursive=true",
			   hub->endpoint, info->id, info->revision);
	int r;

	if (!url)
		return -ENOMEM;
	r = hf_get_pages(hub, url, TREE_PAGES_MAX, true, resolve->deadline_ns,
			 tree_page, &files);
	if (r == 0)
		r = repo_files_finish(&files, tree);
	if (r == 0 && files.hidden)
		log_warn("huggingface", "%s: %zu entries cannot be shown",
			 info->id, files.hidden);
	return r;
}

/* Commits never change: a tree is asked for once. */
static int tree_get(struct resolve *resolve, const struct repo *info,
		    bool private, struct repo **out)
{
	auto_fields struct repo tree;
	auto_free char *key = mem_printf("%s@%s", info->id, info->revision);
	struct hf_fact fact;
	int r;

	repo_init(&tree, NULL);
	if (!key)
		return -ENOMEM;
	r = record_get(resolve->hub, "tree", key, &tree, &fact);
	if (r == -ENOENT) {
		r = tree_ask(resolve, info, &tree);
		if (r == 0)
			record_put(resolve->hub, "tree", info->id,
				   info->revision, private, &tree);
	}
	return r < 0 ? r : hf_repo_new(resolve->hub, info, &tree, out);
}

/* ---- the commit of a revision ---- */

static int model_url(const struct resolve *resolve, struct str *url)
{
	int r = str_printf(url, "%s/api/models/%s/revision/",
			   resolve->hub->endpoint, resolve->name.id);

	if (r < 0)
		return r;
	return url_append_segment(url, resolve->name.revision);
}

static int model_ask(struct resolve *resolve, struct hf_model *model)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_str struct str url, body;
	int r;

	str_init(&url, API_URL_BYTES_MAX);
	str_init(&body, HUB_JSON_BYTES_MAX);
	r = model_url(resolve, &url);
	if (r == 0)
		r = hf_get(resolve->hub, str_text(&url), resolve->deadline_ns,
			   &body, &reply);
	if (r == 0)
		r = hf_model_parse(str_text(&body), body.len, clock_wall_s(),
				   model);
	if (r == 0 && resolve->name.pinned &&
	    strcmp(model->sha, resolve->name.revision) != 0)
		r = -EBADMSG;
	return r;
}

/* Under each name that means it; the commit's own never grows old. */
static void info_put(struct resolve *resolve, const struct repo *info,
		     bool private)
{
	struct hf_hub *hub = resolve->hub;
	const char *revision = resolve->name.revision;

	record_put(hub, "rev", info->id, info->revision, private, info);
	if (!resolve->name.pinned)
		record_put(hub, "rev", info->id, revision, private, info);
	if (strcmp(info->id, resolve->name.id) != 0)
		record_put(hub, "rev", resolve->name.id, revision, private,
			   info);
}

static int resolve_ask(struct resolve *resolve, struct repo **out)
{
	auto_hf_model struct hf_model model = { 0 };
	auto_fields struct repo info;
	bool private;
	int r;

	repo_init(&info, NULL);
	r = model_ask(resolve, &model);
	if (r < 0)
		return r;
	info.id = take_ptr(model.id);
	info.revision = take_ptr(model.sha);
	info.licence = take_ptr(model.licence);
	info.pipeline_tag = take_ptr(model.pipeline_tag);
	info.modified_wall_s = model.modified_wall_s;
	info.gated = model.gated;
	private = model.private || model.gated;
	r = tree_get(resolve, &info, private, out);
	if (r < 0)
		return r;
	info_put(resolve, &info, private);
	if (resolve->known.missing_fact.has)
		missing_put(resolve, 0);
	return 0;
}

/* ---- what is believed ---- */

/* Of two answers the later counts; in one second, the hub's no. */
static bool is_gone(const struct known *known)
{
	return known->missing_fact.has &&
	       (!known->info_fact.has ||
		known->missing_fact.stored_wall_s >=
			known->info_fact.stored_wall_s);
}

/* What the memo has, its tree too; may ask for a tree that it forgot. */
static int resolve_known(struct resolve *resolve, struct repo **out)
{
	struct known *known = &resolve->known;

	return tree_get(resolve, &known->info, true, out);
}

/* The hub did not answer with @r: what is the best there is? */
static int resolve_stale(struct resolve *resolve, int r, struct repo **out)
{
	struct known *known = &resolve->known;

	if (is_gone(known))
		return known->missing;
	if (known->info_fact.has) {
		int kept = resolve_known(resolve, out);

		if (kept == 0 || kept == -EINPROGRESS)
			return kept;
	}
	if (resolve->hub->cache_root &&
	    hf_cache_repo_open(resolve->hub->cache_root, resolve->name.id,
			       resolve->name.revision, out) == 0)
		return 0;
	return r;
}

static int64_t until_after(const struct hf_fact *fact, unsigned int ttl_s)
{
	return fact->stored_wall_s + (int64_t)ttl_s;
}

/* 1: nothing that may be believed unasked. */
static int resolve_fresh(struct resolve *resolve, struct repo **out,
			 int64_t *until_wall_s)
{
	struct known *known = &resolve->known;
	unsigned int ttl_s = resolve->hub->provider.ttl_s;
	bool pinned = resolve->name.pinned && known->info_fact.has;
	bool gone = is_gone(known);
	int r;

	if (gone &&
	    hf_recent(resolve->hub, &known->missing_fact, HUB_MISSING_TTL_S))
		return known->missing;
	if (!pinned && (gone || !hf_fresh(&known->info_fact, ttl_s)))
		return 1;
	r = resolve_known(resolve, out);
	*until_wall_s = pinned ? INT64_MAX
			       : until_after(&known->info_fact, ttl_s);
	return r;
}

/* Asks, and falls back on what is old. */
static int resolve_anew(struct resolve *resolve, struct repo **out,
			int64_t *until_wall_s)
{
	struct known *known = &resolve->known;
	unsigned int ttl_s = resolve->hub->provider.ttl_s;
	bool old = known->info_fact.has || known->missing_fact.has;
	int r = -ENETUNREACH;

	*until_wall_s = resolve->name.pinned ? INT64_MAX
					     : clock_wall_s() + (int64_t)ttl_s;
	if (old)
		resolve->deadline_ns =
			hf_refresh_deadline(resolve->deadline_ns);
	if (!old || !hf_down(resolve->hub))
		r = resolve_ask(resolve, out);
	if (r == -ENOENT || r == -EACCES)
		missing_put(resolve, r);
	if (!hf_unreachable(r))
		return r;
	*until_wall_s = clock_wall_s() + HUB_MISSING_TTL_S;
	return resolve_stale(resolve, r, out);
}

int hf_open(void *arg, const char *path, bool ask, uint64_t deadline_ns,
	    struct repo **out, int64_t *until_wall_s)
{
	auto_resolve struct resolve resolve;
	int r = resolve_init(&resolve, arg, path, deadline_ns);

	if (r < 0)
		return r;
	r = ask && !resolve.name.pinned
		    ? 1
		    : resolve_fresh(&resolve, out, until_wall_s);
	if (r == 1)
		r = resolve_anew(&resolve, out, until_wall_s);
	if (r == 0)
		hf_used_add(arg, (*out)->id);
	return hf_result(r);
}
