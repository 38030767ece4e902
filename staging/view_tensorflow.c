/* SPDX-License-Identifier: MIT */
#include "staging/view_tensorflow.h"

#include "staging/checkpoint.h"
#include "staging/view_models.h"

static enum framework source_of(const struct stage_repo *repo)
{
	return checkpoint_exists(repo, FRAMEWORK_TENSORFLOW)
		       ? FRAMEWORK_TENSORFLOW
		       : FRAMEWORK_PYTORCH;
}

bool view_tensorflow_exists(const struct stage_repo *repo)
{
	return checkpoint_exists(repo, source_of(repo));
}

int view_tensorflow(const struct stage_repo *repo, const char *below,
		    struct stage_listing *out)
{
	return view_models(repo, source_of(repo), MODEL_GRAPHDEF, below, out);
}
