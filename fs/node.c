/* SPDX-License-Identifier: MIT */
#include "fs/node.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "fs/view.h"

/* The kernel's own number for the root of a mount. */
#define ROOT_ID 1

/* More names than one session looks up in a hub's directory by hand. */
#define KNOWN_NAMES_MAX 4096

struct known_name {
	struct node *node; /* one reference */
	uint64_t expires_ns;
};

/* References to drop once tree->lock is no longer held. */
struct garbage {
	struct node *node;
	struct listing *listing;
	struct map known;
};

int tree_init(struct tree *tree)
{
	struct node_spec spec = { .kind = NODE_ROOT };

	lock_init(&tree->lock);
	map_init(&tree->by_identity);
	map_init(&tree->by_id);
	tree->node_count = 0;
	return node_get(tree, "/", &spec, &tree->root);
}

static void known_drop_all(struct map *known)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(known, &at))) {
		struct known_name *name = slot->value;

		node_unref(name->node);
		free(name);
	}
	map_release(known);
	map_init(known);
}

static void node_free(struct node *node)
{
	listing_unref(node->listing);
	known_drop_all(&node->known);
	content_unref(node->content);
	view_unref(node->view);
	free(node->identity);
	free(node->path);
	free(node->target);
	free(node->plan);
	free(node);
}

static int node_copy(struct node *node, const char *identity,
		     const struct node_spec *spec)
{
	node->kind = spec->kind;
	node->provider = spec->provider;
	node->view = spec->view ? view_ref(spec->view) : NULL;
	node->content = spec->content ? content_ref(spec->content) : NULL;
	node->file_index = spec->file_index;
	node->size = spec->size;
	node->mtime_s = spec->mtime_s;
	node->identity = mem_strdup(identity);
	node->path = mem_strdup(spec->path ? spec->path : "");
	node->target = spec->target ? mem_strdup(spec->target) : NULL;
	node->plan = spec->plan ? mem_strdup(spec->plan) : NULL;
	map_init(&node->known);
	if (!node->identity || !node->path || (spec->target && !node->target) ||
	    (spec->plan && !node->plan))
		return -ENOMEM;
	return 0;
}

/* Of two identities with one hash, the later takes the next free number. */
static int node_enter_locked(struct tree *tree, struct node *node)
{
	uint64_t id = xxh3_64(node->identity, strlen(node->identity));
	int r;

	lock_assert_held(&tree->lock);
	if (node->kind == NODE_ROOT)
		id = ROOT_ID;
	else if (id <= ROOT_ID)
		id = ROOT_ID + 1;
	do {
		node->id = id++;
		r = map_add_bytes(&tree->by_id, &node->id, sizeof(node->id),
				  node);
	} while (r == -EEXIST);
	if (r < 0)
		return r;
	r = map_add(&tree->by_identity, node->identity, node);
	if (r < 0)
		map_remove_bytes(&tree->by_id, &node->id, sizeof(node->id));
	else
		tree->node_count++;
	return r;
}

int node_get(struct tree *tree, const char *identity,
	     const struct node_spec *spec, struct node **out)
{
	struct node *fresh = mem_zalloc(sizeof(*fresh));
	struct node *node;
	int r;

	if (!fresh)
		return -ENOMEM;
	fresh->tree = tree;
	r = node_copy(fresh, identity, spec);
	if (r < 0)
		goto free_fresh;
	lock_take(&tree->lock);
	node = map_get(&tree->by_identity, identity);
	if (!node) {
		r = node_enter_locked(tree, fresh);
		if (r == 0)
			node = take_ptr(fresh);
	}
	if (r == 0)
		node->refs++;
	lock_drop(&tree->lock);
	if (r == 0)
		*out = node;
free_fresh:
	if (fresh)
		node_free(fresh);
	return r;
}

struct node *node_by_id(struct tree *tree, uint64_t id)
{
	struct node *node;

	lock_take(&tree->lock);
	node = map_get_bytes(&tree->by_id, &id, sizeof(id));
	if (node)
		node->refs++;
	lock_drop(&tree->lock);
	return node;
}

int tree_opened(struct tree *tree, struct node ***out, size_t *count)
{
	const struct map_slot *slot;
	size_t at = 0;

	*count = 0;
	lock_take(&tree->lock);
	*out = mem_array(tree->by_id.count + 1, sizeof(struct node *));
	while (*out && (slot = map_next(&tree->by_id, &at))) {
		struct node *node = slot->value;

		if (!node->content)
			continue;
		node->refs++;
		(*out)[(*count)++] = node;
	}
	lock_drop(&tree->lock);
	return *out ? 0 : -ENOMEM;
}

struct node *node_ref(struct node *node)
{
	lock_take(&node->tree->lock);
	node->refs++;
	lock_drop(&node->tree->lock);
	return node;
}

/* What the last @count references held is left in @garbage. */
static void node_drop_locked(struct node *node, uint64_t count,
			     struct garbage *garbage)
{
	struct tree *tree = node->tree;

	lock_assert_held(&tree->lock);
	assert(count <= node->refs);
	node->refs -= count;
	if (node->refs == 0) {
		map_remove_bytes(&tree->by_id, &node->id, sizeof(node->id));
		map_remove(&tree->by_identity, node->identity);
		tree->node_count--;
		garbage->node = node;
	}
}

