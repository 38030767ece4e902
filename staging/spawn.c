/* SPDX-License-Identifier: MIT */
#include "staging/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/mem.h"

static int find_in(const char *dir, size_t len, const char *sub,
		   const char *program, char **out)
{
	auto_free char *path = mem_printf("%.*s%s%s", (int)len, dir, sub,
					  program);

	if (!path)
		return -ENOMEM;
	if (access(path, X_OK) < 0)
		return -ENOENT;
	*out = take_ptr(path);
	return 0;
}

int spawn_find(const char *program, char **out)
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
		r = find_in(self, (size_t)(slash - self), subs[i], program,
			    out);
	return r;
}

/* In the order in which they are done in the child. */
static int plan_fds(posix_spawn_file_actions_t *actions, const int fds[3])
{
	int r = 0;

	for (int i = 0; r == 0 && i < 3; i++)
		if (fds[i] >= 0)
			r = posix_spawn_file_actions_adddup2(actions, fds[i],
							     i);
	for (int i = 0; r == 0 && i < 3; i++)
		if (fds[i] < 0)
			r = posix_spawn_file_actions_addopen(
				actions, i, "/dev/null", O_RDWR, 0);
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

int spawn_start(const char *path, char *const argv[], char *const environment[],
		const int fds[3], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = -posix_spawn_file_actions_init(&actions);

	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attributes);
	if (r < 0)
		goto free_actions;
	r = plan_fds(&actions, fds);
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
