/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "staging/weights/flax_tree.h"
#include "staging/weights/msgpack_item.h"
#include "staging/weights/weights_open.h"

#define F32    \
	"\xa7" \
	"float32"
#define BF16   \
	"\xa8" \
	"bfloat16"

/* {"a": [2] floats}; the parts of it. */
#define A      \
	"\xa1" \
	"a"
#define PAIR "\x92\x02\x03" /* a shape, 2 by 3 */
#define EIGHT      \
	"\xc4\x08" \
	"12345678" /* 8 bytes */
#define TWO          \
	"\xc7\x15\1" \
	"\x93\x91\x02" F32 EIGHT /* an array of 2 floats */
#define ROOT "\x81"

static int load_bytes(const void *bytes, size_t len, struct weights **out,
		      struct refusal *why)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER, .why = why };
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	int r;

	assert_int_equal(blob_of_bytes(mem_dup(bytes, len), len, &blob), 0);
	assert_int_equal(weights_new("flax", &weights), 0);
	assert_int_equal(weights_add_file(weights, "m", 0, len, &load.file), 0);
	load.weights = weights;
	load.blob = blob;
	r = flax_load(&load);
	if (r == 0)
		r = weights_finish(weights);
	if (r == 0)
		*out = take_ptr(weights);
	return r;
}

#define FILE_OF(text) (text), sizeof(text) - 1

static const struct {
	const char *title;
	const char *bytes;
	size_t len;
	const char *name; /* of its one tensor */
	enum dtype dtype;
	unsigned int rank;
	uint64_t dims[3];
	uint64_t off, tensor_len;
} good[] = {
	{ "an array", FILE_OF(ROOT A TWO), "a", DTYPE_F32, 1, { 2 }, 19, 8 },
	{ "maps in maps",
	  FILE_OF(ROOT "\xa1"
		       "x" ROOT "\xa1"
		       "y" ROOT A TWO),
	  "x/y/a",
	  DTYPE_F32,
	  1,
	  { 2 },
	  25,
	  8 },
	{ "an empty map before it",
	  FILE_OF("\x82\xa1"
		  "e\x80" A TWO),
	  "a",
	  DTYPE_F32,
	  1,
	  { 2 },
	  22,
	  8 },
	{ "an empty map after it",
	  FILE_OF("\x82" A TWO "\xa1"
		  "e\x80"),
	  "a",
	  DTYPE_F32,
	  1,
	  { 2 },
	  19,
	  8 },
	{ "a map of 16 bits, a text of 8",
	  FILE_OF("\xde\0\1\xd9\1"
		  "a" TWO),
	  "a",
	  DTYPE_F32,
	  1,
	  { 2 },
	  22,
	  8 },
	{ "maps and texts of 32 bits",
	  FILE_OF("\xdf\0\0\0\1\xdb\0\0\0\1"
		  "a" TWO),
	  "a",
	  DTYPE_F32,
	  1,
	  { 2 },
	  27,
	  8 },
	{ "an extension and bytes of 32 bits",
	  FILE_OF(ROOT A "\xc9\0\0\0\x18\1"
			 "\x93\x91\x02" F32 "\xc6\0\0\0\x08"
			 "12345678"),
	  "a",
	  DTYPE_F32,
	  1,
	  { 2 },
	  25,
	  8 },
	{ "dimensions of 16 bits",
	  FILE_OF(ROOT A "\xc7\x19\1"
			 "\x93\x92\xcd\0\1\xcc\x02" F32 EIGHT),
	  "a",
	  DTYPE_F32,
	  2,
	  { 1, 2 },
	  23,
	  8 },
	{ "a number of numpy",
	  FILE_OF(ROOT A "\xd8\3"
			 "\x93\x90" F32 "\xc4\4"
			 "1234"),
	  "a",
	  DTYPE_F32,
	  0,
	  { 0 },
	  17,
	  4 },
	{ "bfloat16",
	  FILE_OF(ROOT A "\xc7\x1b\1"
			 "\x93" PAIR BF16 "\xc4\x0c"
			 "123456789abc"),
	  "a",
	  DTYPE_BF16,
	  2,
	  { 2, 3 },
	  21,
	  12 },
	{ "nothing in it",
	  FILE_OF(ROOT A "\xc7\x0d\1"
			 "\x93\x91\0" F32 "\xc4\0"),
	  "a",
	  DTYPE_F32,
	  1,
	  { 0 },
	  19,
	  0 },
	{ "a type that is not known",
	  FILE_OF(ROOT A "\xc7\x12\1"
			 "\x93\x91\2\xa9"
			 "complex64\xc4\3"
			 "123"),
	  "a",
	  DTYPE_OTHER,
	  1,
	  { 2 },
	  21,
	  3 },
};

