/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/tf_text.h - names as they stand in a file.
 *
 * A struct tf_text borrows its bytes, which have no NUL at their end.
 */
#ifndef STAGING_TENSORFLOW_TF_TEXT_H
#define STAGING_TENSORFLOW_TF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct tf_text {
	const char *at;
	size_t len;
};

static inline struct tf_text tf_text_of(const char *text)
{
	return (struct tf_text){ text, strlen(text) };
}

static inline bool tf_text_equal(struct tf_text a, struct tf_text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool tf_text_is(struct tf_text text, const char *is)
{
	return tf_text_equal(text, tf_text_of(is));
}

static inline bool tf_text_starts(struct tf_text text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.at, with, len) == 0;
}

static inline bool tf_text_ends(struct tf_text text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len &&
	       memcmp(text.at + text.len - len, with, len) == 0;
}

/* As memcmp() of the bytes, a prefix first. */
static inline int tf_text_compare(struct tf_text a, struct tf_text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int r = len > 0 ? memcmp(a.at, b.at, len) : 0;

	return r != 0 ? r : (a.len > b.len) - (a.len < b.len);
}

/* Takes what is before the first @end, or all; both leave @text. */
static inline struct tf_text tf_text_cut(struct tf_text *text, char end)
{
	const char *at = text->len > 0 ? memchr(text->at, end, text->len)
				       : NULL;
	size_t len = at ? (size_t)(at - text->at) : text->len;
	size_t skip = at ? len + 1 : len;
	struct tf_text taken = { text->at, len };

	text->at += skip;
	text->len -= skip;
	return taken;
}

#endif
