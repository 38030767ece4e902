/* SPDX-License-Identifier: MIT */
/*
 * Models of the ONNX zoo, which are taken as they are: the model's own file
 * is the staged one, the archive beside it shows its members.
 *
 * Some models have no file of their own, or keep their weights in another
 * file: then what the archive holds is shown, the model as staged.onnx and
 * its data under the names it is asked for by.
 */
#include "staging/stager.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "staging/archive_view.h"
#include "staging/info.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"
#include "staging/stage_status.h"

#define ARCHIVE_DIR "archive"

/* The file whose name ends so, at the top; false: none. */
static bool find_by_end(const struct stage_repo *repo, const char *end,
			size_t *index)
{
	for (size_t i = 0; i < repo->file_count; i++) {
		const char *path = repo->files[i].path;
		size_t len = strlen(path), end_len = strlen(end);

		if (strchr(path, '/') || len <= end_len ||
		    strcmp(path + len - end_len, end) != 0)
			continue;
		*index = i;
		return true;
	}
	return false;
}

static int add_model(const struct stage_repo *repo, size_t index,
		     struct stage_listing *out)
{
	auto_blob struct blob *blob = NULL;
	struct content *content;
	int r = stage_repo_open(repo, index, &blob);

	if (r == 0)
		r = content_of_blob(blob, &content);
	return r < 0 ? r : stage_listing_add(out, "staged.onnx", content, NULL);
}

static int add_info(const struct stage_repo *repo, struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_files(repo, &text);
	return r < 0 ? r : stage_listing_add_text(out, "info.json", &text);
}

/* The model out of the archive, and what lies beside it there. */
static int add_from_archive(const struct stage_repo *repo, size_t archive,
			    struct stage_listing *out)
{
	auto_refusal struct refusal why = { 0 };
	int r = archive_view_model(repo, archive, ".onnx", "staged.onnx", out,
				   &why);

	if (r == -ETIMEDOUT)
		return status_add_job(out, repo, archive);
	return r == -EBADMSG ? status_add_refusal(out, &why) : r;
}

static int list_root(const struct stage_repo *repo, struct stage_listing *out)
{
	size_t model, archive;
	bool has_model = find_by_end(repo, ".onnx", &model);
	bool has_archive = find_by_end(repo, ".tar.gz", &archive);
	int r = add_info(repo, out);

	if (r == 0 && has_archive)
		r = stage_listing_add_dir(out, ARCHIVE_DIR);
	if (r == 0 && has_model)
		return add_model(repo, model, out);
	return r == 0 && has_archive ? add_from_archive(repo, archive, out) : r;
}

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	(void)dir;
	return true;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	const char *below = path_below(dir, ARCHIVE_DIR);
	size_t archive;

	if (!*dir)
		return list_root(repo, out);
	if (!below || !find_by_end(repo, ".tar.gz", &archive))
		return -ENOENT;
	return archive_view(repo, archive, below, out);
}

const struct stager stager_onnx_zoo = {
	.kind = "onnx-zoo",
	.is_instant = is_instant,
	.list = list,
};
