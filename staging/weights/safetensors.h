/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/safetensors.h - the header of a safetensors file.  Pure.
 *
 * The format, and what a reader must check (safetensors/src/tensor.rs):
 * u64 N little-endian, N bytes of JSON that begin with '{' and may end in
 * spaces, then the data.  Each entry is {"dtype", "shape", "data_offsets":
 * [begin, end]}, counted from the start of the data; together they tile it
 * without hole or overlap.  "__metadata__" maps strings to strings; its
 * "format" is "pt", "tf", "flax" or absent, and says whose the names are
 * (transformers, save_pretrained()).
 */
#ifndef STAGING_WEIGHTS_SAFETENSORS_H
#define STAGING_WEIGHTS_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "staging/weights/weights.h"

#define SAFETENSORS_PREFIX_BYTES 8

/*
 * From the first 8 bytes of a file of @file_size bytes: how many bytes its
 * head has, those 8 and the JSON.  -EBADMSG: not safetensors.
 */
int safetensors_head_len(const void *prefix, uint64_t file_size,
			 size_t *head_len) MUST_CHECK;

/*
 * Adds the tensors of file number @file, whose head is exactly @bytes, to
 * @weights.  -EBADMSG: not valid, as a whole.
 */
int safetensors_parse(struct weights *weights, unsigned int file,
		      const void *bytes, size_t len) MUST_CHECK;

#endif
