/* SPDX-License-Identifier: MIT */
/*
 * Models of fixed architectures, torchvision's and timm's: a file of
 * weights, and the skeleton that their hub names.
 */
#include "staging/stager.h"

#include <errno.h>

#include "staging/stage_repo.h"
#include "staging/view_skeleton.h"

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	(void)dir;
	return false;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	auto_json struct json_doc *facts = NULL;
	struct skeleton_place place = { .holder = repo };
	const char *weights;
	int r = stage_repo_facts(repo, &facts);

	if (r < 0)
		return r;
	place.skeleton = json_string(json_get(json_root(facts), "skeleton"));
	weights = json_string(json_get(json_root(facts), "weights"));
	if (!weights || !stage_repo_find(repo, weights, &place.weights))
		return *dir ? -ENOENT : 0;
	return view_skeleton(repo, &place, dir, out);
}

const struct stager stager_torchvision = {
	.kind = "torchvision",
	.is_instant = is_instant,
	.list = list,
};

const struct stager stager_timm = {
	.kind = "timm",
	.is_instant = is_instant,
	.list = list,
};
