/* SPDX-License-Identifier: MIT */
#include "providers/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/annot.h"
#include "tests/unit/unit.h"

static void test_origin(void **state)
{
	static const struct {
		const char *url, *origin; /* NULL: refused */
	} cases[] = {
		{ "https://huggingface.co", "https://huggingface.co" },
		{ "https://HuggingFace.co:443/a?b", "https://huggingface.co" },
		{ "http://h:80/", "http://h" },
		{ "http://127.0.0.1:8080/x", "http://127.0.0.1:8080" },
		{ "https://[::1]:444/", "https://[::1]:444" },
		{ "https://user@h/", NULL },
		{ "https://user:pass@h/", NULL },
		{ "https://h%2fx/", NULL },
		{ "ftp://h/", NULL },
		{ "file:///etc/passwd", NULL },
		{ "//h/", NULL },
		{ "h", NULL },
		{ "", NULL },
		{ "https://h/a b", NULL },
		{ "https://h/\r\nX: y", NULL },
		{ "https://h/\xc3\xa9", NULL },
		{ "https:\\\\h\\", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *origin = NULL;
		int r = url_origin(cases[i].url, &origin);

		assert_int_equal(r, cases[i].origin ? 0 : -EINVAL);
		assert_int_equal(url_check(cases[i].url), r);
		if (r == 0)
			assert_string_equal(origin, cases[i].origin);
	}
}

static void test_same_origin(void **state)
{
	(void)state;
	assert_true(url_same_origin("https://h/a", "https://H:443/b?c"));
	assert_false(url_same_origin("https://h/", "http://h/"));
	assert_false(url_same_origin("https://h/", "https://h:444/"));
	assert_false(url_same_origin("https://h/", "https://h.evil/"));
	assert_false(url_same_origin("https://h/", "/a"));
	assert_false(url_same_origin("ftp://h/", "ftp://h/"));
}

static void test_resolve(void **state)
{
	static const struct {
		const char *base, *location, *want; /* NULL: refused */
	} cases[] = {
		{ "https://h/a/b", "/c?d=%2F", "https://h/c?d=%2F" },
		{ "https://h/a/b", "c", "https://h/a/c" },
		{ "https://h/a", "https://cdn/x?S=1", "https://cdn/x?S=1" },
		{ "https://h/a", "//cdn/x", "https://cdn/x" },
		{ "https://h/a", "/x#y", "https://h/x" },
		{ "http://h/a", "https://h/x", "https://h/x" },
		{ "http://h/a", "http://c:81/x", "http://c:81/x" },
		{ "https://h/a", "http://h/x", NULL },
		{ "https://h/a", "ftp://h/x", NULL },
		{ "https://h/a", "file:///x", NULL },
		{ "https://h/a", "https://u:p@h/", NULL },
		{ "https://h/a", "/a\tb", NULL },
		{ "https://h/a", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = NULL;
		int r = url_resolve(cases[i].base, cases[i].location, &got);

		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		if (r == 0)
			assert_string_equal(got, cases[i].want);
	}
}

static void test_append(void **state)
{
	auto_str struct str url;

	(void)state;
	str_init(&url, 64);
	assert_int_equal(url_append_segment(&url, "refs/pr/1"), 0);
	assert_string_equal(str_text(&url), "refs%2Fpr%2F1");
	str_clear(&url);
	assert_int_equal(url_append_path(&url, "a b/\xc3\xa9#?%.~-_Z9"), 0);
	assert_string_equal(str_text(&url), "a%20b/%C3%A9%23%3F%25.~-_Z9");
	str_clear(&url);
	assert_int_equal(url_append_segment(&url, "                      "),
			 -EFBIG);
	assert_int_equal(url.len, 0);
}

static void test_link_next(void **state)
{
	static const struct {
		const char *header, *want;
		int r;
	} cases[] = {
		{ "<https://h/n?c=1>; rel=\"next\"", "https://h/n?c=1", 0 },
		{ "<a>; rel=prev, <b,c>; x; rel=next", "b,c", 0 },
		{ "<a>; title=\"x, <y>; rel=next\"; rel=last", NULL, -ENOENT },
		{ "<a>; rel=last; rel=next", NULL, -ENOENT },
		{ "<a>;REL=\"NEXT\"", "a", 0 },
		{ "<a>", NULL, -ENOENT },
		{ "", NULL, -ENOENT },
		{ "a; rel=next", NULL, -EINVAL },
		{ "<a; rel=next", NULL, -EINVAL },
		{ "<a>; rel=\"next", NULL, -EINVAL },
		{ "<a> rel=next", NULL, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = NULL;

		assert_int_equal(link_next(cases[i].header, &got), cases[i].r);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_same_origin),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_link_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
