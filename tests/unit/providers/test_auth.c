/* SPDX-License-Identifier: MIT */
#include "providers/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char home[] = "/tmp/omnihub-test-XXXXXX";
static char path[64];

static void token_write(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void expect_token(int want_r, const char *want)
{
	struct auth auth;

	assert_int_equal(auth_load("https://H/", &auth), want_r);
	if (want_r == 0)
		assert_string_equal(auth.origin, "https://h");
	if (want)
		assert_string_equal(auth.token, want);
	else
		assert_null(auth.token);
	auth_release(&auth);
}

static void test_sources(void **state)
{
	(void)state;
	expect_token(0, NULL);
	token_write(" hf_from_file\n", 0600);
	expect_token(0, "hf_from_file");
	setenv("HF_TOKEN", "hf_from_env", 1);
	expect_token(0, "hf_from_env");
	setenv("HF_TOKEN", "two words", 1);
	expect_token(-EINVAL, NULL);
	unsetenv("HF_TOKEN");
	token_write("\n", 0600);
	expect_token(0, NULL);
	token_write("hf_from_file", 0666);
	expect_token(-EPERM, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sources) };
	int failed;

	if (!mkdtemp(home))
		return 1;
	snprintf(path, sizeof(path), "%s/token", home);
	unsetenv("HF_TOKEN");
	unsetenv("HF_TOKEN_PATH");
	setenv("HF_HOME", home, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(home);
	return failed;
}
