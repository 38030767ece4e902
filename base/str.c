/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define STR_CAP_MIN 64

void str_init(struct str *str, size_t len_max)
{
	assert(len_max < SIZE_MAX);
	*str = (struct str){ .len_max = len_max };
}

/* Room for @more bytes and the NUL. */
static int reserve(struct str *str, size_t more)
{
	size_t need = str->len + more + 1;
	size_t cap = str->cap > STR_CAP_MIN ? str->cap : STR_CAP_MIN;
	char *bytes;

	if (more > str->len_max - str->len)
		return -EFBIG;
	if (need <= str->cap)
		return 0;
	while (cap < need)
		cap = cap <= str->len_max / 2 ? 2 * cap : str->len_max + 1;
	bytes = mem_resize(str->bytes, cap, 1);
	if (!bytes)
		return -ENOMEM;
	str->bytes = bytes;
	str->cap = cap;
	return 0;
}

int str_append(struct str *str, const void *bytes, size_t len)
{
	int r = reserve(str, len);

	if (r < 0)
		return r;
	if (len > 0)
		memcpy(str->bytes + str->len, bytes, len);
	str->len += len;
	str->bytes[str->len] = '\0';
	return 0;
}

int str_append_text(struct str *str, const char *text)
{
	return str_append(str, text, strlen(text));
}

int str_append_char(struct str *str, char c)
{
	return str_append(str, &c, 1);
}

int str_printf(struct str *str, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = str_vprintf(str, format, args);
	va_end(args);
	return r;
}

int str_vprintf(struct str *str, const char *format, va_list args)
{
	va_list again;
	int len, r;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return -EINVAL;
	r = reserve(str, (size_t)len);
	if (r < 0)
		return r;
	vsnprintf(str->bytes + str->len, (size_t)len + 1, format, args);
	str->len += (size_t)len;
	return 0;
}

int str_explain(struct str *why, int error, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = str_vprintf(why, format, args);
	va_end(args);
	return r < 0 ? r : error;
}

static const char *json_short_escape(unsigned char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* One character of @text; *@len bytes of it were used. */
static int append_json_char(struct str *str, const char *text, size_t *len)
{
	const char *escape = json_short_escape((unsigned char)*text);
	size_t step = utf8_step(text, *len);

	*len = step > 0 ? step : 1;
	if (step == 0)
		return str_append_text(str, "\\ufffd");
	if (escape)
		return str_append_text(str, escape);
	if ((unsigned char)*text < 0x20)
		return str_printf(str, "\\u%04x", (unsigned int)*text);
	return str_append(str, text, step);
}

int str_append_json(struct str *str, const char *text, size_t len)
{
	size_t was = str->len;
	int r = str_append_char(str, '"');

	for (size_t at = 0; r == 0 && at < len;) {
		size_t step = len - at;

		r = append_json_char(str, text + at, &step);
		at += step;
	}
	if (r == 0)
		r = str_append_char(str, '"');
	if (r < 0)
		str_truncate(str, was);
	return r;
}

const char *str_text(const struct str *str)
{
	return str->bytes ? str->bytes : "";
}

char *str_take(struct str *str, size_t *len)
{
	char *bytes = str->bytes;

	if (len)
		*len = str->len;
	str_init(str, str->len_max);
	return bytes;
}

void str_clear(struct str *str)
{
	str_truncate(str, 0);
}

void str_truncate(struct str *str, size_t len)
{
	assert(len <= str->len);
	str->len = len;
	if (str->bytes)
		str->bytes[len] = '\0';
}

void str_release(struct str *str)
{
	free(str->bytes);
	str_init(str, str->len_max);
}