static void arrays_lie_where_flax_put_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_weights struct weights *weights = NULL;
		const struct tensor *tensor;

		print_message("%s\n", good[i].title);
		assert_int_equal(load_bytes(good[i].bytes, good[i].len,
					    &weights, NULL),
				 0);
		assert_int_equal(weights->count, 1);
		tensor = &weights->tensors[0];
		assert_string_equal(tensor->name, good[i].name);
		assert_int_equal(tensor->dtype, good[i].dtype);
		assert_int_equal(tensor->rank, good[i].rank);
		assert_memory_equal(tensor->dims, good[i].dims,
				    tensor->rank * sizeof(uint64_t));
		assert_int_equal(tensor->off, good[i].off);
		assert_int_equal(tensor->len, good[i].tensor_len);
	}
}

static const struct {
	const char *title;
	const char *bytes;
	size_t len;
	const char *code;
} bad[] = {
	{ "an array at the root", FILE_OF("\x91\1"), "flax" },
	{ "a byte that begins nothing", FILE_OF(ROOT "\xc1"), "flax" },
	{ "a key that is a number", FILE_OF(ROOT "\1" TWO), "flax" },
	{ "an empty key", FILE_OF(ROOT "\xa0" TWO), "flax" },
	{ "a key that is no UTF-8", FILE_OF(ROOT "\xa1\xff" TWO), "flax" },
	{ "NUL in a key",
	  FILE_OF(ROOT "\xa2"
		       "a\0" TWO),
	  "flax" },
	{ "a key past the end",
	  FILE_OF(ROOT "\xaf"
		       "a"),
	  "flax" },
	{ "a key of 4 GiB",
	  FILE_OF(ROOT "\xdb\xff\xff\xff\xff"
		       "a"),
	  "flax" },
	{ "a leaf that is a number", FILE_OF(ROOT A "\1"), "flax" },
	{ "nil", FILE_OF(ROOT A "\xc0"), "flax" },
	{ "a list", FILE_OF(ROOT A "\x90"), "flax" },
	{ "another extension",
	  FILE_OF(ROOT A "\xd4\2"
			 "1"),
	  "flax" },
	{ "a pair missing", FILE_OF("\x82" A TWO), "flax" },
	{ "a byte too many", FILE_OF(ROOT A TWO "\0"), "flax" },
	{ "a byte too few",
	  FILE_OF(ROOT A "\xc7\x15\1"
			 "\x93\x91\x02" F32 "\xc4\x08"
			 "1234567"),
	  "flax" },
	{ "an extension too long",
	  FILE_OF(ROOT A "\xc7\x16\1"
			 "\x93\x91\x02" F32 EIGHT "\0"),
	  "flax" },
	{ "an extension too short",
	  FILE_OF(ROOT A "\xc7\x14\1"
			 "\x93\x91\x02" F32 EIGHT),
	  "flax" },
	{ "two parts",
	  FILE_OF(ROOT A "\xc7\x15\1"
			 "\x92\x91\x02" F32 EIGHT),
	  "flax" },
	{ "a shape of other bytes",
	  FILE_OF(ROOT A "\xc7\x15\1"
			 "\x93\x91\x03" F32 EIGHT),
	  "flax" },
	{ "a negative dimension",
	  FILE_OF(ROOT A "\xc7\x15\1"
			 "\x93\x91\xff" F32 EIGHT),
	  "flax" },
	{ "nine dimensions",
	  FILE_OF(ROOT A "\xc7\x1d\1"
			 "\x93\x99\1\1\1\1\1\1\1\1\2" F32 EIGHT),
	  "flax" },
	{ "a shape past all bounds",
	  FILE_OF(ROOT A "\xc7\x26\1"
			 "\x93\x92\xcf\xff\xff\xff\xff\xff\xff\xff"
			 "\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff" F32 EIGHT),
	  "flax" },
	{ "a text for bytes",
	  FILE_OF(ROOT A "\xc7\x14\1"
			 "\x93\x91\x02" F32 "\xa8"
			 "12345678"),
	  "flax" },
	{ "in pieces",
	  FILE_OF(ROOT "\xa1"
		       "x" ROOT "\xb9"
		       "__msgpack_chunked_array__"
		       "\xc3"),
	  "flax-chunked" },
	{ "nothing", FILE_OF("\xc0"), "flax" },
};

static void what_is_no_file_of_flax_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_weights struct weights *weights = NULL;
		auto_refusal struct refusal why = { 0 };

		print_message("%s\n", bad[i].title);
		assert_int_equal(load_bytes(bad[i].bytes, bad[i].len, &weights,
					    &why),
				 -EBADMSG);
		assert_string_equal(why.code, bad[i].code);
	}
}

