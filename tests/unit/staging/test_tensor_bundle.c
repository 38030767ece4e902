/* SPDX-License-Identifier: MIT */
/* Indexes that TensorFlow wrote, and ones it would not. */
#include <fcntl.h>

#include "base/atomic_file.h"
#include "base/limits.h"
#include "staging/weights/tensor_bundle.h"
#include "tests/unit/staging/bundle_fake.h"

/* data/README.md says how these were made. */
#define DATA "tests/unit/staging/data/"

static void load(const char *name, struct str *out)
{
	str_init(out, FAKE_BYTES_MAX);
	assert_int_equal(file_read_all(AT_FDCWD, name, out), 0);
}

static void check_tensor(const struct tensor_bundle *bundle, const char *key,
			 int dtype, unsigned int rank, uint64_t first,
			 unsigned int shard, uint64_t off, uint64_t len)
{
	const struct bundle_tensor *tensor = tensor_bundle_find(bundle, key);

	print_message("%s\n", key);
	assert_non_null(tensor);
	assert_string_equal(tensor->key, key);
	assert_int_equal(tensor->dtype, dtype);
	assert_int_equal(tensor->rank, rank);
	assert_true(rank == 0 || tensor->dims[0] == first);
	assert_int_equal(tensor->sliced, len == 0);
	if (len == 0)
		return;
	assert_int_equal(tensor->shard, shard);
	assert_int_equal(tensor->off, off);
	assert_int_equal(tensor->len, len);
}

static void shards_are_read(void **state)
{
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;
	const struct bundle_tensor *empty, *p;
	auto_str struct str bytes;

	(void)state;
	load(DATA "shards.index", &bytes);
	assert_int_equal(
		tensor_bundle_parse(bytes.bytes, bytes.len, &bundle, NULL), 0);
	assert_int_equal(bundle->shard_count, 2);
	assert_int_equal(bundle->count, 6);
	check_tensor(bundle, "a", DT_FLOAT, 1, 2, 0, 0, 8);
	check_tensor(bundle, "b", DT_INT64, 0, 0, 1, 0, 8);
	check_tensor(bundle, "big", DT_INT32, 1, 100, 1, 24, 400);
	check_tensor(bundle, "text", DT_STRING, 1, 3, 0, 8, 17);
	check_tensor(bundle, "p", DT_FLOAT, 2, 5, 0, 0, 0);
	empty = tensor_bundle_find(bundle, "empty");
	assert_true(empty && !empty->sliced && empty->len == 0);
	assert_int_equal(empty->dims[1], 4);
	p = tensor_bundle_find(bundle, "p");
	assert_int_equal(p->slice_count, 2);
	assert_int_equal(bundle->slices[p->slice_first].shard, 0);
	assert_int_equal(bundle->slices[p->slice_first + 1].shard, 1);
	assert_null(tensor_bundle_find(bundle, "c"));
	assert_null(tensor_bundle_find(bundle, ""));
}

static void check_slice(const struct tensor_bundle *bundle, const char *key,
			size_t number, const int64_t *start_length,
			uint64_t off, uint64_t len)
{
	const struct bundle_tensor *tensor = tensor_bundle_find(bundle, key);
	const struct bundle_slice *slice =
		&bundle->slices[tensor->slice_first + number];

	print_message("%s, %zu\n", key, number);
	assert_true(number < tensor->slice_count);
	assert_int_equal(slice->rank, tensor->rank);
	for (unsigned int d = 0; d < slice->rank; d++) {
		assert_int_equal(slice->start[d], start_length[2 * d]);
		assert_int_equal(slice->length[d], start_length[2 * d + 1]);
	}
	assert_int_equal(slice->off, off);
	assert_int_equal(slice->len, len);
}

#define SLICE(...) ((const int64_t[]){ __VA_ARGS__ })

