/* SPDX-License-Identifier: MIT */
#include "staging/gunzip.h"

#include <string.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

/* "hello hello hello\n" as gzip -9n writes it. */
static const uint8_t hello[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
				 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57,
				 0xc8, 0x40, 0x90, 0x5c, 0x00, 0x3b, 0x7c, 0x8a,
				 0xdf, 0x12, 0x00, 0x00, 0x00 };

static int unpack(const void *bytes, size_t len, size_t max, struct str *out)
{
	str_init(out, max);
	return gunzip(bytes, len, out);
}

static void a_file_is_unpacked(void **state)
{
	auto_str struct str out;

	(void)state;
	assert_int_equal(unpack(hello, sizeof(hello), 100, &out), 0);
	assert_string_equal(str_text(&out), "hello hello hello\n");
}

static void the_bound_holds(void **state)
{
	auto_str struct str out, other;

	(void)state;
	assert_int_equal(unpack(hello, sizeof(hello), 18, &out), 0);
	assert_int_equal(unpack(hello, sizeof(hello), 17, &other), -EFBIG);
}

static void cut_files_are_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(hello); len++) {
		auto_str struct str out;
		auto_free uint8_t *cut = mem_dup(hello, len);

		assert_int_equal(unpack(cut, len, 100, &out), -EBADMSG);
	}
}

static void what_follows_is_refused(void **state)
{
	uint8_t longer[sizeof(hello) + 1] = { 0 };
	auto_str struct str out;

	(void)state;
	memcpy(longer, hello, sizeof(hello));
	assert_int_equal(unpack(longer, sizeof(longer), 100, &out), -EBADMSG);
}

/* The checksum covers all but the header's time and system. */
static void damage_is_refused(void **state)
{
	(void)state;
	for (size_t i = 10; i < sizeof(hello); i++) {
		auto_str struct str out;
		uint8_t changed[sizeof(hello)];

		memcpy(changed, hello, sizeof(hello));
		changed[i] ^= 0x10;
		assert_int_equal(unpack(changed, sizeof(changed), 100, &out),
				 -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_unpacked),
		cmocka_unit_test(the_bound_holds),
		cmocka_unit_test(cut_files_are_refused),
		cmocka_unit_test(what_follows_is_refused),
		cmocka_unit_test(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
