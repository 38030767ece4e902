/* SPDX-License-Identifier: MIT */
#include "providers/github_parse.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "providers/repo_name.h"

#define MODE_LINK "120000" /* git's, of a symbolic link */

int github_commit_parse(const void *bytes, size_t len,
			char sha[GITHUB_SHA_BYTES])
{
	auto_json struct json_doc *doc = NULL;
	const char *text;
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);

	if (r < 0)
		return r;
	text = json_string(json_get(json_root(doc), "sha"));
	if (!text || !commit_ok(text))
		return -EBADMSG;
	memcpy(sha, text, GITHUB_SHA_BYTES);
	return 0;
}

static bool is_text(const struct json *value, const char *text)
{
	const char *string = json_string(value);

	return string && !strcmp(string, text);
}

static int entry_add(struct repo_files *files, const struct json *entry)
{
	const char *path = json_string(json_get(entry, "path"));
	const char *sha = json_string(json_get(entry, "sha"));
	struct digest digest;
	uint64_t bytes;

	if (!is_text(json_get(entry, "type"), "blob"))
		return 0;
	if (!path || !sha || is_text(json_get(entry, "mode"), MODE_LINK) ||
	    !json_u64(json_get(entry, "size"), &bytes) ||
	    digest_parse_as(DIGEST_GIT_SHA1, sha, strlen(sha), &digest) < 0) {
		files->hidden++;
		return 0;
	}
	return repo_files_add(files, path, strlen(path), bytes, &digest);
}

int github_tree_parse(const void *bytes, size_t len, struct repo_files *files)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *tree;
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);

	if (r < 0)
		return r;
	tree = json_get(json_root(doc), "tree");
	if (json_kind(tree) != JSON_ARRAY)
		return -EBADMSG;
	if (json_bool(json_get(json_root(doc), "truncated"), false))
		return -EFBIG;
	for (const struct json *entry = json_first(tree); r == 0 && entry;
	     entry = json_next(entry))
		r = entry_add(files, entry);
	return r;
}
