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
#include "staging/view_tensorflow.h"

static int list_root(const struct stage_repo *repo, struct stage_listing *out)
{
	int r = 0;

	if (checkpoint_exists(repo))
		r = stage_listing_add_dir(out, "pytorch");
	if (r == 0 && checkpoint_is_pickled(repo))
		r = stage_listing_add_dir(out, "safetensors");
	if (r == 0 && view_tensorflow_exists(repo))
		r = stage_listing_add_dir(out, "tensorflow");
	if (r == 0 && view_onnx_exists(repo))
		r = stage_listing_add_dir(out, "onnx");
	return r;
}

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	return strcmp(dir, "") == 0 || strcmp(dir, "onnx") == 0;
}

/* What of @dir is below @view; NULL: it is not in there. */
static const char *below_of(const char *dir, const char *view)
{
	size_t len = strlen(view);

	if (strncmp(dir, view, len) != 0)
		return NULL;
	if (!dir[len])
		return "";
	return dir[len] == '/' && dir[len + 1] ? dir + len + 1 : NULL;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	const char *below;

	if (!*dir)
		return list_root(repo, out);
	if (strcmp(dir, "onnx") == 0)
		return view_onnx(repo, out);
	below = below_of(dir, "pytorch");
	if (below)
		return view_pytorch(repo, below, out);
	below = below_of(dir, "tensorflow");
	if (below)
		return view_tensorflow(repo, below, out);
	if (strcmp(dir, "safetensors") == 0 && checkpoint_is_pickled(repo))
		return view_safetensors(repo, out);
	return -ENOENT;
}

const struct stager stager_huggingface = {
	.kind = "huggingface",
	.is_instant = is_instant,
	.list = list,
};
