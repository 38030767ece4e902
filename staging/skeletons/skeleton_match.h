/* SPDX-License-Identifier: MIT */
/*
 * staging/skeletons/skeleton_match.h - which tensor of a checkpoint a
 * skeleton means.  Pure.
 *
 * Names are repaired in the ways that the libraries themselves know: the
 * "module." that torch.nn.DataParallel puts before all of them, and the
 * dotted names of old DenseNet files ("denselayer1.norm.1.weight";
 * torchvision/models/densenet.py, _load_state_dict()).
 */
#ifndef STAGING_SKELETONS_SKELETON_MATCH_H
#define STAGING_SKELETONS_SKELETON_MATCH_H

#include <stdbool.h>

#include "staging/skeletons/skeleton.h"
#include "staging/weights/weights.h"

/* The tensor at @location; NULL: there is none. */
const struct tensor *skeleton_find(const struct weights *weights,
				   const char *location);

/* Whether the graph is known to have no use for @tensor of @weights. */
bool skeleton_is_unused(const struct skeleton *skeleton,
			const struct weights *weights,
			const struct tensor *tensor);

/* Whether the size of that axis may be another. */
bool skeleton_is_free(const struct skeleton *skeleton, const char *location,
		      unsigned int axis);

/* Whether holes are places in the file: then each tensor must have a use. */
bool skeleton_is_positional(const struct skeleton *skeleton);

#endif
