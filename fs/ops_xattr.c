/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/content.h"
#include "base/mem.h"
#include "cache/cache.h"
#include "fs/call.h"
#include "fs/dir.h"
#include "fs/ops.h"
#include "fs/reply.h"
#include "fs/view.h"
#include "fs/xattr.h"
#include "staging/converter.h"

/* Longer than any name, value or list there is. */
#define XATTR_BYTES_MAX 4096

/* @size 0 asks for the length only. */
static void reply_xattr(fuse_req_t req, const struct str *value, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, value->len);
	else if (size < value->len)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, str_text(value), value->len);
}

static void answer_value(struct fs *fs, fuse_req_t req, struct node *node,
			 const char *name, size_t size)
{
	auto_str struct str value;
	int r;

	str_init(&value, XATTR_BYTES_MAX);
	r = xattr_value(fs, node, name, &value);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		reply_xattr(req, &value, size);
}

/* The attributes that @node has, each name with its NUL. */
static int list_names(struct fs *fs, struct node *node, struct str *out)
{
	const char *name;
	int r = 0;

	for (size_t i = 0; r == 0 && (name = xattr_name(i)); i++) {
		auto_str struct str value;

		str_init(&value, XATTR_BYTES_MAX);
		if (xattr_value(fs, node, name, &value) == 0)
			r = str_append(out, name, strlen(name) + 1);
	}
	return r;
}

static void answer_list(struct fs *fs, fuse_req_t req, struct node *node,
			size_t size)
{
	auto_str struct str names;
	int r;

	str_init(&names, XATTR_BYTES_MAX);
	r = list_names(fs, node, &names);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		reply_xattr(req, &names, size);
}

/* A question about a file that was not opened yet. */
struct ask_call {
	struct call call;
	struct node *node; /* one reference */
	char *name;	   /* owned; NULL: the list */
	size_t size;
};

static void ask_answer(struct fs *fs, fuse_req_t req, struct node *node,
		       const char *name, size_t size)
{
	if (name)
		answer_value(fs, req, node, name, size);
	else
		answer_list(fs, req, node, size);
}

static void ask_run(struct call *call)
{
	struct ask_call *ask = container_of(call, struct ask_call, call);
	auto_content struct content *content = NULL;

	/* Without it there are fewer attributes, no error. */
	(void)!file_open(ask->node, &content);
	if (call_claim(call))
		ask_answer(call->fs, call->req, ask->node, ask->name,
			   ask->size);
	call_unref(call);
}

static void ask_free(struct call *call)
{
	struct ask_call *ask = container_of(call, struct ask_call, call);

	node_unref(ask->node);
	free(ask->name);
	free(ask);
}

static const struct call_ops ask_ops = {
	.run = ask_run,
	.free = ask_free,
	.late = ETIMEDOUT,
};

static void ask_later(struct fs *fs, fuse_req_t req, struct node *node,
		      const char *name, size_t size)
{
	struct ask_call *ask = mem_zalloc(sizeof(*ask));
	char *copy = name ? mem_strdup(name) : NULL;

	if (!ask || (name && !copy)) {
		free(ask);
		free(copy);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	call_init(&ask->call, &ask_ops, fs, req);
	ask->node = node_ref(node);
	ask->name = copy;
	ask->size = size;
	call_start(&ask->call, fs->disk);
}

/* What the cache has of a file is known once the file is. */
static bool is_opened(struct node *node)
{
	auto_content struct content *content = node_content(node);

	return node->kind != NODE_FILE || content;
}

static void ask(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct fs *fs = fs_of(req);
	auto_node struct node *node = node_by_id(&fs->tree, ino);

	if (!node)
		fuse_reply_err(req, ESTALE);
	else if (is_opened(node))
		ask_answer(fs, req, node, name, size);
	else
		ask_later(fs, req, node, name, size);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	ask(req, ino, name, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	ask(req, ino, NULL, size);
}

struct act_call {
	struct call call;
	struct node *node; /* one reference */
	int (*act)(struct fs *fs, struct node *node, bool on);
	bool on;
};

/* Keeps a file of the repository in the cache, or lets it go. */
static int act_pin(struct fs *fs, struct node *node, bool on)
{
	auto_blob struct blob *blob = NULL;
	int r;

	if (node->kind != NODE_FILE || node->plan ||
	    !repo_find(node->view->repo, node->path, NULL))
		return -EOPNOTSUPP;
	r = view_blob(node->view, node->file_index, &blob);
	return r < 0 ? r : cache_blob_pin(fs->cache, blob, on);
}

/* A moving name is asked of the hub again. */
static int act_refresh(struct fs *fs, struct node *node, bool on)
{
	(void)fs;
	(void)on;
	if (node->kind != NODE_MODEL && node->kind != NODE_HUB)
		return -EOPNOTSUPP;
	dir_refresh(node);
	return 0;
}

/* Begins to convert what a directory of views refuses, or ends that. */
static int act_convert(struct fs *fs, struct node *node, bool on)
{
	struct stage_repo repo;
	int r;

	if (node->kind != NODE_VIEW_DIR || !fs->converter)
		return -EOPNOTSUPP;
	view_stage_repo(node->view, fs_deadline_ns(fs), &repo);
	r = on ? converter_start(fs->converter, &repo, node->path)
	       : converter_forget(fs->converter, &repo, node->path);
	if (r == 0)
		node_expire(node);
	return r;
}

static const struct action {
	const char *name;
	int (*act)(struct fs *fs, struct node *node, bool on);
} actions[] = {
	{ "user.omnihub.pin", act_pin },
	{ "user.omnihub.refresh", act_refresh },
	{ "user.omnihub.convert", act_convert },
};

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static void act_run(struct call *call)
{
	struct act_call *act = container_of(call, struct act_call, call);
	int r = act->act(call->fs, act->node, act->on);

	if (call_claim(call))
		reply_error(call->req, r);
	call_unref(call);
}

static void act_free(struct call *call)
{
	struct act_call *act = container_of(call, struct act_call, call);

	node_unref(act->node);
	free(act);
}

static const struct call_ops act_ops = {
	.run = act_run,
	.free = act_free,
	.late = ETIMEDOUT,
};

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		 const char *value, size_t size, int flags)
{
	struct fs *fs = fs_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	auto_node struct node *node = node_by_id(&fs->tree, ino);
	const struct action *action = find_action(name);
	struct act_call *act;

	(void)flags;
	if (!action) {
		fuse_reply_err(req, EROFS);
		return;
	}
	if (!node || (ctx->uid != fs->uid && ctx->uid != 0)) {
		fuse_reply_err(req, node ? EPERM : ESTALE);
		return;
	}
	act = mem_zalloc(sizeof(*act));
	if (!act) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	call_init(&act->call, &act_ops, fs, req);
	act->node = take_ptr(node);
	act->act = action->act;
	act->on = size > 0 && value[0] != '0';
	call_start(&act->call, fs->slow);
}
