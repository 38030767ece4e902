/* SPDX-License-Identifier: MIT */
/*
 * providers/provider.h - what a hub has and where its bytes are.
 *
 * A hub is a tree of directories, links and repositories.  A repository is
 * an immutable set of files: a model at one commit.  To add a hub, fill in
 * struct provider_ops in one file and name it in registry.c.
 *
 * Every call may wait for the network, at most until its deadline, and is
 * made from a lane with no lock held.  All are safe from any thread.  With
 * the deadline DEADLINE_NOW none waits: what only the network can tell is
 * -EINPROGRESS.
 *
 * Errors: -ENOENT (no such model, also where the hub hides it), -EACCES
 * (gated or refused), -ETIMEDOUT (the deadline), -EIO (the hub's answers
 * made no sense, or it failed to the end), -ENETUNREACH (offline, and not
 * known here).
 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/memo.h"
#include "base/source.h"

enum hub_entry_kind {
	HUB_DIR,  /* list() it */
	HUB_REPO, /* open() it; list() it too: it may have variants */
	HUB_LINK  /* a symlink to @target, relative to its directory */
};

struct hub_entry {
	char *name; /* owned; a safe file name; NULL from lookup() */
	enum hub_entry_kind kind;
	char *target; /* owned; NULL unless HUB_LINK */
};

struct hub_listing {
	struct hub_entry *entries; /* owned; sorted by name, unique */
	size_t count;
};

void hub_entry_release(struct hub_entry *entry);
void hub_listing_release(struct hub_listing *listing);
DEFINE_AUTO(hub_entry, struct hub_entry, hub_entry_release)
#define auto_hub_entry auto_of(hub_entry)
DEFINE_AUTO(hub_listing, struct hub_listing, hub_listing_release)
#define auto_hub_listing auto_of(hub_listing)

/* A file of a repository. */
struct repo_file {
	char *path; /* "sub/dir/name"; safe components, unique */
	uint64_t size;
	struct digest digest; /* kind NONE where the hub gives none */
};

struct repo;

struct repo_ops {
	/* A source of file @index; one reference.  Never blocks. */
	int (*source)(struct repo *repo, size_t index, struct source **out);

	/* The last reference is gone. */
	void (*free)(struct repo *repo);
};

/* Immutable; reference counted; safe from any thread. */
struct repo {
	const struct repo_ops *ops;
	atomic_uint refs;
	char *id; /* the hub's own name: "google-bert/bert-base-uncased" */
	char *revision;		 /* what pins it: a commit; never a branch */
	char *url;		 /* for people: the model's page */
	char *licence;		 /* or NULL */
	char *pipeline_tag;	 /* the hub's word for the task, or NULL */
	int64_t modified_wall_s; /* 0: unknown */
	bool gated;		 /* contents may be refused */
	struct repo_file *files; /* sorted by path (strcmp) */
	size_t file_count;

	/*
	 * How it is staged; static: "huggingface", "onnx-zoo", "saved-model",
	 * "torchvision", "timm", "torchserve", "torch-hub", "keras".
	 */
	const char *kind;

	/* Where its files are shown: "repo", or "": beside the views; static */
	const char *files_dir;

	/*
	 * A JSON object of what the hub's catalogue knows (architecture,
	 * preprocessing, labels, inputs, outputs, digests, urls), or NULL.
	 * No member has the name of a field above: info.json has both.
	 * The provider fills it in at each opening; no memo keeps it.
	 */
	char *facts;
};

/*
 * One reference; kind "huggingface", files_dir "repo"; every other string
 * NULL, no files.  For providers.
 */
void repo_init(struct repo *repo, const struct repo_ops *ops);

/* Frees the fields; for repo_ops.free. */
void repo_fini(struct repo *repo);

struct repo *repo_ref(struct repo *repo);
void repo_unref(struct repo *repo);
DEFINE_AUTO_PTR(repo, struct repo, repo_unref)
#define auto_repo auto_of(repo)

/* The file at @path, or NULL; *@index (may be NULL) its place. */
const struct repo_file *repo_find(const struct repo *repo, const char *path,
				  size_t *index);
int repo_source(struct repo *repo, size_t index,
		struct source **out) MUST_CHECK;

struct provider;

struct provider_ops {
	/*
	 * Lists directory @path below the hub's own ("" or "org") into the
	 * empty @out: what is known without a request an entry.
	 *
	 * Of a HUB_REPO's path: its variants, each a HUB_REPO (or HUB_DIR,
	 * HUB_LINK) shown as a directory beside the repository's own files
	 * and views, which win where a name is both.  Most have none: -ENOENT,
	 * told without a request.
	 */
	int (*list)(struct provider *provider, const char *path,
		    uint64_t deadline_ns, struct hub_listing *out);

	/*
	 * What @path ("org", "org/model@rev") is, also where no list() has
	 * it.  @out is zeroed before.  -ENOENT: nothing.
	 */
	int (*lookup)(struct provider *provider, const char *path,
		      uint64_t deadline_ns, struct hub_entry *out);

	/*
	 * The repository at @path, pinned.  A moving revision is asked for
	 * at most once per its time to live, and an old answer serves when
	 * the hub cannot be reached.  One reference.
	 */
	int (*open)(struct provider *provider, const char *path,
		    uint64_t deadline_ns, struct repo **out);

	/*
	 * Forgets what is remembered of @path and may have moved: the next
	 * open() asks.  May be NULL.
	 */
	void (*refresh)(struct provider *provider, const char *path);

	/* Frees @provider; every repo and source is gone. */
	void (*free)(struct provider *provider);
};

struct provider {
	const struct provider_ops *ops;
	const char *name;   /* static; the top directory: "huggingface" */
	unsigned int ttl_s; /* how long a moving name may be believed */
};

struct fetcher;
struct fetcher_stats;

/* What every provider is made with; borrowed, outlives it. */
struct provider_env {
	struct fetcher *fetcher; /* NULL: no network at all */
	struct memo *memo;	 /* may be NULL */
	bool offline;		 /* answer from the memo only */
	bool unverified; /* --verify off: catalogues' digests may be wrong */
	bool quiet;	 /* what is opened is not remembered as used here */

	/* NULL, or the value of --endpoint NAME for @name; borrowed. */
	const char *(*endpoint)(void *arg, const char *name);
	void *endpoint_arg;
};

/* The hubs there are: names for the mount's top directory. */
size_t provider_count(void);
const char *provider_name(size_t index);

/*
 * Makes the hub @index.  Which implementation serves it (network, or a
 * local folder where the endpoint is one) is decided here.  The caller
 * frees it through provider_free().
 */
int provider_new(size_t index, const struct provider_env *env,
		 struct provider **out) MUST_CHECK;
void provider_free(struct provider *provider);

/* @deadline_s: of one range, retries and all.  0 or -errno. */
int fetcher_new(unsigned int deadline_s, struct fetcher **out) MUST_CHECK;

/*
 * Every transfer ends with -ESHUTDOWN, now and from now on; no sink is
 * called after it returned.  Sources may still be freed.
 */
void fetcher_stop(struct fetcher *fetcher);

/* Stops it and frees it; every source is gone. */
void fetcher_free(struct fetcher *fetcher);

struct fetcher_stats {
	uint64_t requests; /* HTTP requests sent, redirects too */
	uint64_t bytes;	   /* of bodies received */
	uint64_t useful;   /* of these, what was asked for */
	uint64_t retries;
	uint64_t rejects; /* answers refused as untrue */
	uint64_t active;  /* transfers now */
	uint64_t queued;
};
void fetcher_stats(struct fetcher *fetcher, struct fetcher_stats *out);

#endif
