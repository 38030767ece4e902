/* SPDX-License-Identifier: MIT */
#include "staging/view_tensorflow.h"

#include <errno.h>

#include "staging/view_model.h"
#include "staging/view_timm.h"

bool view_tensorflow_exists(const struct stage_repo *repo)
{
	return checkpoint_exists(repo);
}

int view_tensorflow(const struct stage_repo *repo, const char *below,
		    struct stage_listing *out)
{
	auto_checkpoint struct checkpoint checkpoint = { 0 };
	auto_refusal struct refusal why = { 0 };
	struct view_place place;
	int r;

	if (!view_tensorflow_exists(repo))
		return -ENOENT;
	r = view_place_parse(below, MODEL_GRAPHDEF, &place);
	if (r == 0)
		r = checkpoint_open(repo, &checkpoint, &why);
	if (r == 0 && view_timm_is(&checkpoint))
		r = refuse(&why, "unsupported-architecture", "timm",
			   "models of timm are staged as ONNX alone");
	if (r == 0)
		return view_model(repo, &checkpoint, &place, out);
	if (r != -EBADMSG)
		return r;
	return view_model_refused(repo, &checkpoint, &place, &why, out);
}
