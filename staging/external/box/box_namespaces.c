/* SPDX-License-Identifier: MIT */
/*
 * A converter in namespaces of its own.  Three processes: we, who wait; the
 * first of the new namespace of processes, with whose end the kernel ends
 * all others of it; and the converter.
 *
 * Facts: user_namespaces(7), pid_namespaces(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/external/box/box.h"

#define SPACES                                                       \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWIPC | CLONE_NEWUTS)

static int write_map(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

/* Who we are outside we are inside: files stay ours. */
static int map_ids(uid_t uid, gid_t gid)
{
	auto_free char *users = mem_printf("%u %u 1", uid, uid);
	auto_free char *groups = mem_printf("%u %u 1", gid, gid);

	if (!users || !groups)
		return -1;
	(void)!write_map("/proc/self/setgroups", "deny");
	return write_map("/proc/self/uid_map", users)
		       ?: write_map("/proc/self/gid_map", groups);
}

static int leave(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(SPACES) < 0)
		return box_complain("make namespaces");
	if (map_ids(uid, gid) < 0)
		return box_complain("map the user");
	return 0;
}

static void run_program(const struct box *box)
{
	int r;

	setsid();
	r = box_limit(box);
	r = r ?: box_drop_privileges();
	r = r ?: box_filter(false);
	if (r < 0) {
		errno = -r;
		_exit(box_complain("give up privileges"));
	}
	box_exec(box);
}

/* The namespace's first process: ends when the program does. */
static int keep(pid_t program)
{
	int status;
	pid_t ended;

	do
		ended = wait(&status);
	while (ended != program && (ended > 0 || errno == EINTR));
	return ended == program ? box_status(status) : BOX_BROKEN;
}

/* Whether who holds the other end of @fd has died before we could know. */
static bool is_orphan(int fd)
{
	struct pollfd end = { .fd = fd };

	return poll(&end, 1, 0) > 0 && end.revents & POLLHUP;
}

static int run_first(const struct box *box, int parent_fd)
{
	pid_t program;
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || is_orphan(parent_fd))
		return BOX_BROKEN;
	r = box_mount(box);
	if (r)
		return r;
	program = fork();
	if (program < 0)
		return box_complain("start a process");
	if (program == 0)
		run_program(box);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (box_drop_privileges() < 0)
		return BOX_BROKEN;
	return keep(program);
}

int box_run_namespaces(const struct box *box)
{
	int life[2];
	int status;
	pid_t first;
	int r = leave();

	if (r)
		return r;
	if (pipe2(life, O_CLOEXEC) < 0)
		return box_complain("make a pipe");
	first = fork();
	if (first < 0)
		return box_complain("start a process");
	if (first == 0) {
		close(life[1]);
		_exit(run_first(box, life[0]));
	}
	close(life[0]);
	while (waitpid(first, &status, 0) < 0)
		if (errno != EINTR)
			return BOX_BROKEN;
	return box_status(status);
}

/* Tried, up to where the program would be started. */
static int try_all(const struct box *box)
{
	pid_t first;
	int status;

	if (leave())
		return 1;
	first = fork();
	if (first == 0)
		_exit(box_mount(box));
	if (first < 0 || waitpid(first, &status, 0) != first)
		return 1;
	return box_status(status);
}

bool box_has_namespaces(const struct box *box)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(try_all(box));
	return child > 0 && waitpid(child, &status, 0) == child &&
	       box_status(status) == 0;
}
