/* SPDX-License-Identifier: MIT */
#include "fs/notify.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/content.h"
#include "base/log.h"
#include "fs/fs.h"
#include "fs/fuse_api.h"

static bool is_made_of(struct content *content, const struct blob *blob)
{
	auto_extents struct extents extents;
	bool found = false;

	extents_init(&extents);
	/* Out of memory: dropping too much does no harm. */
	if (content_resolve(content, 0, content->size, &extents) < 0)
		return true;
	for (size_t i = 0; !found && i < extents.count; i++)
		found = extents.list[i].blob == blob;
	return found;
}

static void forget_pages(struct fs *fs, struct node *node, struct blob *blob)
{
	auto_content struct content *content = node_content(node);
	int r;

	if (!content || !is_made_of(content, blob))
		return;
	r = fuse_lowlevel_notify_inval_inode(fs->session, node->id, 0, 0);
	if (r < 0)
		log_debug("fs", "%s: its pages stay: %s", node->identity,
			  strerror(-r));
}

void notify_spoiled(void *arg, struct blob *blob)
{
	struct fs *fs = arg;
	struct node **nodes = NULL;
	size_t count = 0;

	if (!fs->session || tree_opened(&fs->tree, &nodes, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		forget_pages(fs, nodes[i], blob);
		node_unref(nodes[i]);
	}
	free(nodes);
}
