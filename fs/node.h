/* SPDX-License-Identifier: MIT */
/*
 * fs/node.h - what the kernel knows as inodes.
 *
 * A node stands for one immutable thing (a file or directory of one
 * commit) or for a moving name (a model's directory), and is known by its
 * identity, a text.  Its id is a hash of that, so it is the same in every
 * mount.  The kernel's lookup count is a number of references.
 *
 *	identity				kind
 *	"/"					NODE_ROOT
 *	"/.omnihub", "/.omnihub/metrics"	NODE_CONTROL, NODE_CONTROL_FILE
 *	"huggingface:" "huggingface:google-bert"	NODE_HUB
 *	"huggingface:google-bert/bert-base-uncased"	NODE_MODEL (moving)
 *	"huggingface:<id>@<commit>/repo/..."	NODE_REPO_DIR, NODE_FILE
 *	"huggingface:<id>@<commit>/view/..."	NODE_VIEW_DIR, NODE_FILE
 *
 * Locks: tree->lock guards references, lookups, listings and the table.
 * It is a leaf but for the allocator: nothing else is taken under it.
 */
#ifndef FS_NODE_H
#define FS_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/content.h"
#include "base/lock.h"
#include "base/map.h"

struct provider;
struct view;
struct node;

enum node_kind {
	NODE_ROOT,
	NODE_CONTROL,
	NODE_CONTROL_FILE,
	NODE_HUB,
	NODE_MODEL,
	NODE_REPO_DIR,
	NODE_VIEW_DIR,
	NODE_FILE,
	NODE_LINK
};

struct dir_entry {
	char *name;	   /* owned */
	struct node *node; /* one reference; NULL: not looked up yet */
	enum node_kind kind;
};

/* A directory's entries at one time; reference counted, immutable. */
struct listing {
	atomic_uint refs;
	struct dir_entry *entries; /* sorted by name (strcmp) */
	size_t count;
	size_t cap;
	uint64_t expires_ns; /* CLOCK_NEVER: never */

	/*
	 * 0, or why not all is listed that may be there (a job goes on, the
	 * hub cannot be reached): the errno of what is missing.
	 */
	int incomplete;

	/* What is listed is so for now only. */
	bool passing;
};

/* What a node is made of; see node_get(). */
struct node_spec {
	enum node_kind kind;
	struct provider *provider; /* HUB, MODEL; borrowed for ever */
	struct view *view;	   /* REPO_DIR, VIEW_DIR, FILE */
	const char *path;	   /* in the hub, repository or views */
	size_t file_index;	   /* FILE of repo/ */
	struct content *content;   /* FILE, where known already */
	const char *target;	   /* LINK */
	const char *plan;	   /* FILE: digest of its plan */
	uint64_t size;
	int64_t mtime_s;
};

struct node {
	struct tree *tree;
	uint64_t id;	/* FUSE node id and st_ino; fixed, as all above .refs */
	char *identity; /* owned */
	enum node_kind kind;
	struct provider *provider;
	struct view *view; /* one reference */
	char *path;	   /* owned */
	size_t file_index;
	char *target; /* owned */
	char *plan;   /* owned */
	uint64_t size;
	int64_t mtime_s;

	uint64_t refs;		 /* tree->lock: lookups, listings, requests */
	uint64_t lookups;	 /* tree->lock: those the kernel holds */
	struct content *content; /* tree->lock: NULL until first opened */
	struct listing *listing; /* tree->lock: NULL until listed */
	uint64_t expiries;	 /* tree->lock: how often node_expire() was */
	struct map known; /* tree->lock: HUB: name -> struct known_name * */
};

struct tree {
	struct lock lock;
	struct map by_identity; /* lock */
	struct map by_id;	/* lock */
	struct node *root;	/* fixed */
	uint64_t node_count;	/* lock */
};

int tree_init(struct tree *tree) MUST_CHECK;

/* Unmounted: every node goes, whatever its references. */
void tree_release(struct tree *tree);

/*
 * The node of @identity, made of @spec (whose fields it copies or refers
 * to) if there is none.  One reference.
 */
int node_get(struct tree *tree, const char *identity,
	     const struct node_spec *spec, struct node **out) MUST_CHECK;

/* The node the kernel calls @id, or NULL.  One reference. */
struct node *node_by_id(struct tree *tree, uint64_t id);
struct node *node_ref(struct node *node);
void node_unref(struct node *node);
DEFINE_AUTO_PTR(node, struct node, node_unref)
#define auto_node auto_of(node)

/* An answer gave the kernel one more, or it gave @count back. */
void node_looked_up(struct node *node);
void node_forget(struct tree *tree, uint64_t id, uint64_t count);

/* Every node with content, a reference each; the caller frees *@out. */
int tree_opened(struct tree *tree, struct node ***out,
		size_t *count) MUST_CHECK;

bool node_is_dir(const struct node *node);

/* Pinned by a commit: what it holds and is called can never change. */
bool node_is_fixed(const struct node *node);

/* S_IFDIR and so on. */
unsigned int node_file_type(enum node_kind kind);

/* The content, one reference; or NULL if it was never opened. */
struct content *node_content(struct node *node);

/* Keeps @content (takes a reference) unless another came first. */
void node_set_content(struct node *node, struct content *content);

/* The listing, one reference; NULL if there is none or it is too old. */
struct listing *node_listing(struct node *node);

/*
 * Keeps @listing (takes a reference) in place of the one before, unless the
 * node was expired since node_expiries() gave @expiries: what was begun
 * before then may be of before, and is its asker's only.  True: kept.
 */
bool node_set_listing(struct node *node, struct listing *listing,
		      uint64_t expiries);
uint64_t node_expiries(struct node *node);

/* Forgets listing and known names: the next look asks anew. */
void node_expire(struct node *node);

/* Names found by lookup that no listing has; until @expires_ns. */
struct node *node_known(struct node *dir, const char *name);
void node_set_known(struct node *dir, const char *name, struct node *child,
		    uint64_t expires_ns);

int listing_new(uint64_t expires_ns, struct listing **out) MUST_CHECK;
struct listing *listing_ref(struct listing *listing);
void listing_unref(struct listing *listing);
DEFINE_AUTO_PTR(listing, struct listing, listing_unref)
#define auto_listing auto_of(listing)

/* Takes @node's reference (NULL: of @kind, not looked up), also on failure. */
int listing_add(struct listing *listing, const char *name, struct node *node,
		enum node_kind kind) MUST_CHECK;

/* To be asked for again soon. */
bool listing_is_momentary(const struct listing *listing);

/* After the last listing_add(): sorts; of equal names the first stays. */
void listing_sort(struct listing *listing);
const struct dir_entry *listing_find(const struct listing *listing,
				     const char *name);

#endif
