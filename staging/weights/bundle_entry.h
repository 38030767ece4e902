/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/bundle_entry.h - the messages in TensorBundle's table.
 * Pure.
 *
 * Facts: tensorflow/core/protobuf/tensor_bundle.proto (BundleHeaderProto:
 * num_shards 1, endianness 2, version 3; BundleEntryProto: dtype 1, shape 2,
 * shard_id 3, offset 4, size 5, crc32c 6, slices 7),
 * framework/tensor_shape.proto (dim 2 {size 1}, unknown_rank 3),
 * framework/tensor_slice.proto (extent 1 {start 1, length 2}),
 * framework/versions.proto (producer 1, min_consumer 2, bad_consumers 3);
 * util/tensor_bundle/tensor_bundle.h (version 1).  What is absent is 0.
 */
#ifndef STAGING_WEIGHTS_BUNDLE_ENTRY_H
#define STAGING_WEIGHTS_BUNDLE_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/limits.h"
#include "staging/refusal.h"
#include "staging/weights/tensor_bundle.h"
#include "staging/wire_read.h"

/* The number of shards of what this program can read; else -EBADMSG. */
int bundle_header_parse(const void *bytes, size_t len, unsigned int *shards,
			struct refusal *why) MUST_CHECK;

/*
 * Fills all of *@out but the key and the slices; .sliced says that there are
 * slices.  A tensor that is not sliced has the length that its type and
 * shape ask for, where the type tells.  -EBADMSG.
 */
int bundle_entry_parse(const void *bytes, size_t len, unsigned int shards,
		       struct bundle_tensor *out) MUST_CHECK;

/*
 * Walks the slices that an entry lists: @entry is a wire over the message,
 * *@out gets rank, start and length.  1; 0: no more; -EBADMSG.
 */
int bundle_listed_slice(struct wire *entry,
			struct bundle_slice *out) MUST_CHECK;

/* A start of -1 with a length of -1 is one of 0.  -EBADMSG: no slice. */
int bundle_slice_settle(struct bundle_slice *slice) MUST_CHECK;

/* Elements of @dims.  False: they pass 2^63. */
bool bundle_elements(const uint64_t *dims, unsigned int rank, uint64_t *out);

#endif
