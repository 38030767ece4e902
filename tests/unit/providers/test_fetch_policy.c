/* SPDX-License-Identifier: MIT */
#include "providers/fetch_policy.h"

#include "base/annot.h"
#include "tests/unit/unit.h"

#define MIB (1ULL << 20)
/* [10, 19] of 8 MiB, ten seconds left. */
#define ASK                                                       \
	.ranged = true, .first = 10, .last = 19, .size = 8 * MIB, \
	.left_ms = 10000
#define RANGE(a, b, c) .has_range = true, .range = { a, b, c }
#define NUMBER(n)       \
	{               \
		true, n \
	}

static const struct {
	const char *name;
	struct fetch_ask ask;
	struct fetch_answer answer;
	enum fetch_act act;
	int error;
	uint64_t delay_ms;
} answers[] = {
	{ "as asked",
	  { ASK },
	  { .status = 206, RANGE(10, 19, 8 * MIB), .length = NUMBER(10) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "without a length",
	  { ASK },
	  { .status = 206, RANGE(10, 19, 8 * MIB) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "another length",
	  { ASK },
	  { .status = 206, RANGE(10, 19, 8 * MIB), .length = NUMBER(9) },
	  FETCH_RETRY,
	  0,
	  250 },
	{ "another range",
	  { ASK },
	  { .status = 206, RANGE(11, 20, 8 * MIB) },
	  FETCH_RETRY,
	  0,
	  250 },
	{ "another range again",
	  { ASK, .untrue = 1 },
	  { .status = 206, RANGE(11, 20, 8 * MIB) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "another size",
	  { ASK, .untrue = 1 },
	  { .status = 206, RANGE(10, 19, 9 * MIB) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "multipart",
	  { ASK, .untrue = 1 },
	  { .status = 206, RANGE(10, 19, 8 * MIB), .multipart = true },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "encoded",
	  { ASK, .untrue = 1 },
	  { .status = 206, RANGE(10, 19, 8 * MIB), .encoded = true },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "the start of something",
	  { .probe = true, .last = 511, .left_ms = 1 },
	  { .status = 206, RANGE(0, 511, 1000) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "all of something small",
	  { .probe = true, .last = 511, .left_ms = 1 },
	  { .status = 206, RANGE(0, 99, 100) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "less of the start than there is",
	  { .probe = true, .last = 511, .untrue = 1 },
	  { .status = 206, RANGE(0, 99, 1000) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "the start of something, whole",
	  { .probe = true, .last = 511, .left_ms = 1 },
	  { .status = 200, .length = NUMBER(9 * MIB) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "the start of something endless",
	  { .probe = true, .last = 511, .left_ms = 1 },
	  { .status = 200 },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "the start of something, encoded",
	  { .probe = true, .last = 511, .untrue = 1 },
	  { .status = 200, .length = NUMBER(9), .encoded = true },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "the start of nothing",
	  { .probe = true, .last = 511, .left_ms = 1 },
	  { .status = 416, .total = NUMBER(0) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "the start of something, refused where we were sent",
	  { .probe = true, .last = 511, .away = true, .foreign = true },
	  { .status = 403 },
	  FETCH_RESOLVE,
	  0,
	  0 },
	{ "the start of something, refused there again",
	  { .probe = true,
	    .last = 511,
	    .away = true,
	    .foreign = true,
	    .resolved_again = true },
	  { .status = 403 },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "the start of something, refused by the hub",
	  { .probe = true, .last = 511 },
	  { .status = 403 },
	  FETCH_FAIL,
	  -EACCES,
	  0 },
	{ "the start of something that is not where we were sent",
	  { .probe = true, .last = 511, .away = true, .foreign = true },
	  { .status = 404 },
	  FETCH_FAIL,
	  -ENOENT,
	  0 },
	{ "range ignored",
	  { ASK, .untrue = 1 },
	  { .status = 200, .length = NUMBER(8 * MIB) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "all of it, as asked",
	  { .ranged = true, .last = 99, .size = 100, .left_ms = 1 },
	  { .status = 200, .length = NUMBER(100) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "all of a small one, for its start",
	  { .ranged = true, .last = 9, .size = 100, .left_ms = 1 },
	  { .status = 200, .length = NUMBER(100) },
	  FETCH_DELIVER,
	  0,
	  0 },
	{ "all of a small one, of another size",
	  { .ranged = true, .last = 9, .size = 100, .untrue = 1 },
	  { .status = 200, .length = NUMBER(101) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "416, the size is the same",
	  { ASK },
	  { .status = 416, .total = NUMBER(8 * MIB) },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "416, the size is another",
	  { ASK },
	  { .status = 416, .total = NUMBER(5) },
	  FETCH_FAIL,
	  -ESTALE,
	  0 },
	{ "redirect",
	  { ASK },
	  { .status = 302, .has_location = true },
	  FETCH_FOLLOW,
	  0,
	  0 },
	{ "redirect to nowhere",
	  { ASK },
	  { .status = 302 },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "too many redirects",
	  { ASK, .hops = 10 },
	  { .status = 302, .has_location = true },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "forbidden by the hub",
	  { ASK },
	  { .status = 403 },
	  FETCH_FAIL,
	  -EACCES,
	  0 },
	{ "signed URL expired",
	  { ASK, .away = true, .foreign = true },
	  { .status = 403 },
	  FETCH_RESOLVE,
	  0,
	  0 },
	{ "and again",
	  { ASK, .away = true, .foreign = true, .resolved_again = true },
	  { .status = 403 },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "a remembered one is gone",
	  { ASK, .away = true, .remembered = true },
	  { .status = 404 },
	  FETCH_RESOLVE,
	  0,
	  0 },
	{ "429 with a window",
	  { ASK },
	  { .status = 429, .reset_s = NUMBER(4), .retry_after_s = NUMBER(1) },
	  FETCH_RETRY,
	  0,
	  5000 },
	{ "429 past the deadline",
	  { ASK },
	  { .status = 429, .reset_s = NUMBER(100) },
	  FETCH_FAIL,
	  -EIO,
	  101000 },
	{ "429 with Retry-After",
	  { ASK },
	  { .status = 429, .retry_after_s = NUMBER(3) },
	  FETCH_RETRY,
	  0,
	  3000 },
	{ "429 with Retry-After 0",
	  { ASK },
	  { .status = 429, .retry_after_s = NUMBER(0) },
	  FETCH_RETRY,
	  0,
	  250 },
	{ "429 bare, the third",
	  { ASK, .attempts = 2 },
	  { .status = 429 },
	  FETCH_RETRY,
	  0,
	  4000 },
	{ "503", { ASK }, { .status = 503 }, FETCH_RETRY, 0, 250 },
	{ "503, much later",
	  { ASK, .attempts = 60 },
	  { .status = 503 },
	  FETCH_RETRY,
	  0,
	  8000 },
	{ "503 at the end",
	  { .ranged = true, .size = 1, .left_ms = 100 },
	  { .status = 503 },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "gated",
	  { ASK },
	  { .status = 401, .error_code = "GatedRepo" },
	  FETCH_FAIL,
	  -EACCES,
	  0 },
	{ "text", { .left_ms = 1 }, { .status = 200 }, FETCH_DELIVER, 0, 0 },
	{ "a part of a text",
	  { .untrue = 1 },
	  { .status = 206 },
	  FETCH_FAIL,
	  -EIO,
	  0 },
	{ "nothing", { ASK }, { .status = 204 }, FETCH_FAIL, -EIO, 0 },
	{ "contradictory headers",
	  { ASK, .untrue = 1 },
	  { .status = 206, RANGE(10, 19, 8 * MIB), .bad = true },
	  FETCH_FAIL,
	  -EIO,
	  0 },
};

static void test_judge(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct fetch_verdict got = fetch_judge(&answers[i].ask,
						       &answers[i].answer);

		if (got.act != answers[i].act ||
		    got.error != answers[i].error ||
		    got.delay_ms != answers[i].delay_ms)
			fail_msg("%s: %d %d %u", answers[i].name, got.act,
				 got.error, (unsigned int)got.delay_ms);
		assert_int_equal(got.host_waits,
				 answers[i].answer.status == 429);
	}
}

static void test_break(void **state)
{
	static const struct {
		struct fetch_ask ask;
		CURLcode code;
		enum fetch_act act;
		int error;
		uint64_t delay_ms;
	} cases[] = {
		{ { ASK }, CURLE_PARTIAL_FILE, FETCH_RETRY, 0, 250 },
		{ { ASK, .attempts = 3 },
		  CURLE_COULDNT_CONNECT,
		  FETCH_RETRY,
		  0,
		  2000 },
		{ { ASK }, CURLE_OPERATION_TIMEDOUT, FETCH_RETRY, 0, 250 },
		{ { .left_ms = 10 },
		  CURLE_COULDNT_CONNECT,
		  FETCH_FAIL,
		  -ETIMEDOUT,
		  0 },
		{ { .ranged = true, .left_ms = 10 },
		  CURLE_COULDNT_CONNECT,
		  FETCH_FAIL,
		  -EIO,
		  0 },
		{ { ASK, .attempts = 4 },
		  CURLE_COULDNT_RESOLVE_HOST,
		  FETCH_FAIL,
		  -EIO,
		  0 },
		{ { .left_ms = 99999, .attempts = 4 },
		  CURLE_COULDNT_RESOLVE_HOST,
		  FETCH_FAIL,
		  -ENETUNREACH,
		  0 },
		{ { ASK }, CURLE_SSL_CACERT_BADFILE, FETCH_FAIL, -EIO, 0 },
		{ { ASK }, CURLE_OUT_OF_MEMORY, FETCH_FAIL, -ENOMEM, 0 },
		/* the host that a redirect named */
		{ { ASK, .foreign = true },
		  CURLE_COULDNT_CONNECT,
		  FETCH_RESOLVE,
		  0,
		  250 },
		{ { ASK, .foreign = true },
		  CURLE_SSL_CONNECT_ERROR,
		  FETCH_RESOLVE,
		  0,
		  250 },
		{ { ASK, .foreign = true, .answered = true },
		  CURLE_PARTIAL_FILE,
		  FETCH_RETRY,
		  0,
		  250 },
		{ { ASK, .foreign = true, .resolved_again = true },
		  CURLE_COULDNT_CONNECT,
		  FETCH_RETRY,
		  0,
		  250 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fetch_verdict got = fetch_judge_break(&cases[i].ask,
							     cases[i].code);

		assert_int_equal(got.act, cases[i].act);
		assert_int_equal(got.error, cases[i].error);
		assert_int_equal(got.delay_ms, cases[i].delay_ms);
	}
}

static void test_token(void **state)
{
	static char origin[] = "https://h", token[] = "t";
	const struct auth auth = { .origin = origin, .token = token };
	const struct auth none = { .origin = origin };

	(void)state;
	assert_true(fetch_token_for(&auth, "https://h:443/x"));
	assert_false(fetch_token_for(&auth, "http://h/x"));
	assert_false(fetch_token_for(&auth, "https://h:444/x"));
	assert_false(fetch_token_for(&auth, "https://cdn/x"));
	assert_false(fetch_token_for(&none, "https://h/x"));
	assert_false(fetch_token_for(NULL, "https://h/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_break),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
