/* SPDX-License-Identifier: MIT */
#include "staging/view_onnx.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"

/* The name of @path in @folder ("" or "onnx/"); NULL: it lies elsewhere. */
static const char *name_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (strncmp(path, folder, len) != 0 || strchr(path + len, '/'))
		return NULL;
	return path + len;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/*
 * model.onnx.data, model.onnx_data, model.onnx_data_1 (exporters' habits),
 * or whatever a model of the folder may call its data.
 */
static bool is_data(const char *name)
{
	return strstr(name, ".onnx") || ends_with(name, ".data") ||
	       ends_with(name, "_data") || ends_with(name, ".weight");
}

static bool has_onnx(const struct stage_repo *repo, const char *folder)
{
	for (size_t i = 0; i < repo->file_count; i++) {
		const char *name = name_in(repo->files[i].path, folder);

		if (name && ends_with(name, ".onnx"))
			return true;
	}
	return false;
}

/* NULL: it ships none. */
static const char *onnx_folder(const struct stage_repo *repo)
{
	static const char *const folders[] = { "onnx/", "" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (has_onnx(repo, folders[i]))
			return folders[i];
	return NULL;
}

bool view_onnx_exists(const struct stage_repo *repo)
{
	return onnx_folder(repo) != NULL;
}

const char *view_onnx_next(const struct stage_repo *repo, size_t *at)
{
	const char *folder = onnx_folder(repo);

	while (folder && *at < repo->file_count) {
		const char *name = name_in(repo->files[(*at)++].path, folder);

		if (name && ends_with(name, ".onnx"))
			return name;
	}
	return NULL;
}

static int add_file(const struct stage_repo *repo, size_t index,
		    const char *name, struct stage_listing *out)
{
	auto_blob struct blob *blob = NULL;
	struct content *content;
	int r = stage_repo_open(repo, index, &blob);

	if (r == 0)
		r = content_of_blob(blob, &content);
	return r < 0 ? r : stage_listing_add(out, name, content, NULL);
}

int view_onnx(const struct stage_repo *repo, struct stage_listing *out)
{
	const char *folder = onnx_folder(repo);
	int r = 0;

	if (!folder)
		return -ENOENT;
	for (size_t i = 0; r == 0 && i < repo->file_count; i++) {
		const char *name = name_in(repo->files[i].path, folder);

		if (name && (ends_with(name, ".onnx") || is_data(name)))
			r = add_file(repo, i, name, out);
	}
	return r;
}
