/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/json_tokens.h"

#include <string.h>

/* Past the quote that ends the string that begins at @at. */
static size_t string_end(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < len ? at + 1 : len;
}

/* Past the bracket that ends the array or object that begins at @at. */
static size_t container_end(const char *text, size_t len, size_t at)
{
	size_t depth = 0;

	while (at < len) {
		char c = text[at];

		if (c == '"') {
			at = string_end(text, len, at);
			continue;
		}
		at++;
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && --depth == 0)
			break;
	}
	return at;
}

static size_t scalar_end(const char *text, size_t len, size_t at)
{
	while (at < len && !memchr(",:]} \t\r\n", text[at], 8))
		at++;
	return at;
}

static size_t value_end(const char *text, size_t len, size_t at)
{
	switch (text[at]) {
	case '"':
		return string_end(text, len, at);
	case '[':
	case '{':
		return container_end(text, len, at);
	default:
		return scalar_end(text, len, at);
	}
}

static bool is_key(const char *text, size_t len, size_t end)
{
	while (end < len && memchr(" \t\r\n", text[end], 4))
		end++;
	return end < len && text[end] == ':';
}

/* Where to look on: within what holds others, else behind it. */
static size_t after(const char *text, const struct json_token *token)
{
	if (token->len == 0)
		return token->at;
	if (text[token->at] == '[' || text[token->at] == '{')
		return token->at + 1;
	return token->at + token->len;
}

bool json_token_next(const char *text, size_t len, struct json_token *token)
{
	size_t at = after(text, token), end;

	for (; at < len; at = end) {
		end = at + 1;
		if (memchr(",:]} \t\r\n", text[at], 8))
			continue;
		end = value_end(text, len, at);
		if (text[at] == '"' && is_key(text, len, end)) {
			token->key_at = at + 1;
			token->key_len = end - at - 2;
			continue;
		}
		token->at = at;
		token->len = end - at;
		return true;
	}
	return false;
}
