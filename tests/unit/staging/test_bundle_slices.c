/* SPDX-License-Identifier: MIT */
/* Partitioned variables: parts that make up their whole, or do not. */
#include "base/limits.h"
#include "staging/weights/tensor_bundle.h"
#include "tests/unit/staging/bundle_fake.h"

#define HEADER "\x08\x01"

/* Keys: name, rank, then start and length; 80 is 0, 82 is 2, 7f is -1. */
#define KEY_W "\0w\0\1"
#define ROWS(start, length) KEY_W "\1\2" start length "\x80\x83"

/* Of a float matrix; listed: {0, 2} {0, 3} and the like. */
#define SHAPE(rows, cols) "\x12\x08\x12\x02\x08" rows "\x12\x02\x08" cols
#define PART(rows, off) "\x08\x01" SHAPE(rows, "\x03") "\x20" off "\x28"
#define EXTENT(start, length) "\x0a\x04\x08" start "\x10" length
#define LISTED(start, length) \
	"\x3a\x0c" EXTENT(start, length) EXTENT("\x00", "\x03")
#define WHOLE "\x08\x01" SHAPE("\x05", "\x03")

static int parse(const struct fake_entry *entries, size_t count,
		 struct tensor_bundle **out)
{
	auto_str struct str file = { .len_max = FAKE_BYTES_MAX };

	fake_table(&file, entries, count, 4, false);
	return tensor_bundle_parse(file.bytes, file.len, out, NULL);
}

#define TOP FAKE_ENTRY(ROWS("\x80", "\x82"), PART("\x02", "\x00") "\x18")
#define END FAKE_ENTRY(ROWS("\x82", "\x83"), PART("\x03", "\x18") "\x24")
#define BOTH LISTED("\x00", "\x02") LISTED("\x02", "\x03")

static const struct {
	const char *name;
	struct fake_entry parts[2], whole;
	int result;
} cases[] = {
	{ "two that tile", { TOP, END }, FAKE_ENTRY("w", WHOLE BOTH), 0 },
	{ "listed in another order",
	  { TOP, END },
	  FAKE_ENTRY("w", WHOLE LISTED("\x02", "\x03") LISTED("\x00", "\x02")),
	  0 },
	{ "one is not listed",
	  { TOP, END },
	  FAKE_ENTRY("w", WHOLE LISTED("\x00", "\x02")),
	  -EBADMSG },
	{ "none is listed", { TOP, END }, FAKE_ENTRY("w", WHOLE), -EBADMSG },
	{ "three are listed",
	  { TOP, END },
	  FAKE_ENTRY("w", WHOLE BOTH LISTED("\x02", "\x03")),
	  -EBADMSG },
	{ "another is listed",
	  { TOP, END },
	  FAKE_ENTRY("w", WHOLE LISTED("\x00", "\x02") LISTED("\x03", "\x02")),
	  -EBADMSG },
	{ "the whole has another name",
	  { TOP, END },
	  FAKE_ENTRY("v", WHOLE BOTH),
	  -EBADMSG },
	{ "T-04 they overlap",
	  { TOP,
	    FAKE_ENTRY(ROWS("\x81", "\x83"), PART("\x03", "\x18") "\x24") },
	  FAKE_ENTRY("w", WHOLE LISTED("\x00", "\x02") LISTED("\x01", "\x03")),
	  -EBADMSG },
	{ "T-04 they leave a hole",
	  { TOP,
	    FAKE_ENTRY(ROWS("\x83", "\x82"), PART("\x02", "\x18") "\x18") },
	  FAKE_ENTRY("w", WHOLE LISTED("\x00", "\x02") LISTED("\x03", "\x02")),
	  -EBADMSG },
	{ "T-04 one leaves the whole",
	  { TOP,
	    FAKE_ENTRY(ROWS("\x83", "\x83"), PART("\x03", "\x18") "\x24") },
	  FAKE_ENTRY("w", WHOLE LISTED("\x00", "\x02") LISTED("\x03", "\x03")),
	  -EBADMSG },
	{ "a part of another shape than its slice",
	  { TOP,
	    FAKE_ENTRY(ROWS("\x82", "\x83"), PART("\x02", "\x18") "\x18") },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "a part of another type",
	  { TOP,
	    FAKE_ENTRY(ROWS("\x82", "\x83"),
		       "\x08\x03" SHAPE("\x03", "\x03") "\x20\x18\x28\x24") },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "a part that is sliced",
	  { TOP, FAKE_ENTRY(ROWS("\x82", "\x83"),
			    "\x08\x01" SHAPE("\x03", "\x03") BOTH) },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "a key with bytes behind",
	  { TOP, FAKE_ENTRY(ROWS("\x82", "\x83") "\x80",
			    PART("\x03", "\x18") "\x24") },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "a key of one dimension",
	  { TOP,
	    FAKE_ENTRY(KEY_W "\1\2\x82\x83", PART("\x03", "\x18") "\x24") },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "a negative start",
	  { FAKE_ENTRY(ROWS("\x7e", "\x83"), PART("\x03", "\x18") "\x24"),
	    TOP },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "a start past 2^62",
	  { TOP,
	    FAKE_ENTRY(ROWS("\xff\xc0\x7f\xff\xff\xff\xff\xff\xff\xff", "\x83"),
		       PART("\x03", "\x18") "\x24") },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
	{ "nine dimensions",
	  { TOP, FAKE_ENTRY(KEY_W "\1\x09"
				  "\x80\x81\x80\x81\x80\x81\x80\x81\x80\x81"
				  "\x80\x81\x80\x81\x80\x81\x80\x81",
			    PART("\x03", "\x18") "\x24") },
	  FAKE_ENTRY("w", WHOLE BOTH),
	  -EBADMSG },
};

static void parts_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fake_entry all[] = {
			FAKE_ENTRY("", HEADER),
			cases[i].parts[0],
			cases[i].parts[1],
			cases[i].whole,
		};
		auto_tensor_bundle struct tensor_bundle *bundle = NULL;
		const struct bundle_tensor *w;

		print_message("%s\n", cases[i].name);
		assert_int_equal(parse(all, ARRAY_LEN(all), &bundle),
				 cases[i].result);
		if (!bundle)
			continue;
		w = tensor_bundle_find(bundle, "w");
		assert_true(w && w->sliced && w->slice_count == 2);
		assert_int_equal(bundle->slices[w->slice_first].off, 0);
		assert_int_equal(bundle->slices[w->slice_first + 1].off, 24);
	}
}

