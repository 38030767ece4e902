/* SPDX-License-Identifier: MIT */
#include "staging/external/job_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

#define FOLDER "convert"
#define ASIDE "convert.old"
#define REMOVE_TRIES_MAX 5

static int make_parts(const char *path)
{
	static const char *const parts[] = { "snapshot", "out", "home", "tmp",
					     "root" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		auto_free char *part = mem_printf("%s/%s", path, parts[i]);

		if (!part)
			return -ENOMEM;
		if (mkdir(part, 0700) < 0)
			return -errno;
	}
	return 0;
}

int job_folder_make(const char *dir, struct job_folder *out)
{
	auto_free char *above = mem_printf("%s/" FOLDER, dir);
	auto_job_folder struct job_folder folder = { 0 };
	int r;

	if (!above)
		return -ENOMEM;
	r = folders_make(above);
	if (r < 0)
		return r;
	folder.path = mem_printf("%s/XXXXXX", above);
	if (!folder.path)
		return -ENOMEM;
	if (!mkdtemp(folder.path)) {
		r = -errno;
		free(take_ptr(folder.path));
		return r;
	}
	r = make_parts(folder.path);
	if (r == 0)
		out->path = take_ptr(folder.path);
	return r;
}

/* Takes @fd. Goes in no deeper than a path can be long. */
static int remove_content(int fd, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		int inner;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    unlinkat(fd, name, 0) == 0)
			continue;
		inner = depth < PATH_DEPTH_MAX
				? openat(fd, name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
						 O_CLOEXEC)
				: -1;
		if (inner >= 0)
			(void)!remove_content(inner, depth + 1);
		if (unlinkat(fd, name, AT_REMOVEDIR) < 0)
			r = -errno;
	}
	closedir(dir);
	return r;
}

static int remove_once(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : remove_content(fd, 0);

	if (r == 0 && rmdir(path) < 0)
		r = -errno;
	return r;
}

/*
 * Again where more is there at the end: a process that is being killed may
 * write, and a file system may pass over what comes after something removed.
 */
static int remove_all(const char *path)
{
	int r = remove_once(path);

	for (int i = 1; i < REMOVE_TRIES_MAX && r == -ENOTEMPTY; i++)
		r = remove_once(path);
	return r;
}

void job_folder_remove(struct job_folder *folder)
{
	int r = folder->path ? remove_all(folder->path) : 0;

	if (r < 0)
		log_warn("convert", "%s cannot be removed: %s", folder->path,
			 strerror(-r));
	free(take_ptr(folder->path));
}

static int set_aside(const char *dir)
{
	auto_free char *left = mem_printf("%s/" FOLDER, dir);
	auto_free char *above = mem_printf("%s/" ASIDE, dir);
	auto_free char *place = mem_printf("%s/" ASIDE "/XXXXXX", dir);
	int r;

	if (!left || !above || !place)
		return -ENOMEM;
	if (access(left, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = folders_make(above);
	if (r < 0)
		return r;
	/* A folder may take the place of an empty one. */
	return mkdtemp(place) && rename(left, place) == 0 ? 0 : -errno;
}

void job_folders_set_aside(const char *dir)
{
	int r = set_aside(dir);

	if (r < 0)
		log_warn("convert", "%s/" FOLDER " cannot be set aside: %s",
			 dir, strerror(-r));
}

void job_folders_sweep(const char *dir)
{
	auto_free char *above = mem_printf("%s/" ASIDE, dir);
	int r = above ? remove_all(above) : -ENOMEM;

	if (r < 0 && r != -ENOENT)
		log_warn("convert", "%s/" ASIDE " cannot be removed: %s", dir,
			 strerror(-r));
}

int job_folder_room(const char *dir, uint64_t *out)
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(dir, &fs) < 0)
		return -errno;
	if (!u64_mul(fs.f_bavail, fs.f_frsize, &left))
		left = UINT64_MAX;
	*out = left > SPOOL_FREE_MIN ? left - SPOOL_FREE_MIN : 0;
	return 0;
}