static void a_name_is_not_there_twice(void **state)
{
	static const char text[] = "\x82" A TWO A TWO;
	auto_weights struct weights *weights = NULL;

	(void)state;
	assert_int_equal(load_bytes(FILE_OF(text), &weights, NULL), -EBADMSG);
}

static void maps_have_a_depth(void **state)
{
	char text[3 * (FLAX_DEPTH_MAX + 1)];

	(void)state;
	for (int deeper = 0; deeper <= 1; deeper++) {
		size_t count = FLAX_DEPTH_MAX - 1 + (size_t)deeper, at = 0;
		auto_weights struct weights *weights = NULL;

		for (; at < 3 * count; at += 3)
			memcpy(text + at, ROOT A, 3);
		text[at++] = '\x80';
		assert_int_equal(load_bytes(text, at, &weights, NULL),
				 deeper ? -EFBIG : 0);
	}
}

/* However few bytes come at a time, the same tensors come out. */
static void heads_may_come_in_parts(void **state)
{
	static const char text[] = "\x82\xa1"
				   "x" ROOT A TWO "\xa1"
				   "y" TWO;
	const uint8_t *bytes = (const uint8_t *)text;
	size_t file_len = sizeof(text) - 1, waits = 0, len = 0;
	auto_weights struct weights *weights = NULL;
	auto_flax_tree struct flax_tree tree;
	unsigned int file;
	int r = 1;

	(void)state;
	assert_int_equal(weights_new("flax", &weights), 0);
	assert_int_equal(weights_add_file(weights, "m", 0, file_len, &file), 0);
	flax_tree_init(&tree, weights, file, NULL);
	while (r != 0) {
		r = flax_tree_step(&tree, bytes + tree.at, len);
		assert_true(r >= 0 || r == -ENODATA);
		waits += r < 0;
		len = r < 0 ? len + 1 : 0;
		assert_true(tree.at + len <= file_len);
	}
	assert_int_equal(weights->count, 2);
	assert_string_equal(weights->tensors[0].name, "x/a");
	assert_string_equal(weights->tensors[1].name, "y");
	assert_true(waits > 30);
}

/* Arrays of three pieces; only what is around their heads is fetched. */
static void payloads_are_passed_over(void **state)
{
	static const char head[] = "\xc9\0\3\0\x10\1"
				   "\x93\x91\xce\0\0\xc0\0" F32 "\xc6\0\3\0\0";
	size_t one = 2 + sizeof(head) - 1 + 0x30000, len = 1 + 3 * one;
	auto_weights struct weights *weights = NULL;
	uint8_t *bytes = mem_zalloc(len);

	(void)state;
	assert_non_null(bytes);
	bytes[0] = 0x83;
	for (size_t i = 0; i < 3; i++) {
		uint8_t *at = bytes + 1 + i * one;

		at[0] = 0xa1;
		at[1] = (uint8_t)('a' + i);
		memcpy(at + 2, head, sizeof(head) - 1);
	}
	/* What is around the payload: 1, the shape's 6, the others' 8 and 5. */
	for (size_t i = 0; i < 3; i++)
		bytes[1 + i * one + 2 + 4] = 0x14;
	assert_int_equal(load_bytes(bytes, len, &weights, NULL), 0);
	assert_int_equal(weights->count, 3);
	assert_int_equal(weights->tensors[2].off, len - 0x30000);
	free(bytes);
}

static int load_nested(void)
{
	static const char text[] = "\x81\xa1"
				   "x" ROOT A TWO;
	struct weights_load load = { .deadline_ns = CLOCK_NEVER };
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	void *bytes = mem_dup(FILE_OF(text));
	int r = bytes ? blob_of_bytes(bytes, sizeof(text) - 1, &blob) : -ENOMEM;

	if (r == 0)
		r = weights_new("flax", &weights);
	if (r == 0)
		r = weights_add_file(weights, "m", 0, blob->size, &load.file);
	load.weights = weights;
	load.blob = blob;
	return r < 0 ? r : flax_load(&load);
}

static void faults_of_memory_do_not_leak(void **state)
{
	(void)state;
	run_with_faults(load_nested);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_lie_where_flax_put_them),
		cmocka_unit_test(what_is_no_file_of_flax_is_refused),
		cmocka_unit_test(a_name_is_not_there_twice),
		cmocka_unit_test(maps_have_a_depth),
		cmocka_unit_test(heads_may_come_in_parts),
		cmocka_unit_test(payloads_are_passed_over),
		cmocka_unit_test(faults_of_memory_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
