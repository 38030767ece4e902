/* SPDX-License-Identifier: MIT */
#include "base/share.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void the_environment_comes_first(void **state)
{
	auto_free char *path = NULL;

	(void)state;
	setenv("OMNIHUB_SHARE", "/some/where", 1);
	assert_int_equal(share_path("a/b.tsv", &path), 0);
	assert_string_equal(path, "/some/where/a/b.tsv");
}

/* Tests run from below the build folder, as programs do from bin/. */
static void else_beside_the_program(void **state)
{
	static const char tail[] = "/../share/omnihub/catalogues/onnx.tsv";
	auto_free char *path = NULL;
	size_t len;

	(void)state;
	setenv("OMNIHUB_SHARE", "", 1);
	assert_int_equal(share_path("catalogues/onnx.tsv", &path), 0);
	len = strlen(path);
	assert_true(path[0] == '/' && len > strlen(tail));
	assert_string_equal(path + len - strlen(tail), tail);
	assert_int_equal(access(path, R_OK), 0);
}

static int find_one(void)
{
	auto_free char *path = NULL;

	return share_path("x", &path);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	setenv("OMNIHUB_SHARE", "/some/where", 1);
	run_with_faults(find_one);
	unsetenv("OMNIHUB_SHARE");
	run_with_faults(find_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_comes_first),
		cmocka_unit_test(else_beside_the_program),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
