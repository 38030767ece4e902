/* SPDX-License-Identifier: MIT */
#include "staging/archive/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

static char *const argv_tar[] = { (char *)"omnihub-unpack", (char *)"tar",
				  (char *)"1000000", (char *)"60", NULL };
static char *const argv_bad[] = { (char *)"omnihub-unpack", NULL };

/* What comes until the end. */
static size_t read_all(int fd, char *to, size_t max)
{
	size_t at = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, 0);
	while (at < max && (n = read(fd, to + at, max - at)) > 0)
		at += (size_t)n;
	return at;
}

static void a_worker_answers_and_ends(void **state)
{
	struct worker worker;
	char answer[256];
	int status;

	(void)state;
	assert_int_equal(worker_start(OMNIHUB_UNPACK, argv_tar, &worker), 0);
	assert_int_equal(getpgid(worker.pid), worker.pid);
	assert_int_equal(write(worker.in, "noise", 5), 5);
	worker_close_in(&worker);
	assert_true(read_all(worker.out, answer, sizeof(answer)) >= 12);
	assert_int_equal(answer[0], 5); /* REFUSED */
	status = worker_end(&worker);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void wrong_arguments_are_refused(void **state)
{
	struct worker worker;
	int status;

	(void)state;
	assert_int_equal(worker_start(OMNIHUB_UNPACK, argv_bad, &worker), 0);
	status = worker_end(&worker);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void one_that_works_on_is_killed(void **state)
{
	char *const argv[] = { (char *)"sleep", (char *)"1000", NULL };
	struct worker worker;

	(void)state;
	assert_int_equal(worker_start("/bin/sleep", argv, &worker), 0);
	assert_int_equal(worker_end(&worker), 0);
	assert_int_equal(kill(worker.pid, 0), -1);
}

static void none_is_an_error(void **state)
{
	struct worker worker;

	(void)state;
	assert_int_equal(worker_start("/omnihub-no-such", argv_tar, &worker),
			 -ENOENT);
}

static bool has_ended(pid_t pid)
{
	auto_free char *path = mem_printf("/proc/%d/stat", pid);
	char line[256] = "";
	FILE *file = fopen(path, "re");
	const char *state;

	if (!file)
		return true;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	state = strstr(line, ") ");
	return !state || state[2] == 'Z' || state[2] == 'X';
}

/* As a daemon that is killed while a worker waits for input. */
static void it_dies_with_who_started_it(void **state)
{
	int told[2], status;
	pid_t child, worker;

	(void)state;
	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		struct worker mine;

		if (worker_start(OMNIHUB_UNPACK, argv_tar, &mine) < 0 ||
		    write(told[1], &mine.pid, sizeof(mine.pid)) < 0)
			_exit(1);
		pause();
	}
	assert_int_equal(read(told[0], &worker, sizeof(worker)),
			 sizeof(worker));
	usleep(100000);
	assert_false(has_ended(worker));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	for (int i = 0; i < 1000 && !has_ended(worker); i++)
		usleep(10000);
	assert_true(has_ended(worker));
	close(told[0]);
	close(told[1]);
}

static void it_is_found_beside_the_program(void **state)
{
	char *path;

	(void)state;
	/* The tests are in a folder of their own: it is not beside them. */
	assert_int_equal(worker_find(&path), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_answers_and_ends),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(one_that_works_on_is_killed),
		cmocka_unit_test(none_is_an_error),
		cmocka_unit_test(it_dies_with_who_started_it),
		cmocka_unit_test(it_is_found_beside_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
