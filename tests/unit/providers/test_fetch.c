/* SPDX-License-Identifier: MIT */
#include "providers/fetch.h"

#include <unistd.h>

#include "base/clock.h"
#include "tests/fake/fake_http.h"
#include "tests/unit/unit.h"

static struct fake_http hub;
static struct fetcher *fetcher;
static struct auth auth;

static bool answer(struct fake_http *fake, const struct fake_request *req,
		   int fd)
{
	const char *path = req->path;
	char byte;

	(void)fake;
	if (!strcmp(path, "/ok"))
		fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				"ETag: W/\"e\"\r\nLink: <n>; rel=next\r\n"
				"X-Repo-Commit: c\r\n\r\n{}");
	else if (!strcmp(path, "/old"))
		fake_redirect(fd, "/ok");
	else if (!strcmp(path, "/away"))
		fake_redirect(fd, "http://localhost:1/x?Signature=y");
	else if (!strcmp(path, "/loop"))
		fake_redirect(fd, "/loop");
	else if (!strcmp(path, "/busy") && req->nth % 3 < 2)
		fake_status(fd, 503, "");
	else if (!strcmp(path, "/busy"))
		fake_printf(fd,
			    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
	else if (!strcmp(path, "/cut") && req->nth == 0)
		fake_printf(fd,
			    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12");
	else if (!strcmp(path, "/cut"))
		fake_printf(
			fd,
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
	else if (!strcmp(path, "/gzip"))
		fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				"Content-Encoding: gzip\r\n\r\nxx");
	else if (!strcmp(path, "/stall"))
		return recv(fd, &byte, 1, 0) > 0;
	else
		fake_status(fd, 404,
			    "X-Error-Code: EntryNotFound\r\n"
			    "X-Error-Message: Entry not found\r\n"
			    "X-Repo-Commit: c\r\n");
	return strcmp(path, "/cut") != 0;
}

static int set_up(void **state)
{
	static char origin[64], token[] = "hf_secret_token";

	(void)state;
	hub.answer = answer;
	if (!fake_start(&hub, 0))
		return -1;
	snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", hub.port);
	auth = (struct auth){ .origin = origin, .token = token };
	return fetcher_new(30, &fetcher);
}

static int tear_down(void **state)
{
	(void)state;
	fetcher_free(fetcher);
	fake_stop(&hub);
	return 0;
}

static int get(const char *path, unsigned int seconds, size_t len_max,
	       const char *want, struct fetch_reply *reply)
{
	auto_str struct str body;
	char url[128];
	int r;

	str_init(&body, len_max);
	assert_int_equal(str_append_text(&body, "+"), 0);
	snprintf(url, sizeof(url), "%s%s", auth.origin, path);
	r = fetch_text(fetcher, url, &auth, clock_after_ns(seconds * NS_PER_S),
		       &body, reply);
	assert_string_equal(str_text(&body), want);
	return r;
}

static void test_text(void **state)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };

	(void)state;
	assert_int_equal(get("/ok", 10, 64, "+{}", &reply), 0);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.etag, "e");
	assert_string_equal(reply.link, "<n>; rel=next");
	assert_string_equal(reply.repo_commit, "c");
	assert_null(reply.location);
	assert_int_equal(hub.with_token, 1);
}

static void test_redirect(void **state)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_fetch_reply struct fetch_reply away = { 0 };
	auto_fetch_reply struct fetch_reply loop = { 0 };

	(void)state;
	assert_int_equal(get("/old", 10, 64, "+{}", &reply), 0);
	assert_non_null(strstr(reply.url, "/ok"));
	assert_null(reply.location);
	assert_int_equal(hub.with_token, 2);
	assert_int_equal(get("/away", 10, 64, "+", &away), -EIO);
	assert_string_equal(away.location, "http://localhost:1/x?Signature=y");
	assert_int_equal(away.status, 302);
	assert_int_equal(get("/loop", 10, 64, "+", &loop), -EIO);
}

static void test_errors(void **state)
{
	auto_fetch_reply struct fetch_reply missing = { 0 };
	auto_fetch_reply struct fetch_reply big = { 0 };
	auto_fetch_reply struct fetch_reply gzip = { 0 };

	(void)state;
	assert_int_equal(get("/none", 10, 64, "+", &missing), -ENOENT);
	assert_string_equal(missing.error_code, "EntryNotFound");
	assert_string_equal(missing.error_message, "Entry not found");
	assert_true(missing.negative_cachable);
	assert_int_equal(get("/ok", 10, 2, "+", &big), -EFBIG);
	assert_int_equal(get("/gzip", 10, 64, "+", &gzip), -EIO);
}

static void test_retries(void **state)
{
	auto_fetch_reply struct fetch_reply busy = { 0 };
	auto_fetch_reply struct fetch_reply stall = { 0 };
	uint64_t start;

	(void)state;
	assert_int_equal(get("/busy", 10, 64, "+[]", &busy), 0);
	assert_int_equal(hub.requests, 3);
	start = clock_now_ns();
	assert_int_equal(get("/stall", 1, 64, "+", &stall), -ETIMEDOUT);
	assert_true(clock_now_ns() - start < 2 * NS_PER_S);
}

static void test_cut(void **state)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };

	(void)state;
	assert_int_equal(get("/cut", 10, 64, "+12345", &reply), 0);
}

static void test_refused(void **state)
{
	auto_fetch_reply struct fetch_reply reply = { 0 };
	auto_fetch_reply struct fetch_reply later = { 0 };
	auto_str struct str body;

	(void)state;
	str_init(&body, 64);
	assert_int_equal(fetch_text(fetcher, "file:///etc/passwd", NULL,
				    CLOCK_NEVER, &body, &reply),
			 -EINVAL);
	fetcher_stop(fetcher);
	assert_int_equal(get("/ok", 10, 64, "+", &later), -ESHUTDOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_text),    TEST(test_redirect), TEST(test_errors),
		TEST(test_retries), TEST(test_cut),	 TEST(test_refused),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