static void slices_are_read(void **state)
{
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;
	auto_str struct str bytes;

	(void)state;
	load(DATA "slices.index", &bytes);
	assert_int_equal(
		tensor_bundle_parse(bytes.bytes, bytes.len, &bundle, NULL), 0);
	assert_int_equal(bundle->count, 6);
	assert_int_equal(bundle->slice_count, 11);
	check_tensor(bundle, "one", DT_FLOAT, 1, 3, 0, 9192, 12);
	check_tensor(bundle, "grid", DT_FLOAT, 2, 4, 0, 0, 0);
	check_slice(bundle, "cols", 0, SLICE(0, -1, 0, 2), 0, 32);
	check_slice(bundle, "cols", 1, SLICE(0, -1, 2, 4), 32, 64);
	check_slice(bundle, "grid", 0, SLICE(0, 2, 0, 3), 96, 24);
	check_slice(bundle, "grid", 1, SLICE(0, 2, 3, 3), 120, 24);
	check_slice(bundle, "grid", 3, SLICE(2, 2, 3, 3), 168, 24);
	check_slice(bundle, "long", 1, SLICE(70, 8200, 0, -1), 262, 8200);
	check_slice(bundle, "long", 2, SLICE(8270, 730, 0, -1), 8462, 730);
	check_slice(bundle, "vast", 1, SLICE(2097152, 902848), 2106380, 902848);
}

static void snappy_is_read(void **state)
{
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;
	auto_str struct str bytes;

	(void)state;
	load(DATA "snappy.index", &bytes);
	assert_int_equal(
		tensor_bundle_parse(bytes.bytes, bytes.len, &bundle, NULL), 0);
	assert_int_equal(bundle->count, 3);
	check_tensor(bundle, "_CHECKPOINTABLE_OBJECT_GRAPH", DT_STRING, 0, 0, 0,
		     144, 258);
	check_tensor(bundle, "w/.ATTRIBUTES/VARIABLE_VALUE", DT_FLOAT, 2, 8, 0,
		     0, 128);
	assert_int_equal(bundle->tensors[2].crc, 0xe7e57ae2u);
}

/* Bits of which the index is read all the same. */
static size_t bits_that_pass(struct str *bytes)
{
	size_t passed = 0;

	for (size_t bit = 0; bit < 8 * bytes->len; bit++) {
		auto_tensor_bundle struct tensor_bundle *bundle = NULL;
		auto_refusal struct refusal why = { 0 };
		char *byte = &bytes->bytes[bit / 8], good = *byte;

		*byte = (char)(good ^ 1 << bit % 8);
		if (tensor_bundle_parse(bytes->bytes, bytes->len, &bundle,
					&why) == 0)
			passed++;
		else
			assert_string_equal(why.code, "tensor-bundle");
		*byte = good;
	}
	return passed;
}

/*
 * Every byte is under a checksum, or of the footer: there one bit makes a
 * length of two bytes that is the same, and that is all that passes.
 */
static void no_damage_passes(void **state)
{
	static const char *const names[] = { DATA "slices.index",
					     DATA "shards.index",
					     DATA "snappy.index" };

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		struct tensor_bundle *bundle;
		auto_str struct str bytes;

		load(names[n], &bytes);
		assert_in_range(bits_that_pass(&bytes), 0, 1);
		for (size_t len = 0; len < bytes.len; len++)
			assert_int_equal(tensor_bundle_parse(bytes.bytes, len,
							     &bundle, NULL),
					 -EBADMSG);
	}
}

/* Parses a table of these; the bundle, or NULL and *@result. */
static struct tensor_bundle *parse(const struct fake_entry *entries,
				   size_t count, struct refusal *why,
				   int *result)
{
	auto_str struct str file = { .len_max = FAKE_BYTES_MAX };
	struct tensor_bundle *bundle = NULL;

	fake_table(&file, entries, count, 3, false);
	*result = tensor_bundle_parse(file.bytes, file.len, &bundle, why);
	return bundle;
}

#define HEADER "\x08\x02\x1a\x02\x08\x01" /* two shards, version 1 */

