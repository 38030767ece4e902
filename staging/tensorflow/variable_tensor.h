/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/variable_tensor.h - the value of a variable's constant.
 *
 * A TensorProto whose tensor_content is a range of a shard.  Strings are
 * listed one by one in a TensorProto, so those few are read: the shard has
 * the length of each as a varint, 4 bytes of checksum, and the strings
 * (tensor_bundle.cc, ReadStringTensor).
 */
#ifndef STAGING_TENSORFLOW_VARIABLE_TENSOR_H
#define STAGING_TENSORFLOW_VARIABLE_TENSOR_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/* The attribute "value".  -EBADMSG, the pool's errors, what read() gave. */
int variable_tensor(struct tf_freeze *freeze,
		    const struct tf_variable *variable,
		    struct tf_out_attr *out) MUST_CHECK;

#endif
