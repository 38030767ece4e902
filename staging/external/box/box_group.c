/* SPDX-License-Identifier: MIT */
/*
 * A converter without namespaces: a process group, which it cannot leave
 * where landlock and seccomp hold it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "staging/external/box/box.h"

static volatile pid_t group; /* the converter's; 0: not started */

/* We are told to end, or the daemon has: all of the group goes first. */
static void end_group(int signal)
{
	if (group > 0)
		kill(-group, SIGKILL);
	_exit(128 + signal);
}

static void run_program(const struct box *box)
{
	int r = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;

	setpgid(0, 0);
	r = r ?: box_limit(box);
	r = r ?: box_drop_privileges();
	if (box->mode == BOX_LANDLOCK) {
		r = r ?: box_landlock(box);
		r = r ?: box_filter(true);
	}
	if (r < 0) {
		errno = -r;
		_exit(box_complain("give up privileges"));
	}
	box_exec(box);
}

int box_run_group(const struct box *box)
{
	pid_t daemon = getppid();
	int status;

	if (signal(SIGTERM, end_group) == SIG_ERR ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != daemon)
		return box_complain("wait for the end");
	group = fork();
	if (group < 0)
		return box_complain("start a process");
	if (group == 0)
		run_program(box);
	setpgid(group, group);
	while (waitpid(group, &status, 0) < 0)
		if (errno != EINTR)
			return BOX_BROKEN;
	kill(-group, SIGKILL);
	return box_status(status);
}