static const struct {
	const char *name;
	struct fake_entry header;
	const char *code; /* NULL: taken */
} headers[] = {
	{ "TensorFlow's", FAKE_ENTRY("", HEADER), NULL },
	{ "without a version", FAKE_ENTRY("", "\x08\x01"), NULL },
	{ "little-endian", FAKE_ENTRY("", "\x08\x01\x10\x00"), NULL },
	{ "a new field", FAKE_ENTRY("", "\x08\x01\x22\x01x"), NULL },
	{ "a newer writer", FAKE_ENTRY("", "\x08\x01\x1a\x04\x08\x05\x10\x01"),
	  NULL },
	{ "P-03 big-endian", FAKE_ENTRY("", "\x08\x01\x10\x01"), "big-endian" },
	{ "P-03 for a newer reader", FAKE_ENTRY("", "\x08\x01\x1a\x02\x10\x02"),
	  "tensor-bundle" },
	{ "P-03 not for us", FAKE_ENTRY("", "\x08\x01\x1a\x02\x18\x01"),
	  "tensor-bundle" },
	{ "P-07 not for us, packed",
	  FAKE_ENTRY("", "\x08\x01\x1a\x04\x1a\x02\x05\x01"), "tensor-bundle" },
	{ "no shard", FAKE_ENTRY("", ""), "tensor-bundle" },
	{ "4096 shards", FAKE_ENTRY("", "\x08\x80\x20"), NULL },
	{ "one more", FAKE_ENTRY("", "\x08\x81\x20"), "tensor-bundle" },
	{ "2^32 and one", FAKE_ENTRY("", "\x08\x81\x80\x80\x80\x10"),
	  "tensor-bundle" },
	{ "under another key", FAKE_ENTRY("a", HEADER), "tensor-bundle" },
	{ "a number of text", FAKE_ENTRY("", "\x0a\x01x"), "tensor-bundle" },
	{ "P-05 cut", FAKE_ENTRY("", "\x08"), "tensor-bundle" },
};

static void headers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		auto_refusal struct refusal why = { 0 };
		auto_tensor_bundle struct tensor_bundle *bundle = NULL;
		int result;

		print_message("%s\n", headers[i].name);
		bundle = parse(&headers[i].header, 1, &why, &result);
		assert_int_equal(result, headers[i].code ? -EBADMSG : 0);
		assert_int_equal(bundle != NULL, headers[i].code == NULL);
		if (headers[i].code)
			assert_string_equal(why.code, headers[i].code);
	}
}

#define F32_2 "\x08\x01\x12\x04\x12\x02\x08\x02" /* float, [2] */
#define DIM(n) "\x12\x02\x08" n
#define LEN_8 "\x28\x08"
#define HUGE_DIM "\x12\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"

