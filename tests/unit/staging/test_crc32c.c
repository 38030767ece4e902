/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "staging/weights/crc32c.h"
#include "tests/unit/unit.h"

/* RFC 3720, B.4; the last is the usual check of a CRC's parameters. */
static const struct {
	const char *name;
	uint8_t first;
	int step;
	size_t len;
	uint32_t crc;
} runs[] = {
	{ "nothing", 0, 0, 0, 0 },
	{ "32 zeros", 0, 0, 32, 0x8a9136aa },
	{ "32 ones", 0xff, 0, 32, 0x62a8ab43 },
	{ "32 rising", 0, 1, 32, 0x46dd794e },
	{ "32 falling", 31, -1, 32, 0x113fdb5c },
	{ "1 to 9 in ASCII", '1', 1, 9, 0xe3069283 },
};

static void known_sums_come_out(void **state)
{
	uint8_t bytes[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		print_message("%s\n", runs[i].name);
		for (size_t n = 0; n < runs[i].len; n++)
			bytes[n] = (uint8_t)(runs[i].first +
					     runs[i].step * (int)n);
		assert_int_equal(crc32c(bytes, runs[i].len), runs[i].crc);
	}
}

/* In two parts, at any place and any alignment. */
static void parts_add_up(void **state)
{
	uint8_t bytes[64];
	uint32_t whole;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	whole = crc32c(bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++)
		assert_int_equal(crc32c_extend(crc32c(bytes, cut), bytes + cut,
					       sizeof(bytes) - cut),
				 whole);
}

/* The last block of an empty table, as TensorFlow writes it. */
static void the_mask_is_tensorflows(void **state)
{
	static const uint8_t empty[] = { 0, 0, 0, 0, 1, 0, 0, 0, 0 };

	(void)state;
	assert_int_equal(crc32c_mask(0), 0xa282ead8u);
	assert_int_equal(crc32c_mask(crc32c(empty, sizeof(empty))),
			 0xb0a1f2c0u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sums_come_out),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(the_mask_is_tensorflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
