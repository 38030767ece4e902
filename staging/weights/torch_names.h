/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/torch_names.h - tensors that TensorFlow or Flax wrote, as
 * the state dict of the same model in PyTorch has them.  Pure.
 *
 * transformers' classes of the three frameworks hold the same tensors; names
 * and axes differ by rules (modeling_tf_pytorch_utils.py and
 * modeling_flax_pytorch_utils.py of 4.46).  What a name stands for is told
 * by its last part: a "kernel" has its axes in another order, a "gamma" is a
 * norm's weight.  Base models keep a prefix in TensorFlow that they lack in
 * PyTorch; bind.h finds them with and without.
 */
#ifndef STAGING_WEIGHTS_TORCH_NAMES_H
#define STAGING_WEIGHTS_TORCH_NAMES_H

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/weights/weights.h"

/*
 * What @name of a tensor in a file with @names is in PyTorch; the caller
 * frees it.  -EBADMSG: no class of transformers has such a name; -ENOMEM.
 */
int torch_name(enum weight_names names, const char *name,
	       char **out) MUST_CHECK;

/*
 * The tensors of @weights, which is not finished, by the .names of their
 * files.  A tf_model.h5 holds a variable under each layer that uses it: the
 * first one stays.  -EBADMSG: refused, @why says so.
 */
int weights_to_torch(struct weights *weights, struct refusal *why) MUST_CHECK;

/*
 * The rules of one library each.  The parts of a name that last, in PyTorch:
 * *@is_kernel says that tensor_of_kernel() is to be done.
 */
struct name_parts;
int tf_parts(enum weight_names names, const char *name, struct name_parts *out,
	     bool *is_kernel) MUST_CHECK;
int flax_parts(const char *name, struct name_parts *out,
	       bool *is_kernel) MUST_CHECK;

/* Axes of length 1 that TensorFlow's variables have besides torch's. */
void tf_squeeze(struct tensor *tensor);

#endif
