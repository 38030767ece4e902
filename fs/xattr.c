/* SPDX-License-Identifier: MIT */
#include "fs/xattr.h"

#include <errno.h>
#include <string.h>

#include "base/content.h"
#include "fs/view.h"

static const struct repo *repo_of(const struct node *node)
{
	return node->view ? node->view->repo : NULL;
}

static int value_url(struct fs *fs, struct node *node, struct str *out)
{
	const struct repo *repo = repo_of(node);

	(void)fs;
	return repo && repo->url ? str_append_text(out, repo->url) : -ENODATA;
}

static int value_revision(struct fs *fs, struct node *node, struct str *out)
{
	const struct repo *repo = repo_of(node);

	(void)fs;
	return repo ? str_append_text(out, repo->revision) : -ENODATA;
}

/* The file of the repository that @node is, or NULL. */
static const struct repo_file *file_of(const struct node *node)
{
	const struct repo *repo = repo_of(node);

	if (!repo || node->kind != NODE_FILE)
		return NULL;
	return repo_find(repo, node->path, NULL);
}

static int value_sha256(struct fs *fs, struct node *node, struct str *out)
{
	const struct repo_file *file = file_of(node);
	char hex[2 * SHA256_BYTES + 1];

	(void)fs;
	if (!file || file->digest.kind != DIGEST_SHA256)
		return -ENODATA;
	hex_encode(file->digest.bytes, SHA256_BYTES, hex);
	return str_append_text(out, hex);
}

static int value_plan(struct fs *fs, struct node *node, struct str *out)
{
	(void)fs;
	return node->plan ? str_append_text(out, node->plan) : -ENODATA;
}

/* What the cache has of @node's blobs. */
static int blob_info(struct fs *fs, struct node *node,
		     struct cache_blob_info *info)
{
	auto_content struct content *content = node_content(node);
	struct blob *blob = content ? content_blob(content) : NULL;

	if (!blob)
		return -ENODATA;
	return cache_blob_info(fs->cache, blob, info);
}

static int value_cached(struct fs *fs, struct node *node, struct str *out)
{
	struct cache_blob_info info;

	if (blob_info(fs, node, &info) < 0)
		return -ENODATA;
	return str_printf(out, "%llu", (unsigned long long)info.cached_bytes);
}

static int value_state(struct fs *fs, struct node *node, struct str *out)
{
	static const char *const states[] = {
		[CACHE_BLOB_LOCAL] = "local",
		[CACHE_BLOB_PARTIAL] = "partial",
		[CACHE_BLOB_COMPLETE] = "complete",
		[CACHE_BLOB_VERIFIED] = "verified",
		[CACHE_BLOB_BAD] = "bad",
	};
	struct cache_blob_info info;

	if (node->plan)
		return str_append_text(out, "composed");
	if (blob_info(fs, node, &info) < 0)
		return -ENODATA;
	return str_append_text(out, states[info.state]);
}

static const struct attribute {
	const char *name;
	int (*value)(struct fs *fs, struct node *node, struct str *out);
} attributes[] = {
	{ "user.omnihub.url", value_url },
	{ "user.omnihub.revision", value_revision },
	{ "user.omnihub.sha256", value_sha256 },
	{ "user.omnihub.plan", value_plan },
	{ "user.omnihub.cached", value_cached },
	{ "user.omnihub.state", value_state },
};

const char *xattr_name(size_t index)
{
	return index < ARRAY_LEN(attributes) ? attributes[index].name : NULL;
}

int xattr_value(struct fs *fs, struct node *node, const char *name,
		struct str *out)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return attributes[i].value(fs, node, out);
	return -ENODATA;
}
