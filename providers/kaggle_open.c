/* SPDX-License-Identifier: MIT */
/*
 * From a path to a repository: what is asked, and when.
 *
 * The first opening of a version asks for its listing, and for the first
 * bytes of one file: only they tell whether its terms were accepted, and
 * whether single files come as they are, not in a zip.  Both are
 * remembered for ever.
 */
#include "providers/kaggle_hub.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/repo_files.h"
#include "providers/repo_memo.h"
#include "providers/url.h"

#define MODEL KAGGLE_FOLDER "saved_model.pb"
#define BY_FILE "files"
#define BY_BUNDLE "bundle"

/* A struct repo on the stack, with nobody's ops. */
DEFINE_AUTO(fields, struct repo, repo_fini)
#define auto_fields auto_of(fields)

/* ---- the listing ---- */

/* Of the official client: what more than 25 would give is not known. */
static int page_path(const char *handle, const char *token, struct str *path)
{
	int r = str_printf(path, "models/%s/files?page_size=25", handle);

	if (r < 0 || !token)
		return r;
	r = str_append_text(path, "&page_token=");
	return r < 0 ? r : url_append_segment(path, token);
}

/* *@token: that of the page, then that of the next. */
static int ask_page(struct kaggle_hub *hub, const char *handle,
		    uint64_t deadline_ns, struct repo_files *files,
		    char **token)
{
	auto_str struct str path, body;
	char *next = NULL;
	int r;

	str_init(&path, URL_BYTES_MAX);
	str_init(&body, HUB_JSON_BYTES_MAX);
	r = page_path(handle, *token, &path);
	if (r == 0)
		r = kaggle_get(hub, str_text(&path), deadline_ns, &body);
	if (r == 0)
		r = kaggle_files_parse(str_text(&body), body.len, files, &next);
	free(*token);
	*token = next;
	return r;
}

static int ask_pages(struct kaggle_hub *hub, const char *handle,
		     uint64_t deadline_ns, struct repo_files *files)
{
	auto_free char *token = NULL;
	auto_map struct map seen;
	int r;

	map_init(&seen);
	for (size_t pages = 0;; pages++) {
		if (pages == KAGGLE_PAGES_MAX)
			return -EFBIG;
		r = ask_page(hub, handle, deadline_ns, files, &token);
		if (r < 0 || !token)
			return r;
		r = map_add(&seen, token, hub);
		if (r < 0)
			return r == -EEXIST ? -EIO : r;
	}
}

static int ask_files(struct kaggle_hub *hub, const char *handle,
		     uint64_t deadline_ns, struct str *answer)
{
	auto_repo_files struct repo_files files = { 0 };
	auto_fields struct repo tree;
	int r;

	repo_init(&tree, NULL);
	r = ask_pages(hub, handle, deadline_ns, &files);
	if (r == 0)
		r = repo_files_finish(&files, &tree);
	if (r < 0)
		return r;
	if (files.hidden)
		log_warn("tensorflow", "%s: %zu files cannot be shown", handle,
			 files.hidden);
	return repo_memo_encode(&tree, answer);
}

static int files_get(struct kaggle_hub *hub, const char *handle,
		     uint64_t deadline_ns, struct repo *tree)
{
	const struct kaggle_question question = {
		.kind = "files",
		.name = handle,
		.ttl_s = KAGGLE_FOR_EVER,
		.ask = ask_files,
	};
	auto_str struct str answer;
	int r;

	str_init(&answer, KAGGLE_FACT_BYTES_MAX);
	r = kaggle_know(hub, &question, deadline_ns, &answer);
	if (r == 0)
		r = repo_memo_decode(str_text(&answer), answer.len, tree);
	return r == -EBADMSG ? -EIO : r;
}

/* ---- the first bytes ---- */

static int probe(struct kaggle_hub *hub, const char *handle, const char *file,
		 uint64_t deadline_ns, struct fetch_probe *out)
{
	auto_str struct str url;
	int r = kaggle_may_ask(hub, deadline_ns);

	str_init(&url, URL_BYTES_MAX);
	if (r == 0)
		r = str_printf(&url, "%s/models/%s/download%s", hub->api,
			       handle, *file ? "/" : "");
	if (r == 0)
		r = url_append_path(&url, file);
	return r < 0 ? r
		     : fetch_probe(hub->env.fetcher, str_text(&url), &hub->auth,
				   deadline_ns, out);
}

