/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/weights/safetensors.h"
#include "staging/weights/shard_index.h"
#include "tests/unit/unit.h"

/* Parses a head of @json before @data_bytes; *@out NULL on failure. */
static int parse(const char *json, uint64_t data_bytes, struct weights **out)
{
	size_t json_len = strlen(json);
	auto_free uint8_t *head = mem_alloc(8 + json_len);
	auto_weights struct weights *weights = NULL;
	unsigned int file;
	int r;

	put_le64(head, json_len);
	memcpy(head + 8, json, json_len);
	assert_int_equal(weights_new("safetensors", &weights), 0);
	assert_int_equal(weights_add_file(weights, "m", 0,
					  8 + json_len + data_bytes, &file),
			 0);
	r = safetensors_parse(weights, file, head, 8 + json_len);
	if (r == 0)
		r = weights_finish(weights);
	if (r == 0 && out)
		*out = take_ptr(weights);
	return r;
}

static void a_good_header_is_read(void **state)
{
	const char *json = "{\"__metadata__\":{\"format\":\"pt\"},"
			   "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],"
			   "\"data_offsets\":[24,28]},"
			   "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],"
			   "\"data_offsets\":[0,24]}}   ";
	auto_weights struct weights *weights = NULL;
	const struct tensor *a;

	(void)state;
	assert_int_equal(parse(json, 28, &weights), 0);
	assert_int_equal(weights->count, 2);
	a = weights_find(weights, "a");
	assert_non_null(a);
	assert_int_equal(a->off, 8 + strlen(json));
	assert_int_equal(a->len, 24);
	assert_int_equal(a->rank, 2);
	assert_int_equal(a->dims[1], 3);
	assert_int_equal(weights_find(weights, "b")->dtype, DTYPE_BF16);
	assert_null(weights_find(weights, "c"));
}

#define ENTRY(name, dtype, shape, begin, end)                    \
	"\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape \
	",\"data_offsets\":[" #begin "," #end "]}"
#define F32(name, n, begin, end) ENTRY(name, "F32", "[" #n "]", begin, end)

static const struct {
	const char *name, *json;
	uint64_t data;
	int result;
} headers[] = {
	{ "nothing in it", "{}", 0, 0 },
	{ "S-02 an array", "[]", 0, -EBADMSG },
	{ "S-02 a space before", " {}", 0, -EBADMSG },
	{ "S-02 not JSON", "{]", 0, -EBADMSG },
	{ "S-03 two tile", "{" F32("a", 1, 0, 4) "," F32("b", 1, 4, 8) "}", 8,
	  0 },
	{ "S-03 unsorted is legal",
	  "{" F32("a", 1, 4, 8) "," F32("b", 1, 0, 4) "}", 8, 0 },
	{ "S-03 overlap", "{" F32("a", 2, 0, 8) "," F32("b", 1, 4, 8) "}", 8,
	  -EBADMSG },
	{ "S-03 hole", "{" F32("a", 1, 0, 4) "," F32("b", 1, 8, 12) "}", 12,
	  -EBADMSG },
	{ "S-03 hole at the start", "{" F32("a", 1, 4, 8) "}", 8, -EBADMSG },
	{ "S-03 bytes after the last", "{" F32("a", 1, 0, 4) "}", 5, -EBADMSG },
	{ "S-04 begin after end", "{" F32("a", 1, 4, 0) "}", 4, -EBADMSG },
	{ "S-04 end after data", "{" F32("a", 2, 0, 8) "}", 4, -EBADMSG },
	{ "S-04 wraps",
	  "{" ENTRY("a", "U8", "[2]", 18446744073709551615, 1) "}", 4,
	  -EBADMSG },
	{ "S-04 three offsets",
	  "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
	  "\"data_offsets\":[0,1,2]}}",
	  1, -EBADMSG },
	{ "S-05 empty at a boundary",
	  "{" F32("a", 1, 0, 4) "," F32("b", 0, 4, 4) "}", 4, 0 },
	{ "S-05 empty in the middle",
	  "{" F32("a", 1, 0, 4) "," F32("b", 0, 2, 2) "}", 4, -EBADMSG },
	{ "S-06 shape and length differ", "{" F32("a", 2, 0, 4) "}", 4,
	  -EBADMSG },
	{ "S-06 product overflows",
	  "{" ENTRY("a", "U8", "[4294967296,4294967296]", 0, 0) "}", 0,
	  -EBADMSG },
	{ "S-06 too many dimensions",
	  "{" ENTRY("a", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) "}", 1, -EBADMSG },
	{ "S-06 negative", "{" ENTRY("a", "U8", "[-1]", 0, 1) "}", 1,
	  -EBADMSG },
	{ "S-06 not whole", "{" ENTRY("a", "U8", "[1.5]", 0, 1) "}", 1,
	  -EBADMSG },
	{ "S-06 a scalar", "{" ENTRY("a", "F32", "[]", 0, 4) "}", 4, 0 },
	{ "S-07 an unknown type is kept", "{" ENTRY("a", "F4", "[8]", 0, 4) "}",
	  4, 0 },
	{ "S-07 one that only passes through",
	  "{" ENTRY("a", "U16", "[2]", 0, 4) "}", 4, 0 },
	{ "S-07 and its length", "{" ENTRY("a", "U16", "[2]", 0, 2) "}", 2,
	  -EBADMSG },
	{ "S-08 two of a name", "{" F32("a", 1, 0, 4) "," F32("a", 1, 4, 8) "}",
	  8, -EBADMSG },
	{ "S-08 metadata not of strings", "{\"__metadata__\":{\"a\":1}}", 0,
	  -EBADMSG },
	{ "S-08 metadata not an object", "{\"__metadata__\":[]}", 0, -EBADMSG },
	{ "S-09 odd names are names", "{" F32("../a/", 1, 0, 4) "}", 4, 0 },
	{ "S-09 NUL in a name", "{" F32("a\\u0000b", 1, 0, 4) "}", 4,
	  -EBADMSG },
	{ "no type", "{\"a\":{\"shape\":[],\"data_offsets\":[0,1]}}", 1,
	  -EBADMSG },
	{ "an entry that is a number", "{\"a\":1}", 0, -EBADMSG },
};

