/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/tf_pool.h - memory freed together, with a bound.
 *
 * The bound follows from the size of the file that is read, so that no file
 * takes much more memory than it is long.
 *
 * Threads: one at a time for each struct tf_pool.
 */
#ifndef STAGING_TENSORFLOW_TF_POOL_H
#define STAGING_TENSORFLOW_TF_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/graph/arena.h"
#include "staging/tensorflow/tf_text.h"

/* Private to tf_pool.c. */
struct tf_pool {
	struct arena arena;
	size_t left; /* bytes that may still be asked for */
	bool spent;
};

/* For what is made of a file of @file_bytes.  No allocation. */
void tf_pool_init(struct tf_pool *pool, size_t file_bytes);
void tf_pool_release(struct tf_pool *pool);

/* @count things, cleared, aligned for any type.  NULL: tf_pool_error(). */
void *tf_pool_array(struct tf_pool *pool, size_t count, size_t size) MUST_CHECK;
void *tf_pool_copy(struct tf_pool *pool, const void *bytes,
		   size_t len) MUST_CHECK;

/* @a, @b and @c in a row; .at NULL: tf_pool_error(). */
struct tf_text tf_pool_join(struct tf_pool *pool, struct tf_text a,
			    struct tf_text b, struct tf_text c) MUST_CHECK;

/* After a NULL: -ENOMEM, or -EFBIG where the bound was met. */
int tf_pool_error(const struct tf_pool *pool);

#endif
