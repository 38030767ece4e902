/* SPDX-License-Identifier: MIT */
#include "providers/peer.h"

#include "base/annot.h"
#include "tests/unit/unit.h"

static void test_text(void **state)
{
	static const char *const private[] = {
		"127.0.0.1",
		"10.1.2.3",
		"172.16.0.1",
		"172.31.9.9",
		"192.168.0.1",
		"169.254.169.254",
		"100.64.0.1",
		"0.0.0.0",
		"224.0.0.1",
		"::1",
		"::",
		"fe80::1",
		"fc00::1",
		"ff02::1",
		"::ffff:10.0.0.1",
		"64:ff9b::a00:1",
	};
	static const char *const public[] = {
		"8.8.8.8",	"172.32.0.1",	  "100.128.0.1",
		"2606:4700::1", "::ffff:8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(private); i++)
		assert_true(peer_text_is_private(private[i]));
	for (size_t i = 0; i < ARRAY_LEN(public); i++)
		assert_false(peer_text_is_private(public[i]));
	assert_false(peer_text_is_private("localhost"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
