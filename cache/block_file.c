/* SPDX-License-Identifier: MIT */
#include "cache/block_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/lock.h"
#include "base/mem.h"

/* Ten thousand blobs may be open; descriptors are few. */
#define DESCRIPTORS_MAX 64

struct descriptor {
	struct block_name name; /* path[0] == 0: free */
	int fd;
	unsigned int users;
	uint64_t stamp;
};

struct block_files {
	int dir_fd;
	struct lock lock;
	uint64_t clock;				  /* lock */
	struct descriptor slots[DESCRIPTORS_MAX]; /* lock */
};

/* A descriptor in use: of a slot, or of its own. */
struct use {
	int fd;
	struct descriptor *slot; /* NULL: close it after use */
};

void block_name_make(const struct content_key *key, struct block_name *out)
{
	char hex[CONTENT_KEY_HEX];

	content_key_hex(key, hex);
	memcpy(out->path, hex, 2);
	out->path[2] = '/';
	memcpy(out->path + 3, hex, sizeof(hex));
}

int block_files_new(int dir_fd, struct block_files **out)
{
	struct block_files *files = mem_zalloc(sizeof(*files));

	if (!files)
		return -ENOMEM;
	files->dir_fd = dir_fd;
	lock_init(&files->lock);
	*out = files;
	return 0;
}

void block_files_free(struct block_files *files)
{
	for (size_t i = 0; i < DESCRIPTORS_MAX; i++)
		if (files->slots[i].name.path[0])
			close(files->slots[i].fd);
	lock_release(&files->lock);
	free(files);
}

static struct descriptor *find_locked(struct block_files *files,
				      const struct block_name *name)
{
	for (size_t i = 0; i < DESCRIPTORS_MAX; i++)
		if (strcmp(files->slots[i].name.path, name->path) == 0)
			return &files->slots[i];
	return NULL;
}

/* A free slot, or the unused one that was used longest ago; or NULL. */
static struct descriptor *oldest_locked(struct block_files *files)
{
	struct descriptor *oldest = NULL;

	for (size_t i = 0; i < DESCRIPTORS_MAX; i++) {
		struct descriptor *slot = &files->slots[i];

		if (!slot->name.path[0])
			return slot;
		if (slot->users == 0 &&
		    (!oldest || slot->stamp < oldest->stamp))
			oldest = slot;
	}
	return oldest;
}

static int open_file(const struct block_files *files,
		     const struct block_name *name, bool make)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0);
	int fd = openat(files->dir_fd, name->path, flags, 0600);
	char folder[3] = { name->path[0], name->path[1], 0 };

	if (fd >= 0 || errno != ENOENT || !make)
		return fd < 0 ? -errno : fd;
	if (mkdirat(files->dir_fd, folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(files->dir_fd, name->path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

/* Keeps @fd in a slot for the next user, if one is to be had. */
static void keep(struct block_files *files, const struct block_name *name,
		 struct use *use)
{
	struct descriptor *slot;
	int old = -1;

	lock_take(&files->lock);
	slot = find_locked(files, name) ? NULL : oldest_locked(files);
	if (slot) {
		old = slot->name.path[0] ? slot->fd : -1;
		*slot = (struct descriptor){ *name, use->fd, 1,
					     ++files->clock };
		use->slot = slot;
	}
	lock_drop(&files->lock);
	if (old >= 0)
		close(old);
}

static int use_begin(struct block_files *files, const struct block_name *name,
		     bool make, struct use *out)
{
	struct descriptor *slot;

	lock_take(&files->lock);
	slot = find_locked(files, name);
	if (slot) {
		slot->users++;
		slot->stamp = ++files->clock;
		*out = (struct use){ slot->fd, slot };
	}
	lock_drop(&files->lock);
	if (slot)
		return 0;
	*out = (struct use){ open_file(files, name, make), NULL };
	if (out->fd < 0)
		return out->fd;
	keep(files, name, out);
	return 0;
}

static void use_end(struct block_files *files, const struct use *use)
{
	if (!use->slot) {
		close(use->fd);
		return;
	}
	lock_take(&files->lock);
	use->slot->users--;
	lock_drop(&files->lock);
}

int block_file_read(struct block_files *files, const struct block_name *name,
		    uint64_t off, size_t len, void *to)
{
	struct use use;
	int r = use_begin(files, name, false, &use);

	if (r < 0)
		return r;
	r = file_pread(use.fd, off, len, to);
	use_end(files, &use);
	return r;
}

int block_file_write(struct block_files *files, const struct block_name *name,
		     uint64_t off, size_t len, const void *from)
{
	struct use use;
	int r = use_begin(files, name, true, &use);

	if (r < 0)
		return r;
	r = file_pwrite(use.fd, off, len, from);
	use_end(files, &use);
	return r;
}

int block_file_punch(struct block_files *files, const struct block_name *name,
		     uint64_t off, uint64_t len)
{
	struct use use;
	int r = use_begin(files, name, false, &use);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = fallocate(use.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)off, (off_t)len) < 0
		    ? -errno
		    : 0;
	use_end(files, &use);
	return r;
}

static int sync_folder(const struct block_files *files,
		       const struct block_name *name)
{
	char folder[3] = { name->path[0], name->path[1], 0 };
	auto_close int fd = openat(files->dir_fd, folder,
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || fsync(files->dir_fd) < 0)
		return -errno;
	return 0;
}

int block_file_sync(struct block_files *files, const struct block_name *name)
{
	struct use use;
	int r = use_begin(files, name, false, &use);

	if (r < 0)
		return r;
	r = fdatasync(use.fd) < 0 ? -errno : 0;
	use_end(files, &use);
	return r < 0 ? r : sync_folder(files, name);
}

int block_file_remove(struct block_files *files, const struct block_name *name)
{
	struct descriptor *slot;
	int fd = -1;

	lock_take(&files->lock);
	slot = find_locked(files, name);
	if (slot && slot->users == 0) {
		fd = slot->fd;
		*slot = (struct descriptor){ .fd = -1 };
	}
	lock_drop(&files->lock);
	if (fd >= 0)
		close(fd);
	if (unlinkat(files->dir_fd, name->path, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int block_file_whole(struct block_files *files, const struct block_name *name,
		     uint64_t size)
{
	struct use use;
	struct stat st;
	off_t hole;
	int r = use_begin(files, name, false, &use);

	if (r < 0)
		return -ENOENT;
	if (fstat(use.fd, &st) < 0 || (uint64_t)st.st_size != size) {
		r = -ENOENT;
	} else {
		hole = lseek(use.fd, 0, SEEK_HOLE);
		r = hole >= 0 && (uint64_t)hole >= size ? 0 : -ENOENT;
	}
	use_end(files, &use);
	return r;
}
