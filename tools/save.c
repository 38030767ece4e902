/* SPDX-License-Identifier: MIT */
#include "tools/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "tools/progress.h"

/* What is copied at a time. */
#define COPY_BYTES ((size_t)1 << 20)

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, bytes, len);

		if (wrote < 0 && errno != EINTR)
			return -errno;
		if (wrote > 0) {
			bytes += wrote;
			len -= (size_t)wrote;
		}
	}
	return 0;
}

static int copy_content(struct content *content, int fd, const char *name)
{
	struct progress progress;
	auto_free char *buffer = mem_alloc(COPY_BYTES);
	uint64_t off = 0;
	int r = buffer ? 0 : -ENOMEM;

	progress_start(&progress, name, content->size);
	while (r == 0 && off < content->size) {
		size_t len = (size_t)u64_min(COPY_BYTES, content->size - off);

		r = content_copy(content, off, len, buffer);
		if (r == 0)
			r = write_all(fd, buffer, len);
		off += len;
		progress_show(&progress, off);
	}
	progress_end(&progress);
	return r;
}

int content_print(struct content *content, const char *name)
{
	return copy_content(content, STDOUT_FILENO, name);
}

/* Under another name until it is complete. */
int content_save(struct content *content, const char *path, bool force)
{
	auto_free char *part = mem_printf("%s.part", path);
	auto_close int fd = -1;
	int r;

	if (!part)
		return -ENOMEM;
	if (!force && access(path, F_OK) == 0)
		return -EEXIST;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = copy_content(content, fd, path);
	if (r == 0 && (fsync(fd) < 0 || rename(part, path) < 0))
		r = -errno;
	if (r < 0)
		unlink(part);
	return r;
}
