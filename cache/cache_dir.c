/* SPDX-License-Identifier: MIT */
#include "cache/cache_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"

#define LOCK_FILE "lock"
#define RUNNING_FILE "running"
#define BLOBS_DIR "blobs"

/* From statfs(2): no locks to rely on, no holes, or ourselves. */
static const struct {
	uint32_t magic;
	const char *name;
} unfit[] = {
	{ 0x65735546, "FUSE" },
	{ 0x6969, "NFS" },
	{ 0xff534d42, "CIFS" },
	{ 0xfe534d42, "SMB2" },
};

static int check_file_system(int dir_fd, const char *path)
{
	struct statfs st;

	if (fstatfs(dir_fd, &st) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(unfit); i++) {
		if ((uint32_t)st.f_type != unfit[i].magic)
			continue;
		log_error("cache", "%s is on %s: put the cache on a local disk",
			  path, unfit[i].name);
		return -EINVAL;
	}
	return 0;
}

/* Others could swap blocks or listings under us. */
static int check_owner(int dir_fd, const char *path)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	if (st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return 0;
	log_error("cache",
		  "%s must belong to you and be writable by nobody "
		  "else (chmod 700)",
		  path);
	return -EACCES;
}

/* What may be in a folder that no cache was in yet. */
static bool is_expected(const char *name)
{
	return name[0] == '.' || strcmp(name, "lost+found") == 0 ||
	       strcmp(name, "omnihub.log") == 0;
}

static bool has_cache(int dir_fd)
{
	struct stat st;

	return faccessat(dir_fd, LOCK_FILE, F_OK, 0) == 0 ||
	       (fstatat(dir_fd, BLOBS_DIR, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode));
}

/* A folder with other things in it has another use: "index" may be theirs. */
static int check_use(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool ours = true;

	if (!dir) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	while (ours && (entry = readdir(dir)))
		ours = is_expected(entry->d_name);
	closedir(dir);
	if (ours || has_cache(dir_fd))
		return 0;
	log_error("cache", "%s is not empty and not a cache", path);
	return -EINVAL;
}

static int take_lock(struct cache_dir *dir, const char *path)
{
	dir->lock_fd = openat(dir->dir_fd, LOCK_FILE,
			      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dir->lock_fd < 0)
		return -errno;
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	log_error("cache", "%s is used by another mount", path);
	return -EBUSY;
}

static int mark_running(struct cache_dir *dir)
{
	auto_close int fd = -1;

	dir->suspect = faccessat(dir->dir_fd, RUNNING_FILE, F_OK, 0) == 0;
	fd = openat(dir->dir_fd, RUNNING_FILE,
		    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 || fsync(dir->dir_fd) < 0 ? -errno : 0;
}

static int open_blobs(struct cache_dir *dir)
{
	if (mkdirat(dir->dir_fd, BLOBS_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir->blobs_fd = openat(dir->dir_fd, BLOBS_DIR,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir->blobs_fd < 0 ? -errno : 0;
}

int cache_dir_open(const char *path, struct cache_dir *out)
{
	int r = folders_make(path);

	*out = (struct cache_dir){ -1, -1, -1, false };
	if (r < 0)
		return r;
	out->dir_fd = open(path,
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out->dir_fd < 0)
		return -errno;
	r = check_owner(out->dir_fd, path);
	if (r == 0)
		r = check_file_system(out->dir_fd, path);
	if (r == 0)
		r = check_use(out->dir_fd, path);
	if (r == 0)
		r = take_lock(out, path);
	if (r == 0)
		r = open_blobs(out);
	if (r == 0)
		r = mark_running(out);
	if (r < 0)
		cache_dir_close(out, false);
	return r;
}

void cache_dir_close(struct cache_dir *dir, bool clean)
{
	if (clean)
		unlinkat(dir->dir_fd, RUNNING_FILE, 0);
	if (dir->blobs_fd >= 0)
		close(dir->blobs_fd);
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (dir->dir_fd >= 0)
		close(dir->dir_fd);
	*dir = (struct cache_dir){ -1, -1, -1, false };
}
