/* SPDX-License-Identifier: MIT */
#include "fs/dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fs/control.h"
#include "fs/view.h"

/* What is pinned by a commit never changes: as long as a mount lives. */
#define FIXED_TTL_S 86400.0

/* Names below what moves: as soon as it has moved they lead elsewhere. */
#define MOVING_TTL_S 1.0

/* A hub's directory grows by use; `ls` shows that after so long. */
#define HUB_DIR_TTL_S 30

/* What a hub or a job still has to tell: as often as a person looks. */
#define MOMENT_TTL_S 1

/* "a/b", or "b" where @dir is "". */
static char *path_join(const char *dir, const char *name)
{
	return mem_printf("%s%s%s", dir, *dir ? "/" : "", name);
}

/* Adds the node of @identity and @spec to @listing as @name. */
static int add_node(struct fs *fs, struct listing *listing, const char *name,
		    const char *identity, const struct node_spec *spec)
{
	struct node *node;
	int r;

	if (!identity)
		return -ENOMEM;
	r = node_get(&fs->tree, identity, spec, &node);
	return r < 0 ? r : listing_add(listing, name, node, node->kind);
}

static int list_root(struct fs *fs, struct listing *listing)
{
	struct node_spec control = { .kind = NODE_CONTROL };
	int r = add_node(fs, listing, ".omnihub", "/.omnihub", &control);

	for (size_t i = 0; r == 0 && i < fs->hub_count; i++) {
		struct provider *hub = fs->hubs[i];
		struct node_spec spec = { .kind = NODE_HUB, .provider = hub };
		auto_free char *identity = mem_printf("%s:", hub->name);

		r = add_node(fs, listing, hub->name, identity, &spec);
	}
	return r;
}

static int list_control(struct fs *fs, struct listing *listing)
{
	const char *name;
	int r = 0;

	for (size_t i = 0; r == 0 && (name = control_name(i)); i++) {
		struct node_spec spec = { .kind = NODE_CONTROL_FILE,
					  .path = name,
					  .mtime_s = fs->started_wall_s };
		auto_free char *identity = mem_printf("/.omnihub/%s", name);

		r = add_node(fs, listing, name, identity, &spec);
	}
	return r;
}

/* The node of one entry of a hub's directory @dir. */
static int hub_node(struct fs *fs, const struct node *dir, const char *name,
		    const struct hub_entry *entry, struct node **out)
{
	static const enum node_kind kinds[] = {
		[HUB_DIR] = NODE_HUB,
		[HUB_REPO] = NODE_MODEL,
		[HUB_LINK] = NODE_LINK,
	};
	auto_free char *path = path_join(dir->path, name);
	auto_free char *identity = NULL;
	struct node_spec spec = { .kind = kinds[entry->kind],
				  .provider = dir->provider,
				  .path = path,
				  .target = entry->target };

	if (!path)
		return -ENOMEM;
	if (entry->target)
		spec.size = strlen(entry->target);
	identity = mem_printf("%s:%s%s%s", dir->provider->name, path,
			      entry->target ? " -> " : "",
			      entry->target ? entry->target : "");
	if (!identity)
		return -ENOMEM;
	return node_get(&fs->tree, identity, &spec, out);
}

static int list_hub(struct fs *fs, const struct node *dir, uint64_t deadline_ns,
		    struct listing *listing)
{
	auto_hub_listing struct hub_listing entries = { 0 };
	struct provider *hub = dir->provider;
	int r = hub->ops->list(hub, dir->path, deadline_ns, &entries);

	for (size_t i = 0; r == 0 && i < entries.count; i++) {
		const struct hub_entry *entry = &entries.entries[i];
		struct node *node;

		r = hub_node(fs, dir, entry->name, entry, &node);
		if (r == 0)
			r = listing_add(listing, entry->name, node, node->kind);
	}
	return r;
}

/*
 * A directory or file of the view @view, named @name in the listing.  @state
 * is "" but for a file that is another while a job goes on.
 */
static int add_in_view(struct fs *fs, struct listing *listing,
		       struct view *view, const char *tree, const char *name,
		       const char *state, struct node_spec *spec)
{
	auto_free char *identity =
		mem_printf("%s:%s@%s/%s/%s%s", view->hub, view->repo->id,
			   view->repo->revision, tree, spec->path, state);

	spec->view = view;
	spec->mtime_s = view->repo->modified_wall_s;
	return add_node(fs, listing, name, identity, spec);
}

/* Something is missing for @why: soon to be asked for again. */
static void listing_incomplete(struct listing *listing, int why)
{
	listing->incomplete = why;
	listing->expires_ns = clock_after_ns(MOMENT_TTL_S * NS_PER_S);
}

/* All is there that is; it may be something else in a moment. */
static void listing_passing(struct listing *listing)
{
	listing->passing = true;
	listing->expires_ns = clock_after_ns(MOMENT_TTL_S * NS_PER_S);
}

/*
 * What makes the identity of a file another one when it shows something
 * else: "#" and what tells it from before.  *@out is freed by the caller.
 */
