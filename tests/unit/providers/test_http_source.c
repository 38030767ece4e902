/* SPDX-License-Identifier: MIT */
#include "providers/fetch.h"

#include <assert.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "tests/fake/fake_http.h"
#include "tests/unit/unit.h"

#define SIZE ((size_t)5 << 20) /* more than may come whole */

static char *bytes;
static struct fake_http hub, cdn;
static struct fetcher *fetcher;
static struct auth auth;
static struct source *source;

/* Set by a test: how many first answers are bad, and how. */
static atomic_uint bad_count;
static bool (*bad_answer)(const struct fake_request *req, int fd);
static atomic_bool hub_redirects;

struct wait_sink {
	struct source_sink sink;
	struct lock lock;
	struct cond cond;
	char *to;
	uint64_t off, got;
	int result;
	bool done;
};

static int sink_data(struct source_sink *sink, uint64_t off, const void *data,
		     size_t len)
{
	struct wait_sink *w = container_of(sink, struct wait_sink, sink);

	assert(off == w->off + w->got);
	memcpy(w->to + w->got, data, len);
	w->got += len;
	return 0;
}

static void sink_done(struct source_sink *sink, int result)
{
	struct wait_sink *w = container_of(sink, struct wait_sink, sink);

	lock_take(&w->lock);
	assert(!w->done);
	w->done = true;
	w->result = result;
	cond_wake_all(&w->cond);
	lock_drop(&w->lock);
}

static void begin(struct wait_sink *w, uint64_t off, uint64_t len,
		  unsigned int seconds)
{
	*w = (struct wait_sink){ .sink = { sink_data, sink_done }, .off = off };
	lock_init(&w->lock);
	cond_init(&w->cond);
	w->to = malloc(len + 1);
	assert_int_equal(source->ops->fetch(source, off, len, SOURCE_WANTED,
					    clock_after_ns(seconds * NS_PER_S),
					    &w->sink),
			 0);
}

static int finish(struct wait_sink *w, uint64_t len)
{
	lock_take(&w->lock);
	while (!w->done)
		cond_wait(&w->cond, &w->lock);
	lock_drop(&w->lock);
	if (w->result == 0) {
		assert_int_equal(w->got, len);
		assert_memory_equal(w->to, bytes + w->off, len);
	}
	free(w->to);
	cond_release(&w->cond);
	lock_release(&w->lock);
	return w->result;
}

static int get(uint64_t off, uint64_t len, unsigned int seconds)
{
	struct wait_sink w;

	begin(&w, off, len, seconds);
	return finish(&w, len);
}

static bool serve(struct fake_http *fake, const struct fake_request *req,
		  int fd)
{
	(void)fake;
	assert(req->ranged);
	if (bad_count > 0) {
		bad_count--;
		return bad_answer(req, fd);
	}
	fake_206(fd, bytes, SIZE, req->first, req->last);
	return true;
}

static bool hub_answer(struct fake_http *fake, const struct fake_request *req,
		       int fd)
{
	char url[128];

	if (!hub_redirects)
		return serve(fake, req, fd);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/blob?n=%u&Signature=x",
		 cdn.port, req->nth);
	fake_redirect(fd, url);
	return true;
}

static int set_up(void **state)
{
	static char origin[64], url[96], token[] = "hf_secret_token";

	(void)state;
	bad_count = 0;
	hub_redirects = false;
	hub.answer = hub_answer;
	cdn.answer = serve;
	if (!fake_start(&hub, 0) || !fake_start(&cdn, 0))
		return -1;
	snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", hub.port);
	snprintf(url, sizeof(url), "%s/o/m/resolve/main/f", origin);
	auth = (struct auth){ .origin = origin, .token = token };
	if (fetcher_new(30, &fetcher) < 0)
		return -1;
	return http_source_new(&(struct http_source_spec){ .fetcher = fetcher,
							   .url = url,
							   .auth = &auth,
							   .size = SIZE,
							   .label = "o/m/f" },
			       &source);
}

static int tear_down(void **state)
{
	(void)state;
	if (source)
		source_unref(source);
	fetcher_free(fetcher);
	fake_stop(&hub);
	fake_stop(&cdn);
	return 0;
}

static void misbehave(unsigned int count,
		      bool (*answer)(const struct fake_request *req, int fd))
{
	bad_answer = answer;
	bad_count = count;
}

static void test_plain(void **state)
{
	(void)state;
	assert_int_equal(get(0, 100, 10), 0);
	assert_int_equal(get(SIZE - 1, 1, 10), 0);
	assert_int_equal(get(12345, (size_t)3 << 20, 10), 0);
	assert_int_equal(get(5, 0, 10), 0);
	assert_int_equal(hub.requests, 3);
	assert_int_equal(hub.with_token, 3);
	assert_int_equal(hub.connections, 1);
}

