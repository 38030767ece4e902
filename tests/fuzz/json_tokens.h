/* SPDX-License-Identifier: MIT */
/*
 * The values of a JSON text by their places in it, so that a test can put
 * others there.  The text need not be right.
 */
#ifndef TESTS_FUZZ_JSON_TOKENS_H
#define TESTS_FUZZ_JSON_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

struct json_token {
	size_t at, len;
	size_t key_at, key_len; /* of the last key before it, unquoted */
};

/*
 * The next value from @token's on, which is zeroed at first: an array or
 * object, then what it holds; never a key.  False: there is none.
 */
bool json_token_next(const char *text, size_t len, struct json_token *token);

#endif
