/* SPDX-License-Identifier: MIT */
#include "staging/archive_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/archive.h"
#include "staging/stage_listing.h"
#include "staging/stage_status.h"

const char *path_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len == 0)
		return path;
	if (strncmp(path, dir, len) != 0)
		return NULL;
	if (path[len] == '/')
		return path + len + 1;
	return path[len] ? NULL : path + len;
}

static int add_member(struct archive *archive, size_t index, const char *name,
		      struct stage_listing *out)
{
	auto_blob struct blob *blob = NULL;
	struct content *content;
	int r = archive_member_blob(archive, index, &blob);

	if (r == 0)
		r = content_of_blob(blob, &content);
	return r < 0 ? r : stage_listing_add(out, name, content, NULL);
}

/*
 * The members are sorted by path, so those of a directory stand together,
 * but for what sorts between "a" and "a/": a directory is looked for among
 * the last one added only, as no file is called like one.
 */
static int list_dir(struct archive *archive, const char *dir,
		    struct stage_listing *out)
{
	const char *last = "";
	size_t last_len = 0;
	bool any = !*dir;
	int r = 0;

	for (size_t i = 0; r == 0 && i < archive->count; i++) {
		const char *below = path_below(archive->members[i].path, dir);
		size_t len = below ? strcspn(below, "/") : 0;
		auto_free char *name = NULL;

		if (len == 0)
			continue;
		any = true;
		if (!below[len]) {
			r = add_member(archive, i, below, out);
			continue;
		}
		if (len == last_len && strncmp(below, last, len) == 0)
			continue;
		last = below;
		last_len = len;
		name = mem_strndup(below, len);
		r = name ? stage_listing_add_dir(out, name) : -ENOMEM;
	}
	return r == 0 && !any ? -ENOENT : r;
}

int archive_view(const struct stage_repo *repo, size_t index, const char *dir,
		 struct stage_listing *out)
{
	auto_archive struct archive *archive = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = archive_open(repo, index, &archive, &why);

	if (r == 0)
		return list_dir(archive, dir, out);
	if (*dir)
		return r == -EBADMSG ? -ENOENT : r;
	if (r == -EBADMSG)
		return status_add_refusal(out, &why);
	return r == -ETIMEDOUT ? status_add_job(out, repo, index) : r;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* The one member that ends so; false: none, or several. */
static bool find_one(const struct archive *archive, const char *end,
		     size_t *member)
{
	size_t found = 0;

	for (size_t i = 0; i < archive->count; i++) {
		if (!ends_with(archive->members[i].path, end))
			continue;
		*member = i;
		found++;
	}
	return found == 1;
}

/* Those in the directory of @model, it as @name. */
static int add_siblings(struct archive *archive, size_t model, const char *name,
			struct stage_listing *out)
{
	const char *path = archive->members[model].path;
	const char *slash = strrchr(path, '/');
	size_t dir_len = slash ? (size_t)(slash + 1 - path) : 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < archive->count; i++) {
		const char *other = archive->members[i].path;

		if (strncmp(other, path, dir_len) != 0 ||
		    strchr(other + dir_len, '/'))
			continue;
		r = add_member(archive, i, i == model ? name : other + dir_len,
			       out);
	}
	return r;
}

int archive_view_model(const struct stage_repo *repo, size_t index,
		       const char *end, const char *name,
		       struct stage_listing *out, struct refusal *why)
{
	auto_archive struct archive *archive = NULL;
	size_t model;
	int r = archive_open(repo, index, &archive, why);

	if (r < 0)
		return r;
	if (!find_one(archive, end, &model))
		return refuse(why, "archive", repo->files[index].path,
			      "the archive does not hold one file *%s", end);
	return add_siblings(archive, model, name, out);
}

/* Members come sorted, and one prefix keeps their order. */
static int name_files(struct archive_repo *out)
{
	struct archive *archive = out->archive;

	out->files = mem_array(archive->count + 1, sizeof(*out->files));
	if (!out->files)
		return -ENOMEM;
	out->repo.files = out->files;
	for (size_t i = 0; i < archive->count; i++) {
		const struct archive_member *member = &archive->members[i];
		char *path = mem_printf("%s%s", out->prefix, member->path);

		if (!path)
			return -ENOMEM;
		out->files[i] = (struct stage_file){ path, member->size };
		out->repo.file_count++;
	}
	return 0;
}

static int open_member(void *arg, size_t index, struct blob **out)
{
	return archive_member_blob(arg, index, out);
}

int archive_repo_open(const struct stage_repo *outer, size_t index,
		      struct archive_repo *out, struct refusal *why)
{
	int r = archive_open(outer, index, &out->archive, why);

	if (r < 0)
		return r;
	out->repo = *outer;
	out->repo.files = NULL;
	out->repo.file_count = 0;
	out->repo.open = open_member;
	out->repo.arg = out->archive;
	out->repo.ref = NULL;
	out->repo.unref = NULL;
	out->prefix = mem_printf("%s!/", outer->files[index].path);
	return out->prefix ? name_files(out) : -ENOMEM;
}

void archive_repo_release(struct archive_repo *repo)
{
	for (size_t i = 0; i < repo->repo.file_count; i++)
		free((char *)(uintptr_t)repo->files[i].path);
	free(repo->files);
	free(repo->prefix);
	archive_unref(repo->archive);
}