static const struct {
	const char *name;
	struct fake_entry entry;
	int result;
} entries[] = {
	{ "two floats", FAKE_ENTRY("a", F32_2 LEN_8), 0 },
	{ "in the second shard", FAKE_ENTRY("a", F32_2 LEN_8 "\x18\x01"), 0 },
	{ "a scalar", FAKE_ENTRY("a", "\x08\x01\x28\x04"), 0 },
	{ "a scalar with a shape of nothing",
	  FAKE_ENTRY("a", "\x08\x01\x12\x00\x28\x04"), 0 },
	{ "nothing in it", FAKE_ENTRY("a", "\x08\x01\x12\x02\x12\x00"), 0 },
	{ "a name in UTF-8", FAKE_ENTRY("\xc3\xbc", F32_2 LEN_8), 0 },
	{ "a checksum", FAKE_ENTRY("a", F32_2 LEN_8 "\x35\1\2\3\4"), 0 },
	{ "a field of tomorrow", FAKE_ENTRY("a", F32_2 LEN_8 "\x42\x01x"), 0 },
	{ "strings", FAKE_ENTRY("a", "\x08\x07\x12\x04" DIM("\x02") "\x28\x09"),
	  0 },
	{ "an unknown type", FAKE_ENTRY("a", "\x08\x63\x28\x05"), 0 },
	{ "P-07 a size twice: the last one",
	  FAKE_ENTRY("a", F32_2 "\x28\x04" LEN_8), 0 },
	{ "P-07 a shape in two pieces",
	  FAKE_ENTRY("a", "\x08\x01\x12\x04" DIM("\x02") "\x12\x04" DIM("\x01")
				  LEN_8),
	  0 },
	{ "eight dimensions",
	  FAKE_ENTRY("a",
		     "\x08\x04\x12\x20" DIM("\1") DIM("\1") DIM("\1") DIM("\1")
			     DIM("\1") DIM("\1") DIM("\1") DIM("\1") "\x28\1"),
	  0 },
	{ "nine dimensions",
	  FAKE_ENTRY("a", "\x08\x04\x12\x24" DIM("\1") DIM("\1") DIM("\1")
				  DIM("\1") DIM("\1") DIM("\1") DIM("\1")
					  DIM("\1") DIM("\1") "\x28\1"),
	  -EBADMSG },
	{ "an unknown rank",
	  FAKE_ENTRY("a", "\x08\x01\x12\x02\x18\x01\x28\x04"), -EBADMSG },
	{ "no type", FAKE_ENTRY("a", "\x28\x04"), -EBADMSG },
	{ "a negative type",
	  FAKE_ENTRY("a", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	  -EBADMSG },
	{ "P-11 too short", FAKE_ENTRY("a", F32_2 "\x28\x07"), -EBADMSG },
	{ "P-11 too long", FAKE_ENTRY("a", F32_2 "\x28\x09"), -EBADMSG },
	{ "P-11 no length", FAKE_ENTRY("a", F32_2), -EBADMSG },
	{ "P-11 two strings in a byte",
	  FAKE_ENTRY("a", "\x08\x07\x12\x04" DIM("\x02") "\x28\x01"),
	  -EBADMSG },
	{ "P-11 the product overflows",
	  FAKE_ENTRY("a", "\x08\x01\x12\x18" HUGE_DIM HUGE_DIM "\x28\x04"),
	  -EBADMSG },
	{ "P-11 more elements than 2^63",
	  FAKE_ENTRY("a", "\x08\x15\x12\x10" HUGE_DIM DIM("\x02")), -EBADMSG },
	{ "P-11 as many", FAKE_ENTRY("a", "\x08\x15\x12\x0c" HUGE_DIM), 0 },
	{ "P-11 the bytes overflow",
	  FAKE_ENTRY("a", "\x08\x01\x12\x0c" HUGE_DIM "\x28\x04"), -EBADMSG },
	{ "P-11 a negative dimension",
	  FAKE_ENTRY("a", "\x08\x01\x12\x0d\x12\x0b\x08\xff\xff\xff\xff\xff\xff"
			  "\xff\xff\xff\x01"),
	  -EBADMSG },
	{ "T-04 a shard too high", FAKE_ENTRY("a", F32_2 LEN_8 "\x18\x02"),
	  -EBADMSG },
	{ "T-04 a shard of 2^32",
	  FAKE_ENTRY("a", F32_2 LEN_8 "\x18\x80\x80\x80\x80\x10"), -EBADMSG },
	{ "T-04 a negative offset",
	  FAKE_ENTRY("a", F32_2 LEN_8
		     "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	  -EBADMSG },
	{ "T-04 the end passes 2^63",
	  FAKE_ENTRY("a",
		     F32_2 LEN_8 "\x20\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
	  -EBADMSG },
	{ "T-04 a negative size",
	  FAKE_ENTRY("a", "\x08\x07\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			  "\x01"),
	  -EBADMSG },
	{ "P-05 a shape that is a number", FAKE_ENTRY("a", "\x08\x01\x10\x00"),
	  -EBADMSG },
	{ "P-05 a checksum that is a varint",
	  FAKE_ENTRY("a", F32_2 LEN_8 "\x30\x00"), -EBADMSG },
	{ "P-05 a group", FAKE_ENTRY("a", F32_2 LEN_8 "\x0b\x0c"), -EBADMSG },
	{ "a name that is not UTF-8", FAKE_ENTRY("\xff", F32_2 LEN_8),
	  -EBADMSG },
	{ "a zero byte in a name", FAKE_ENTRY("a\0b", F32_2 LEN_8), -EBADMSG },
	{ "slices without parts", FAKE_ENTRY("a", F32_2 "\x3a\x00"), -EBADMSG },
};

static void entries_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const struct fake_entry both[] = { FAKE_ENTRY("", HEADER),
						   entries[i].entry };
		auto_refusal struct refusal why = { 0 };
		auto_tensor_bundle struct tensor_bundle *bundle = NULL;
		int result;

		print_message("%s\n", entries[i].name);
		bundle = parse(both, 2, &why, &result);
		assert_int_equal(result, entries[i].result);
		if (result == 0)
			assert_non_null(
				tensor_bundle_find(bundle, both[1].key));
		else
			assert_non_null(why.reason);
	}
}

static void long_names_are_refused(void **state)
{
	static char name[TENSOR_NAME_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof(name));
	for (size_t more = 0; more < 2; more++) {
		struct fake_entry both[] = { FAKE_ENTRY("", HEADER),
					     FAKE_ENTRY("", F32_2 LEN_8) };
		auto_tensor_bundle struct tensor_bundle *bundle = NULL;
		int result;

		both[1].key = name;
		both[1].key_len = TENSOR_NAME_MAX + more;
		bundle = parse(both, 2, NULL, &result);
		assert_int_equal(result, more ? -EBADMSG : 0);
	}
}

static void ranges_are_held_against_the_shards(void **state)
{
	static const struct {
		const char *name, *at_fault;
		uint64_t sizes[2];
	} cases[] = {
		{ "just enough", NULL, { 49, 424 } },
		{ "a slice is cut", "p", { 48, 424 } },
		{ "P-13 a tensor is cut", "big", { 49, 423 } },
		{ "P-13 an empty shard", "a", { 0, 424 } },
		{ "P-13 the other one", "b", { 49, 0 } },
	};
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;
	auto_str struct str bytes;

	(void)state;
	load(DATA "shards.index", &bytes);
	assert_int_equal(
		tensor_bundle_parse(bytes.bytes, bytes.len, &bundle, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_refusal struct refusal why = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(tensor_bundle_check(bundle, cases[i].sizes,
						     &why),
				 cases[i].at_fault ? -EBADMSG : 0);
		if (cases[i].at_fault)
			assert_string_equal(why.detail, cases[i].at_fault);
	}
}

static void shards_are_named(void **state)
{
	char name[sizeof("v/variables.data-00003-of-00010")];

	(void)state;
	assert_int_equal(
		bundle_shard_name(name, sizeof(name), "v/variables", 3, 10), 0);
	assert_string_equal(name, "v/variables.data-00003-of-00010");
	assert_int_equal(bundle_shard_name(name, sizeof(name) - 1,
					   "v/variables", 3, 10),
			 -ENAMETOOLONG);
}

static void types_have_their_width(void **state)
{
	(void)state;
	assert_int_equal(bundle_dtype_bytes(DT_FLOAT), 4);
	assert_int_equal(bundle_dtype_bytes(DT_BFLOAT16), 2);
	assert_int_equal(bundle_dtype_bytes(DT_COMPLEX128), 16);
	assert_int_equal(bundle_dtype_bytes(DT_UINT64), 8);
	assert_int_equal(bundle_dtype_bytes(DT_STRING), 0);
	assert_int_equal(bundle_dtype_bytes(DT_VARIANT), 0);
	assert_int_equal(bundle_dtype_bytes(DT_UINT64 + 1), 0);
	assert_int_equal(bundle_dtype_bytes(0), 0);
	assert_int_equal(bundle_dtype_bytes(-1), 0);
}

static struct str faulty;

static int parse_shards(void)
{
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;

	return tensor_bundle_parse(faulty.bytes, faulty.len, &bundle, NULL);
}

static void faults_of_memory_do_not_leak(void **state)
{
	(void)state;
	load(DATA "shards.index", &faulty);
	run_with_faults(parse_shards);
	str_release(&faulty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shards_are_read),
		cmocka_unit_test(slices_are_read),
		cmocka_unit_test(snappy_is_read),
		cmocka_unit_test(no_damage_passes),
		cmocka_unit_test(headers_are_judged),
		cmocka_unit_test(entries_are_judged),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(ranges_are_held_against_the_shards),
		cmocka_unit_test(shards_are_named),
		cmocka_unit_test(types_have_their_width),
		cmocka_unit_test(faults_of_memory_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
