/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "providers/github_parse.h"
#include "providers/repo_name.h"
#include "providers/torch_preprocess.h"

/* Whatever was said: safe, bounded, and found under its name. */
static void files_check(struct repo_files *files)
{
	struct repo repo;

	repo_init(&repo, NULL);
	if (repo_files_finish(files, &repo) == 0)
		for (size_t i = 0; i < repo.file_count; i++) {
			const struct repo_file *file = &repo.files[i];

			assert(repo_path_ok(file->path, strlen(file->path)));
			assert(file->size <= FILE_BYTES_MAX);
			assert(file->digest.kind == DIGEST_GIT_SHA1);
			assert(repo_find(&repo, file->path, NULL) == file);
		}
	repo_fini(&repo);
}

static void column_check(const uint8_t *data, size_t len)
{
	auto_free char *json = NULL;
	char column[1024];

	if (len >= sizeof(column))
		return;
	memcpy(column, data, len);
	column[len] = '\0';
	if (torch_preprocess(column, &json) < 0)
		assert(!json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_repo_files struct repo_files files = { 0 };
	char sha[GITHUB_SHA_BYTES];

	if (github_commit_parse(data, len, sha) == 0)
		assert(commit_ok(sha));
	if (github_tree_parse(data, len, &files) == 0)
		files_check(&files);
	column_check(data, len);
	return 0;
}
