/* SPDX-License-Identifier: MIT */
#include "fs/mount_point.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

/*
 * The kernel's own default is 128 KiB.  With the largest read we take one
 * request carries eight times that; more gained nothing that could be
 * measured, and a page fault reads so much around it.
 */
#define READAHEAD_KB "1024"

#define FS_TYPE "fuse.omnihub"

/* One line of /proc/self/mountinfo: man 5 proc. */
struct mount_line {
	char at[PATH_BYTES_MAX];
	char device[32];
	char type[64];
};

static bool mount_line_parse(const char *line, struct mount_line *out)
{
	const char *dash = strstr(line, " - ");

	return dash &&
	       sscanf(line, "%*d %*d %31s %*s %4095s", out->device, out->at) ==
		       2 &&
	       sscanf(dash, " - %63s", out->type) == 1;
}

/* The last line that @wanted says is it; true if there is one. */
static bool find_line(bool (*wanted)(const struct mount_line *line,
				     const char *path),
		      const char *path, struct mount_line *out)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	struct mount_line line;
	char *text = NULL;
	size_t cap = 0;
	bool found = false;

	while (table && getline(&text, &cap, table) > 0) {
		if (!mount_line_parse(text, &line) || !wanted(&line, path))
			continue;
		*out = line;
		found = true;
	}
	free(text);
	if (table)
		fclose(table);
	return found;
}

static bool is_at(const struct mount_line *line, const char *path)
{
	return strcmp(line->at, path) == 0;
}

static bool is_inside(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0');
}

static bool is_ours_above(const struct mount_line *line, const char *path)
{
	return strcmp(line->type, FS_TYPE) == 0 &&
	       (!path || is_inside(path, line->at));
}

int mount_point_find(const char *path, char **out)
{
	struct mount_line line;

	if (!find_line(is_ours_above, path, &line))
		return -ENOENT;
	*out = mem_strdup(line.at);
	return *out ? 0 : -ENOMEM;
}

static int check_empty(const char *path, struct str *why)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (!dir)
		return str_explain(why, -errno, "cannot look into %s", path);
	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty ? 0
		     : str_explain(why, -ENOTEMPTY,
				   "%s has files in it; mount elsewhere", path);
}

int mount_point_check(const char *mountpoint, const char *cache_dir,
		      struct str *why)
{
	struct mount_line line;
	struct stat st;

	if (is_inside(cache_dir, mountpoint))
		return str_explain(why, -EINVAL,
				   "the cache must not be inside the mount: %s",
				   cache_dir);
	if (find_line(is_at, mountpoint, &line))
		return str_explain(why, -EBUSY,
				   "something is mounted at %s already; see "
				   "\"omnihub umount\"",
				   mountpoint);
	if (mkdir(mountpoint, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return str_explain(why, -errno,
				   "cannot make %s; name a folder of yours",
				   mountpoint);
	if (stat(mountpoint, &st) < 0)
		return str_explain(why, -errno, "cannot look at %s",
				   mountpoint);
	if (!S_ISDIR(st.st_mode))
		return str_explain(why, -ENOTDIR, "%s is not a folder",
				   mountpoint);
	return check_empty(mountpoint, why);
}

void mount_point_readahead(const char *mountpoint)
{
	struct mount_line line;
	auto_free char *path = NULL;
	auto_close int fd = -1;

	if (!find_line(is_at, mountpoint, &line))
		return;
	path = mem_printf("/sys/class/bdi/%s/read_ahead_kb", line.device);
	if (path)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, READAHEAD_KB, strlen(READAHEAD_KB)) < 0)
		log_info("fs", "read-ahead stays as the kernel set it");
}

/* fusermount3 may unmount what its user mounted. */
static int run_fusermount(const char *mountpoint, bool lazy)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (child == 0) {
		if (lazy)
			execlp("fusermount3", "fusermount3", "-q", "-u", "-z",
			       "--", mountpoint, (char *)NULL);
		else
			execlp("fusermount3", "fusermount3", "-q", "-u", "--",
			       mountpoint, (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

bool mount_point_is_ours(const char *mountpoint)
{
	struct mount_line line;

	return find_line(is_at, mountpoint, &line) &&
	       strcmp(line.type, FS_TYPE) == 0;
}

int mount_point_unmount(const char *mountpoint, bool lazy)
{
	struct mount_line line;

	if (!find_line(is_at, mountpoint, &line) ||
	    strcmp(line.type, FS_TYPE) != 0)
		return -EINVAL;
	if (umount2(mountpoint, lazy ? MNT_DETACH : 0) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	return run_fusermount(mountpoint, lazy);
}
