/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/tensor_bundle.h - the index of TensorFlow's checkpoints.
 * Pure.
 *
 * "variables.index" (or "model.ckpt.index") is a sorted table
 * (bundle_table.h) from names of tensors to BundleEntryProto: type, shape,
 * shard, offset, size; its first key is empty and leads to a
 * BundleHeaderProto.  The bytes of the tensors are raw and little-endian in
 * "variables.data-00000-of-00001" and so on.  Facts:
 * tensorflow/core/protobuf/tensor_bundle.proto, framework/types.proto,
 * framework/tensor_slice.proto, util/tensor_bundle/tensor_bundle.cc,
 * util/saved_tensor_slice_util.cc (EncodeTensorNameSlice).
 *
 * A partitioned variable has an entry without bytes that lists its slices,
 * and one entry for each slice, under a key that begins with a zero byte and
 * is not a name: the name and the slice in ordered_code.h's form.  Each
 * slice is contiguous in its shard, whatever the axis.
 *
 * What is accepted is consistent: a tensor of a known type has as many bytes
 * as its shape says; the slices of a tensor lie in it, do not overlap and
 * leave no hole; no key is there twice; no shard has a number too high.
 * Whether the bytes are in the shards is for tensor_bundle_check().
 *
 * A struct tensor_bundle is immutable and safe from any thread.
 */
#ifndef STAGING_WEIGHTS_TENSOR_BUNDLE_H
#define STAGING_WEIGHTS_TENSOR_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/map.h"
#include "staging/refusal.h"

/* DataType's numbers as they stand in the file; others may stand there. */
enum bundle_dtype {
	DT_FLOAT = 1,
	DT_DOUBLE = 2,
	DT_INT32 = 3,
	DT_UINT8 = 4,
	DT_INT16 = 5,
	DT_INT8 = 6,
	DT_STRING = 7,
	DT_COMPLEX64 = 8,
	DT_INT64 = 9,
	DT_BOOL = 10,
	DT_QINT8 = 11,
	DT_QUINT8 = 12,
	DT_QINT32 = 13,
	DT_BFLOAT16 = 14,
	DT_QINT16 = 15,
	DT_QUINT16 = 16,
	DT_UINT16 = 17,
	DT_COMPLEX128 = 18,
	DT_HALF = 19,
	DT_RESOURCE = 20,
	DT_VARIANT = 21,
	DT_UINT32 = 22,
	DT_UINT64 = 23,
};

/* One stored part of a sliced tensor. */
struct bundle_slice {
	unsigned int rank;		 /* that of the whole */
	int64_t start[TENSOR_RANK_MAX];	 /* in elements of each dimension */
	int64_t length[TENSOR_RANK_MAX]; /* -1: whole, and .start is 0 */
	unsigned int shard;
	uint64_t off, len; /* bytes in that shard */
};

struct bundle_tensor {
	const char *key; /* UTF-8 as in the file; owned by the bundle */
	int dtype;	 /* DataType's number, positive */
	unsigned int rank;
	uint64_t dims[TENSOR_RANK_MAX];
	unsigned int shard;
	uint64_t off, len; /* bytes in that shard */
	uint32_t crc;	   /* crc32c_mask()ed, of those bytes; 0: not known */
	bool sliced;	   /* the whole is in .slices only; .off, .len void */
	size_t slice_first, slice_count; /* of bundle->slices */
};

struct tensor_bundle {
	unsigned int shard_count;      /* 1 at least */
	struct bundle_tensor *tensors; /* in order of their keys */
	size_t count;
	struct bundle_slice *slices; /* those of a tensor in file order */
	size_t slice_count;
	struct map by_key; /* key -> struct bundle_tensor * */
};

/*
 * @bytes are the whole .index file.  On success the caller frees *@out with
 * tensor_bundle_free(); it holds no reference to @bytes.  -EBADMSG: refused,
 * and @why (if not NULL) says why; -ENOMEM.
 */
int tensor_bundle_parse(const void *bytes, size_t len,
			struct tensor_bundle **out,
			struct refusal *why) MUST_CHECK;
void tensor_bundle_free(struct tensor_bundle *bundle);
DEFINE_AUTO_PTR(tensor_bundle, struct tensor_bundle, tensor_bundle_free)
#define auto_tensor_bundle auto_of(tensor_bundle)

/* NULL: no such tensor. */
const struct bundle_tensor *tensor_bundle_find(
	const struct tensor_bundle *bundle, const char *key);

/*
 * Bytes of one element; 0 for DT_STRING, DT_RESOURCE, DT_VARIANT and unknown
 * numbers.  Of DT_STRING the shard holds the lengths of the elements as
 * varints, 4 bytes of checksum of those, and the elements.
 */
size_t bundle_dtype_bytes(int dtype);

/*
 * The name of shard number @shard of @count for the prefix
 * "variables/variables": "variables/variables.data-00000-of-00001".
 * -ENAMETOOLONG: it needs more than @size bytes with its NUL.
 */
int bundle_shard_name(char *to, size_t size, const char *prefix,
		      unsigned int shard, unsigned int count) MUST_CHECK;

/*
 * Every range lies within its shard; @sizes has shard_count entries, bytes.
 * -EBADMSG: one does not; @why names the tensor.
 */
int tensor_bundle_check(const struct tensor_bundle *bundle,
			const uint64_t *sizes, struct refusal *why) MUST_CHECK;

#endif
