/* SPDX-License-Identifier: MIT */
#include "staging/external/output_tail.h"

#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

int tail_add(struct str *tail, const void *bytes, size_t len)
{
	const char *from = bytes;

	if (len > tail->len_max / 2) {
		from += len - tail->len_max / 2;
		len = tail->len_max / 2;
	}
	if (tail->len + len > tail->len_max) {
		size_t kept = tail->len_max / 2;

		memmove(tail->bytes, tail->bytes + tail->len - kept, kept);
		str_truncate(tail, kept);
	}
	return str_append(tail, from, len);
}

/* Where the line that ends at @end begins. */
static size_t line_begin(const char *text, size_t end)
{
	while (end > 0 && text[end - 1] != '\n' && text[end - 1] != '\r')
		end--;
	return end;
}

/* Where the last lines begin. */
static size_t find_begin(const struct str *tail)
{
	const char *text = str_text(tail);
	size_t begin = tail->len;
	size_t lines = 0;

	while (begin > 0 && lines < CONVERT_LINES_MAX) {
		size_t at = line_begin(text, begin - 1);

		if (tail->len - at > CONVERT_LINES_BYTES)
			break;
		lines += at < begin - 1;
		begin = at;
	}
	return begin < tail->len
		       ? begin
		       : tail->len - u64_min(tail->len, CONVERT_LINES_BYTES);
}

/* One line; "\r" ends one that was written over. */
static int add_line(const char *line, size_t len, struct str *out)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < len;) {
		size_t step = utf8_step(line + at, len - at);
		unsigned char c = (unsigned char)line[at];

		if (step == 0)
			r = str_append_char(out, '?');
		else if (c >= ' ' && c != 127)
			r = str_append(out, line + at, step);
		else if (c == '\t')
			r = str_append_char(out, ' ');
		at += step ? step : 1;
	}
	return r ?: str_append_char(out, '\n');
}

int tail_lines(const struct str *tail, struct str *out)
{
	const char *text = str_text(tail);
	size_t at = find_begin(tail);
	int r = 0;

	while (r == 0 && at < tail->len) {
		size_t len = strcspn(text + at, "\n\r");

		len = u64_min(len, tail->len - at);
		if (len > 0 && text[at + len] != '\r')
			r = add_line(text + at, len, out);
		else if (len > 0 && at + len + 1 < tail->len &&
			 text[at + len + 1] == '\n')
			r = add_line(text + at, len, out);
		at += len + 1;
	}
	return r;
}
