/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/weights.h - tensors by name, and where their bytes lie.
 *
 * Every weight format is read into this one index; no weight is read for
 * it, only headers.  To add a format: one file that fills a struct weights,
 * and its line in weights_open.c.
 *
 * A struct weights is immutable once built and safe from any thread.
 */
#ifndef STAGING_WEIGHTS_WEIGHTS_H
#define STAGING_WEIGHTS_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/map.h"

enum dtype {
	DTYPE_F32,
	DTYPE_F16,
	DTYPE_BF16,
	DTYPE_F64,
	DTYPE_I64,
	DTYPE_I32,
	DTYPE_I16,
	DTYPE_I8,
	DTYPE_U8,
	DTYPE_BOOL,
	DTYPE_OTHER /* kept in the index; nothing can be staged of it */
};

/* Bytes of an element; 0 for DTYPE_OTHER. */
size_t dtype_bytes(enum dtype dtype);

/* "F32", as safetensors writes it. */
const char *dtype_name(enum dtype dtype);
bool dtype_is_float(enum dtype dtype);

struct tensor {
	char *name; /* owned by the index */
	enum dtype dtype;
	unsigned int rank;
	uint64_t dims[TENSOR_RANK_MAX];
	unsigned int file; /* of weights->files */
	uint64_t off;	   /* of its first byte in that file */
	uint64_t len;	   /* bytes; elements * dtype_bytes() */

	/*
	 * The bytes are those of the transposed matrix, row by row (a
	 * column-major 2-D view of a torch checkpoint).
	 */
	bool transposed;
};

struct weight_file {
	char *path;   /* owned; in the repository */
	size_t index; /* of the repository's files */
	uint64_t size;
};

struct weights {
	struct weight_file *files;
	size_t file_count;
	struct tensor *tensors; /* in order of the format's own listing */
	size_t count;
	struct map by_name; /* name -> struct tensor * */
	const char *format; /* "safetensors", "torch-zip"; static */
};

void weights_free(struct weights *weights);
DEFINE_AUTO_PTR(weights, struct weights, weights_free)
#define auto_weights auto_of(weights)

const struct tensor *weights_find(const struct weights *weights,
				  const char *name);
uint64_t tensor_elements(const struct tensor *tensor);

#endif