static bool begins(const struct fetch_probe *found, const char *magic,
		   size_t len)
{
	return found->head_len >= len && !memcmp(found->head, magic, len);
}

/* "<handle> <size> <file>": what is to be judged, and all it needs. */
static int ask_probe(struct kaggle_hub *hub, const char *name,
		     uint64_t deadline_ns, struct str *answer)
{
	auto_fetch_probe struct fetch_probe found = { 0 };
	size_t handle_len = strcspn(name, " ");
	const char *number = name + handle_len + 1;
	size_t number_len = strcspn(number, " ");
	auto_free char *handle = mem_strndup(name, handle_len);
	uint64_t size;
	int r = handle ? parse_u64(number, number_len, FILE_BYTES_MAX, &size)
		       : -ENOMEM;

	if (r == 0)
		r = probe(hub, handle, number + number_len + 1, deadline_ns,
			  &found);
	if (r == -ENOENT)
		return str_append_text(answer, BY_BUNDLE);
	if (r < 0)
		return r;
	if (found.size == size)
		return str_append_text(answer, BY_FILE);
	if (begins(&found, "PK\3\4", 4))
		return str_append_text(answer, BY_BUNDLE);
	log_error("tensorflow", "%s: %s is not what is listed", handle,
		  number + number_len + 1);
	return -EIO;
}

/* 0: by file; 1: by the bundle only. */
static int by_file(struct kaggle_hub *hub, const char *handle,
		   const struct repo *tree, uint64_t deadline_ns)
{
	const struct repo_file *file = repo_find(tree, MODEL, NULL);
	struct kaggle_question question = {
		.kind = "probe",
		.ttl_s = KAGGLE_FOR_EVER,
		.ask = ask_probe,
	};
	auto_free char *name = NULL;
	auto_str struct str answer;
	int r;

	str_init(&answer, NAME_BYTES_MAX);
	/* of an empty one nothing can be asked */
	for (size_t i = 0; !file && i < tree->file_count; i++)
		if (tree->files[i].size > 0)
			file = &tree->files[i];
	if (!file)
		return 0;
	name = mem_printf("%s %ju %s", handle, (uintmax_t)file->size,
			  file->path + strlen(KAGGLE_FOLDER));
	if (!name)
		return -ENOMEM;
	question.name = name;
	r = kaggle_know(hub, &question, deadline_ns, &answer);
	return r < 0 ? r : strcmp(str_text(&answer), BY_FILE) != 0;
}

/* ---- the bundle ---- */

static int ask_bundle(struct kaggle_hub *hub, const char *handle,
		      uint64_t deadline_ns, struct str *answer)
{
	auto_fetch_probe struct fetch_probe found = { 0 };
	char digest[DIGEST_TEXT];
	int r = probe(hub, handle, "", deadline_ns, &found);

	if (r == -EIO)
		log_error("tensorflow",
			  "%s: its bundle has no size, or cannot be had",
			  handle);
	if (r == 0 && !begins(&found, "\x1f\x8b", 2)) {
		log_error("tensorflow", "%s: its bundle is no .tar.gz", handle);
		r = -EIO;
	}
	if (r < 0)
		return r;
	digest_text(&found.digest, digest);
	return str_printf(answer, "%ju %s", (uintmax_t)found.size, digest);
}

static int bundle_parse(const char *text, struct repo_files *files)
{
	size_t len = strcspn(text, " ");
	struct digest digest = { .kind = DIGEST_NONE };
	uint64_t size;

	if (!text[len] || parse_u64(text, len, FILE_BYTES_MAX, &size) < 0 ||
	    (text[len + 1] && digest_of_text(text + len + 1, &digest) < 0))
		return -EIO;
	return repo_files_add(files, KAGGLE_BUNDLE, strlen(KAGGLE_BUNDLE), size,
			      &digest);
}