static int state_of(const struct listing *listing,
		    const struct stage_entry *entry, char **out)
{
	if (entry->mark)
		*out = mem_printf("#%s", entry->mark);
	else if (listing->incomplete && entry->kind == STAGE_FILE)
		*out = mem_printf("#%" PRIu64, clock_now_ns());
	else
		*out = mem_strdup("");
	return *out ? 0 : -ENOMEM;
}

static int add_staged(struct fs *fs, struct listing *listing, struct view *view,
		      const char *dir, const struct stage_entry *entry)
{
	auto_free char *path = path_join(dir, entry->name);
	auto_free char *state = NULL;
	struct node_spec spec = { .kind = NODE_VIEW_DIR, .path = path };

	if (!path || state_of(listing, entry, &state) < 0)
		return -ENOMEM;
	if (entry->kind == STAGE_FILE) {
		spec.kind = NODE_FILE;
		spec.content = entry->content;
		spec.size = entry->content->size;
		spec.plan = entry->plan;
	}
	return add_in_view(fs, listing, view, "view", entry->name, state,
			   &spec);
}

static int list_staged(struct fs *fs, struct view *view, const char *dir,
		       uint64_t deadline_ns, struct listing *listing)
{
	auto_stage_listing struct stage_listing staged = { 0 };
	struct stage_repo repo;
	int r;

	view_stage_repo(view, deadline_ns, &repo);
	r = stage_list(&repo, dir, &staged);
	if (r == 0 && staged.moving)
		listing_incomplete(listing, -ETIMEDOUT);
	else if (r == 0 && staged.passing)
		listing_passing(listing);
	for (size_t i = 0; r == 0 && i < staged.count; i++)
		r = add_staged(fs, listing, view, dir, &staged.entries[i]);
	return r;
}

