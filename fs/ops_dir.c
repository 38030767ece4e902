/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/call.h"
#include "fs/dir.h"
#include "fs/handle.h"
#include "fs/ops.h"
#include "fs/reply.h"

struct opendir_call {
	struct call call;
	struct node *dir; /* one reference */
	struct fuse_file_info fi;
};

static void opendir_answer(fuse_req_t req, const struct node *dir,
			   struct listing *listing, int r,
			   struct fuse_file_info *fi)
{
	struct handle *handle = NULL;
	bool lasting = false;

	if (r == 0) {
		lasting = node_is_fixed(dir) && !listing_is_momentary(listing);
		r = handle_new_dir(&fs_of(req)->handles, listing, &handle);
	}
	if (r < 0) {
		reply_error(req, r);
		return;
	}
	fi->fh = (uintptr_t)handle;
	fi->keep_cache = lasting;
	fi->cache_readdir = lasting;
	if (fuse_reply_open(req, fi) < 0)
		handle_free(handle); /* interrupted: no releasedir comes */
}

static void opendir_run(struct call *call)
{
	struct opendir_call *open = container_of(call, struct opendir_call,
						 call);
	auto_listing struct listing *listing = NULL;
	int r = dir_list(call->fs, open->dir, call_patience(call), &listing);

	if (call_defer(call, r))
		return;
	call_failed(call, r);
	if (call_claim(call))
		opendir_answer(call->req, open->dir, listing, r, &open->fi);
	call_unref(call);
}

static void opendir_free(struct call *call)
{
	struct opendir_call *open = container_of(call, struct opendir_call,
						 call);

	node_unref(open->dir);
	free(open);
}

static const struct call_ops opendir_ops = {
	.run = opendir_run,
	.free = opendir_free,
	.late = ETIMEDOUT,
};

static void opendir_later(struct fs *fs, fuse_req_t req, struct node *dir,
			  const struct fuse_file_info *fi)
{
	struct opendir_call *open = mem_zalloc(sizeof(*open));

	if (!open) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	call_init(&open->call, &opendir_ops, fs, req);
	open->dir = node_ref(dir);
	open->fi = *fi;
	call_ask(&open->call, late_name(dir->id, "/"));
	call_start(&open->call, fs->disk);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	auto_node struct node *dir = node_by_id(&fs->tree, ino);
	auto_listing struct listing *listing = NULL;

	if (!dir) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	listing = node_listing(dir);
	if (listing)
		opendir_answer(req, dir, listing, 0, fi);
	else
		opendir_later(fs, req, dir, fi);
}

/* A page of directory entries being filled. */
struct page {
	fuse_req_t req;
	struct fs *fs;
	struct node *dir;
	double ttl_s; /* of its names */
	char *bytes;
	size_t size;
	size_t used;
	bool plus;
};

/* False: it does not fit. */
static bool page_add_plain(struct page *page, const char *name,
			   const struct stat *attr, off_t next)
{
	size_t room = page->size - page->used;
	size_t need = fuse_add_direntry(page->req, page->bytes + page->used,
					room, name, attr, next);

	if (need > room)
		return false;
	page->used += need;
	return true;
}

/*
 * Each entry but "." and ".." counts as a lookup, if it fits; one without
 * a node is listed only, and looked up when somebody asks.
 */
static bool page_add_plus(struct page *page, const char *name,
			  const struct stat *attr, struct node *child,
			  off_t next)
{
	struct fuse_entry_param entry = { .attr = *attr };
	size_t room = page->size - page->used;
	size_t need;

	if (child)
		node_entry_param(page->fs, child, page->ttl_s, &entry);
	need = fuse_add_direntry_plus(page->req, page->bytes + page->used, room,
				      name, &entry, next);
	if (need > room)
		return false;
	page->used += need;
	if (child)
		node_looked_up(child);
	return true;
}

static bool page_add(struct page *page, const char *name,
		     const struct stat *attr, struct node *child, off_t next)
{
	return page->plus ? page_add_plus(page, name, attr, child, next)
			  : page_add_plain(page, name, attr, next);
}

/* Entry @at: 0 is ".", 1 "..", then the listing.  False: page full. */
static bool page_add_at(struct page *page, const struct listing *listing,
			size_t at)
{
	const struct dir_entry *entry;
	struct stat attr = { .st_mode = S_IFDIR, .st_ino = page->dir->id };

	if (at < 2)
		return page_add(page, at ? ".." : ".", &attr, NULL,
				(off_t)at + 1);
	entry = &listing->entries[at - 2];
	if (entry->node)
		node_attr(page->fs, entry->node, &attr);
	else
		attr.st_mode = node_file_type(entry->kind);
	return page_add(page, entry->name, &attr, entry->node, (off_t)at + 1);
}

static void read_page(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi, bool plus)
{
	const struct listing *listing = handle_of(fi)->listing;
	struct fs *fs = fs_of(req);
	auto_node struct node *dir = node_by_id(&fs->tree, ino);
	auto_free char *bytes = mem_alloc(size);
	struct page page = {
		.req = req,
		.fs = fs,
		.dir = dir,
		.bytes = bytes,
		.size = size,
		.plus = plus,
	};

	if (!dir || !bytes) {
		fuse_reply_err(req, dir ? ENOMEM : ESTALE);
		return;
	}
	page.ttl_s = dir_ttl_s(dir, listing);
	for (size_t at = (size_t)off; at < listing->count + 2; at++)
		if (!page_add_at(&page, listing, at))
			break;
	fuse_reply_buf(req, bytes, page.used);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	read_page(req, ino, size, off, fi, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	read_page(req, ino, size, off, fi, true);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_free(handle_of(fi));
	fuse_reply_err(req, 0);
}
