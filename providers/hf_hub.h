/* SPDX-License-Identifier: MIT */
/*
 * providers/hf_hub.h - the Hugging Face hub, as its own files see it.
 *
 * What is asked, remembered and believed:
 *
 *	hf_client.c	one request; one fact of the memo
 *	hf_resolve.c	a name and revision -> a repository
 *	hf_list.c	directories; which models were used here
 *	hf_repo.c	a repository's sources
 *	hub_huggingface.c	the provider made of these
 *
 * Keys of the memo are "hf/<kind>/<who>/<endpoint>/<name>", <who> being
 * "anon" or the credential.  What only a token may see is kept under the
 * credential; what anyone may see under "anon", where all look too, but
 * for what is missing or may be incomplete (missing, list).
 *
 *	rev	id@revision -> a repository without files (repo_memo.h)
 *	tree	id@commit   -> a repository with files (repo_memo.h)
 *	missing	id@revision -> u32 errno
 *	list	an author, or "" for the top -> ids, a line each
 *	used	""          -> ids, a line each
 */
#ifndef PROVIDERS_HF_HUB_H
#define PROVIDERS_HF_HUB_H

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
#include "providers/hub_listing.h"
#include "providers/provider.h"
#include "providers/repo_cache.h"
#include "providers/repo_name.h"

struct hf_hub {
	struct provider provider;
	struct provider_env env;
	char *endpoint;	  /* fixed; owned; no "/" at the end */
	struct auth auth; /* fixed; owned */
	char credential[AUTH_WHO_BYTES];
	char *cache_root;	  /* fixed; owned; hf_cache_root(), or NULL */
	bool offline;		  /* fixed */
	struct repo_cache *repos; /* owned */
	_Atomic uint64_t down_until_ns;	  /* nothing is asked in vain before */
	_Atomic int64_t refreshed_wall_s; /* see hf_recent() */

	struct lock lock; /* a leaf: nothing is called under it */
	struct map used;  /* lock; ids, each its own value, owned */
	bool used_loaded; /* lock */
};

/* Whether something is known, and since when. */
struct hf_fact {
	bool has;
	int64_t stored_wall_s;
};

/* ---- hf_client.c ---- */

/*
 * Gets @url's JSON into @body.  Offline -ENETUNREACH; else -ENOENT and
 * -EACCES by what the hub says (hf_errno()), or the transport's errno.
 */
int hf_get(struct hf_hub *hub, const char *url, uint64_t deadline_ns,
	   struct str *body, struct fetch_reply *reply) MUST_CHECK;

/*
 * Walks the pages that begin at @url: @page is given each, at most
 * @pages_max of them; the rest is left unless @whole, which makes it
 * -EFBIG.  -EIO: a next page elsewhere, or one seen before.
 */
int hf_get_pages(struct hf_hub *hub, const char *url, size_t pages_max,
		 bool whole, uint64_t deadline_ns,
		 int (*page)(void *arg, const void *bytes, size_t len),
		 void *arg) MUST_CHECK;

/* True: @r says nothing of the model, so an old answer may serve. */
bool hf_unreachable(int r);

/* The contract's errno: what made no sense is -EIO. */
int hf_result(int r);

/* True: it is of no use to ask again just now. */
bool hf_down(struct hf_hub *hub);

/* Sooner than @deadline_ns: there is an old answer to fall back on. */
uint64_t hf_refresh_deadline(uint64_t deadline_ns);

/*
 * Appends what is known under the credential; hf_memo_get_any() else what
 * anyone may know: what is there, never what is not.  -ENOENT.
 */
int hf_memo_get(struct hf_hub *hub, const char *kind, const char *name,
		struct str *value, struct hf_fact *fact) MUST_CHECK;
int hf_memo_get_any(struct hf_hub *hub, const char *kind, const char *name,
		    struct str *value, struct hf_fact *fact) MUST_CHECK;

/* @private: under the credential, else under "anon". */
void hf_memo_put(struct hf_hub *hub, const char *kind, const char *name,
		 bool private, const void *value, size_t len);
bool hf_fresh(const struct hf_fact *fact, unsigned int ttl_s);

/* For what is missing and for lists: and since the last refresh of any. */
bool hf_recent(struct hf_hub *hub, const struct hf_fact *fact,
	       unsigned int ttl_s);

/* ---- hf_resolve.c: the opener of hub->repos; see repo_cache.h ---- */

int hf_open(void *hub, const char *path, bool ask, uint64_t deadline_ns,
	    struct repo **out, int64_t *until_wall_s);

/* ---- hf_repo.c ---- */

/*
 * A repository with the fields of @info (copied) and the files of @tree
 * (moved), both of repo_init(); on failure @tree may be empty.
 */
int hf_repo_new(struct hf_hub *hub, const struct repo *info, struct repo *tree,
		struct repo **out) MUST_CHECK;

/* ---- hf_list.c ---- */

/* Adds the models of @org; true in *@any if there are. */
int hf_list_org(struct hf_hub *hub, const char *org, uint64_t deadline_ns,
		struct hub_listing *out, bool *any) MUST_CHECK;

/* Adds the aliases, and the organisations used here and most downloaded. */
int hf_list_root(struct hf_hub *hub, uint64_t deadline_ns,
		 struct hub_listing *out) MUST_CHECK;

/* Models of @org were used here. */
bool hf_used_org(struct hf_hub *hub, const char *org);
void hf_used_add(struct hf_hub *hub, const char *id);

#endif
