/* SPDX-License-Identifier: MIT */
#include "providers/repo_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/annot.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"

static const struct {
	const char *path;
	const char *id; /* NULL: refused */
	const char *revision;
	const char *suffix;
	bool pinned;
} cases[] = {
	{ "org/model", "org/model", "main", "", false },
	{ "gpt2", "gpt2", "main", "", false },
	{ "o_r.g/m-o_d.e-l", "o_r.g/m-o_d.e-l", "main", "", false },
	{ "org/model@v1.0", "org/model", "v1.0", "@v1.0", false },
	{ "org/model@" SHA, "org/model", SHA, "@" SHA, true },
	{ "org/model@refs%2Fpr%2F1", "org/model", "refs/pr/1", "@refs%2Fpr%2F1",
	  false },
	{ "org/model@refs%2fpr%2f1", "org/model", "refs/pr/1", "@refs%2fpr%2f1",
	  false },
	{ "org/model@a@b", "org/model", "a@b", "@a@b", false },
	/* N-18 */
	{ "", NULL, NULL, NULL, false },
	{ "../x", NULL, NULL, NULL, false },
	{ "org/..", NULL, NULL, NULL, false },
	{ "org/.", NULL, NULL, NULL, false },
	{ "a%2f..", NULL, NULL, NULL, false },
	{ "/model", NULL, NULL, NULL, false },
	{ "org/", NULL, NULL, NULL, false },
	{ "a/b/c", NULL, NULL, NULL, false },
	{ ".hidden", NULL, NULL, NULL, false },
	{ "-rf", NULL, NULL, NULL, false },
	{ "a--b/c", NULL, NULL, NULL, false },
	{ "a..b", NULL, NULL, NULL, false },
	{ "org/model.git", NULL, NULL, NULL, false },
	{ "org/mo del", NULL, NULL, NULL, false },
	{ "org/mod\xc3\xa9l", NULL, NULL, NULL, false },
	{ "org/model?x", NULL, NULL, NULL, false },
	/* N-19 */
	{ "org/model@", NULL, NULL, NULL, false },
	{ "org/model@refs%2F..%2F", NULL, NULL, NULL, false },
	{ "org/model@..", NULL, NULL, NULL, false },
	{ "org/model@a/b", NULL, NULL, NULL, false },
	{ "org/model@%2Fa", NULL, NULL, NULL, false },
	{ "org/model@a%2F", NULL, NULL, NULL, false },
	{ "org/model@a%2F%2Fb", NULL, NULL, NULL, false },
	{ "org/model@a%00b", NULL, NULL, NULL, false },
	{ "org/model@a%", NULL, NULL, NULL, false },
	{ "org/model@a%2", NULL, NULL, NULL, false },
	{ "org/model@a%zz", NULL, NULL, NULL, false },
	{ "org/model@-x", NULL, NULL, NULL, false },
	{ "org/model@.x", NULL, NULL, NULL, false },
	{ "org/model@x.lock", NULL, NULL, NULL, false },
	{ "org/model@a b", NULL, NULL, NULL, false },
	{ "org/model@a%0Ab", NULL, NULL, NULL, false },
	{ "org/model@a~1", NULL, NULL, NULL, false },
	{ "org/model@a@{1}", NULL, NULL, NULL, false },
};

static void names_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_repo_name struct repo_name name;
		int r = repo_name_parse(cases[i].path, &name);

		if (r != (cases[i].id ? 0 : -ENOENT))
			fail_msg("%s: %d", cases[i].path, r);
		if (r < 0) {
			assert_null(name.id);
			continue;
		}
		assert_string_equal(name.id, cases[i].id);
		assert_string_equal(name.revision, cases[i].revision);
		assert_string_equal(name.suffix, cases[i].suffix);
		assert_int_equal(name.pinned, cases[i].pinned);
	}
}

static int parse_repeated(const char *before, size_t count)
{
	auto_repo_name struct repo_name name = { 0 };
	char path[1024];
	size_t len = strlen(before);

	memcpy(path, before, len);
	memset(path + len, 'a', count);
	path[len + count] = '\0';
	return repo_name_parse(path, &name);
}

static void lengths_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse_repeated("org/", REPO_PART_BYTES_MAX), 0);
	assert_int_equal(parse_repeated("org/", REPO_PART_BYTES_MAX + 1),
			 -ENOENT);
	assert_int_equal(parse_repeated("", REPO_PART_BYTES_MAX + 1), -ENOENT);
	assert_int_equal(parse_repeated("a/b@", REVISION_BYTES_MAX), 0);
	assert_int_equal(parse_repeated("a/b@", REVISION_BYTES_MAX + 1),
			 -ENOENT);
	assert_int_equal(parse_repeated("a/b@", 1000), -ENOENT);
}

static void links_lead_to_the_new_name(void **state)
{
	static const struct {
		const char *from, *id, *want;
	} links[] = {
		{ "bert-base", "google-bert/bert", "google-bert/bert" },
		{ "gpt2@v1", "openai/gpt2", "openai/gpt2@v1" },
		{ "old/m", "new/m", "../new/m" },
		{ "old/m@v1", "new/n", "../new/n@v1" },
		{ "org/m@v1", "org/n", "n@v1" },
		{ "org/m", "organ/n", "../organ/n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		auto_repo_name struct repo_name from;
		auto_free char *link = NULL;

		assert_int_equal(repo_name_parse(links[i].from, &from), 0);
		link = repo_name_link(&from, links[i].id);
		assert_string_equal(link, links[i].want);
	}
}

static int parse_once(void)
{
	auto_repo_name struct repo_name name;

	return repo_name_parse("org/model@refs%2Fpr%2F1", &name);
}

static void no_memory_is_said(void **state)
{
	(void)state;
	run_with_faults(parse_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(links_lead_to_the_new_name),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
