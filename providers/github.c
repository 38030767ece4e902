/* SPDX-License-Identifier: MIT */
#include "providers/github.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/memo.h"
#include "providers/github_parse.h"
#include "providers/github_repo.h"
#include "providers/local_file.h"
#include "providers/origin.h"
#include "providers/repo_files.h"
#include "providers/repo_memo.h"
#include "providers/url.h"

#define API "https://api.github.com"
#define API_URL_BYTES_MAX ((size_t)4096)   /* id, and ref encoded */
#define MEMO_BYTES_MAX ((size_t)256 << 20) /* REPO_FILES_MAX paths of 200 */
#define NO_COMMIT "-"
#define REF_TTL_S 600

/* A struct repo on the stack, with nobody's ops. */
DEFINE_AUTO(fields, struct repo, repo_fini)
#define auto_fields auto_of(fields)

/* What the memo says of a ref. */
struct known {
	bool has;
	bool missing;
	char sha[GITHUB_SHA_BYTES];
	int64_t stored_wall_s;
};

/* ---- one question ---- */

/* Of a folder instead of the API. */
static int get_file(const char *path, struct str *body)
{
	struct local_stamp stamp;
	auto_close int fd = local_open("/", path, &stamp);
	auto_free char *bytes = NULL;
	int r;

	if (fd < 0)
		return fd == -ENOTDIR || fd == -EISDIR ? -ENOENT : fd;
	if (stamp.size > HUB_JSON_BYTES_MAX)
		return -EFBIG;
	bytes = mem_alloc(stamp.size + 1);
	if (!bytes)
		return -ENOMEM;
	r = file_pread(fd, 0, stamp.size, bytes);
	return r < 0 ? r : str_append(body, bytes, stamp.size);
}

/* An unknown ref is 422; who asked too often gets a 403. */
static int api_errno(int r, const struct fetch_reply *reply)
{
	if (reply->status == 422)
		return -ENOENT;
	if (reply->status == 403)
		log_warn("pytorch",
			 "api.github.com refuses to answer: GITHUB_TOKEN "
			 "allows more questions");
	return r;
}

/* Appends the JSON at @url, which is of the real API. */
static int api_get(struct github *github, const char *url, uint64_t deadline_ns,
		   struct str *body)
{
	const struct provider_env *env = github->env;
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_free char *there = NULL;
	int r = origin_url(env, "pytorch", url, &there);

