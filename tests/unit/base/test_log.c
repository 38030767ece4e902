/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/thread.h"
#include "tests/unit/unit.h"

#define SECRET "hf_abcdefghijklmnop"
#define LINES 50

/* What was logged, from the component on. */
static char got[16384];
static int pipe_fds[2];

static const char *logged(void)
{
	ssize_t len = read(pipe_fds[0], got, sizeof(got) - 1);
	const char *at = got;

	assert_true(len > 0);
	got[len] = '\0';
	assert_int_equal(got[len - 1], '\n');
	assert_null(memchr(got, '\n', (size_t)len - 1));
	for (int i = 0; i < 2; i++)
		at = strchr(at, ' ') + 1;
	return at;
}

static int set_up(void **state)
{
	(void)state;
	if (pipe2(pipe_fds, O_NONBLOCK) < 0)
		return -1;
	log_open(pipe_fds[1], LOG_LEVEL_INFO);
	return log_hide(SECRET);
}

static void a_line_has_its_parts(void **state)
{
	(void)state;
	errno = EBADF;
	log_warn("fetch", "gave up on %s: %d", "host", 42);
	assert_int_equal(errno, EBADF);
	assert_string_equal(logged(), "fetch: gave up on host: 42\n");
	assert_int_equal(strlen("2026-01-31T12:34:56.789Z"),
			 strchr(got, ' ') - got);
	assert_non_null(strstr(got, "Z warn fetch"));
}

static void failing_to_log_keeps_errno(void **state)
{
	(void)state;
	log_open(-1, LOG_LEVEL_INFO);
	errno = ENOENT;
	log_warn("t", "to nowhere");
	assert_int_equal(errno, ENOENT);
	log_open(pipe_fds[1], LOG_LEVEL_INFO);
}

static void levels_that_are_off_are_silent(void **state)
{
	char byte;

	(void)state;
	log_debug("test", "nothing");
	assert_int_equal(read(pipe_fds[0], &byte, 1), -1);
	assert_true(log_on(LOG_LEVEL_INFO));
	assert_false(log_on(LOG_LEVEL_DEBUG));
}

static void secrets_are_hidden(void **state)
{
	(void)state;
	log_error("t", "a %s b " SECRET "c", SECRET);
	assert_string_equal(logged(), "t: a [hidden] b [hidden]c\n");
}

static void the_longest_secret_is_hidden(void **state)
{
	(void)state;
	assert_int_equal(log_hide(SECRET "qrst"), 0);
	log_error("t", "%sqrst", SECRET);
	assert_string_equal(logged(), "t: [hidden]\n");
}

static void short_words_are_no_secrets(void **state)
{
	(void)state;
	assert_int_equal(log_hide("host"), 0);
	assert_int_equal(log_hide(""), 0);
	log_error("t", "host");
	assert_string_equal(logged(), "t: host\n");
}

static void control_bytes_are_escaped(void **state)
{
	(void)state;
	log_error("t", "a\nb\x1b[31m\x7f\xff\xc2\x9b \xc3\xa9");
	assert_string_equal(
		logged(), "t: a\\x0ab\\x1b[31m\\x7f\\xff\\xc2\\x9b \xc3\xa9\n");
}

/* Wherever the line is cut, no part of the secret is in it. */
static void a_cut_secret_is_hidden(void **state)
{
	static char text[LOG_MESSAGE_BYTES_MAX + 100];

	(void)state;
	for (size_t at = LOG_MESSAGE_BYTES_MAX - 30;
	     at < LOG_MESSAGE_BYTES_MAX + 2; at++) {
		memset(text, 'x', sizeof(text) - 1);
		memcpy(text + at, SECRET, strlen(SECRET));
		log_error("t", "%s", text);
		assert_null(strstr(logged(), "hf_"));
	}
}

static void long_lines_are_cut(void **state)
{
	static char text[100000];

	(void)state;
	memset(text, '\x01', sizeof(text) - 1);
	log_error("t", "%s", text);
	assert_in_range(strlen(logged()), 8000, 2 * LOG_MESSAGE_BYTES_MAX);
}

static void *log_some(void *arg)
{
	char secret[] = "thread-secret-0";

	secret[strlen(secret) - 1] = *(const char *)arg;
	assert_int_equal(log_hide(secret), 0);
	for (int i = 0; i < LINES; i++)
		log_error("t", "%s of a thread", secret);
	return NULL;
}

static void threads_log_whole_lines(void **state)
{
	static const char names[] = "abcd";
	pthread_t threads[4];
	size_t count = 0;
	ssize_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(thread_start("log", log_some,
					      (void *)(uintptr_t)&names[i],
					      &threads[i]),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	len = read(pipe_fds[0], got, sizeof(got) - 1);
	assert_true(len > 0);
	got[len] = '\0';
	assert_null(strstr(got, "secret"));
	for (const char *at = got; (at = strstr(at, "Z error t: [hidden] of a "
						    "thread\n20"));
	     at++)
		count++;
	assert_int_equal(count, LINES * ARRAY_LEN(threads) - 1);
}

static void secrets_are_bounded(void **state)
{
	static char text[LOG_SECRET_BYTES_MAX + 2];
	char secret[] = "secret-000";
	int r = 0;

	(void)state;
	memset(text, 's', sizeof(text) - 1);
	assert_int_equal(log_hide(text), -ENOSPC);
	mem_fail_nth(1);
	assert_int_equal(log_hide(secret), -ENOMEM);
	assert_true(mem_fail_done());
	for (int i = 0; r == 0 && i < 999; i++) {
		secret[7] = (char)('0' + i / 100);
		secret[8] = (char)('0' + i / 10 % 10);
		secret[9] = (char)('0' + i % 10);
		r = log_hide(secret);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(log_hide(SECRET), 0); /* known already */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_parts),
		cmocka_unit_test(failing_to_log_keeps_errno),
		cmocka_unit_test(levels_that_are_off_are_silent),
		cmocka_unit_test(secrets_are_hidden),
		cmocka_unit_test(the_longest_secret_is_hidden),
		cmocka_unit_test(short_words_are_no_secrets),
		cmocka_unit_test(control_bytes_are_escaped),
		cmocka_unit_test(a_cut_secret_is_hidden),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(threads_log_whole_lines),
		cmocka_unit_test(secrets_are_bounded),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
