/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/torch_state.h - the dictionary of tensors in a checkpoint
 * of torch.  Pure.
 *
 * It is the root of the pickle, or what the root has under "state_dict"
 * (Lightning, most training scripts) or "model" (those of Facebook's
 * research), as timm's load_state_dict() looks for it.  Where the root has
 * more than one, an average of weights too, which is meant is not known.
 */
#ifndef STAGING_WEIGHTS_TORCH_STATE_H
#define STAGING_WEIGHTS_TORCH_STATE_H

#include <stdint.h>

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/weights/pickle.h"
#include "staging/weights/torch_tensor.h"
#include "staging/weights/weights.h"

/* Where the storages of a file lie; the container's own. */
struct torch_storages {
	/*
	 * Gives the place of the storage of @view, for the tensor @name.
	 * -EBADMSG: refused, @why says so.
	 */
	int (*place)(const struct torch_storages *storages,
		     const struct torch_view *view, const char *name,
		     uint64_t *off, struct refusal *why);
};

/*
 * Adds the tensors under @root, the root of a pickle, as those of file
 * number @file.  -EBADMSG: refused.
 */
int torch_state_read(struct weights *weights, unsigned int file,
		     const struct pickle_node *root,
		     const struct torch_storages *storages,
		     struct refusal *why) MUST_CHECK;

#endif
