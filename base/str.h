/* SPDX-License-Identifier: MIT */
/*
 * base/str.h - a growing string of bytes with a maximum.
 *
 * No buffer without a bound: str_init() names it.  The bytes are always
 * followed by a NUL that does not count.  A failed append leaves the
 * contents as they were.
 *
 * Threads: one at a time for each struct str.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct str {
	char *bytes; /* owned; NULL while nothing was appended */
	size_t len;
	size_t cap;
	size_t len_max;
};

/* No allocation, cannot fail. */
void str_init(struct str *str, size_t len_max);

/* -ENOMEM, or -EFBIG: past len_max. */
int str_append(struct str *str, const void *bytes, size_t len) MUST_CHECK;
int str_append_text(struct str *str, const char *text) MUST_CHECK;
int str_append_char(struct str *str, char c) MUST_CHECK;
int str_printf(struct str *str, const char *format, ...) MUST_CHECK
	PRINTF_LIKE(2, 3);
int str_vprintf(struct str *str, const char *format, va_list args) MUST_CHECK
	PRINTF_LIKE(2, 0);

/* Appends a sentence about @error for people; @error, or why it could not. */
int str_explain(struct str *why, int error, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* A JSON string with its quotes; bytes that are not UTF-8 as \ufffd. */
int str_append_json(struct str *str, const char *text, size_t len) MUST_CHECK;

/* The contents, "" if empty; valid until the next call. */
const char *str_text(const struct str *str);

/* The caller frees the bytes; @str is empty.  NULL: there was nothing. */
char *str_take(struct str *str, size_t *len);

/* Empty, ready for use again; memory is kept. */
void str_clear(struct str *str);

/* The first @len bytes stay; @len is at most the length. */
void str_truncate(struct str *str, size_t len);

/* Frees the contents, not @str. */
void str_release(struct str *str);

DEFINE_AUTO(str, struct str, str_release)
#define auto_str auto_of(str)

#endif
