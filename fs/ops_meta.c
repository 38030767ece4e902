/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "fs/ops.h"
#include "fs/reply.h"

/* With the kernel's 12, a dozen waiting reads would stop all others. */
#define BACKGROUND_MAX 256

/* The largest read-ahead asked for; the kernel gives what it has. */
#define KERNEL_READAHEAD_BYTES (1U << 20)

#define STATFS_UNIT 4096

/* Capabilities of the kernel that we want, and those that harm. */
static void init_capabilities(struct fuse_conn_info *conn)
{
	unsigned int want = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
			    FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
			    FUSE_CAP_CACHE_SYMLINKS |
			    FUSE_CAP_EXPLICIT_INVAL_DATA;
	unsigned int harm = FUSE_CAP_AUTO_INVAL_DATA |
			    FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_SPLICE_READ |
			    FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
			    FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_POSIX_LOCKS |
			    FUSE_CAP_FLOCK_LOCKS;

	conn->want |= want & conn->capable;
	conn->want &= ~harm;
}

void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct fs *fs = userdata;

	init_capabilities(conn);
	conn->max_background = BACKGROUND_MAX;
	conn->congestion_threshold = BACKGROUND_MAX * 3 / 4;
	conn->max_read = READ_BYTES_MAX;
	/* Sets the number of pages a request may have, reads too. */
	conn->max_write = READ_BYTES_MAX;
	if (conn->max_readahead > KERNEL_READAHEAD_BYTES)
		conn->max_readahead = KERNEL_READAHEAD_BYTES;
	log_info("fs", "kernel protocol %u.%u, read-ahead %u bytes",
		 conn->proto_major, conn->proto_minor, conn->max_readahead);
	fs->greeted = true;
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	auto_node struct node *node = node_by_id(&fs->tree, ino);

	(void)fi;
	if (node)
		reply_attr(fs, req, node);
	else
		fuse_reply_err(req, ESTALE);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	auto_node struct node *node = node_by_id(&fs_of(req)->tree, ino);

	if (!node)
		fuse_reply_err(req, ESTALE);
	else if (!node->target)
		fuse_reply_err(req, EINVAL);
	else
		fuse_reply_readlink(req, node->target);
}

/* The cache's budget and what is used of it; never asks a hub. */
void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct cache_stats stats = { 0 };
	struct statvfs out = {
		.f_bsize = STATFS_UNIT,
		.f_frsize = STATFS_UNIT,
		.f_namemax = NAME_BYTES_MAX,
		.f_flag = ST_RDONLY | ST_NOSUID | ST_NODEV,
	};

	(void)ino;
	cache_stats(fs_of(req)->cache, &stats);
	out.f_blocks = stats.bytes_max / STATFS_UNIT;
	out.f_bfree = stats.bytes_used < stats.bytes_max
			      ? (stats.bytes_max - stats.bytes_used) /
					STATFS_UNIT
			      : 0;
	out.f_bavail = 0; /* nobody can write */
	fuse_reply_statfs(req, &out);
}

void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	auto_node struct node *node = node_by_id(&fs_of(req)->tree, ino);

	if (!node)
		fuse_reply_err(req, ESTALE);
	else if (mask & W_OK)
		fuse_reply_err(req, EROFS);
	else if ((mask & X_OK) && !node_is_dir(node))
		fuse_reply_err(req, EACCES);
	else
		fuse_reply_err(req, 0);
}