/* The first file whose path is not before @prefix. */
static size_t first_file(const struct repo *repo, const char *prefix)
{
	size_t low = 0;
	size_t high = repo->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(repo->files[middle].path, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The file or directory that is the component of file @index at @at. */
static int add_component(struct fs *fs, struct listing *listing,
			 struct view *view, size_t index, size_t at)
{
	const struct repo_file *file = &view->repo->files[index];
	size_t len = strcspn(file->path + at, "/");
	auto_free char *path = mem_strndup(file->path, at + len);
	auto_free char *name = mem_strndup(file->path + at, len);
	struct node_spec spec = { .kind = NODE_REPO_DIR, .path = path };

	if (!path || !name)
		return -ENOMEM;
	if (len == 0 || len > NAME_BYTES_MAX)
		return 0; /* cannot be named here */
	if (!file->path[at + len]) {
		spec.kind = NODE_FILE;
		spec.file_index = index;
		spec.size = file->size;
	}
	return add_in_view(fs, listing, view, "repo", name, "", &spec);
}

/* Files are sorted by path, so those of a directory stand together. */
static int list_files(struct fs *fs, struct view *view, const char *dir,
		      struct listing *listing)
{
	const struct repo *repo = view->repo;
	auto_free char *prefix = mem_printf("%s%s", dir, *dir ? "/" : "");
	const char *last = "";
	size_t last_len = 0;
	size_t at;
	int r = 0;

	if (!prefix)
		return -ENOMEM;
	at = strlen(prefix);
	for (size_t i = first_file(repo, prefix);
	     r == 0 && i < repo->file_count; i++) {
		const char *path = repo->files[i].path;
		size_t len;

		if (strncmp(path, prefix, at) != 0)
			break;
		len = strcspn(path + at, "/");
		if (i > 0 && len == last_len && last_len > 0 &&
		    strncmp(path + at, last, len) == 0)
			continue;
		r = add_component(fs, listing, view, i, at);
		last = path + at;
		last_len = len;
	}
	return r;
}

/* The variants of a repository: more repositories, below it. */
static int list_variants(struct fs *fs, const struct node *dir,
			 uint64_t deadline_ns, struct listing *listing)
{
	int r = list_hub(fs, dir, deadline_ns, listing);

	return r == -ENOENT ? 0 : r;
}

/*
 * Of two with one name the first added stays: views, then files, then
 * variants, which are known without the hub.
 */
static int list_model(struct fs *fs, const struct node *dir,
		      uint64_t deadline_ns, struct listing *listing)
{
	struct provider *hub = dir->provider;
	struct node_spec files = { .kind = NODE_REPO_DIR, .path = "" };
	auto_repo struct repo *repo = NULL;
	auto_view struct view *view = NULL;
	int r = hub->ops->open(hub, dir->path, deadline_ns, &repo);

	if (r == -ENETUNREACH) {
		listing_incomplete(listing, r);
		return list_hub(fs, dir, deadline_ns, listing) == 0 ? 0 : r;
	}
	if (r == 0)
		r = view_new(fs, hub->name, repo, &view);
	if (r == 0 && *repo->files_dir)
		r = add_in_view(fs, listing, view, "repo", repo->files_dir, "",
				&files);
	if (r == 0)
		r = list_staged(fs, view, "", deadline_ns, listing);
	if (r == -ENETUNREACH) {
		listing_incomplete(listing, r);
		r = 0;
	}
	if (r == 0 && !*repo->files_dir)
		r = list_files(fs, view, "", listing);
	return r < 0 ? r : list_variants(fs, dir, deadline_ns, listing);
}

static bool is_commit(const char *path)
{
	const char *revision = strrchr(path, '@');

	return revision && strlen(revision + 1) == 40 &&
	       strspn(revision + 1, "0123456789abcdef") == 40;
}

/* When a listing of @dir has to be asked for again. */
static uint64_t listing_expires_ns(const struct node *dir)
{
	if (dir->kind == NODE_HUB)
		return clock_after_ns(HUB_DIR_TTL_S * NS_PER_S);
	if (dir->kind == NODE_MODEL && !is_commit(dir->path))
		return clock_after_ns(dir->provider->ttl_s * NS_PER_S);
	return CLOCK_NEVER;
}

static int list_fill(struct fs *fs, struct node *dir, uint64_t deadline_ns,
		     struct listing *listing)
{
	switch (dir->kind) {
	case NODE_ROOT:
		return list_root(fs, listing);
	case NODE_CONTROL:
		return list_control(fs, listing);
	case NODE_HUB:
		return list_hub(fs, dir, deadline_ns, listing);
	case NODE_MODEL:
		return list_model(fs, dir, deadline_ns, listing);
	case NODE_REPO_DIR:
		return list_files(fs, dir->view, dir->path, listing);
	case NODE_VIEW_DIR:
		return list_staged(fs, dir->view, dir->path, deadline_ns,
				   listing);
	default:
		return -ENOTDIR;
	}
}

int dir_list(struct fs *fs, struct node *dir, uint64_t deadline_ns,
	     struct listing **out)
{
	uint64_t expiries = node_expiries(dir);
	auto_listing struct listing *listing = node_listing(dir);
	int r;

	if (listing) {
		*out = take_ptr(listing);
		return 0;
	}
	r = listing_new(listing_expires_ns(dir), &listing);
	if (r == 0)
		r = list_fill(fs, dir, deadline_ns, listing);
	if (r < 0)
		return r;
	listing_sort(listing);
	if (!node_set_listing(dir, listing, expiries))
		listing_passing(listing);
	*out = take_ptr(listing);
	return 0;
}

double dir_ttl_s(const struct node *dir, const struct listing *listing)
{
	if (listing_is_momentary(listing))
		return MOVING_TTL_S;
	if (dir->kind == NODE_HUB)
		return dir->provider->ttl_s;
	if (dir->kind == NODE_MODEL && !is_commit(dir->path))
		return MOVING_TTL_S;
	return FIXED_TTL_S;
}

static int find_listed(const struct node *dir, const struct listing *listing,
		       const char *name, struct dir_found *out)
{
	const struct dir_entry *entry = listing_find(listing, name);

	out->ttl_s = dir_ttl_s(dir, listing);
	if (!entry || !entry->node)
		return listing->incomplete ? listing->incomplete : -ENOENT;
	out->node = node_ref(entry->node);
	return 0;
}

int dir_lookup_known(struct node *dir, const char *name, struct dir_found *out)
{
	auto_listing struct listing *listing = node_listing(dir);
	int r = listing ? find_listed(dir, listing, name, out) : -EAGAIN;

	if (dir->kind != NODE_HUB || r == 0)
		return r;
	out->node = node_known(dir, name);
	out->ttl_s = dir->provider->ttl_s;
	return out->node ? 0 : -EAGAIN;
}

/* A model of the hub that its listing need not have. */
static int lookup_hub(struct fs *fs, struct node *dir, const char *name,
		      uint64_t deadline_ns, struct dir_found *out)
{
	auto_hub_entry struct hub_entry entry = { 0 };
	auto_free char *path = path_join(dir->path, name);
	struct provider *hub = dir->provider;
	int r;

	if (!path)
		return -ENOMEM;
	r = hub->ops->lookup(hub, path, deadline_ns, &entry);
	if (r == 0)
		r = hub_node(fs, dir, name, &entry, &out->node);
	if (r < 0)
		return r;
	out->ttl_s = hub->ttl_s;
	node_set_known(dir, name, out->node,
		       clock_after_ns(hub->ttl_s * NS_PER_S));
	return 0;
}

int dir_lookup(struct fs *fs, struct node *dir, const char *name,
	       uint64_t deadline_ns, struct dir_found *out)
{
	auto_listing struct listing *listing = NULL;
	int r;

	r = dir_lookup_known(dir, name, out);
	if (r != -EAGAIN)
		return r;
	out->ttl_s = MOVING_TTL_S; /* of what the hub has not, or not now */
	if (dir->kind == NODE_HUB)
		return lookup_hub(fs, dir, name, deadline_ns, out);
	r = dir_list(fs, dir, deadline_ns, &listing);
	return r < 0 ? r : find_listed(dir, listing, name, out);
}

void dir_refresh(struct node *dir)
{
	if (dir->provider && dir->provider->ops->refresh)
		dir->provider->ops->refresh(dir->provider, dir->path);
	node_expire(dir);
}
