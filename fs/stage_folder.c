/* SPDX-License-Identifier: MIT */
#include "fs/stage_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/blob.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

/* A local file that counts what is read of it while planning. */
struct counted_blob {
	struct blob blob;
	struct blob *file; /* one reference */
	struct stage_folder *folder;
};

static int counted_read(struct blob *blob, uint64_t off, size_t len, void *to)
{
	struct counted_blob *counted = container_of(blob, struct counted_blob,
						    blob);

	return blob_read(counted->file, off, len, to);
}

static int counted_fetch(struct blob *blob, uint64_t off, size_t len, void *to,
			 uint64_t deadline_ns)
{
	struct counted_blob *counted = container_of(blob, struct counted_blob,
						    blob);

	counted->folder->fetches++;
	counted->folder->fetched_bytes += len;
	return blob_fetch(counted->file, off, len, to, deadline_ns);
}

static void counted_free(struct blob *blob)
{
	struct counted_blob *counted = container_of(blob, struct counted_blob,
						    blob);

	blob_unref(counted->file);
	free(counted);
}

static const struct blob_ops counted_ops = {
	.read = counted_read,
	.fetch = counted_fetch,
	.free = counted_free,
};

static int folder_blob(void *arg, size_t index, struct blob **out)
{
	struct stage_folder *folder = arg;
	auto_free char *path = mem_printf("%s/%s", folder->path,
					  folder->files[index].path);
	struct counted_blob *counted = mem_zalloc(sizeof(*counted));
	int r = path && counted ? blob_open_file(path, &counted->file)
				: -ENOMEM;

	if (r < 0) {
		free(counted);
		return r;
	}
	counted->folder = folder;
	blob_init(&counted->blob, &counted_ops, counted->file->size,
		  &counted->file->key, &counted->file->digest);
	*out = &counted->blob;
	return 0;
}

/* Takes @path. */
static int add_file(struct stage_folder *folder, char *path, uint64_t size)
{
	if (folder->count == folder->cap) {
		size_t cap = folder->cap ? 2 * folder->cap : 32;
		struct stage_file *files = mem_resize(folder->files, cap,
						      sizeof(*files));

		if (!files || cap > REPO_FILES_MAX) {
			free(files ? NULL : path);
			return files ? -EFBIG : -ENOMEM;
		}
		folder->files = files;
		folder->cap = cap;
	}
	folder->files[folder->count++] = (struct stage_file){ path, size };
	return 0;
}

static int walk(struct stage_folder *folder, int dir_fd, const char *below,
		unsigned int depth);

static int walk_entry(struct stage_folder *folder, int dir_fd,
		      const char *below, const char *name, unsigned int depth)
{
	auto_free char *path = NULL;
	struct stat st;

	if (name[0] == '.' || fstatat(dir_fd, name, &st, 0) < 0)
		return 0;
	path = mem_printf("%s%s%s", below, *below ? "/" : "", name);
	if (!path)
		return -ENOMEM;
	if (S_ISREG(st.st_mode))
		return add_file(folder, take_ptr(path), (uint64_t)st.st_size);
	if (S_ISDIR(st.st_mode) && depth < PATH_DEPTH_MAX) {
		int fd = openat(dir_fd, name,
				O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		return fd < 0 ? -errno : walk(folder, fd, path, depth + 1);
	}
	return 0;
}

/* Takes @dir_fd. */
static int walk(struct stage_folder *folder, int dir_fd, const char *below,
		unsigned int depth)
{
	DIR *dir = fdopendir(dir_fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(dir_fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)))
		r = walk_entry(folder, dir_fd, below, entry->d_name, depth);
	closedir(dir);
	return r;
}

static int compare_paths(const void *a, const void *b)
{
	const struct stage_file *x = a;
	const struct stage_file *y = b;

	return strcmp(x->path, y->path);
}

int stage_folder_open(struct stage_folder *out, const char *path)
{
	int fd;
	int r;

	*out = (struct stage_folder){ 0 };
	out->path = realpath(path, NULL);
	if (!out->path)
		return -errno;
	fd = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : walk(out, fd, "", 0);
	if (r == 0) {
		const char *slash = strrchr(out->path, '/');

		out->id = mem_strdup(slash ? slash + 1 : out->path);
		r = out->id ? 0 : -ENOMEM;
	}
	if (r < 0) {
		stage_folder_release(out);
		return r;
	}
	if (out->count)
		qsort(out->files, out->count, sizeof(*out->files),
		      compare_paths);
	return 0;
}

void stage_folder_release(struct stage_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free((char *)(uintptr_t)folder->files[i].path);
	free(folder->files);
	free(folder->path);
	free(folder->id);
	*folder = (struct stage_folder){ 0 };
}

void stage_folder_repo(struct stage_folder *folder, enum stage_form form,
		       struct stage_repo *out)
{
	*out = (struct stage_repo){
		.id = folder->id,
		.revision = "local",
		.url = folder->path,
		.files = folder->files,
		.file_count = folder->count,
		.open = folder_blob,
		.arg = folder,
		.form = form,
		.deadline_ns = CLOCK_NEVER,
	};
}
