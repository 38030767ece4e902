/* SPDX-License-Identifier: MIT */
/*
 * Configurations and weights that do not agree: see model_case.h.  Most
 * mutations put another value where one is, so that the JSON stays right.
 */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/annot.h"
#include "tests/fuzz/json_tokens.h"
#include "tests/fuzz/model_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct model_case result = { 0 };
	int r = model_case_run(data, len, &result);

	(void)r;
	return 0;
}

/* libFuzzer's; replay.c has no need of it. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t len_max)
	__attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t len_max,
			       unsigned int seed);

/* From the seed of one mutation to numbers below @end. */
static unsigned int draw(unsigned int *seed, size_t end)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (unsigned int)((*seed >> 8) % end);
}

/* Puts @len bytes @by in place of @token; 0: there is no room. */
static size_t put(uint8_t *data, size_t data_len, size_t len_max,
		  const struct json_token *token, const void *by, size_t len)
{
	size_t end = token->at + token->len;

	if (data_len - token->len + len > len_max)
		return 0;
	memmove(data + token->at + len, data + end, data_len - end);
	memcpy(data + token->at, by, len);
	return data_len - token->len + len;
}

/* One of the values in the first @len bytes; false: there is none. */
static bool pick(const uint8_t *data, size_t len, unsigned int *seed,
		 struct json_token *out)
{
	struct json_token token = { 0 };
	size_t count = 0;

	json_token_next((const char *)data, len, &token); /* the whole */
	while (json_token_next((const char *)data, len, &token))
		if (draw(seed, ++count) == 0)
			*out = token;
	return count > 0;
}

/* Most are put into the configuration, which comes first. */
static size_t reach(const uint8_t *data, size_t len, unsigned int *seed)
{
	static const char tensors[] = "\"tensors\"";
	const uint8_t *at = memmem(data, len, tensors, strlen(tensors));

	return at && draw(seed, 4) > 0 ? (size_t)(at - data) : len;
}

/* What is put in place of a value. */
static const char *const values[] = {
	"0",
	"1",
	"2",
	"3",
	"4",
	"5",
	"7",
	"8",
	"12",
	"16",
	"31",
	"48",
	"64",
	"127",
	"128",
	"192",
	"193",
	"255",
	"256",
	"512",
	"1024",
	"8192",
	"65536",
	"65537",
	"131072",
	"131073",
	"16777216",
	"2147483647",
	"2147483648",
	"4294967295",
	"4294967296",
	"9223372036854775807",
	"9223372036854775808",
	"18446744073709551615",
	"-1",
	"-2",
	"-2147483648",
	"-9223372036854775808",
	"1e308",
	"-1e308",
	"1e39",
	"1e-320",
	"-0.5",
	"0.5",
	"1.0000001",
	"-0",
	"null",
	"true",
	"false",
	"\"\"",
	"\"x\"",
	"[]",
	"{}",
	"[0]",
	"[1,1]",
	"[[]]",
	"[1,2,3,4,5,6,7,8,9]",
	"\"gelu\"",
	"\"relu\"",
	"\"linear\"",
	"\"yarn\"",
	"\"llama3\"",
	"\"dynamic\"",
	"\"longrope\"",
	"\"full_attention\"",
	"\"sliding_attention\"",
	"\"F16\"",
	"\"BF16\"",
	"\"F64\"",
	"\"I64\"",
	"\"F32\"",
};

static size_t put_value(uint8_t *data, size_t len, size_t len_max,
			unsigned int *seed, const struct json_token *token)
{
	const char *value = values[draw(seed, ARRAY_LEN(values))];

	return put(data, len, len_max, token, value, strlen(value));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t len_max,
			       unsigned int seed)
{
	struct json_token token = { 0 }, from = { 0 };
	uint8_t copy[256];
	size_t made = 0, within = reach(data, len, &seed);

	if (draw(&seed, 12) > 0 && pick(data, within, &seed, &token)) {
		if (draw(&seed, 4) > 0)
			made = put_value(data, len, len_max, &seed, &token);
		else if (pick(data, within, &seed, &from) &&
			 from.len <= sizeof(copy))
			made = put(data, len, len_max, &token,
				   memcpy(copy, data + from.at, from.len),
				   from.len);
	}
	return made > 0 ? made : LLVMFuzzerMutate(data, len, len_max);
}