void node_unref(struct node *node)
{
	struct garbage garbage = { 0 };

	if (!node)
		return;
	lock_take(&node->tree->lock);
	node_drop_locked(node, 1, &garbage);
	lock_drop(&node->tree->lock);
	if (garbage.node)
		node_free(garbage.node);
}

void node_looked_up(struct node *node)
{
	lock_take(&node->tree->lock);
	node->refs++;
	node->lookups++;
	lock_drop(&node->tree->lock);
}

/* A directory that the kernel forgot need not remember its children. */
static void node_strip_locked(struct node *node, struct garbage *garbage)
{
	garbage->listing = take_ptr(node->listing);
	garbage->known = node->known;
	map_init(&node->known);
}

void node_forget(struct tree *tree, uint64_t id, uint64_t count)
{
	struct garbage garbage = { 0 };
	struct node *node;

	map_init(&garbage.known);
	lock_take(&tree->lock);
	node = map_get_bytes(&tree->by_id, &id, sizeof(id));
	if (node && count <= node->lookups) {
		node->lookups -= count;
		if (node->lookups == 0 && node->kind != NODE_ROOT)
			node_strip_locked(node, &garbage);
		node_drop_locked(node, count, &garbage);
	}
	lock_drop(&tree->lock);
	listing_unref(garbage.listing);
	known_drop_all(&garbage.known);
	if (garbage.node)
		node_free(garbage.node);
}

void node_expire(struct node *node)
{
	struct garbage garbage = { 0 };

	lock_take(&node->tree->lock);
	node_strip_locked(node, &garbage);
	node->expiries++;
	lock_drop(&node->tree->lock);
	listing_unref(garbage.listing);
	known_drop_all(&garbage.known);
}

void tree_release(struct tree *tree)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&tree->by_id, &at)))
		node_ref(slot->value);
	for (at = 0; (slot = map_next(&tree->by_id, &at));)
		node_expire(slot->value);
	for (at = 0; (slot = map_next(&tree->by_id, &at));)
		node_free(slot->value);
	map_release(&tree->by_id);
	map_release(&tree->by_identity);
	lock_release(&tree->lock);
}

bool node_is_dir(const struct node *node)
{
	return node_file_type(node->kind) == S_IFDIR;
}

bool node_is_fixed(const struct node *node)
{
	return node->kind == NODE_REPO_DIR || node->kind == NODE_VIEW_DIR ||
	       node->kind == NODE_FILE;
}

unsigned int node_file_type(enum node_kind kind)
{
	switch (kind) {
	case NODE_CONTROL_FILE:
	case NODE_FILE:
		return S_IFREG;
	case NODE_LINK:
		return S_IFLNK;
	default:
		return S_IFDIR;
	}
}

struct content *node_content(struct node *node)
{
	struct content *content = NULL;

	lock_take(&node->tree->lock);
	if (node->content)
		content = content_ref(node->content);
	lock_drop(&node->tree->lock);
	return content;
}

void node_set_content(struct node *node, struct content *content)
{
	lock_take(&node->tree->lock);
	if (!node->content)
		node->content = content_ref(content);
	lock_drop(&node->tree->lock);
}

struct listing *node_listing(struct node *node)
{
	struct listing *listing = NULL;
	uint64_t now_ns = clock_now_ns();

	lock_take(&node->tree->lock);
	if (node->listing && now_ns < node->listing->expires_ns)
		listing = listing_ref(node->listing);
	lock_drop(&node->tree->lock);
	return listing;
}

bool node_set_listing(struct node *node, struct listing *listing,
		      uint64_t expiries)
{
	struct listing *old = NULL;
	bool keep;

	lock_take(&node->tree->lock);
	keep = node->expiries == expiries;
	if (keep) {
		old = node->listing;
		node->listing = listing_ref(listing);
	}
	lock_drop(&node->tree->lock);
	listing_unref(old);
	return keep;
}

uint64_t node_expiries(struct node *node)
{
	uint64_t expiries;

	lock_take(&node->tree->lock);
	expiries = node->expiries;
	lock_drop(&node->tree->lock);
	return expiries;
}

struct node *node_known(struct node *dir, const char *name)
{
	struct known_name *known;
	struct node *child = NULL;
	uint64_t now_ns = clock_now_ns();

	lock_take(&dir->tree->lock);
	known = map_get(&dir->known, name);
	if (known && now_ns < known->expires_ns) {
		child = known->node;
		child->refs++;
	}
	lock_drop(&dir->tree->lock);
	return child;
}

void node_set_known(struct node *dir, const char *name, struct node *child,
		    uint64_t expires_ns)
{
	struct known_name *known = mem_zalloc(sizeof(*known));
	struct known_name *old = NULL;

	if (!known)
		return;
	known->node = node_ref(child);
	known->expires_ns = expires_ns;
	lock_take(&dir->tree->lock);
	old = map_remove(&dir->known, name);
	if (dir->known.count < KNOWN_NAMES_MAX &&
	    map_add(&dir->known, name, known) == 0)
		known = NULL;
	lock_drop(&dir->tree->lock);
	if (old)
		node_unref(old->node);
	free(old);
	if (known)
		node_unref(known->node);
	free(known);
}
