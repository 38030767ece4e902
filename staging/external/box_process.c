/* SPDX-License-Identifier: MIT */
#include "staging/external/box_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "staging/external/output_tail.h"
#include "staging/spawn.h"

#define POLL_MS 100 /* so soon an end, or a stop, is seen */

/* One that was told to end kills its own first. */
#define END_TRIES 400
#define END_WAIT_US 5000

struct watch {
	const struct box_process *process;
	pid_t pid;
	int fd; /* of its output; -1 once that has ended */
	int status;
	bool ended;
};

static int take_output(struct watch *watch)
{
	char bytes[4096];
	ssize_t n = read(watch->fd, bytes, sizeof(bytes));

	if (n > 0)
		return tail_add(watch->process->output, bytes, (size_t)n) ?: 1;
	if (n == 0)
		close(take_fd(watch->fd));
	return 0;
}

/* What is in the pipe already. */
static int drain(struct watch *watch)
{
	int r = 1;

	while (r > 0 && watch->fd >= 0)
		r = take_output(watch);
	return r;
}

static int look(struct watch *watch)
{
	const struct box_process *process = watch->process;
	pid_t ended = waitpid(watch->pid, &watch->status, WNOHANG);

	if (ended != 0) {
		watch->ended = true;
		return 0;
	}
	if (clock_now_ns() > process->until_ns)
		return -ETIMEDOUT;
	return process->look ? process->look(process->arg) : 0;
}

static int watch_all(struct watch *watch)
{
	int r = 0;

	while (r == 0 && !watch->ended) {
		struct pollfd fd = { .fd = watch->fd, .events = POLLIN };

		if (poll(&fd, 1, POLL_MS) > 0)
			r = drain(watch);
		r = r ?: look(watch);
	}
	return r ?: drain(watch);
}

static void end(struct watch *watch)
{
	kill(watch->pid, SIGTERM);
	for (int i = 0; !watch->ended && i < END_TRIES; i++) {
		watch->ended = waitpid(watch->pid, NULL, WNOHANG) != 0;
		if (!watch->ended)
			usleep(END_WAIT_US);
	}
	if (watch->ended)
		return;
	kill(-watch->pid, SIGKILL);
	while (waitpid(watch->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

int box_process_run(const struct box_process *process)
{
	struct watch watch = { .process = process };
	int fds[3] = { -1, -1, -1 };
	int ends[2];
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fds[1] = fds[2] = ends[1];
	r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	if (r == 0)
		r = spawn_start(process->path, process->argv,
				process->environment, fds, &watch.pid);
	close(ends[1]);
	watch.fd = ends[0];
	if (r == 0) {
		r = watch_all(&watch);
		if (!watch.ended)
			end(&watch);
	}
	if (watch.fd >= 0)
		close(watch.fd);
	return r < 0 ? r : exit_status(watch.status);
}
