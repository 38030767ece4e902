/* SPDX-License-Identifier: MIT */
/* What the worker can no longer do, tried by a child that entered. */
#include "staging/archive/worker/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

#define MEMORY ((uint64_t)256 << 20)

/* Each is tried; -1 and errno, else what it gave. */
static long try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long try_openat2(void)
{
	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", NULL, 0);
}

static long try_stat(void)
{
	return access("/etc/passwd", F_OK);
}

static long try_unlink(void)
{
	return unlink("/omnihub-no-such-file");
}

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long try_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long try_kill(void)
{
	return kill(getppid(), 0);
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

static long try_more_memory(void)
{
	struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_AS, &more);
}

static long try_executable_map(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? -1
		       : 0;
}

static long try_executable_data(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 0;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long try_file_map(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0) == MAP_FAILED ? -1
									    : 0;
}

static long try_other_fd(void)
{
	char byte;

	return read(2, &byte, 1);
}

static long try_vectors(void)
{
	struct iovec none = { NULL, 0 };

	return writev(1, &none, 1);
}

static long try_dup(void)
{
	return dup(0);
}

static const struct {
	const char *name;
	long (*try)(void);
} forbidden[] = {
	{ "open", try_open },
	{ "openat2", try_openat2 },
	{ "access", try_stat },
	{ "unlink", try_unlink },
	{ "socket", try_socket },
	{ "unix socket", try_unix_socket },
	{ "clone", try_fork },
	{ "execve", try_exec },
	{ "kill", try_kill },
	{ "ptrace", try_ptrace },
	{ "prctl", try_prctl },
	{ "setrlimit", try_more_memory },
	{ "mmap of code", try_executable_map },
	{ "mprotect to code", try_executable_data },
	{ "mmap of a file", try_file_map },
	{ "read of another file", try_other_fd },
	{ "writev", try_vectors },
	{ "dup", try_dup },
};

/* In a child; its exit status, or minus the signal that ended it. */
static int in_child(int (*run)(size_t i), size_t i)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(run(i));
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int enter_and_try(size_t i)
{
	if (sandbox_enter(MEMORY, 60) < 0)
		return 1;
	errno = 0;
	if (forbidden[i].try() != -1)
		return 2;
	return errno == EPERM ? 0 : 3;
}

static int just_try(size_t i)
{
	return forbidden[i].try() == -1 && errno == EPERM ? 1 : 0;
}

static void calls_are_forbidden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		print_message("%s\n", forbidden[i].name);
		assert_int_equal(in_child(just_try, i), 0); /* it is not so */
		assert_int_equal(in_child(enter_and_try, i), 0);
	}
}

static int enter_and_work(size_t i)
{
	char *memory;
	char byte = 'x';

	(void)i;
	if (sandbox_enter(MEMORY, 60) < 0)
		return 1;
	memory = malloc((size_t)64 << 20);
	if (!memory)
		return 2;
	memset(memory, 1, (size_t)64 << 20);
	free(memory);
	return write(1, &byte, 0) == 0 && read(0, &byte, 0) == 0 ? 0 : 3;
}

static void memory_and_pipes_are_allowed(void **state)
{
	(void)state;
	assert_int_equal(in_child(enter_and_work, 0), 0);
}

static int enter_and_take_much(size_t i)
{
	(void)i;
	if (sandbox_enter(MEMORY, 60) < 0)
		return 1;
	return mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? 0
		       : 2;
}

static void memory_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(in_child(enter_and_take_much, 0), 0);
}

static int enter_and_spin_for(uint64_t cpu_s)
{
	if (sandbox_enter(MEMORY, cpu_s) < 0)
		return 1;
	for (volatile unsigned int x = 0;; x++)
		;
	return 0;
}

static int enter_and_spin(size_t i)
{
	(void)i;
	return enter_and_spin_for(1);
}

static void time_is_bounded(void **state)
{
	int end;

	(void)state;
	end = in_child(enter_and_spin, 0);
	assert_true(end == -SIGKILL || end == -SIGXCPU);
}

static int enter_with_a_file(size_t i)
{
	int fd = open("/dev/null", O_WRONLY);

	(void)i;
	if (fd < 3 || sandbox_enter(MEMORY, 60) < 0)
		return 1;
	return close(fd) < 0 && errno == EBADF ? 0 : 2;
}

static void files_do_not_come_along(void **state)
{
	(void)state;
	assert_int_equal(in_child(enter_with_a_file, 0), 0);
}

/* Gone, or a zombie that another has to wait for. */
static bool has_ended(pid_t pid)
{
	auto_free char *path = mem_printf("/proc/%d/stat", pid);
	char line[256] = "";
	FILE *file = fopen(path, "re");
	const char *at;

	if (!file)
		return true;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	at = strstr(line, ") ");
	return !at || at[2] == 'Z' || at[2] == 'X';
}

/* The child of a child enters and spins; the child is killed. */
static void it_dies_with_its_parent(void **state)
{
	int told[2];
	pid_t child, inner = 0;

	(void)state;
	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		inner = fork();
		if (inner == 0)
			_exit(enter_and_spin_for(60));
		if (write(told[1], &inner, sizeof(inner)) < 0)
			_exit(1);
		pause();
	}
	assert_int_equal(read(told[0], &inner, sizeof(inner)), sizeof(inner));
	usleep(200000);
	assert_false(has_ended(inner));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (int i = 0; i < 200 && !has_ended(inner); i++)
		usleep(10000);
	assert_true(has_ended(inner));
	close(told[0]);
	close(told[1]);
}

int main(void)
{
#ifdef OMNIHUB_SANITIZED
	/* There is no filter then (sandbox.h); time and files remain. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(files_do_not_come_along),
		cmocka_unit_test(it_dies_with_its_parent),
	};

	(void)calls_are_forbidden;
	(void)memory_and_pipes_are_allowed;
	(void)memory_is_bounded;
#else
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_forbidden),
		cmocka_unit_test(memory_and_pipes_are_allowed),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(files_do_not_come_along),
		cmocka_unit_test(it_dies_with_its_parent),
	};
#endif

	return cmocka_run_group_tests(tests, NULL, NULL);
}
