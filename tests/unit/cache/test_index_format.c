/* SPDX-License-Identifier: MIT */
#include "cache/index_format.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/unit/unit.h"

#define VALUE_MAX 4096

static const struct content_key key_a = { { 0xaa, 1, 2, 3 } };
static const struct content_key key_b = { { 0xaa, 1, 2, 4 } };

static const struct blob_record blob = { .size = 0x1122334455667788,
					 .used_wall_s = 1764000000,
					 .verified = true,
					 .pinned = false };

static void group_fill(struct group_record *group)
{
	for (size_t i = 0; i < sizeof(group->present); i++)
		group->present[i] = (uint8_t)(i * 37);
	for (size_t i = 0; i < GROUP_BLOCKS; i++)
		group->sums[i] = i * 0x9e3779b97f4a7c15u;
}

/* What is on disks out there: these bytes may never change. */
static void the_bytes_of_a_blob_are_these(void **state)
{
	static const char want[] = "01000000"	      /* version */
				   "00000000"	      /* reserved */
				   "40f8bc22d27b499e" /* checksum */
				   "8877665544332211" /* size */
				   "0081246900000000" /* used */
				   "01000000"	      /* verified */
				   "00000000";	      /* reserved */
	auto_str struct str value;
	char got[256];

	(void)state;
	str_init(&value, VALUE_MAX);
	assert_int_equal(blob_record_encode(&key_a, &blob, &value), 0);
	assert_int_equal(value.len, 40);
	hex_encode(value.bytes, value.len, got);
	assert_string_equal(got, want);
}

