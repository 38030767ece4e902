/* SPDX-License-Identifier: MIT */
#include "base/atomic_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define TEMP_NAME_BYTES 32
#define READ_CHUNK_BYTES 16384

/* Takes a name that is free; a crash leaves ".tmp-*" behind. */
static int temp_create(int dir_fd, char name[TEMP_NAME_BYTES])
{
	uint64_t number;
	int fd;

	do {
		if (getrandom(&number, sizeof(number), 0) < 0)
			return -errno;
		snprintf(name, TEMP_NAME_BYTES, ".tmp-%016" PRIx64, number);
		fd = openat(dir_fd, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EEXIST);
	return fd < 0 ? -errno : fd;
}

static int fill(int fd, const void *bytes, size_t len)
{
	int r = file_pwrite(fd, 0, len, bytes);

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* @dir_fd itself may be AT_FDCWD or O_PATH, which cannot be synced. */
static int dir_sync(int dir_fd)
{
	auto_close int fd = openat(dir_fd, ".",
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int atomic_file_write(int dir_fd, const char *name, const void *bytes,
		      size_t len)
{
	char temp[TEMP_NAME_BYTES];
	auto_close int fd = temp_create(dir_fd, temp);
	int r;

	assert(!strchr(name, '/'));
	if (fd < 0)
		return fd;
	r = fill(fd, bytes, len);
	if (r == 0 && renameat(dir_fd, temp, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temp, 0);
		return r;
	}
	return dir_sync(dir_fd);
}

static int append_rest(int fd, struct str *out)
{
	char chunk[READ_CHUNK_BYTES];

	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));
		int r;

		if (got == 0)
			return 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		r = str_append(out, chunk, (size_t)got);
		if (r < 0)
			return r;
	}
}

int file_read_all(int dir_fd, const char *name, struct str *out)
{
	auto_close int fd = openat(dir_fd, name,
				   O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t was = out->len;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	r = append_rest(fd, out);
	if (r < 0)
		str_truncate(out, was);
	return r;
}

int file_pread(int fd, uint64_t off, size_t len, void *to)
{
	char *at = to;

	while (len > 0) {
		ssize_t got = pread(fd, at, len, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EIO;
		at += got;
		off += (uint64_t)got;
		len -= (size_t)got;
	}
	return 0;
}

int file_pwrite(int fd, uint64_t off, size_t len, const void *from)
{
	const char *at = from;

	while (len > 0) {
		ssize_t put = pwrite(fd, at, len, (off_t)off);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		if (put == 0)
			return -EIO;
		at += put;
		off += (uint64_t)put;
		len -= (size_t)put;
	}
	return 0;
}

int folders_make(const char *path)
{
	auto_free char *copy = mem_strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *at = copy; *at; at++) {
		if (*at != '/' || at == copy || !at[strspn(at, "/")])
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}
