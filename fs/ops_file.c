/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fs/call.h"
#include "fs/control.h"
#include "fs/handle.h"
#include "fs/ops.h"
#include "fs/reader.h"
#include "fs/reply.h"
#include "fs/view.h"

struct open_call {
	struct call call;
	struct node *node; /* one reference */
	struct fuse_file_info fi;
};

static void open_answer(struct fs *fs, fuse_req_t req, const struct node *node,
			struct content *content, struct fuse_file_info *fi)
{
	struct handle *handle;
	int r = handle_new_file(&fs->handles, node->id, content, &handle);

	if (r < 0) {
		reply_error(req, r);
		return;
	}
	fs->counters.opens++;
	fi->fh = (uintptr_t)handle;
	if (fuse_reply_open(req, fi) < 0)
		handle_free(handle); /* interrupted: no release comes */
}

int file_open(struct node *node, struct content **out)
{
	auto_blob struct blob *blob = NULL;
	int r = view_blob(node->view, node->file_index, &blob);

	if (r == 0)
		r = content_of_blob(blob, out);
	if (r == 0)
		node_set_content(node, *out);
	return r;
}

static void open_run(struct call *call)
{
	struct open_call *open = container_of(call, struct open_call, call);
	auto_content struct content *content = node_content(open->node);
	int r = content ? 0 : file_open(open->node, &content);

	if (r == 0)
		r = content_prepare(content, call_patience(call));
	if (call_defer(call, r))
		return;
	call_failed(call, r);
	if (call_claim(call)) {
		if (r == 0)
			open_answer(call->fs, call->req, open->node, content,
				    &open->fi);
		else
			reply_error(call->req, r);
	}
	call_unref(call);
}

static void open_free(struct call *call)
{
	struct open_call *open = container_of(call, struct open_call, call);

	node_unref(open->node);
	free(open);
}

static const struct call_ops open_ops = {
	.run = open_run,
	.free = open_free,
	.late = ETIMEDOUT,
};

/*
 * The first open of a blob reads the cache's index; that of a staged file
 * may have to learn where the weights lie.
 */
static void open_slow(struct fs *fs, fuse_req_t req, struct node *node,
		      const struct fuse_file_info *fi)
{
	struct open_call *open = mem_zalloc(sizeof(*open));

	if (!open) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	call_init(&open->call, &open_ops, fs, req);
	open->node = node_ref(node);
	open->fi = *fi;
	call_ask(&open->call, late_name(node->id, ""));
	call_start(&open->call, fs->disk);
}

/* Made at each open: its size is not known before, so no page is kept. */
static void open_control(struct fs *fs, fuse_req_t req, const struct node *node,
			 struct fuse_file_info *fi)
{
	auto_content struct content *content = NULL;
	int r = control_open(fs, node->path, &content);

	fi->direct_io = 1;
	if (r == 0)
		open_answer(fs, req, node, content, fi);
	else
		reply_error(req, r);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	auto_node struct node *node = node_by_id(&fs->tree, ino);
	auto_content struct content *content = NULL;

	if (!node || (fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, node ? EROFS : ESTALE);
		return;
	}
	if (node->kind == NODE_CONTROL_FILE) {
		open_control(fs, req, node, fi);
		return;
	}
	fi->keep_cache = 1;
	content = node_content(node);
	if (content && content_prepare(content, DEADLINE_NOW) == 0)
		open_answer(fs, req, node, content, fi);
	else
		open_slow(fs, req, node, fi);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	(void)ino;
	reader_read(fs_of(req), req, handle_of(fi), (uint64_t)off, size);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_free(handle_of(fi));
	fuse_reply_err(req, 0);
}
