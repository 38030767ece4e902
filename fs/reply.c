/* SPDX-License-Identifier: MIT */
#include "fs/reply.h"

#include <errno.h>

/* Nothing the kernel believes of an inode ever changes. */
#define ATTR_TTL_S 86400.0

void reply_error(fuse_req_t req, int error)
{
	switch (error) {
	case -ESHUTDOWN:
	case -EBADMSG:
	case -ENODATA:
		error = -EIO;
		break;
	default:
		break;
	}
	fuse_reply_err(req, -error);
}

void reply_read_error(fuse_req_t req, int error)
{
	switch (error) {
	case -EACCES:
	case -ESTALE:
	case -ENOMEM:
	case -EINTR:
		break;
	default:
		error = -EIO;
	}
	fuse_reply_err(req, -error);
}

void node_attr(const struct fs *fs, const struct node *node, struct stat *attr)
{
	mode_t mode = node_is_dir(node) ? 0555 : 0444;

	if (node->kind == NODE_LINK)
		mode = 0777;
	*attr = (struct stat){
		.st_ino = node->id,
		.st_mode = node_file_type(node->kind) | mode,
		.st_nlink = node_is_dir(node) ? 2 : 1,
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_size = (off_t)node->size,
		.st_blocks = (blkcnt_t)((node->size + 511) / 512),
		.st_blksize = 128 << 10,
		.st_mtim.tv_sec = node->mtime_s ? node->mtime_s
						: fs->started_wall_s,
	};
	attr->st_ctim = attr->st_atim = attr->st_mtim;
}

void reply_attr(struct fs *fs, fuse_req_t req, const struct node *node)
{
	struct stat attr;

	node_attr(fs, node, &attr);
	fuse_reply_attr(req, &attr, ATTR_TTL_S);
}

void node_entry_param(const struct fs *fs, const struct node *child,
		      double ttl_s, struct fuse_entry_param *out)
{
	*out = (struct fuse_entry_param){
		.ino = child->id,
		.attr_timeout = ATTR_TTL_S,
		.entry_timeout = ttl_s,
	};
	node_attr(fs, child, &out->attr);
}

void reply_entry(struct fs *fs, fuse_req_t req, struct node *child,
		 double ttl_s)
{
	struct fuse_entry_param entry;

	node_entry_param(fs, child, ttl_s, &entry);
	node_looked_up(child);
	if (fuse_reply_entry(req, &entry) < 0)
		node_forget(&fs->tree, child->id, 1);
}

void reply_missing(fuse_req_t req, double ttl_s)
{
	struct fuse_entry_param entry = { .entry_timeout = ttl_s };

	fuse_reply_entry(req, &entry);
}