/* A whole dimension is said by 0 and -1, by -1 and -1, or in full. */
static void whole_dimensions_read_alike(void **state)
{
	static const struct fake_entry keys[] = {
		FAKE_ENTRY(KEY_W "\1\2\x80\x85\x80\x7f", ""),
		FAKE_ENTRY(KEY_W "\1\2\x80\x85\x7f\x7f", ""),
		FAKE_ENTRY(KEY_W "\1\2\x80\x7f\x80\x7f", ""),
		FAKE_ENTRY(KEY_W "\1\2\x80\x85\x80\x83", ""),
	};
	static const struct fake_entry wholes[] = {
		FAKE_ENTRY("w",
			   WHOLE "\x3a\x08" EXTENT("\x00", "\x05") "\x0a\x00"),
		FAKE_ENTRY("w",
			   WHOLE "\x3a\x08" EXTENT("\x00", "\x05") "\x0a\x00"),
		FAKE_ENTRY("w", WHOLE "\x3a\x04\x0a\x00\x0a\x00"),
		FAKE_ENTRY("w", WHOLE LISTED("\x00", "\x05")),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct fake_entry all[] = {
			FAKE_ENTRY("", HEADER),
			FAKE_ENTRY("", PART("\x05", "\x00") "\x3c"),
			wholes[i],
		};
		auto_tensor_bundle struct tensor_bundle *bundle = NULL;

		print_message("key %zu\n", i);
		all[1].key = keys[i].key;
		all[1].key_len = keys[i].key_len;
		assert_int_equal(parse(all, 3, &bundle), 0);
		assert_int_equal(bundle->slices[0].start[1], 0);
		assert_int_equal(bundle->slices[0].length[1], i == 3 ? 3 : -1);
	}
}

/* A part without its whole. */
static void orphans_are_refused(void **state)
{
	static const struct fake_entry all[] = {
		FAKE_ENTRY("", HEADER), TOP, FAKE_ENTRY("v", "\x08\x01\x28\x04")
	};
	struct tensor_bundle *bundle;

	(void)state;
	assert_int_equal(parse(all, ARRAY_LEN(all), &bundle), -EBADMSG);
}

/* A number below 8192, as ordered_code.h has it. */
static void add_start(struct str *out, size_t start)
{
	if (start < 64) {
		assert_int_equal(str_append_char(out, (char)(0x80 | start)), 0);
		return;
	}
	assert_int_equal(str_append_char(out, (char)(0xc0 | start >> 8)), 0);
	assert_int_equal(str_append_char(out, (char)start), 0);
}

/* A slice of one row, in the list of the whole. */
static void add_listed(struct str *out, size_t start)
{
	char extent[] = "\x3a\x07\x0a\x05\x08\x80\x00\x10\x01";

	extent[5] = (char)(0x80 | start);
	extent[6] = (char)(start >> 7);
	fake_add(out, extent, sizeof(extent) - 1);
}

#define BYTE_PART "\x08\x04\x12\x04\x12\x02\x08\x01\x28\x01"

/* A vector of @count bytes, each a part. */
static int parse_bytes(size_t count)
{
	auto_free struct fake_entry *all = mem_array(count + 2, sizeof(*all));
	auto_free struct str *keys = mem_array(count, sizeof(*keys));
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;
	auto_str struct str whole = { .len_max = FAKE_BYTES_MAX };
	int r;

	assert_true(all && keys);
	all[0] = (struct fake_entry)FAKE_ENTRY("", HEADER);
	fake_add(&whole, "\x08\x04\x12\x05\x12\x03\x08", 7);
	fake_varint(&whole, count);
	for (size_t i = 0; i < count; i++) {
		str_init(&keys[i], TENSOR_NAME_MAX);
		fake_add(&keys[i], KEY_W "\1\1", sizeof(KEY_W "\1\1") - 1);
		add_start(&keys[i], i);
		fake_add(&keys[i], "\x81", 1);
		add_listed(&whole, i);
		all[i + 1] = (struct fake_entry){ keys[i].bytes, keys[i].len,
						  BYTE_PART,
						  sizeof(BYTE_PART) - 1 };
	}
	all[count + 1] = (struct fake_entry){ "w", 1, whole.bytes, whole.len };
	r = parse(all, count + 2, &bundle);
	assert_true(r < 0 || bundle->tensors[0].slice_count == count);
	for (size_t i = 0; i < count; i++)
		str_release(&keys[i]);
	return r;
}

static void too_many_parts_are_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_bytes(200), 0);
	assert_int_equal(parse_bytes(BUNDLE_PARTS_MAX), 0);
	assert_int_equal(parse_bytes(BUNDLE_PARTS_MAX + 1), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_judged),
		cmocka_unit_test(whole_dimensions_read_alike),
		cmocka_unit_test(orphans_are_refused),
		cmocka_unit_test(too_many_parts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
