/* SPDX-License-Identifier: MIT */
#include "staging/archive/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

/* The disk's room is looked at each time so much was written. */
#define LOOK_BYTES ((uint64_t)16 << 20)

struct spool {
	int fd; /* owned */
	uint64_t end;
	uint64_t look_at; /* when .end is here */
};

/* Not every file system can make a file without a name. */
static int open_named(const char *dir)
{
	auto_free char *path = mem_printf("%s/omnihub-spool-XXXXXX", dir);
	int fd;

	if (!path)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

/* Why there is no file is no affair of who reads the archive. */
static int open_error(const char *dir, int error)
{
	log_error("job", "nothing can be unpacked in %s: %s", dir,
		  strerror(error));
	return error == ENOSPC || error == EDQUOT ? -ENOSPC : -EIO;
}

int spool_new(const char *dir, struct spool **out)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	struct spool *spool;

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open_named(dir);
	else if (fd < 0)
		fd = -errno;
	if (fd < 0)
		return open_error(dir, -fd);
	spool = mem_zalloc(sizeof(*spool));
	if (!spool) {
		close(fd);
		return -ENOMEM;
	}
	spool->fd = fd;
	*out = spool;
	return 0;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	close(spool->fd);
	free(spool);
}

uint64_t spool_end(const struct spool *spool)
{
	return spool->end;
}

static int look_for_room(struct spool *spool)
{
	struct statvfs fs;
	uint64_t left;

	if (fstatvfs(spool->fd, &fs) < 0)
		return -errno;
	if (!u64_mul(fs.f_bavail, fs.f_frsize, &left))
		left = UINT64_MAX;
	if (left < SPOOL_FREE_MIN + LOOK_BYTES)
		return -ENOSPC;
	spool->look_at = spool->end + LOOK_BYTES;
	return 0;
}

int spool_append(struct spool *spool, const void *bytes, size_t len)
{
	int r = spool->end >= spool->look_at ? look_for_room(spool) : 0;

	if (r == 0)
		r = file_pwrite(spool->fd, spool->end, len, bytes);
	if (r == 0)
		spool->end += len;
	return r;
}

int spool_read(const struct spool *spool, uint64_t off, size_t len, void *to)
{
	return file_pread(spool->fd, off, len, to);
}
