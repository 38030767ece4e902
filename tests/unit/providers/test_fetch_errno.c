/* SPDX-License-Identifier: MIT */
#include "providers/fetch_errno.h"

#include "base/annot.h"
#include "tests/unit/unit.h"

static void test_status(void **state)
{
	static const struct {
		long status;
		const char *code;
		int want;
	} cases[] = {
		{ 200, NULL, 0 },
		{ 206, NULL, 0 },
		{ 401, NULL, -EACCES },
		{ 401, "GatedRepo", -EACCES },
		{ 401, "RepoNotFound", -ENOENT },
		{ 403, NULL, -EACCES },
		{ 404, NULL, -ENOENT },
		{ 404, "EntryNotFound", -ENOENT },
		{ 404, "SomethingNew", -ENOENT },
		{ 410, NULL, -ENOENT },
		{ 412, NULL, -ESTALE },
		{ 408, NULL, -EAGAIN },
		{ 429, NULL, -EAGAIN },
		{ 500, NULL, -EAGAIN },
		{ 503, NULL, -EAGAIN },
		{ 501, NULL, -EIO },
		{ 400, NULL, -EIO },
		{ 302, NULL, -EIO },
		{ 204, NULL, -EIO },
		{ 999, NULL, -EIO },
		{ 0, NULL, -EIO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(errno_of_status(cases[i].status,
						 cases[i].code),
				 cases[i].want);
}

static void test_curl(void **state)
{
	(void)state;
	assert_int_equal(errno_of_curl(CURLE_OK), 0);
	assert_int_equal(errno_of_curl(CURLE_COULDNT_CONNECT), -EAGAIN);
	assert_int_equal(errno_of_curl(CURLE_PARTIAL_FILE), -EAGAIN);
	assert_int_equal(errno_of_curl(CURLE_OPERATION_TIMEDOUT), -ETIMEDOUT);
	assert_int_equal(errno_of_curl(CURLE_OUT_OF_MEMORY), -ENOMEM);
	assert_int_equal(errno_of_curl(CURLE_PEER_FAILED_VERIFICATION), -EIO);
	assert_int_equal(errno_of_curl(CURLE_WRITE_ERROR), -EIO);
	assert_true(curl_failed_lookup(CURLE_COULDNT_RESOLVE_HOST));
	assert_false(curl_failed_lookup(CURLE_COULDNT_CONNECT));
}

/* Trouble may pass: then nobody knows that the file is not there. */
static void test_places(void **state)
{
	static const struct {
		int before, error, want;
	} cases[] = {
		{ 0, -ENOENT, -ENOENT },
		{ 0, -ETIMEDOUT, -ETIMEDOUT },
		{ -ENOENT, -EACCES, -EACCES },
		{ -EACCES, -ENOENT, -EACCES },
		{ -EACCES, -EIO, -EIO },
		{ -EIO, -EACCES, -EIO },
		{ -EIO, -ETIMEDOUT, -ETIMEDOUT },
		{ -ETIMEDOUT, -ENETUNREACH, -ETIMEDOUT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(errno_of_places(cases[i].before,
						 cases[i].error),
				 cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_curl),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
