/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_disk.h - a disk that fails when a test says so.
 *
 * Defines the calls of libc that read, write and sync, for the whole program
 * of the test that includes it, and so for LMDB too (its syncs, not more).
 * What is not made to fail goes to the real disk.  The order of what reached
 * it is kept: W a block was written, F a block file synced, D a folder of
 * block files, I the index.
 */
#ifndef TESTS_FAKE_FAKE_DISK_H
#define TESTS_FAKE_FAKE_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/annot.h"

#define FAKE_DISK_LOG 4096

static struct {
	atomic_int write_error; /* of block files; 0: none */
	atomic_int sync_error;	/* of block files */
	atomic_int index_error; /* of the index's sync */
	atomic_int punch_error;
	/* NULL, or called before it happens to a block file, or (I) index. */
	void (*_Atomic before_read)(off_t off);
	void (*_Atomic before_write)(void);
	void (*_Atomic before_punch)(void);
	void (*_Atomic before_sync)(char kind);
	atomic_ullong free_bytes; /* what statvfs says; 0: the truth */
	pthread_mutex_t lock;
	size_t count GUARDED_BY(lock);
	char log[FAKE_DISK_LOG] GUARDED_BY(lock);
} fake_disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline void fake_disk_note(char what)
{
	pthread_mutex_lock(&fake_disk.lock);
	if (fake_disk.count < FAKE_DISK_LOG - 1)
		fake_disk.log[fake_disk.count++] = what;
	pthread_mutex_unlock(&fake_disk.lock);
}

/* What reached it since the reset; overwritten by the next call. */
static inline const char *fake_disk_log(void)
{
	static char copy[FAKE_DISK_LOG];

	pthread_mutex_lock(&fake_disk.lock);
	memcpy(copy, fake_disk.log, sizeof(copy));
	pthread_mutex_unlock(&fake_disk.lock);
	return copy;
}

/* 'F' a block file, 'D' a folder of them, 'I' the index, ' ' another. */
static inline char fake_disk_kind(int fd)
{
	char link[32];
	char path[4096];
	const char *blobs;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	if (strstr(path, "/data.mdb"))
		return 'I';
	blobs = strstr(path, "/blobs");
	if (!blobs)
		return ' ';
	return strlen(blobs) > strlen("/blobs/ab/") ? 'F' : 'D';
}

static inline int fake_disk_fail(int error)
{
	errno = error;
	return -1;
}

ssize_t pread(int fd, void *bytes, size_t len, off_t off)
{
	void (*before)(off_t at) = fake_disk.before_read;

	if (before && fake_disk_kind(fd) == 'F')
		before(off);
	return syscall(SYS_pread64, fd, bytes, len, off);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t off)
{
	void (*before)(void) = fake_disk.before_write;

	if (fake_disk_kind(fd) == 'F') {
		if (before)
			before();
		if (fake_disk.write_error)
			return fake_disk_fail(fake_disk.write_error);
		fake_disk_note('W');
	}
	return syscall(SYS_pwrite64, fd, bytes, len, off);
}

static inline int fake_disk_sync(int fd, long call)
{
	char kind = fake_disk_kind(fd);
	void (*before)(char kind) = fake_disk.before_sync;

	if (before && (kind == 'F' || kind == 'I'))
		before(kind);
	if (kind == 'I' && fake_disk.index_error)
		return fake_disk_fail(fake_disk.index_error);
	if ((kind == 'F' || kind == 'D') && fake_disk.sync_error)
		return fake_disk_fail(fake_disk.sync_error);
	if (kind != ' ')
		fake_disk_note(kind);
	return (int)syscall(call, fd);
}

int fdatasync(int fd)
{
	return fake_disk_sync(fd, SYS_fdatasync);
}

int fsync(int fd)
{
	return fake_disk_sync(fd, SYS_fsync);
}

int fallocate(int fd, int mode, off_t off, off_t len)
{
	void (*before)(void) = fake_disk.before_punch;

	if (before)
		before();
	if (fake_disk.punch_error)
		return fake_disk_fail(fake_disk.punch_error);
	return (int)syscall(SYS_fallocate, fd, mode, off, len);
}

int fstatvfs(int fd, struct statvfs *out)
{
	unsigned long long free_bytes = fake_disk.free_bytes;

	*out = (struct statvfs){ .f_bsize = 4096,
				 .f_frsize = 4096,
				 .f_blocks = 1 << 28,
				 .f_bavail = 1 << 27 };
	if (free_bytes)
		out->f_bavail = free_bytes / 4096;
	(void)fd;
	return 0;
}

/* As new. */
static inline void fake_disk_reset(void)
{
	fake_disk.write_error = fake_disk.sync_error = 0;
	fake_disk.index_error = fake_disk.punch_error = 0;
	fake_disk.before_read = NULL;
	fake_disk.before_write = fake_disk.before_punch = NULL;
	fake_disk.before_sync = NULL;
	fake_disk.free_bytes = 0;
	pthread_mutex_lock(&fake_disk.lock);
	fake_disk.count = 0;
	memset(fake_disk.log, 0, sizeof(fake_disk.log));
	pthread_mutex_unlock(&fake_disk.lock);
}

#endif
