/* SPDX-License-Identifier: MIT */
/*
 * base/mem.h - memory, with sizes checked and failure that tests can order.
 *
 * All memory of the program comes from here and goes back with free().
 * NULL means -ENOMEM, also where a size overflows.  In tests
 * mem_fail_nth() makes the n-th allocation from now on fail, once.
 *
 * Threads: any.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"

/* Not cleared. */
void *mem_alloc(size_t size) MUST_CHECK;

/* Cleared. */
void *mem_zalloc(size_t size) MUST_CHECK;

/* @count things of @size bytes, cleared. */
void *mem_array(size_t count, size_t size) MUST_CHECK;

/* As realloc() of @count things; the added bytes are not cleared. */
void *mem_resize(void *old, size_t count, size_t size) MUST_CHECK;

void *mem_dup(const void *bytes, size_t len) MUST_CHECK;
char *mem_strdup(const char *text) MUST_CHECK;

/* Of the first @len bytes of @text; NUL-terminated. */
char *mem_strndup(const char *text, size_t len) MUST_CHECK;

/* printf into new memory.  NULL: no memory. */
char *mem_printf(const char *format, ...) MUST_CHECK PRINTF_LIKE(1, 2);

/* 1: the next allocation of any thread fails; 0: off. */
void mem_fail_nth(unsigned int nth);

/* Switches it off.  True: it did fail one. */
bool mem_fail_done(void);

#endif
