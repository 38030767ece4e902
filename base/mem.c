/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint fail_in; /* allocations until the one to fail; 0: none */
static atomic_bool failed;

static bool must_fail(void)
{
	unsigned int left = atomic_load_explicit(&fail_in,
						 memory_order_relaxed);

	while (left > 0) {
		if (!atomic_compare_exchange_weak(&fail_in, &left, left - 1))
			continue;
		if (left == 1)
			atomic_store(&failed, true);
		return left == 1;
	}
	return false;
}

/* A size of 0 is asked for as 1: NULL means failure, and only that. */
static size_t at_least_one(size_t size)
{
	return size > 0 ? size : 1;
}

void *mem_alloc(size_t size)
{
	return must_fail() ? NULL : malloc(at_least_one(size));
}

void *mem_zalloc(size_t size)
{
	return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || must_fail())
		return NULL;
	return calloc(1, at_least_one(bytes));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || must_fail())
		return NULL;
	return realloc(old, at_least_one(bytes));
}

void *mem_dup(const void *bytes, size_t len)
{
	void *copy = mem_alloc(len);

	if (copy && len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? mem_alloc(len + 1) : NULL;

	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *mem_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len >= 0)
		text = mem_alloc((size_t)len + 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void mem_fail_nth(unsigned int nth)
{
	atomic_store(&failed, false);
	atomic_store(&fail_in, nth);
}

bool mem_fail_done(void)
{
	atomic_store(&fail_in, 0);
	return atomic_exchange(&failed, false);
}