static void headers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		print_message("%s\n", headers[i].name);
		assert_int_equal(parse(headers[i].json, headers[i].data, NULL),
				 headers[i].result);
	}
}

static void long_names_are_refused(void **state)
{
	auto_str struct str json;

	(void)state;
	str_init(&json, 1 << 20);
	assert_int_equal(str_append_text(&json, "{\""), 0);
	for (int i = 0; i < TENSOR_NAME_MAX + 1; i++)
		assert_int_equal(str_append_char(&json, 'n'), 0);
	assert_int_equal(str_append_text(&json, "\":{\"dtype\":\"U8\","
						"\"shape\":[1],"
						"\"data_offsets\":[0,1]}}"),
			 0);
	assert_int_equal(parse(str_text(&json), 1, NULL), -EFBIG); /* S-09 */
}

static void lengths_are_judged(void **state)
{
	static const struct {
		const char *name;
		uint64_t len, file;
		int result;
	} cases[] = {
		{ "S-01 zero", 0, 100, -EBADMSG },
		{ "S-01 one", 1, 100, -EBADMSG },
		{ "S-01 two", 2, 100, 0 },
		{ "S-01 all of the file", 92, 100, 0 },
		{ "S-01 one past the file", 93, 100, -EBADMSG },
		{ "S-01 all ones", UINT64_MAX, 100, -EBADMSG },
		{ "S-01 past the limit", 100000001, 1ULL << 40, -EBADMSG },
		{ "S-01 the limit", 100000000, 1ULL << 40, 0 },
		{ "S-12 a file of seven bytes", 2, 7, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t prefix[8];
		size_t head;

		print_message("%s\n", cases[i].name);
		put_le64(prefix, cases[i].len);
		assert_int_equal(safetensors_head_len(prefix, cases[i].file,
						      &head),
				 cases[i].result);
	}
}

/* S-12: whatever the length that is left, it is refused. */
static void a_cut_file_is_refused(void **state)
{
	const char *json = "{" F32("a", 1, 0, 4) "," F32("b", 1, 4, 8) "}";
	size_t full = 8 + strlen(json) + 8;
	uint8_t head[256];

	(void)state;
	put_le64(head, strlen(json));
	memcpy(head + 8, json, strlen(json));
	for (size_t size = 0; size < full; size++) {
		auto_weights struct weights *weights = NULL;
		size_t have = u64_min(size, 8 + strlen(json));
		unsigned int file;

		assert_int_equal(weights_new("safetensors", &weights), 0);
		assert_int_equal(weights_add_file(weights, "m", 0, size, &file),
				 0);
		assert_int_equal(safetensors_parse(weights, file, head, have),
				 -EBADMSG);
	}
}

static void shard_indexes_are_judged(void **state)
{
	static const struct {
		const char *name, *json;
		int result;
	} cases[] = {
		{ "good",
		  "{\"weight_map\":{\"a\":\"x-1.bin\",\"b\":\"x-1.bin\","
		  "\"c\":\"x-2.bin\"}}",
		  0 },
		{ "no map", "{}", -EBADMSG },
		{ "an empty map", "{\"weight_map\":{}}", -EBADMSG },
		{ "not JSON", "{", -EBADMSG },
		{ "S-10 above", "{\"weight_map\":{\"a\":\"../x\"}}", -EBADMSG },
		{ "S-10 below", "{\"weight_map\":{\"a\":\"d/x\"}}", -EBADMSG },
		{ "S-10 a URL", "{\"weight_map\":{\"a\":\"http://h/x\"}}",
		  -EBADMSG },
		{ "S-10 dots", "{\"weight_map\":{\"a\":\"..\"}}", -EBADMSG },
		{ "S-10 nothing", "{\"weight_map\":{\"a\":\"\"}}", -EBADMSG },
		{ "S-10 a number", "{\"weight_map\":{\"a\":1}}", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_shard_index struct shard_index index = { 0 };
		auto_refusal struct refusal why = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(shard_index_parse(cases[i].json,
						   strlen(cases[i].json),
						   &index, &why),
				 cases[i].result);
		if (cases[i].result == 0) {
			assert_int_equal(index.count, 2);
			assert_string_equal(index.names[1], "x-2.bin");
		} else {
			assert_non_null(why.reason);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_header_is_read),
		cmocka_unit_test(headers_are_judged),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(lengths_are_judged),
		cmocka_unit_test(a_cut_file_is_refused),
		cmocka_unit_test(shard_indexes_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
