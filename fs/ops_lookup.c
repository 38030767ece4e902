/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "fs/call.h"
#include "fs/dir.h"
#include "fs/ops.h"
#include "fs/reply.h"

struct lookup_call {
	struct call call;
	struct node *dir; /* one reference */
	char *name;	  /* owned */
};

static void lookup_answer(struct fs *fs, fuse_req_t req,
			  const struct dir_found *found, int r)
{
	if (r == 0)
		reply_entry(fs, req, found->node, found->ttl_s);
	else if (r == -ENOENT)
		reply_missing(req, found->ttl_s);
	else
		reply_error(req, r);
}

static void lookup_run(struct call *call)
{
	struct lookup_call *lookup = container_of(call, struct lookup_call,
						  call);
	auto_dir_found struct dir_found found = { 0 };
	int r = dir_lookup(call->fs, lookup->dir, lookup->name,
			   call_patience(call), &found);

	if (call_defer(call, r))
		return;
	call_failed(call, r);
	if (call_claim(call))
		lookup_answer(call->fs, call->req, &found, r);
	call_unref(call);
}

static void lookup_free(struct call *call)
{
	struct lookup_call *lookup = container_of(call, struct lookup_call,
						  call);

	node_unref(lookup->dir);
	free(lookup->name);
	free(lookup);
}

static const struct call_ops lookup_ops = {
	.run = lookup_run,
	.free = lookup_free,
	.late = ETIMEDOUT,
};

/* Memory cannot tell. */
static void lookup_later(struct fs *fs, fuse_req_t req, struct node *dir,
			 const char *name)
{
	struct lookup_call *lookup = mem_zalloc(sizeof(*lookup));
	char *copy = mem_strdup(name);

	if (!lookup || !copy) {
		free(lookup);
		free(copy);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	call_init(&lookup->call, &lookup_ops, fs, req);
	lookup->dir = node_ref(dir);
	lookup->name = copy;
	call_ask(&lookup->call, late_name(dir->id, name));
	call_start(&lookup->call, fs->disk);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	auto_node struct node *dir = node_by_id(&fs->tree, parent);
	auto_dir_found struct dir_found found = { 0 };
	int r;

	fs->counters.lookups++;
	if (!dir) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	r = strlen(name) > NAME_BYTES_MAX ? -ENAMETOOLONG
					  : dir_lookup_known(dir, name, &found);
	if (r == -EAGAIN)
		lookup_later(fs, req, dir, name);
	else
		lookup_answer(fs, req, &found, r);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	node_forget(&fs_of(req)->tree, ino, count);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count,
		     struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		node_forget(&fs_of(req)->tree, forgets[i].ino,
			    forgets[i].nlookup);
	fuse_reply_none(req);
}