static void test_redirect_drops_token(void **state)
{
	(void)state;
	hub_redirects = true;
	assert_int_equal(get(0, 100, 10), 0);
	assert_int_equal(get(200, 100, 10), 0);
	assert_int_equal(hub.requests, 1); /* the signed URL was kept */
	assert_int_equal(hub.with_token, 1);
	assert_int_equal(cdn.requests, 2);
	assert_int_equal(cdn.with_token, 0);
}

static void test_one_resolves_for_all(void **state)
{
	struct wait_sink w[8];

	(void)state;
	hub_redirects = true;
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		begin(&w[i], i * 1000, 1000, 10);
	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		assert_int_equal(finish(&w[i], 1000), 0);
	assert_int_equal(hub.requests, 1);
	assert_int_equal(cdn.requests, ARRAY_LEN(w));
}

static bool wrong_range(const struct fake_request *req, int fd)
{
	fake_206(fd, bytes, SIZE, req->first + 1, req->last + 1);
	return true;
}

static bool wrong_total(const struct fake_request *req, int fd)
{
	fake_206(fd, bytes, SIZE + 1, req->first, req->last);
	return true;
}

static bool no_range(const struct fake_request *req, int fd)
{
	(void)req;
	fake_printf(fd, "HTTP/1.1 206 X\r\nContent-Length: 3\r\n\r\nabc");
	return true;
}

static bool whole(const struct fake_request *req, int fd)
{
	(void)req;
	fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", SIZE);
	fake_write(fd, bytes, SIZE);
	return true;
}

static bool two_lengths(const struct fake_request *req, int fd)
{
	fake_printf(fd,
		    "HTTP/1.1 206 X\r\nContent-Length: 3\r\n"
		    "Content-Length: 3\r\nContent-Range: bytes %llu-%llu/%zu"
		    "\r\n\r\nabc",
		    req->first, req->last, SIZE);
	return false;
}

static bool gzip(const struct fake_request *req, int fd)
{
	fake_printf(fd,
		    "HTTP/1.1 206 X\r\nContent-Encoding: gzip\r\n"
		    "Content-Length: %llu\r\nContent-Range: bytes %llu-%llu/%zu"
		    "\r\n\r\n",
		    req->last - req->first + 1, req->first, req->last, SIZE);
	fake_write(fd, bytes, req->last - req->first + 1);
	return true;
}

static bool many_headers(const struct fake_request *req, int fd)
{
	fake_printf(fd, "HTTP/1.1 206 X\r\n");
	for (int i = 0; i < 1000; i++)
		fake_printf(fd, "X-%d: y\r\n", i);
	fake_printf(fd, "\r\n");
	(void)req;
	return false;
}

/* What is false is asked for once more, then refused; never given away. */
static void test_untrue(void **state)
{
	static bool (*const answers[])(const struct fake_request *, int) = {
		wrong_range, wrong_total, no_range, whole, two_lengths, gzip,
	};
	struct fetcher_stats stats;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		misbehave(1, answers[i]);
		assert_int_equal(get(100, 3, 10), 0);
		misbehave(2, answers[i]);
		assert_int_equal(get(100, 3, 10), -EIO);
		assert_int_equal(bad_count, 0);
	}
	fetcher_stats(fetcher, &stats);
	assert_int_equal(stats.rejects, 3 * ARRAY_LEN(answers));
	misbehave(1, many_headers);
	assert_int_equal(get(100, 3, 10), -EIO);
}

static void test_whole_is_good_for_whole(void **state)
{
	(void)state;
	misbehave(1, whole);
	assert_int_equal(get(0, SIZE, 10), 0);
	assert_int_equal(hub.requests, 1);
}

static bool short_body(const struct fake_request *req, int fd)
{
	fake_printf(fd,
		    "HTTP/1.1 206 X\r\nContent-Length: %llu\r\n"
		    "Content-Range: bytes %llu-%llu/%zu\r\n\r\n",
		    req->last - req->first + 1, req->first, req->last, SIZE);
	fake_write(fd, bytes + req->first, 1000);
	return false;
}

static void test_resume(void **state)
{
	(void)state;
	misbehave(3, short_body);
	assert_int_equal(get(7, 100000, 10), 0);
	assert_int_equal(hub.requests, 4);
}

static bool stall(const struct fake_request *req, int fd)
{
	char byte;

	(void)req;
	return recv(fd, &byte, 1, 0) > 0;
}

static void test_stall(void **state)
{
	struct wait_sink w;
	uint64_t start = clock_now_ns();

	(void)state;
	misbehave(1, stall);
	begin(&w, 0, 1000, 6); /* a third of it is the stall time */
	while (bad_count > 0)
		usleep(1000);
	assert_int_equal(finish(&w, 1000), 0);
	assert_true(clock_now_ns() - start >= 2 * NS_PER_S);
	assert_int_equal(hub.connections, 2);
}

static bool too_many(const struct fake_request *req, int fd)
{
	(void)req;
	fake_status(fd, 429, "RateLimit: \"resolvers\";r=0;t=1\r\n");
	return true;
}

