/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/unit.h"

static char home[] = "/tmp/omnihub-test-XXXXXX";
static char dir[64], token_path[96], json_path[96];

static void text_write(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void expect(int want_r, const char *want, bool basic)
{
	struct auth auth;

	assert_int_equal(kaggle_auth_load("https://H/api/v1", &auth), want_r);
	if (want_r == 0)
		assert_string_equal(auth.origin, "https://h");
	if (want)
		assert_string_equal(auth.token, want);
	else
		assert_null(auth.token);
	assert_int_equal(auth.basic, basic);
	auth_release(&auth);
}

static void the_first_that_is_set(void **state)
{
	(void)state;
	expect(0, NULL, false);
	text_write(json_path, "{\"username\":\"me\",\"key\":\"0123\"}", 0600);
	expect(0, "bWU6MDEyMw==", true);
	setenv("KAGGLE_USERNAME", "you", 1);
	expect(0, "bWU6MDEyMw==", true);
	setenv("KAGGLE_KEY", "45678", 1);
	expect(0, "eW91OjQ1Njc4", true);
	text_write(token_path, "from_file\n", 0600);
	expect(0, "from_file", false);
	setenv("KAGGLE_API_TOKEN", "from_env", 1);
	expect(0, "from_env", false);
	setenv("KAGGLE_API_TOKEN", "two words", 1);
	expect(-EINVAL, NULL, false);
	unsetenv("KAGGLE_API_TOKEN");
	text_write(token_path, "from_file", 0666);
	expect(-EPERM, NULL, false);
	text_write(token_path, "\n", 0600);
	expect(0, "eW91OjQ1Njc4", true);
	setenv("KAGGLE_USERNAME", "a:b", 1);
	expect(-EINVAL, NULL, false);
	unsetenv("KAGGLE_USERNAME");
	unsetenv("KAGGLE_KEY");
}

static void the_file_of_a_key(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int want;
	} cases[] = {
		{ "{\"username\":\"me\",\"key\":\"0123\"}", 0622, -EPERM },
		{ "{\"username\":\"me\"}", 0600, -EINVAL },
		{ "{\"username\":\"\",\"key\":\"0123\"}", 0600, -EINVAL },
		{ "me:0123", 0600, -EINVAL },
		{ "", 0600, 0 },
	};

	(void)state;
	setenv("KAGGLE_CONFIG_DIR", dir, 1);
	setenv("HOME", "/nowhere", 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		text_write(json_path, cases[i].text, cases[i].mode);
		expect(cases[i].want, NULL, false);
	}
	setenv("KAGGLE_CONFIG_DIR", "/nowhere", 1);
	expect(0, NULL, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_is_set),
		cmocka_unit_test(the_file_of_a_key),
	};
	static const char *const names[] = { "KAGGLE_API_TOKEN",
					     "KAGGLE_USERNAME", "KAGGLE_KEY",
					     "KAGGLE_CONFIG_DIR" };
	int failed;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	if (!mkdtemp(home))
		return 1;
	snprintf(dir, sizeof(dir), "%s/.kaggle", home);
	snprintf(token_path, sizeof(token_path), "%s/access_token", dir);
	snprintf(json_path, sizeof(json_path), "%s/kaggle.json", dir);
	if (mkdir(dir, 0700) < 0)
		return 1;
	setenv("HOME", home, 1);
	log_open(-1, LOG_LEVEL_ERROR);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(token_path);
	unlink(json_path);
	rmdir(dir);
	rmdir(home);
	return failed;
}
