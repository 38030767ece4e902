/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "providers/huggingface_parse.h"
#include "providers/repo_memo.h"
#include "providers/repo_name.h"

static int id_check(void *arg, const char *id)
{
	(void)arg;
	assert(repo_id_ok(id, false));
	return 0;
}

/* Whatever was said: sorted, unique, safe, bounded. */
static void files_check(struct repo_files *files)
{
	struct repo repo;

	repo_init(&repo, NULL);
	if (repo_files_finish(files, &repo) == 0)
		for (size_t i = 0; i < repo.file_count; i++) {
			const struct repo_file *file = &repo.files[i];

			assert(repo_path_ok(file->path, strlen(file->path)));
			assert(file->size <= FILE_BYTES_MAX);
			assert(repo_find(&repo, file->path, NULL) == file);
		}
	repo_fini(&repo);
}

static void name_check(const uint8_t *data, size_t len)
{
	auto_repo_name struct repo_name name = { 0 };
	char path[1024];

	if (len >= sizeof(path))
		return;
	memcpy(path, data, len);
	path[len] = '\0';
	if (repo_name_parse(path, &name) == 0)
		assert(repo_id_ok(name.id, true));
}

static void memo_check(const uint8_t *data, size_t len)
{
	struct repo repo;

	repo_init(&repo, NULL);
	(void)!repo_memo_decode(data, len, &repo);
	repo_fini(&repo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_repo_files struct repo_files tree = { 0 }, cached = { 0 };
	auto_hf_model struct hf_model model = { 0 };

	if (hf_model_parse(data, len, 1800000000, &model) == 0)
		assert(repo_id_ok(model.id, true) && commit_ok(model.sha));
	if (hf_tree_parse(data, len, &tree) == 0)
		files_check(&tree);
	if (hf_cached_tree_parse(data, len, &cached) == 0)
		files_check(&cached);
	(void)!hf_list_parse(data, len, id_check, NULL);
	name_check(data, len);
	memo_check(data, len);
	return 0;
}