	if (r < 0)
		return r;
	if (origin_file(there))
		return get_file(origin_file(there), body);
	if (env->offline || !env->fetcher)
		return -ENETUNREACH;
	if (deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	r = fetch_text(env->fetcher, there, &github->auth, deadline_ns, body,
		       &reply);
	return api_errno(r, &reply);
}

/* The contract's errno: what made no sense is -EIO. */
static int result_of(int r)
{
	switch (r) {
	case -EBADMSG:
	case -EFBIG:
	case -EINVAL:
	case -EAGAIN:
	case -ESTALE:
		return -EIO;
	default:
		return r;
	}
}

static char *memo_key(const struct github *github, const char *kind,
		      const char *id, const char *revision)
{
	return mem_printf("github/%s/%s/%s/%s@%s", kind, github->who,
			  github->api, id, revision);
}

/* ---- the commit of a ref ---- */

static int commit_ask(struct github *github, const struct repo_name *name,
		      uint64_t deadline_ns, char sha[GITHUB_SHA_BYTES])
{
	auto_str struct str url, body;
	int r;

	str_init(&url, API_URL_BYTES_MAX);
	str_init(&body, HUB_JSON_BYTES_MAX);
	r = str_printf(&url, API "/repos/%s/commits/", name->id);
	if (r == 0)
		r = url_append_segment(&url, name->revision);
	if (r == 0) /* else the commit's whole difference comes along */
		r = str_append_text(&url, "?per_page=1");
	if (r == 0)
		r = api_get(github, str_text(&url), deadline_ns, &body);
	return r < 0 ? r : github_commit_parse(str_text(&body), body.len, sha);
}

static void commit_put(const struct github *github,
		       const struct repo_name *name, const char *sha)
{
	auto_free char *key = memo_key(github, "ref", name->id, name->revision);

	if (key)
		memo_put(github->env->memo, key, sha, strlen(sha));
}

static int commit_known(const struct github *github,
			const struct repo_name *name, struct known *known)
{
	auto_free char *key = memo_key(github, "ref", name->id, name->revision);
	auto_str struct str value;
	int r;

	*known = (struct known){ 0 };
	str_init(&value, GITHUB_SHA_BYTES);
	if (!key)
		return -ENOMEM;
	r = memo_get(github->env->memo, key, &value, &known->stored_wall_s);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	known->missing = !strcmp(str_text(&value), NO_COMMIT);
	known->has = known->missing || commit_ok(str_text(&value));
	if (known->has && !known->missing)
		memcpy(known->sha, str_text(&value), GITHUB_SHA_BYTES);
	return 0;
}

static int known_result(const struct known *known, char sha[GITHUB_SHA_BYTES])
{
	if (known->missing)
		return -ENOENT;
	memcpy(sha, known->sha, GITHUB_SHA_BYTES);
	return 0;
}

static int64_t known_until(const struct known *known)
{
	return known->stored_wall_s +
	       (known->missing ? HUB_MISSING_TTL_S : REF_TTL_S);
}

static bool known_fresh(const struct known *known)
{
	int64_t now = clock_wall_s();

	return known->has && known->stored_wall_s <= now &&
	       now < known_until(known);
}

/* Asks; what is known of old serves where there is no answer. */
static int commit_anew(struct github *github, const struct repo_name *name,
		       const struct known *known, uint64_t deadline_ns,
		       char sha[GITHUB_SHA_BYTES], int64_t *until_wall_s)
{
	int r;

	if (known->has)
		deadline_ns = u64_min(deadline_ns,
				      clock_after_ns(HUB_REFRESH_S * NS_PER_S));
	r = commit_ask(github, name, deadline_ns, sha);
	*until_wall_s = clock_wall_s() +
			(r < 0 ? HUB_MISSING_TTL_S : REF_TTL_S);
	if (r == 0 || r == -ENOENT) {
		commit_put(github, name, r == 0 ? sha : NO_COMMIT);
		return r;
	}
	if (!known->has || r == -ENOMEM || r == -EINPROGRESS)
		return r;
	return known_result(known, sha);
}

static int commit_of(struct github *github, const struct repo_name *name,
		     bool ask, uint64_t deadline_ns, char sha[GITHUB_SHA_BYTES],
		     int64_t *until_wall_s)
{
	struct known known;
	int r;

	*until_wall_s = INT64_MAX;
	if (name->pinned) {
		memcpy(sha, name->revision, GITHUB_SHA_BYTES);
		return 0;
	}
	r = commit_known(github, name, &known);
	if (r < 0)
		return r;
	if (ask || !known_fresh(&known))
		return commit_anew(github, name, &known, deadline_ns, sha,
				   until_wall_s);
	*until_wall_s = known_until(&known);
	return known_result(&known, sha);
}

/* ---- the tree of a commit ---- */

static int tree_ask(struct github *github, const char *id, const char *sha,
		    uint64_t deadline_ns, struct repo *tree)
{
	auto_repo_files struct repo_files files = { 0 };
	auto_str struct str body;
	auto_free char *url =
		mem_printf(API "/repos/%s/git/trees/%s?recursive=1", id, sha);
	int r;

	str_init(&body, HUB_JSON_BYTES_MAX);
	if (!url)
		return -ENOMEM;
	r = api_get(github, url, deadline_ns, &body);
	if (r == 0)
		r = github_tree_parse(str_text(&body), body.len, &files);
	if (r == -EFBIG)
		log_warn("pytorch", "%s: more files than GitHub lists", id);
	if (r == 0)
		r = repo_files_finish(&files, tree);
	if (r == 0 && files.hidden)
		log_warn("pytorch", "%s: %zu entries cannot be shown", id,
			 files.hidden);
	return r;
}

static int tree_known(const struct github *github, const char *key,
		      struct repo *tree)
{
	auto_str struct str value;
	int r;

	str_init(&value, MEMO_BYTES_MAX);
	r = memo_get(github->env->memo, key, &value, NULL);
	if (r == 0)
		r = repo_memo_decode(str_text(&value), value.len, tree);
	if (r == 0 || r == -ENOMEM)
		return r;
	repo_fini(tree);
	repo_init(tree, NULL);
	return -ENOENT;
}

static void tree_put(const struct github *github, const char *key,
		     const struct repo *tree)
{
	auto_str struct str value;

	str_init(&value, MEMO_BYTES_MAX);
	if (repo_memo_encode(tree, &value) == 0)
		memo_put(github->env->memo, key, value.bytes, value.len);
}

/* @tree is of repo_init(). */
static int tree_of(struct github *github, const char *id, const char *sha,
		   uint64_t deadline_ns, struct repo *tree)
{
	auto_free char *key = memo_key(github, "tree", id, sha);
	int r = key ? tree_known(github, key, tree) : -ENOMEM;

	if (r != -ENOENT)
		return r;
	r = tree_ask(github, id, sha, deadline_ns, tree);
	if (r == 0)
		tree_put(github, key, tree);
	return r;
}

int github_open(struct github *github, const struct repo_name *name, bool ask,
		uint64_t deadline_ns, struct repo **out, int64_t *until_wall_s)
{
	auto_fields struct repo tree;
	char sha[GITHUB_SHA_BYTES];
	int r;

	repo_init(&tree, NULL);
	r = commit_of(github, name, ask, deadline_ns, sha, until_wall_s);
	if (r == 0)
		r = tree_of(github, name->id, sha, deadline_ns, &tree);
	if (r == 0)
		r = github_repo_new(github, name->id, sha, &tree, out);
	return result_of(r);
}

/* ---- life ---- */

int github_init(struct github *github, const struct provider_env *env)
{
	const char *token = getenv("GITHUB_TOKEN");
	int r;

	*github = (struct github){ .env = env };
	r = origin_url(env, "pytorch", API "/repos", &github->api);
	if (r == 0)
		r = url_origin(API, &github->auth.origin);
	if (r == 0 && token)
		r = auth_token_take(&github->auth, token);
	return r < 0 ? r : auth_who(&github->auth, github->who);
}

void github_release(struct github *github)
{
	auth_release(&github->auth);
	free(github->api);
}
