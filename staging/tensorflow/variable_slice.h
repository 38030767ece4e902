/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/variable_slice.h - a part of a partitioned variable.
 *
 * RestoreV2 says which part as "10 7 0,4:0,7": the shape of the whole, and
 * of each dimension start and length, or "-" for all of it.  Facts:
 * tensorflow/core/framework/tensor_slice.h, util/tensor_bundle.
 */
#ifndef STAGING_TENSORFLOW_VARIABLE_SLICE_H
#define STAGING_TENSORFLOW_VARIABLE_SLICE_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/* Sets shape and place.  -EBADMSG: not stored as that part. */
int variable_take_slice(struct tf_freeze *freeze, struct tf_variable *variable,
			const struct bundle_tensor *tensor,
			struct tf_text slice) MUST_CHECK;

#endif
