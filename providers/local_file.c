/* SPDX-License-Identifier: MIT */
#include "providers/local_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

struct local_source {
	struct source source;
	char *root;
	char *path; /* below it */
	struct local_stamp stamp;
};

int local_root_open(const char *folder, char **out)
{
	auto_free char *real = realpath(folder, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	*out = take_ptr(real);
	return 0;
}

/* "/" is the root of all. */
static bool is_below(const char *root, const char *path)
{
	size_t len = strlen(root);

	if (len == 1)
		return true;
	return !strncmp(path, root, len) && path[len] == '/';
}

static void proc_name(int fd, char *name, size_t size)
{
	snprintf(name, size, "/proc/self/fd/%d", fd);
}

/* Where the file behind @fd is, by the kernel's word: below @root. */
static int check_below(int fd, const char *root)
{
	char name[32], place[PATH_MAX];
	ssize_t len;

	proc_name(fd, name, sizeof(name));
	len = readlink(name, place, sizeof(place) - 1);
	if (len < 0)
		return -errno;
	place[len] = '\0';
	return is_below(root, place) ? 0 : -EACCES;
}

static int stamp_of(int fd, struct local_stamp *stamp)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*stamp = (struct local_stamp){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_ns = st.st_mtim.tv_sec * (int64_t)NS_PER_S +
			    st.st_mtim.tv_nsec,
	};
	return 0;
}

/* A file descriptor that cannot read yet. */
static int open_place(const char *root, const char *path,
		      struct local_stamp *stamp)
{
	auto_free char *full = mem_printf("%s/%s", root, path);
	auto_close int fd = -1;
	int r;

	if (!full)
		return -ENOMEM;
	fd = open(full, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = check_below(fd, root);
	if (r == 0)
		r = stamp_of(fd, stamp);
	return r < 0 ? r : take_fd(fd);
}

int local_open(const char *root, const char *path, struct local_stamp *stamp)
{
	auto_close int place = open_place(root, path, stamp);
	char name[32];
	int fd;

	if (place < 0)
		return place;
	proc_name(place, name, sizeof(name));
	fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int local_stat(const char *root, const char *path, struct local_stamp *stamp)
{
	auto_close int place = open_place(root, path, stamp);

	return place < 0 ? place : 0;
}

bool local_stamp_equal(const struct local_stamp *a, const struct local_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns;
}

static struct local_source *local_of(struct source *source)
{
	return container_of(source, struct local_source, source);
}

static int local_open_local(struct source *source)
{
	struct local_source *local = local_of(source);
	struct local_stamp now;
	auto_close int fd = local_open(local->root, local->path, &now);

	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : fd;
	if (!local_stamp_equal(&now, &local->stamp))
		return -ESTALE;
	return take_fd(fd);
}

/* It is read in place or, once replaced, not at all. */
static int local_fetch(struct source *source, uint64_t off, uint64_t len,
		       enum source_urgency urgency, uint64_t deadline_ns,
		       struct source_sink *sink)
{
	(void)source;
	(void)off;
	(void)len;
	(void)urgency;
	(void)deadline_ns;
	(void)sink;
	return -ESTALE;
}

static void local_free(struct source *source)
{
	struct local_source *local = local_of(source);

	source_fini(source);
	free(local->root);
	free(local->path);
	free(local);
}

static const struct source_ops local_source_ops = {
	.fetch = local_fetch,
	.open_local = local_open_local,
	.free = local_free,
};

static int local_key(const struct local_source *local,
		     const struct digest *digest, struct content_key *key)
{
	auto_free char *pin = mem_printf(
		"file:%s/%s:%ju:%ju:%jd:%ju", local->root, local->path,
		(uintmax_t)local->stamp.dev, (uintmax_t)local->stamp.ino,
		(intmax_t)local->stamp.mtime_ns, (uintmax_t)local->stamp.size);

	return pin ? content_key_make(digest, pin, key) : -ENOMEM;
}

int local_source_new(const char *root, const char *path,
		     const struct local_stamp *stamp,
		     const struct digest *digest, const char *label,
		     struct source **out)
{
	struct local_source *local = mem_zalloc(sizeof(*local));
	struct content_key key;
	int r = -ENOMEM;

	if (!local)
		return -ENOMEM;
	local->stamp = *stamp;
	local->root = mem_strdup(root);
	local->path = mem_strdup(path);
	if (local->root && local->path)
		r = local_key(local, digest, &key);
	if (r == 0)
		r = source_init(&local->source, &local_source_ops, stamp->size,
				digest, &key, label);
	if (r < 0) {
		free(local->root);
		free(local->path);
		free(local);
		return r;
	}
	*out = &local->source;
	return 0;
}
