/* SPDX-License-Identifier: MIT */
#include "providers/github_parse.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define BLOB(path, mode, rest)                                  \
	"{\"path\":\"" path "\",\"mode\":\"" mode "\",\"sha\":" \
	"\"" SHA "\"," rest "}"
#define FILE_OF(path, size) \
	BLOB(path, "100644", "\"type\":\"blob\",\"size\":" size)

static const struct {
	const char *json;
	int want;
} commits[] = {
	{ "{\"sha\":\"" SHA "\",\"files\":[]}", 0 },
	{ "{\"sha\":\"" SHA "0\"}", -EBADMSG },
	{ "{\"sha\":\"main\"}", -EBADMSG },
	{ "{\"sha\":7}", -EBADMSG },
	{ "[]", -EBADMSG },
	{ "{", -EBADMSG },
	{ "", -EBADMSG },
};

static void commits_are_read(void **state)
{
	char sha[GITHUB_SHA_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(commits); i++) {
		assert_int_equal(github_commit_parse(commits[i].json,
						     strlen(commits[i].json),
						     sha),
				 commits[i].want);
		if (commits[i].want == 0)
			assert_string_equal(sha, SHA);
	}
}

/* What a tree says, how many files there are, how many are hidden. */
static const struct {
	const char *json;
	int want;
	size_t count, hidden;
} trees[] = {
	{ "{\"tree\":[]}", 0, 0, 0 },
	{ "{\"tree\":[" FILE_OF("hubconf.py", "5") "," FILE_OF("a/b", "0") "]}",
	  0, 2, 0 },
	{ "{\"tree\":[" BLOB("a", "040000", "\"type\":\"tree\"") "]}", 0, 0,
	  0 },
	{ "{\"tree\":[" BLOB("a", "160000", "\"type\":\"commit\"") "]}", 0, 0,
	  0 },
	{ "{\"tree\":[" BLOB("a", "120000",
			     "\"type\":\"blob\",\"size\":3") "]}",
	  0, 0, 1 },
	{ "{\"tree\":[" FILE_OF("../a", "5") "]}", 0, 0, 1 },
	{ "{\"tree\":[" FILE_OF("a", "-5") "]}", 0, 0, 1 },
	{ "{\"tree\":[" FILE_OF("a", "\"5\"") "]}", 0, 0, 1 },
	{ "{\"tree\":[{\"type\":\"blob\",\"path\":\"a\",\"size\":1}]}", 0, 0,
	  1 },
	{ "{\"tree\":[],\"truncated\":true}", -EFBIG, 0, 0 },
	{ "{\"tree\":{}}", -EBADMSG, 0, 0 },
	{ "{\"message\":\"Not Found\"}", -EBADMSG, 0, 0 },
};

static void trees_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		auto_repo_files struct repo_files files = { 0 };

		assert_int_equal(github_tree_parse(trees[i].json,
						   strlen(trees[i].json),
						   &files),
				 trees[i].want);
		assert_int_equal(files.count, trees[i].count);
		assert_int_equal(files.hidden, trees[i].hidden);
		if (files.count)
			assert_int_equal(files.list[0].digest.kind,
					 DIGEST_GIT_SHA1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_are_read),
		cmocka_unit_test(trees_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