static void test_rate_limit(void **state)
{
	uint64_t start = clock_now_ns();

	(void)state;
	misbehave(1, too_many);
	assert_int_equal(get(0, 10, 10), 0);
	assert_true(clock_now_ns() - start >= 2 * NS_PER_S);
	start = clock_now_ns();
	misbehave(1, too_many);
	assert_int_equal(get(0, 10, 1), -EIO); /* at once */
	assert_true(clock_now_ns() - start < NS_PER_S);
}

static bool unavailable(const struct fake_request *req, int fd)
{
	(void)req;
	fake_status(fd, 503, "");
	return true;
}

static void test_burst(void **state)
{
	(void)state;
	misbehave(3, unavailable);
	assert_int_equal(get(0, 10, 10), 0);
	assert_int_equal(hub.requests, 4);
	misbehave(100, unavailable);
	assert_int_equal(get(0, 10, 1), -EIO);
}

static bool forbidden(const struct fake_request *req, int fd)
{
	(void)req;
	fake_status(fd, 403, "");
	return true;
}

static void test_expired(void **state)
{
	(void)state;
	hub_redirects = true;
	assert_int_equal(get(0, 10, 10), 0);
	misbehave(1, forbidden);
	assert_int_equal(get(0, 10, 10), 0);
	assert_int_equal(hub.requests, 2);
	misbehave(2, forbidden);
	assert_int_equal(get(0, 10, 10), -EIO);
	hub_redirects = false;
	misbehave(1, forbidden);
	source_unref(source);
	source = NULL;
}

static void test_forbidden(void **state)
{
	(void)state;
	misbehave(1, forbidden);
	assert_int_equal(get(0, 10, 10), -EACCES);
	assert_int_equal(hub.requests, 1);
}

static bool to_itself(const struct fake_request *req, int fd)
{
	fake_redirect(fd, req->path);
	return true;
}

static bool to_ftp(const struct fake_request *req, int fd)
{
	(void)req;
	fake_redirect(fd, "ftp://127.0.0.1/x");
	return true;
}

static void test_bad_redirects(void **state)
{
	(void)state;
	misbehave(100, to_itself);
	assert_int_equal(get(0, 10, 10), -EIO);
	assert_int_equal(hub.requests, 11);
	misbehave(1, to_ftp);
	assert_int_equal(get(0, 10, 10), -EIO);
}

static bool tagged(const struct fake_request *req, int fd)
{
	fake_printf(fd,
		    "HTTP/1.1 206 X\r\nETag: \"%s\"\r\nContent-Length: %llu\r\n"
		    "Content-Range: bytes %llu-%llu/%zu\r\n\r\n",
		    req->nth == 2 ? "new" : "old", req->last - req->first + 1,
		    req->first, req->last, SIZE);
	fake_write(fd, bytes + req->first, req->last - req->first + 1);
	return true;
}

static void test_changed(void **state)
{
	(void)state;
	misbehave(3, tagged);
	assert_int_equal(get(0, 10, 10), 0);
	assert_int_equal(get(10, 10, 10), 0);
	assert_int_equal(get(20, 10, 10), -ESTALE);
}

static void test_hub_restarts(void **state)
{
	unsigned short port = hub.port;
	struct wait_sink w;

	(void)state;
	assert_int_equal(get(0, 10, 10), 0);
	fake_stop(&hub);
	begin(&w, 0, 1000, 20);
	usleep(400000);
	assert_true(fake_start(&hub, port));
	assert_int_equal(finish(&w, 1000), 0);
}

static void test_stop(void **state)
{
	struct wait_sink w, later;

	(void)state;
	misbehave(1, stall);
	begin(&w, 0, 1000, 20);
	while (bad_count > 0)
		usleep(1000);
	fetcher_stop(fetcher);
	assert_int_equal(finish(&w, 1000), -ESHUTDOWN);
	later.sink = (struct source_sink){ sink_data, sink_done };
	assert_int_equal(source->ops->fetch(source, 0, 1, SOURCE_WANTED,
					    CLOCK_NEVER, &later.sink),
			 -ESHUTDOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_redirect_drops_token),
		TEST(test_one_resolves_for_all),
		TEST(test_untrue),
		TEST(test_whole_is_good_for_whole),
		TEST(test_resume),
		TEST(test_stall),
		TEST(test_rate_limit),
		TEST(test_burst),
		TEST(test_expired),
		TEST(test_forbidden),
		TEST(test_bad_redirects),
		TEST(test_changed),
		TEST(test_hub_restarts),
		TEST(test_stop),
	};
	int failed;

	setenv("no_proxy", "127.0.0.1", 1);
	bytes = malloc(SIZE + 2);
	for (size_t i = 0; i < SIZE + 2; i++)
		bytes[i] = (char)(i * 2654435761U >> 13);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(bytes);
	return failed;
}