/* @tree, which is emptied, becomes the bundle. */
static int bundle_get(struct kaggle_hub *hub, const char *handle,
		      uint64_t deadline_ns, struct repo *tree)
{
	const struct kaggle_question question = {
		.kind = "bundle",
		.name = handle,
		.ttl_s = KAGGLE_FOR_EVER,
		.ask = ask_bundle,
	};
	auto_repo_files struct repo_files files = { 0 };
	auto_str struct str answer;
	int r;

	repo_fini(tree);
	repo_init(tree, NULL);
	str_init(&answer, PATH_BYTES_MAX);
	r = kaggle_know(hub, &question, deadline_ns, &answer);
	if (r == 0)
		r = bundle_parse(str_text(&answer), &files);
	return r < 0 ? r : repo_files_finish(&files, tree);
}

/* The one file of @tree, where that is an archive of the model; or NULL. */
static const char *packed_file(const struct repo *tree)
{
	static const char end[] = ".tar.gz";
	const char *path = tree->file_count == 1 ? tree->files[0].path : "";
	size_t len = strlen(path), end_len = sizeof(end) - 1;

	return len > end_len && !strcmp(path + len - end_len, end)
		       ? path + strlen(KAGGLE_FOLDER)
		       : NULL;
}

static int packed_rename(struct repo *tree, char **file)
{
	char *path = mem_strdup(KAGGLE_BUNDLE);

	*file = mem_strdup(packed_file(tree));
	if (!path || !*file) {
		free(path);
		return -ENOMEM;
	}
	free(tree->files[0].path);
	tree->files[0].path = path;
	return 0;
}

/* ---- opening ---- */

/* Into *@bundle what kaggle_repo_new() takes as that. */
static int tree_get(struct kaggle_hub *hub, const char *handle,
		    uint64_t deadline_ns, struct repo *tree, char **bundle,
		    bool *gated)
{
	int r = files_get(hub, handle, deadline_ns, tree);

	if (r == 0)
		r = tree->file_count ? by_file(hub, handle, tree, deadline_ns)
				     : 1;
	if (r == 1) {
		*bundle = mem_strdup("");
		r = *bundle ? bundle_get(hub, handle, deadline_ns, tree)
			    : -ENOMEM;
	}
	kaggle_tell(hub, handle, r);
	/* its files are known, but may not be read */
	*gated = r == -EACCES && tree->file_count > 0;
	if (r < 0 && !*gated)
		return r;
	return packed_file(tree) && !*bundle ? packed_rename(tree, bundle) : 0;
}

static int open_version(struct kaggle_hub *hub, const struct kaggle_name *name,
			uint64_t deadline_ns, struct repo **out)
{
	auto_free char *handle = kaggle_handle_text(name), *bundle = NULL;
	auto_fields struct repo tree;
	bool gated = false;
	int r;

	repo_init(&tree, NULL);
	if (!handle)
		return -ENOMEM;
	r = tree_get(hub, handle, deadline_ns, &tree, &bundle, &gated);
	return r < 0 ? r
		     : kaggle_repo_new(hub, name, &tree, bundle, gated, out);
}

int kaggle_open(void *arg, const char *path, bool ask, uint64_t deadline_ns,
		struct repo **out, int64_t *until_wall_s)
{
	auto_kaggle_name struct kaggle_name name = { 0 };
	struct kaggle_hub *hub = arg;
	int r = kaggle_path_parse(path, &name);

	(void)ask; /* a version never changes */
	if (r < 0)
		return r;
	if (!name.version || !strcmp(name.version, KAGGLE_LATEST))
		return -ENOENT;
	if (!name.framework)
		r = kaggle_plain_framework(hub, &name, true, deadline_ns,
					   &name.framework);
	if (r == 0)
		r = open_version(hub, &name, deadline_ns, out);
	if (r < 0)
		return r;
	*until_wall_s = (*out)->gated ? clock_wall_s() + HUB_MISSING_TTL_S
				      : INT64_MAX;
	kaggle_used_add(hub, path, NULL);
	return 0;
}
