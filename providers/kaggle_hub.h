/* SPDX-License-Identifier: MIT */
/*
 * providers/kaggle_hub.h - TensorFlow's models on Kaggle, as the hub's own
 * files see them.
 *
 *	kaggle_client.c	one request; one fact of the memo
 *	kaggle_model.c	which variations there are, and of what framework
 *	kaggle_list.c	what a directory has by the API
 *	kaggle_open.c	a path -> a repository
 *	kaggle_repo.c	its sources
 *	kaggle_known.c	what the table has and what was used here
 *	hub_tensorflow.c	the provider made of these
 *
 * Keys of the memo are "kaggle/1/<kind>/<who>/<api>/<name>", <who> being
 * "anon" or the credential: what was asked with one is kept under it, and
 * read again with it only; what anyone may know is read by all.
 *
 *	models	an owner -> models, a line each
 *	model	o/m, or o/m/fw/v -> its variations (kaggle_parse.h)
 *	plain	o/m/v -> the framework that the variation has by that name
 *	files	a handle -> a repository with files (repo_memo.h)
 *	probe	"<handle> <size> <file>" -> "files", or "bundle": how it
 *		can be had
 *	bundle	a handle -> "<size> <digest or empty>"
 *	tfhub	an address of old -> a handle
 *	used	"" -> "<path> <target of a link or empty>", a line each
 *
 * "!ENOENT" or "!EACCES" in place of any: it is not to be had.
 */
#ifndef PROVIDERS_KAGGLE_HUB_H
#define PROVIDERS_KAGGLE_HUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/str.h"
#include "providers/auth.h"
#include "providers/fetch.h"
#include "providers/kaggle_parse.h"
#include "providers/provider.h"
#include "providers/repo_cache.h"

#define KAGGLE_PAGES "https://www.kaggle.com/models/"
#define KAGGLE_OLD "tfhub.dev" /* the folder of addresses of old */
#define KAGGLE_BUNDLE "bundle.tar.gz"

struct kaggle_hub {
	struct provider provider;
	struct provider_env env;
	char *api;	  /* fixed; owned; ".../api/v1", no "/" at the end */
	struct auth auth; /* fixed; owned */
	char credential[AUTH_WHO_BYTES];
	bool offline;		   /* fixed */
	struct kaggle_name *table; /* fixed; owned; whole handles */
	size_t table_count;
	struct repo_cache *repos;	  /* owned */
	_Atomic uint64_t down_until_ns;	  /* nothing is asked in vain before */
	_Atomic int64_t refreshed_wall_s; /* what may move and is older: ask */

	struct lock lock; /* a leaf: nothing is called under it */
	struct map used;  /* lock; path -> target or "", owned */
	bool used_loaded; /* lock */
	struct map told;  /* lock; pages of which the log told already */
};

/* ---- kaggle_client.c ---- */

/*
 * Gets @path below the API, as JSON.  Offline -ENETUNREACH, with
 * DEADLINE_NOW -EINPROGRESS; else the transport's errno.
 */
int kaggle_get(struct kaggle_hub *hub, const char *path, uint64_t deadline_ns,
	       struct str *body) MUST_CHECK;

/* Whether the network may be asked: 0, or one of these two. */
int kaggle_may_ask(const struct kaggle_hub *hub,
		   uint64_t deadline_ns) MUST_CHECK;

#define KAGGLE_FOR_EVER UINT32_MAX

/* What is worth remembering. */
struct kaggle_question {
	const char *kind;
	const char *name;
	unsigned int ttl_s; /* or KAGGLE_FOR_EVER */

	/* Appends the answer, in the form that is kept. */
	int (*ask)(struct kaggle_hub *hub, const char *name,
		   uint64_t deadline_ns, struct str *answer);
};

/*
 * The answer, into the empty @answer: from the memo while it is to be
 * believed, else asked for; an old one where the hub cannot be reached.
 * Errors are those of provider.h.
 */
int kaggle_know(struct kaggle_hub *hub, const struct kaggle_question *question,
		uint64_t deadline_ns, struct str *answer) MUST_CHECK;

/* Only what is remembered, however old.  -ENOENT, -ENOMEM. */
int kaggle_recall(struct kaggle_hub *hub, const char *kind, const char *name,
		  struct str *answer) MUST_CHECK;