static void a_blob_comes_back(void **state)
{
	static const struct blob_record records[] = {
		{ 0, 0, false, false },
		{ UINT64_MAX, INT64_MAX, true, true },
		{ 1, -1, false, true },
		{ 4096, INT64_MIN, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		auto_str struct str value;
		struct blob_record back;

		str_init(&value, VALUE_MAX);
		assert_int_equal(
			blob_record_encode(&key_a, &records[i], &value), 0);
		assert_int_equal(blob_record_decode(&key_a, value.bytes,
						    value.len, &back),
				 0);
		assert_true(back.size == records[i].size);
		assert_true(back.used_wall_s == records[i].used_wall_s);
		assert_int_equal(back.verified, records[i].verified);
		assert_int_equal(back.pinned, records[i].pinned);
	}
}

static void a_group_comes_back(void **state)
{
	auto_str struct str value;
	struct group_record group;
	struct group_record back;

	(void)state;
	group_fill(&group);
	str_init(&value, VALUE_MAX);
	assert_int_equal(group_record_encode(&key_a, 7, &group, &value), 0);
	assert_int_equal(value.len, 16 + 32 + 8 * 256);
	assert_memory_equal(value.bytes + 16, group.present, 32);
	assert_int_equal(le64(value.bytes + 48 + 8 * 3), group.sums[3]);
	assert_int_equal(group_record_decode(&key_a, 7, value.bytes, value.len,
					     &back),
			 0);
	assert_memory_equal(&back, &group, sizeof(group));
}

static void keys_of_groups_sort_by_number(void **state)
{
	static const uint32_t numbers[] = {
		0, 1, 255, 256, 257, 65536, 0x01000000, UINT32_MAX
	};
	uint8_t before[GROUP_KEY_BYTES] = { 0 };
	uint8_t name[GROUP_KEY_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		group_key(&key_a, numbers[i], name);
		assert_memory_equal(name, key_a.bytes, SHA256_BYTES);
		assert_true(memcmp(before, name, sizeof(name)) < 0);
		memcpy(before, name, sizeof(name));
	}
	group_key(&key_b, 0, name);
	assert_true(memcmp(before, name, sizeof(name)) < 0);
}

/* A value found under another key is not the one asked for. */
static void values_are_of_one_key(void **state)
{
	auto_str struct str value, group_value;
	struct blob_record back;
	struct group_record group;

	(void)state;
	group_fill(&group);
	str_init(&value, VALUE_MAX);
	str_init(&group_value, VALUE_MAX);
	assert_int_equal(blob_record_encode(&key_a, &blob, &value), 0);
	assert_int_equal(group_record_encode(&key_a, 1, &group, &group_value),
			 0);
	assert_int_equal(blob_record_decode(&key_b, value.bytes, value.len,
					    &back),
			 -EBADMSG);
	assert_int_equal(group_record_decode(&key_b, 1, group_value.bytes,
					     group_value.len, &group),
			 -EBADMSG);
	assert_int_equal(group_record_decode(&key_a, 2, group_value.bytes,
					     group_value.len, &group),
			 -EBADMSG);
}

/* Of another version, or with what this one has no meaning for. */
static void the_unknown_is_absent(void **state)
{
	auto_str struct str value;
	const uint8_t *body;
	size_t body_len;
	struct blob_record back;

	(void)state;
	str_init(&value, VALUE_MAX);
	assert_int_equal(blob_record_encode(&key_a, &blob, &value), 0);
	assert_int_equal(record_open(key_a.bytes, 32, value.bytes, value.len,
				     &body, &body_len),
			 0);
	assert_int_equal(body_len, 24);
	for (uint32_t version = 0; version < 300; version++) {
		put_le32(value.bytes, version);
		assert_int_equal(record_open(key_a.bytes, 32, value.bytes,
					     value.len, &body, &body_len),
				 version == INDEX_VERSION ? 0 : -EBADMSG);
	}
	/* Sealed well, but longer or shorter than this version knows. */
	for (size_t len = 0; len < 64; len++) {
		uint8_t more[64] = { 0 };

		str_clear(&value);
		assert_int_equal(
			record_seal(key_a.bytes, 32, more, len, &value), 0);
		assert_int_equal(blob_record_decode(&key_a, value.bytes,
						    value.len, &back),
				 len == 24 ? 0 : -EBADMSG);
	}
}

static void any_bit_and_any_cut_is_seen(void **state)
{
	auto_str struct str value;
	struct blob_record back;

	(void)state;
	str_init(&value, VALUE_MAX);
	assert_int_equal(blob_record_encode(&key_a, &blob, &value), 0);
	for (size_t bit = 0; bit < 8 * value.len; bit++) {
		value.bytes[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(blob_record_decode(&key_a, value.bytes,
						    value.len, &back),
				 -EBADMSG);
		value.bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t len = 0; len <= value.len; len++) {
		/* On the heap, so that a read past its end is seen. */
		auto_free void *cut = mem_dup(value.bytes, len);

		assert_int_equal(blob_record_decode(&key_a, cut, len, &back),
				 len == value.len ? 0 : -EBADMSG);
	}
}

static void any_bit_of_a_group_is_seen(void **state)
{
	auto_str struct str value;
	struct group_record group;

	(void)state;
	group_fill(&group);
	str_init(&value, VALUE_MAX);
	assert_int_equal(group_record_encode(&key_a, 9, &group, &value), 0);
	for (size_t bit = 0; bit < 8 * value.len; bit += 5) {
		value.bytes[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(group_record_decode(&key_a, 9, value.bytes,
						     value.len, &group),
				 -EBADMSG);
		value.bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
}

static int encode_both(void)
{
	auto_str struct str value;
	struct group_record group;
	int r;

	group_fill(&group);
	str_init(&value, VALUE_MAX);
	r = blob_record_encode(&key_a, &blob, &value);
	return r < 0 ? r : group_record_encode(&key_a, 0, &group, &value);
}

static void faults(void **state)
{
	auto_str struct str small;

	(void)state;
	run_with_faults(encode_both);
	str_init(&small, 30);
	assert_int_equal(blob_record_encode(&key_a, &blob, &small), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_of_a_blob_are_these),
		cmocka_unit_test(a_blob_comes_back),
		cmocka_unit_test(a_group_comes_back),
		cmocka_unit_test(keys_of_groups_sort_by_number),
		cmocka_unit_test(values_are_of_one_key),
		cmocka_unit_test(the_unknown_is_absent),
		cmocka_unit_test(any_bit_and_any_cut_is_seen),
		cmocka_unit_test(any_bit_of_a_group_is_seen),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
