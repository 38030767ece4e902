/* SPDX-License-Identifier: MIT */
/* Repositories of the Hugging Face hub: by framework, then by task. */
#include "staging/stager.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/checkpoint.h"
#include "staging/stage_listing.h"
#include "staging/view_models.h"
#include "staging/view_onnx.h"
#include "staging/view_safetensors.h"
#include "staging/view_tensorflow.h"

/* Folders of staged.onnx, and whose weights are in them. */
static const struct {
	const char *name;
	enum framework framework;
} frameworks[] = {
	{ "pytorch", FRAMEWORK_PYTORCH },
	{ "jax", FRAMEWORK_JAX },
};

static int list_root(const struct stage_repo *repo, struct stage_listing *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(frameworks); i++)
		if (checkpoint_exists(repo, frameworks[i].framework))
			r = stage_listing_add_dir(out, frameworks[i].name);
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

/* What follows "@name/" or "@name" in @dir; NULL: it is not below that. */
static const char *below(const char *dir, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(dir, name, len) != 0)
		return NULL;
	if (dir[len] == '/' && dir[len + 1])
		return dir + len + 1;
	return dir[len] ? NULL : dir + len;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	const char *rest;

	if (!*dir)
		return list_root(repo, out);
	for (size_t i = 0; i < ARRAY_LEN(frameworks); i++) {
		rest = below(dir, frameworks[i].name);
		if (rest)
			return view_models(repo, frameworks[i].framework,
					   MODEL_ONNX, rest, out);
	}
	rest = below(dir, "tensorflow");
	if (rest)
		return view_tensorflow(repo, rest, out);
	if (strcmp(dir, "onnx") == 0)
		return view_onnx(repo, out);
	if (strcmp(dir, "safetensors") == 0 && checkpoint_is_pickled(repo))
		return view_safetensors(repo, out);
	return -ENOENT;
}

const struct stager stager_huggingface = {
	.kind = "huggingface",
	.is_instant = is_instant,
	.list = list,
};
