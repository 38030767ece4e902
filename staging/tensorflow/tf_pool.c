/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/tf_pool.h"

#include <errno.h>
#include <stdint.h>

#include "base/limits.h"

void tf_pool_init(struct tf_pool *pool, size_t file_bytes)
{
	size_t more = file_bytes < SIZE_MAX / 2 / FREEZE_MEMORY_FACTOR
			      ? file_bytes * FREEZE_MEMORY_FACTOR
			      : SIZE_MAX / 2;

	*pool = (struct tf_pool){ .left = FREEZE_MEMORY_MIN + more };
}

void tf_pool_release(struct tf_pool *pool)
{
	arena_release(&pool->arena);
}

void *tf_pool_array(struct tf_pool *pool, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > pool->left) {
		pool->spent = true;
		return NULL;
	}
	pool->left -= bytes;
	return arena_alloc(&pool->arena, bytes);
}

void *tf_pool_copy(struct tf_pool *pool, const void *bytes, size_t len)
{
	void *copy = tf_pool_array(pool, len, 1);

	if (copy && len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

struct tf_text tf_pool_join(struct tf_pool *pool, struct tf_text a,
			    struct tf_text b, struct tf_text c)
{
	const struct tf_text parts[] = { a, b, c };
	size_t len = a.len + b.len + c.len, at = 0;
	char *text = tf_pool_array(pool, len, 1);

	for (size_t i = 0; text && i < ARRAY_LEN(parts); i++) {
		if (parts[i].len > 0)
			memcpy(text + at, parts[i].at, parts[i].len);
		at += parts[i].len;
	}
	return (struct tf_text){ text, len };
}

int tf_pool_error(const struct tf_pool *pool)
{
	return pool->spent ? -EFBIG : -ENOMEM;
}
