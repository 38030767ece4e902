/* SPDX-License-Identifier: MIT */
/*
 * TorchServe's model archives (.mar): a zip, its members as files; an eager
 * model of a known architecture is staged from the state dict in it.
 *
 * A scripted model carries its graph as code: weights_open_file() says so.
 */
#include "staging/stager.h"

#include <errno.h>
#include <string.h>

#include "staging/archive_view.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"
#include "staging/stage_status.h"
#include "staging/view_skeleton.h"

#define ARCHIVE_DIR "archive"

/* The archive is the repository's only file. */
#define ARCHIVE_INDEX 0

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* The one file of weights in the archive; false: none, or several. */
static bool find_weights(const struct stage_repo *members, size_t *index)
{
	size_t found = 0;

	for (size_t i = 0; i < members->file_count; i++) {
		const char *path = members->files[i].path;

		if (!ends_with(path, ".pth") && !ends_with(path, ".pt") &&
		    !ends_with(path, ".bin"))
			continue;
		*index = i;
		found++;
	}
	return found == 1;
}

static int list_staged(const struct stage_repo *repo, const char *dir,
		       struct stage_listing *out)
{
	auto_archive_repo struct archive_repo members = { 0 };
	auto_json struct json_doc *facts = NULL;
	auto_refusal struct refusal why = { 0 };
	struct skeleton_place place = { .holder = &members.repo };
	int r = stage_repo_facts(repo, &facts);

	if (r == 0)
		r = archive_repo_open(repo, ARCHIVE_INDEX, &members, &why);
	if (r == 0 && !find_weights(&members.repo, &place.weights))
		r = refuse(&why, "weights", NULL,
			   "the archive does not hold one file of weights");
	if (r == -EBADMSG)
		return *dir ? -ENOENT : status_add_refusal(out, &why);
	if (r < 0)
		return r;
	place.skeleton = json_string(json_get(json_root(facts), "skeleton"));
	return view_skeleton(repo, &place, dir, out);
}

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	return path_below(dir, ARCHIVE_DIR) && *dir;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	const char *below = *dir ? path_below(dir, ARCHIVE_DIR) : NULL;
	int r;

	if (repo->file_count == 0)
		return *dir ? -ENOENT : 0;
	if (below)
		return archive_view(repo, ARCHIVE_INDEX, below, out);
	r = list_staged(repo, dir, out);
	if (r == 0 && !*dir)
		r = stage_listing_add_dir(out, ARCHIVE_DIR);
	return r;
}

const struct stager stager_torchserve = {
	.kind = "torchserve",
	.is_instant = is_instant,
	.list = list,
};
