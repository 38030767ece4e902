/* SPDX-License-Identifier: MIT */
#include "staging/stage_repo.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/archive.h"

bool stage_repo_find(const struct stage_repo *repo, const char *path,
		     size_t *index)
{
	size_t low = 0, high = repo->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(repo->files[middle].path, path);

		if (order == 0) {
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

int stage_repo_open(const struct stage_repo *repo, size_t index,
		    struct blob **out)
{
	auto_blob struct blob *blob = NULL;
	int r = repo->open(repo->arg, index, &blob);

	if (r < 0)
		return r;
	if (blob->size != repo->files[index].size)
		return -ESTALE;
	*out = take_ptr(blob);
	return 0;
}

/* What stands between the path of an archive and that of its member. */
#define MEMBER_MARK "!/"

static int open_member(const struct stage_repo *repo, const char *path,
		       const char *mark, struct blob **out)
{
	auto_free char *file = mem_strndup(path, (size_t)(mark - path));
	auto_archive struct archive *archive = NULL;
	size_t index, member;
	int r;

	if (!file)
		return -ENOMEM;
	if (!stage_repo_find(repo, file, &index))
		return -ENOENT;
	r = archive_open(repo, index, &archive, NULL);
	if (r < 0)
		return r;
	if (!archive_find(archive, mark + strlen(MEMBER_MARK), &member))
		return -ENOENT;
	return archive_member_blob(archive, member, out);
}

int stage_repo_open_path(const struct stage_repo *repo, const char *path,
			 struct blob **out)
{
	const char *mark = strstr(path, MEMBER_MARK);
	size_t index;

	if (stage_repo_find(repo, path, &index))
		return stage_repo_open(repo, index, out);
	return mark ? open_member(repo, path, mark, out) : -ENOENT;
}

int stage_repo_read(const struct stage_repo *repo, size_t index,
		    struct str *out)
{
	auto_blob struct blob *blob = NULL;
	auto_free void *bytes = NULL;
	uint64_t size = repo->files[index].size;
	int r;

	if (size > out->len_max)
		return -EFBIG;
	if (size == 0)
		return 0;
	r = stage_repo_open(repo, index, &blob);
	if (r < 0)
		return r;
	bytes = mem_alloc(size);
	if (!bytes)
		return -ENOMEM;
	r = blob_fetch(blob, 0, size, bytes, repo->deadline_ns);
	return r < 0 ? r : str_append(out, bytes, size);
}

static int read_json(const struct stage_repo *repo, const char *path,
		     enum json_kind kind, struct json_doc **out)
{
	auto_json struct json_doc *doc = NULL;
	auto_str struct str text;
	size_t index;
	int r;

	str_init(&text, CONFIG_BYTES_MAX);
	if (!stage_repo_find(repo, path, &index))
		return -ENOENT;
	r = stage_repo_read(repo, index, &text);
	if (r == 0)
		r = json_parse(str_text(&text), text.len, CONFIG_BYTES_MAX,
			       &doc);
	if (r == -EFBIG || (r == 0 && json_kind(json_root(doc)) != kind))
		r = -EBADMSG;
	if (r == 0)
		*out = take_ptr(doc);
	return r;
}

int stage_repo_json(const struct stage_repo *repo, const char *path,
		    struct json_doc **out)
{
	return read_json(repo, path, JSON_OBJECT, out);
}

int stage_repo_json_array(const struct stage_repo *repo, const char *path,
			  struct json_doc **out)
{
	return read_json(repo, path, JSON_ARRAY, out);
}

int stage_repo_facts(const struct stage_repo *repo, struct json_doc **out)
{
	const char *text = repo->facts ? repo->facts : "{}";

	return json_parse(text, strlen(text), CONFIG_BYTES_MAX, out);
}
