/* SPDX-License-Identifier: MIT */
#include "staging/stager.h"

#include <string.h>

#include "base/annot.h"

/* clang-format off */
static const struct stager *const stagers[] = {
	&stager_huggingface,
	&stager_onnx_zoo,
	&stager_torchvision,
	&stager_timm,
	&stager_torchserve,
	&stager_saved_model,
	&stager_keras,
};
/* clang-format on */

const struct stager *stager_of(const struct stage_repo *repo)
{
	if (!repo->kind)
		return &stager_huggingface;
	for (size_t i = 0; i < ARRAY_LEN(stagers); i++)
		if (strcmp(stagers[i]->kind, repo->kind) == 0)
			return stagers[i];
	return NULL;
}
