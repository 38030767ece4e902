/* SPDX-License-Identifier: MIT */
/*
 * staging/view_skeleton.h - the views of weights that a skeleton fits:
 *
 *	staged.onnx, info.json	or staged.status
 *	dl4j/...		the form for every importer
 *	safetensors/...		of weights that are not safetensors already
 */
#ifndef STAGING_VIEW_SKELETON_H
#define STAGING_VIEW_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "staging/staging.h"

struct skeleton_place {
	/*
	 * Where .weights is a file: the repository, or an archive of it.
	 * Borrowed, as the texts.
	 */
	const struct stage_repo *holder;
	size_t weights;
	const char *skeleton; /* "torchvision/resnet50"; NULL: none is known */
	bool onnx_only;	      /* safetensors/ is elsewhere */
};

/* Lists @dir of the views of @repo; -ENOENT: no such directory. */
int view_skeleton(const struct stage_repo *repo,
		  const struct skeleton_place *place, const char *dir,
		  struct stage_listing *out) MUST_CHECK;

#endif
