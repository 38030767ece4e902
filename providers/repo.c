/* SPDX-License-Identifier: MIT */
#include "providers/provider.h"

#include <assert.h>
#include <string.h>

void repo_init(struct repo *repo, const struct repo_ops *ops)
{
	*repo = (struct repo){
		.ops = ops,
		.kind = "huggingface",
		.files_dir = "repo",
	};
	atomic_init(&repo->refs, 1);
}

void repo_fini(struct repo *repo)
{
	free(repo->id);
	free(repo->revision);
	free(repo->url);
	free(repo->licence);
	free(repo->pipeline_tag);
	free(repo->facts);
	for (size_t i = 0; i < repo->file_count; i++)
		free(repo->files[i].path);
	free(repo->files);
	repo->files = NULL;
	repo->file_count = 0;
}

struct repo *repo_ref(struct repo *repo)
{
	atomic_fetch_add_explicit(&repo->refs, 1, memory_order_relaxed);
	return repo;
}

void repo_unref(struct repo *repo)
{
	unsigned int refs = atomic_fetch_sub_explicit(&repo->refs, 1,
						      memory_order_acq_rel);

	assert(refs > 0);
	if (refs == 1)
		repo->ops->free(repo);
}

const struct repo_file *repo_find(const struct repo *repo, const char *path,
				  size_t *index)
{
	size_t low = 0, high = repo->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, repo->files[middle].path);

		if (order == 0) {
			if (index)
				*index = middle;
			return &repo->files[middle];
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

int repo_source(struct repo *repo, size_t index, struct source **out)
{
	assert(index < repo->file_count);
	return repo->ops->source(repo, index, out);
}
