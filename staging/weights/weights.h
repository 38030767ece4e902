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

/* DTYPE_OTHER: none of the above. */
enum dtype dtype_parse(const char *name);
bool dtype_is_float(enum dtype dtype);

/* Which axis of a tensor its bytes go through slowest, which next, ... */
enum tensor_order {
	ORDER_ROWS, /* as its shape says */

	/*
	 * Last axis first: a matrix column by column, a kernel of a
	 * convolution [width, in, out] for torch's [out, in, width].
	 */
	ORDER_REVERSED,

	/*
	 * Rank 4: [height, width, in, out], as TensorFlow and JAX have it,
	 * for torch's [out, in, height, width].
	 */
	ORDER_HWIO
};

struct tensor {
	char *name; /* owned by the index */
	enum dtype dtype;
	unsigned int rank;
	uint64_t dims[TENSOR_RANK_MAX]; /* as torch has them */
	unsigned int file;		/* of weights->files */
	uint64_t off;			/* of its first byte in that file */
	uint64_t len;			/* bytes; elements * dtype_bytes() */
	enum tensor_order order;

	/*
	 * The bytes lie in another order still (a view that skips or
	 * repeats): nothing can be staged of it; .len bytes from .off are
	 * not the tensor.
	 */
	bool strided;
};

/* By whose rules a file names its tensors, and orders their axes. */
enum weight_names {
	NAMES_TORCH,	 /* transformers' PyTorch classes, or nobody's */
	NAMES_TF_LAYERS, /* tf_model.h5: "<layer>/<model>/.../kernel:0" */
	NAMES_TF_FULL,	 /* an index of shards: "<model>/.../kernel:0" */
	NAMES_TF_SHORT,	 /* safetensors and shards: ".../kernel:0" */
	NAMES_FLAX	 /* ".../kernel" */
};

struct weight_file {
	char *path;   /* owned; in the repository */
	size_t index; /* of the repository's files */
	uint64_t size;
	enum weight_names names; /* until weights_to_torch() */
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

/*
 * Building: files, then tensors by the reader of a format; then
 * weights_to_torch() (torch_names.h) and weights_finish().  After a failure
 * only weights_free().
 */
int weights_new(const char *format, struct weights **out) MUST_CHECK;

/*
 * Numbers the file; *@number is for tensor.file.  Copies @path.  Its .names are
 * torch's until the reader says otherwise.
 */
int weights_add_file(struct weights *weights, const char *path, size_t index,
		     uint64_t size, unsigned int *number) MUST_CHECK;

/*
 * Copies @tensor and its name.  A plain tensor's .len is set here.
 * -EBADMSG: its bytes leave the file; -EFBIG: past a limit.
 */
int weights_add(struct weights *weights,
		const struct tensor *tensor) MUST_CHECK;

/* Builds .by_name.  -EBADMSG: two tensors of one name. */
int weights_finish(struct weights *weights) MUST_CHECK;

/*
 * Copies the files and tensors of @other, the names after @prefix, into
 * @weights, which is whole.  -EBADMSG: a name is taken; -EFBIG; -ENOMEM: then
 * only weights_free().
 */
int weights_absorb(struct weights *weights, const struct weights *other,
		   const char *prefix) MUST_CHECK;

const struct tensor *weights_find(const struct weights *weights,
				  const char *name);

/* The same bytes seen in the same way, under another name. */
bool tensor_is_same(const struct tensor *a, const struct tensor *b);

/* 1 for a scalar.  Of a tensor in an index: cannot overflow. */
uint64_t tensor_elements(const struct tensor *tensor);

/* The axis of @tensor that is number @i in the order of its bytes. */
unsigned int tensor_axis(const struct tensor *tensor, unsigned int i);

/* False: elements or bytes pass 2^63; of any tensor. */
bool tensor_measure(const struct tensor *tensor, uint64_t *elements,
		    uint64_t *bytes);

#endif
