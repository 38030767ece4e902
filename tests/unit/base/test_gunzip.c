/* SPDX-License-Identifier: MIT */
#include "base/gunzip.h"

#include <string.h>

#include "tests/unit/unit.h"

/* "omnihub " 64 times, by Python's gzip.compress(..., mtime=0). */
static const uint8_t packed[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb,
	0xcf, 0xcd, 0xcb, 0xcc, 0x28, 0x4d, 0x52, 0xc8, 0x1f, 0xa5, 0x47,
	0x24, 0x0d, 0x00, 0xa7, 0xec, 0x53, 0x62, 0x00, 0x02, 0x00, 0x00,
};

static void what_was_packed_comes_out(void **state)
{
	auto_str struct str out;

	(void)state;
	str_init(&out, 1024);
	assert_int_equal(str_append_text(&out, ">"), 0);
	assert_int_equal(gunzip(packed, sizeof(packed), &out), 0);
	assert_int_equal(out.len, 1 + 8 * 64);
	assert_memory_equal(out.bytes, ">omnihub omnihub", 16);
	assert_memory_equal(out.bytes + out.len - 8, "omnihub ", 8);
}

static void a_cut_one_is_refused(void **state)
{
	auto_str struct str out;

	(void)state;
	str_init(&out, 1024);
	for (size_t len = 0; len < sizeof(packed); len++) {
		assert_int_equal(gunzip(packed, len, &out), -EBADMSG);
		assert_int_equal(out.len, 0);
	}
}

/* The last 8 bytes are the checksum and the length. */
static void a_changed_one_is_refused(void **state)
{
	uint8_t bytes[sizeof(packed)];
	auto_str struct str out;

	(void)state;
	str_init(&out, 1 << 20);
	for (size_t i = sizeof(packed) - 8; i < sizeof(packed); i++) {
		memcpy(bytes, packed, sizeof(packed));
		bytes[i] ^= 0x10;
		assert_int_equal(gunzip(bytes, sizeof(bytes), &out), -EBADMSG);
	}
}

static void nothing_may_follow(void **state)
{
	uint8_t bytes[sizeof(packed) + 1] = { 0 };
	auto_str struct str out;

	(void)state;
	memcpy(bytes, packed, sizeof(packed));
	str_init(&out, 1024);
	assert_int_equal(gunzip(bytes, sizeof(bytes), &out), -EBADMSG);
}

static void a_bomb_is_stopped(void **state)
{
	auto_str struct str out;

	(void)state;
	str_init(&out, 511);
	assert_int_equal(gunzip(packed, sizeof(packed), &out), -EFBIG);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(a_cut_one_is_refused),
		cmocka_unit_test(a_changed_one_is_refused),
		cmocka_unit_test(nothing_may_follow),
		cmocka_unit_test(a_bomb_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
