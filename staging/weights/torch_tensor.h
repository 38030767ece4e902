/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/torch_tensor.h - a tensor as torch pickles it.  Pure.
 *
 * torch/_utils.py: _rebuild_tensor_v2(storage, offset, size, stride,
 * requires_grad, hooks[, metadata]) counts offset and stride in elements;
 * _v3 has the dtype after the hooks and an untyped storage, counted in
 * bytes; _rebuild_parameter(data, ...), _rebuild_parameter_with_state(data,
 * ...) and torch._tensor._rebuild_from_type_v2(function, type, arguments,
 * state) wrap it.  Before 0.4 (Tensor.__setstate__ still reads it): the same
 * without the last two arguments, _rebuild_tensor(storage, offset, size,
 * stride) or the state of a new torch.FloatTensor; a Parameter is new with
 * the state (data, gradient, hooks, requires_grad, volatile).
 */
#ifndef STAGING_WEIGHTS_TORCH_TENSOR_H
#define STAGING_WEIGHTS_TORCH_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/weights/pickle.h"
#include "staging/weights/weights.h"

/* All globals that a checkpoint of tensors has; ends with .module NULL. */
extern const struct pickle_global torch_globals[];

/* The storage a tensor looks at. */
struct torch_view {
	const char *key; /* in the pickle's bytes */
	size_t key_len;
	uint64_t storage_bytes;
	uint64_t off, len;  /* the part of the storage that is seen */
	unsigned int width; /* bytes of an element of the storage */
	bool old;	    /* as in the stream of before 1.6 */
};

bool torch_is_tensor(const struct pickle_node *node);

/*
 * Fills @view of a persistent id: ("storage", class, key, location,
 * elements), and in the old stream None or (key, offset, elements) of a
 * view of it.  -EBADMSG: it is no such thing.
 */
int torch_storage_read(const struct pickle_node *node,
		       struct torch_view *view) MUST_CHECK;

/*
 * Fills @view, and dtype, dims, order and .off (within the storage) of
 * @tensor, which has its name.  -EBADMSG: not valid.
 */
int torch_view_read(const struct pickle_node *node, struct torch_view *view,
		    struct tensor *tensor, struct refusal *why) MUST_CHECK;

#endif
