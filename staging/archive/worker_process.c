/* SPDX-License-Identifier: MIT */
#include "staging/archive/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "staging/spawn.h"

#define PROGRAM "omnihub-unpack"

/* One that is done is given so long to end; it has nothing left to do. */
#define END_TRIES 100
#define END_WAIT_US 5000

int worker_find(char **out)
{
	return spawn_find(PROGRAM, out);
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

int worker_start(const char *path, char *const argv[], struct worker *out)
{
	auto_pipes struct pipes pipes = { { -1, -1 }, { -1, -1 } };
	char *const environment[] = { NULL };
	int r = pipes_open(&pipes);

	if (r == 0) {
		const int fds[] = { pipes.in[0], pipes.out[1], -1 };

		r = spawn_start(path, argv, environment, fds, &out->pid);
	}
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
