/* SPDX-License-Identifier: MIT */
#include "base/share.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* The folder of the running program. */
static int program_dir(char **out)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len < 0)
		return -errno;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	*out = mem_strndup(path, (size_t)(slash - path));
	return *out ? 0 : -ENOMEM;
}

static int share_dir(char **out)
{
	const char *named = getenv("OMNIHUB_SHARE");
	auto_free char *dir = NULL, *beside = NULL;
	int r;

	if (named && *named) {
		*out = mem_strdup(named);
		return *out ? 0 : -ENOMEM;
	}
	r = program_dir(&dir);
	if (r < 0)
		return r;
	beside = mem_printf("%s/share/omnihub", dir);
	if (!beside)
		return -ENOMEM;
	if (access(beside, F_OK) == 0)
		*out = take_ptr(beside);
	else
		*out = mem_printf("%s/../share/omnihub", dir);
	return *out ? 0 : -ENOMEM;
}

int share_path(const char *relative, char **out)
{
	auto_free char *dir = NULL;
	int r = share_dir(&dir);

	if (r < 0)
		return r;
	*out = mem_printf("%s/%s", dir, relative);
	return *out ? 0 : -ENOMEM;
}
