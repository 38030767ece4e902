/* SPDX-License-Identifier: MIT */
#include "cache/block_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/lock.h"
#include "base/mem.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Ten thousand blobs may be open; descriptors are few. */
#define DESCRIPTORS_MAX 64

struct descriptor {
	struct block_name name; /* path[0]: 0 free, '-' removed while in use */
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
		     const struct block_name *name, int more_flags)
{
	int fd = openat(files->dir_fd, name->path,
			O_RDWR | O_CLOEXEC | O_NOFOLLOW | more_flags, 0600);

	return fd < 0 ? -errno : fd;
}

int block_file_make(struct block_files *files, const struct block_name *name)
{
	char folder[3] = { name->path[0], name->path[1], 0 };
	int fd;

	if (mkdirat(files->dir_fd, folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_file(files, name, O_CREAT);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
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
		     struct use *out)
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
	*out = (struct use){ open_file(files, name, 0), NULL };
	if (out->fd < 0)
		return out->fd;
	keep(files, name, out);
	return 0;
}

static void use_end(struct block_files *files, const struct use *use)
{
	bool last = !use->slot;

	lock_take(&files->lock);
	if (use->slot && --use->slot->users == 0 &&
	    use->slot->name.path[0] == '-') {
		*use->slot = (struct descriptor){ .fd = -1 };
		last = true;
	}
	lock_drop(&files->lock);
	if (last)
		close(use->fd);
}

int block_file_read(struct block_files *files, const struct block_name *name,
		    uint64_t off, size_t len, void *to)
{
	struct use use;
	int r = use_begin(files, name, &use);

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
	int r = use_begin(files, name, &use);

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
	int r = use_begin(files, name, &use);

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
	int r = use_begin(files, name, &use);

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
	int r = 0;

	/* First the name: who opens it from here on finds another file. */
	if (unlinkat(files->dir_fd, name->path, 0) < 0 && errno != ENOENT)
		r = -errno;
	lock_take(&files->lock);
	slot = find_locked(files, name);
	if (slot && slot->users == 0) {
		fd = slot->fd;
		*slot = (struct descriptor){ .fd = -1 };
	} else if (slot) {
		slot->name.path[0] = '-';
	}
	lock_drop(&files->lock);
	if (fd >= 0)
		close(fd);
	return r;
}

int block_file_whole(struct block_files *files, const struct block_name *name,
		     uint64_t size)
{
	struct use use;
	struct stat st;
	off_t hole;
	int r = use_begin(files, name, &use);

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

/* ---- what is there ---- */

/* False: not one of ours. */
static bool file_found(int dir_fd, const char *folder, const char *name,
		       struct block_file_found *out)
{
	struct block_name ours;
	struct stat st;

	if (strlen(name) != CONTENT_KEY_HEX - 1 ||
	    hex_decode(name, sizeof(out->key.bytes), out->key.bytes) < 0)
		return false;
	block_name_make(&out->key, &ours);
	if (strncmp(ours.path, folder, 2) != 0 ||
	    strcmp(ours.path + 3, name) != 0 ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	out->disk_bytes = (uint64_t)st.st_blocks * 512;
	out->written_wall_s = st.st_mtime;
	return true;
}

/* @folder NULL: @dir_fd is that of blobs/ itself.  Takes @dir_fd. */
static int walk_folder(int dir_fd, const char *folder,
		       void (*found)(void *arg,
				     const struct block_file_found *file),
		       void *arg)
{
	DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	const struct dirent *entry;
	struct block_file_found file;
	int r = 0;

	if (!dir) {
		r = -errno;
		if (dir_fd >= 0)
			close(dir_fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (folder && file_found(dirfd(dir), folder, name, &file))
			found(arg, &file);
		if (!folder && strlen(name) == 2 && name[0] != '.')
			r = walk_folder(openat(dirfd(dir), name, FOLDER_FLAGS),
					name, found, arg);
		if (r == -ENOTDIR || r == -ELOOP)
			r = 0;
	}
	closedir(dir);
	return r;
}

int block_files_walk(struct block_files *files,
		     void (*found)(void *arg,
				   const struct block_file_found *file),
		     void *arg)
{
	return walk_folder(openat(files->dir_fd, ".", FOLDER_FLAGS), NULL,
			   found, arg);
}
