/* SPDX-License-Identifier: MIT */
/* Repositories of the Hugging Face hub: by framework, then by task. */
#include "staging/stager.h"

#include <errno.h>
#include <string.h>

#include "staging/checkpoint.h"
#include "staging/stage_listing.h"
#include "staging/view_onnx.h"
#include "staging/view_pytorch.h"
#include "staging/view_safetensors.h"

static int list_root(const struct stage_repo *repo, struct stage_listing *out)
{
	int r = 0;

	if (checkpoint_exists(repo))
		r = stage_listing_add_dir(out, "pytorch");
	if (r == 0 && checkpoint_is_pickled(repo))
		r = stage_listing_add_dir(out, "safetensors");
	if (r == 0 && view_onnx_exists(repo))
		r = stage_listing_add_dir(out, "onnx");
	return r;
}

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	return strcmp(dir, "") == 0 || strcmp(dir, "onnx") == 0;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	static const char pytorch[] = "pytorch/";

	if (!*dir)
		return list_root(repo, out);
	if (strcmp(dir, "onnx") == 0)
		return view_onnx(repo, out);
	if (strcmp(dir, "pytorch") == 0)
		return view_pytorch(repo, "", out);
	if (strncmp(dir, pytorch, strlen(pytorch)) == 0 && dir[strlen(pytorch)])
		return view_pytorch(repo, dir + strlen(pytorch), out);
	if (strcmp(dir, "safetensors") == 0 && checkpoint_is_pickled(repo))
		return view_safetensors(repo, out);
	return -ENOENT;
}

const struct stager stager_huggingface = {
	.kind = "huggingface",
	.is_instant = is_instant,
	.list = list,
};
