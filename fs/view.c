/* SPDX-License-Identifier: MIT */
#include "fs/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cache/cache.h"
#include "fs/config.h"
#include "fs/fs.h"

int view_new(struct fs *fs, const char *hub, struct repo *repo,
	     struct view **out)
{
	struct view *view = mem_zalloc(sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->files = mem_array(repo->file_count + 1, sizeof(*view->files));
	if (!view->files) {
		free(view);
		return -ENOMEM;
	}
	for (size_t i = 0; i < repo->file_count; i++)
		view->files[i] = (struct stage_file){ repo->files[i].path,
						      repo->files[i].size };
	atomic_init(&view->refs, 1);
	view->fs = fs;
	view->hub = hub;
	view->repo = repo_ref(repo);
	*out = view;
	return 0;
}

struct view *view_ref(struct view *view)
{
	atomic_fetch_add(&view->refs, 1);
	return view;
}

void view_unref(struct view *view)
{
	if (!view || atomic_fetch_sub(&view->refs, 1) != 1)
		return;
	repo_unref(view->repo);
	free(view->files);
	free(view);
}

int view_blob(struct view *view, size_t index, struct blob **out)
{
	auto_source struct source *source = NULL;
	int r = repo_source(view->repo, index, &source);

	if (r < 0)
		return r;
	return cache_blob(view->fs->cache, source, out);
}

static int stage_open(void *arg, size_t index, struct blob **out)
{
	return view_blob(arg, index, out);
}

static void *stage_ref(void *arg)
{
	return view_ref(arg);
}

static void stage_unref(void *arg)
{
	view_unref(arg);
}

static int stage_keep(void *keep_arg, struct source *source, struct blob **out)
{
	return cache_blob(keep_arg, source, out);
}

void view_stage_repo(struct view *view, uint64_t deadline_ns,
		     struct stage_repo *out)
{
	const struct repo *repo = view->repo;

	*out = (struct stage_repo){
		.kind = repo->kind,
		.id = repo->id,
		.revision = repo->revision,
		.url = repo->url,
		.licence = repo->licence,
		.pipeline_tag = repo->pipeline_tag,
		.facts = repo->facts,
		.files = view->files,
		.file_count = repo->file_count,
		.open = stage_open,
		.ref = stage_ref,
		.unref = stage_unref,
		.keep = stage_keep,
		.keep_arg = view->fs->cache,
		.jobs = view->fs->jobs,
		.converter = view->fs->converter,
		.skeletons = view->fs->config->skeletons,
		.arg = view,
		.memo = cache_memo(view->fs->cache),
		.form = view->fs->config->form,
		.profile = view->fs->config->profile,
		.deadline_ns = deadline_ns,
	};
}
