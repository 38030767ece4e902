/* SPDX-License-Identifier: MIT */
#include "providers/fetch_headers.h"

#include <stdlib.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void test_content_range(void **state)
{
	static const struct {
		const char *text;
		int r;
		struct content_range want;
	} cases[] = {
		{ "bytes 0-99/1000", 0, { 0, 99, 1000 } },
		{ "bytes 999-999/1000", 0, { 999, 999, 1000 } },
		{ "bytes 0-1000/1000", -EINVAL, { 0 } },
		{ "bytes 5-4/1000", -EINVAL, { 0 } },
		{ "bytes 0-99/*", -EINVAL, { 0 } },
		{ "bytes */1000", -EINVAL, { 0 } },
		{ "bytes 0-99/1000 ", -EINVAL, { 0 } },
		{ "bytes 0-99/99999999999999999999999", -EINVAL, { 0 } },
		{ "bytes -1-99/1000", -EINVAL, { 0 } },
		{ "items 0-99/1000", -EINVAL, { 0 } },
		{ "", -EINVAL, { 0 } },
		{ NULL, -EINVAL, { 0 } },
	};
	struct content_range got;
	uint64_t total;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(content_range_parse(cases[i].text, &got),
				 cases[i].r);
		if (cases[i].r == 0)
			assert_memory_equal(&got, &cases[i].want, sizeof(got));
	}
	assert_int_equal(content_range_total("bytes */1000", &total), 0);
	assert_int_equal(total, 1000);
	assert_int_equal(content_range_total("bytes 0-1/2", &total), -EINVAL);
}

static void test_retry_after(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t want;
	} cases[] = {
		{ "7", 0, 7 },
		{ "1000000000", 0, 60 },
		{ "99999999999999999999999999", 0, 60 },
		{ "Thu, 01 Jan 1970 00:16:50 GMT", 0, 10 },
		{ "Thu, 01 Jan 1970 00:00:50 GMT", 0, 0 },
		{ "-5", -EINVAL, 0 },
		{ "soon", -EINVAL, 0 },
		{ NULL, -EINVAL, 0 },
	};
	uint64_t got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(retry_after_parse(cases[i].text, 1000, &got),
				 cases[i].r);
		if (cases[i].r == 0)
			assert_int_equal(got, cases[i].want);
	}
}

static void test_rate_limit(void **state)
{
	uint64_t r = 9, t = 9;

	(void)state;
	assert_int_equal(rate_limit_parse("\"resolvers\";r=0;t=172", &r, &t),
			 0);
	assert_int_equal(r, 0);
	assert_int_equal(t, 172);
	assert_int_equal(rate_limit_parse("\"api\"; t=2; r=5", &r, &t), 0);
	assert_int_equal(r, 5);
	assert_int_equal(rate_limit_parse("\"api\";r=0", &r, &t), -EINVAL);
	assert_int_equal(rate_limit_parse("x", &r, &t), -EINVAL);
	assert_int_equal(rate_limit_parse(NULL, &r, &t), -EINVAL);
}

/* 16 bytes of 0 to 15, and those of the documentation's example. */
static void test_goog_hash(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: -EINVAL */
	} cases[] = {
		{ "md5=AAECAwQFBgcICQoLDA0ODw==",
		  "md5:000102030405060708090a0b0c0d0e0f" },
		{ "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==",
		  "md5:3a393d7377617f182829554763015b1d" },
		{ "md5=Ojk9c3dhfxgoKVVHYwFbHQ==, crc32c=n03x6A==",
		  "md5:3a393d7377617f182829554763015b1d" },
		{ "crc32c=n03x6A==", NULL },
		{ "md5=", NULL },
		{ "md5=AAECAwQFBgcICQoLDA0ODw=", NULL },
		{ "md5=AAECAwQFBgcICQoLDA0ODwA=", NULL },
		{ "md5=AAECAwQFBgcICQoLDA0OD*==", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[DIGEST_TEXT];
		struct digest digest;

		assert_int_equal(goog_hash_parse(cases[i].text, &digest),
				 cases[i].want ? 0 : -EINVAL);
		if (!cases[i].want)
			continue;
		digest_text(&digest, text);
		assert_string_equal(text, cases[i].want);
	}
}

static void test_etag(void **state)
{
	static const char *const cases[][2] = {
		{ "\"abc\"", "abc" }, { "W/\"abc\"", "abc" }, { "abc", "abc" },
		{ "\"\"", NULL },     { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = NULL;

		assert_int_equal(etag_parse(cases[i][0], &got),
				 cases[i][1] ? 0 : -EINVAL);
		if (cases[i][1])
			assert_string_equal(got, cases[i][1]);
	}
}

static void test_expiry(void **state)
{
	static const struct {
		const char *url;
		int r;
		int64_t want;
	} cases[] = {
		{ "https://c/x?Expires=1700000000&Policy=y", 0, 1700000000 },
		{ "https://c/x?X-Amz-Date=20250102T030405Z&X-Amz-Expires=3600",
		  0, 1735787045 + 3600 },
		{ "https://c/x?X-Amz-Expires=3600", -ENOENT, 0 },
		{ "https://c/x?X-Amz-Date=2025&X-Amz-Expires=3600", -ENOENT,
		  0 },
		{ "https://c/Expires=5", -ENOENT, 0 },
		{ "https://c/x?Expires=", -ENOENT, 0 },
	};
	int64_t got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(signed_url_expiry(cases[i].url, &got),
				 cases[i].r);
		if (cases[i].r == 0)
			assert_int_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content_range),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_goog_hash),
		cmocka_unit_test(test_etag),
		cmocka_unit_test(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
