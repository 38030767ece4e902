/* SPDX-License-Identifier: MIT */
#include "staging/archive/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/mem.h"

#define PROGRAM "omnihub-unpack"

/* One that is done is given so long to end; it has nothing left to do. */
#define END_TRIES 100
#define END_WAIT_US 5000

static int find_in(const char *dir, size_t len, const char *sub, char **out)
{
	auto_free char *path = mem_printf("%.*s%s" PROGRAM, (int)len, dir, sub);

	if (!path)
		return -ENOMEM;
	if (access(path, X_OK) < 0)
		return -ENOENT;
	*out = take_ptr(path);
	return 0;
}

int worker_find(char **out)
{
	static const char *const subs[] = { "/", "/../libexec/omnihub/" };
	char self[PATH_BYTES_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int r = -ENOENT;
	char *slash;

	if (len <= 0)
		return -ENOENT;
	self[len] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && r == -ENOENT && i < ARRAY_LEN(subs); i++)
		r = find_in(self, (size_t)(slash - self), subs[i], out);
	return r;
}

struct pipes {
	int in[2];
	int out[2];
};

static void pipes_close(struct pipes *pipes)
{
	int *fds[] = { &pipes->in[0], &pipes->in[1], &pipes->out[0],
		       &pipes->out[1] };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			close(take_fd(*fds[i]));
}

DEFINE_AUTO(pipes, struct pipes, pipes_close)
#define auto_pipes auto_of(pipes)

static int pipes_open(struct pipes *pipes)
{
	if (pipe2(pipes->in, O_CLOEXEC) < 0 || pipe2(pipes->out, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(pipes->in[1], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(pipes->out[0], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* In the order in which they are done in the child. */
static int plan_fds(posix_spawn_file_actions_t *actions,
		    const struct pipes *pipes)
{
	int r = posix_spawn_file_actions_adddup2(actions, pipes->in[0], 0);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, pipes->out[1], 1);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(actions, 2, "/dev/null",
						     O_WRONLY, 0);
	return -r;
}

static int plan_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setpgroup(attributes, 0);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes,
					     POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF |
						     POSIX_SPAWN_SETPGROUP);
	return -r;
}

static int spawn(const char *path, char *const argv[],
		 const struct pipes *pipes, pid_t *pid)
{
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = -posix_spawn_file_actions_init(&actions);

	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attributes);
	if (r < 0)
		goto free_actions;
	r = plan_fds(&actions, pipes);
	if (r == 0)
		r = plan_signals(&attributes);
	if (r == 0)
		r = -posix_spawn(pid, path, &actions, &attributes, argv,
				 environment);
	posix_spawnattr_destroy(&attributes);
free_actions:
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

int worker_start(const char *path, char *const argv[], struct worker *out)
{
	auto_pipes struct pipes pipes = { { -1, -1 }, { -1, -1 } };
	int r = pipes_open(&pipes);

	if (r == 0)
		r = spawn(path, argv, &pipes, &out->pid);
	if (r < 0)
		return r;
	out->in = take_fd(pipes.in[1]);
	out->out = take_fd(pipes.out[0]);
	return 0;
}

void worker_close_in(struct worker *worker)
{
	if (worker->in >= 0)
		close(take_fd(worker->in));
}

int worker_end(struct worker *worker)
{
	int status = 0;
	pid_t ended = 0;

	worker_close_in(worker);
	close(take_fd(worker->out));
	for (int i = 0; ended == 0 && i < END_TRIES; i++) {
		ended = waitpid(worker->pid, &status, WNOHANG);
		if (ended == 0)
			usleep(END_WAIT_US);
	}
	if (ended != 0) /* -1: someone else has waited for it */
		return ended == worker->pid ? status : 0;
	kill(-worker->pid, SIGKILL);
	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}