void kaggle_remember(struct kaggle_hub *hub, const char *kind, const char *name,
		     const void *bytes, size_t len);

/* Says once what to do where @r is -EACCES; @handle as in a page's URL. */
void kaggle_tell(struct kaggle_hub *hub, const char *handle, int r);

/* ---- kaggle_model.c ---- */

/* Those of model "o/m", or the one "o/m/fw/v".  Released by the caller. */
int kaggle_instances_get(struct kaggle_hub *hub, const char *name,
			 uint64_t deadline_ns,
			 struct kaggle_instances *out) MUST_CHECK;

/*
 * The framework of @name's variation where the path names none: that of
 * the table, else the one it had when it was first used here, else
 * tensorFlow2 before tensorFlow1.  Static.  @ask false: -ENOENT where that
 * takes a request.
 */
int kaggle_plain_framework(struct kaggle_hub *hub,
			   const struct kaggle_name *name, bool ask,
			   uint64_t deadline_ns, const char **out) MUST_CHECK;

/* "v", or "v@fw" where "v" alone is, or may be, of another framework. */
char *kaggle_variation_text(struct kaggle_hub *hub,
			    const struct kaggle_name *name) MUST_CHECK;

/* "o/m/fw/v[/n]".  NULL: no memory. */
char *kaggle_handle_text(const struct kaggle_name *name) MUST_CHECK;

/* Fills in .facts and .licence of @repo, without a request. */
int kaggle_facts(struct kaggle_hub *hub, const struct kaggle_name *name,
		 struct repo *repo) MUST_CHECK;

/* ---- kaggle_list.c ---- */

/* Appends the publisher's models, a line each. */
int kaggle_models_get(struct kaggle_hub *hub, const char *owner,
		      uint64_t deadline_ns, struct str *lines) MUST_CHECK;

/* The variations of @name's model. */
int kaggle_model_get(struct kaggle_hub *hub, const struct kaggle_name *name,
		     uint64_t deadline_ns,
		     struct kaggle_instances *out) MUST_CHECK;

/* Of a variation among @all; see kaggle_plain_framework(). */
bool kaggle_is_plain(struct kaggle_hub *hub, const struct kaggle_name *name,
		     const struct kaggle_instances *all);

/* *@out: the number of the newest version, as a text; caller frees. */
int kaggle_latest_get(struct kaggle_hub *hub, const struct kaggle_name *path,
		      uint64_t deadline_ns, char **out) MUST_CHECK;

/* Adds what is below @name, which is no version. */
int kaggle_list_asked(struct kaggle_hub *hub, const struct kaggle_name *name,
		      uint64_t deadline_ns, struct hub_listing *out) MUST_CHECK;

/* ---- kaggle_open.c: the opener of hub->repos; see repo_cache.h ---- */

int kaggle_open(void *hub, const char *path, bool ask, uint64_t deadline_ns,
		struct repo **out, int64_t *until_wall_s);

/* ---- kaggle_repo.c ---- */

/*
 * Version @name with the files of @tree (moved; of repo_init()).  @bundle:
 * its one file is KAGGLE_BUNDLE, which is file @bundle, "": the hub's own.
 */
int kaggle_repo_new(struct kaggle_hub *hub, const struct kaggle_name *name,
		    struct repo *tree, const char *bundle, bool gated,
		    struct repo **out) MUST_CHECK;

/* ---- kaggle_known.c ---- */

/* -ENOENT: the catalogue is not installed. */
int kaggle_table_load(struct kaggle_hub *hub) MUST_CHECK;
void kaggle_known_release(struct kaggle_hub *hub);

/* Adds what is known below @path ("": the top); true in *@any if there is. */
int kaggle_known_list(struct kaggle_hub *hub, const char *path,
		      struct hub_listing *out, bool *any) MUST_CHECK;

/* True: @path is known; what it is, in the zeroed @out.  -ENOMEM. */
int kaggle_known_lookup(struct kaggle_hub *hub, const char *path,
			struct hub_entry *out, bool *found) MUST_CHECK;

/* @target NULL: a repository. */
void kaggle_used_add(struct kaggle_hub *hub, const char *path,
		     const char *target);

#endif
