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
#include "base/str.h"

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

/* A file by itself: its folder, of which nothing else is looked at. */
static int open_file(struct stage_folder *out, const struct stat *st)
{
	char *slash = strrchr(out->path, '/');
	char *name = mem_strdup(slash + 1);

	if (!name)
		return -ENOMEM;
	*(slash == out->path ? slash + 1 : slash) = '\0';
	return add_file(out, name, (uint64_t)st->st_size);
}

static int open_path(struct stage_folder *out)
{
	struct stat st;
	int fd;

	if (stat(out->path, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return open_file(out, &st);
	fd = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : walk(out, fd, "", 0);
}

/* A SavedModel is known by the file it begins with. */
static int know_saved_model(struct stage_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++) {
		if (strcmp(folder->files[i].path, "saved_model.pb") != 0)
			continue;
		folder->kind = mem_strdup("saved-model");
		return folder->kind ? 0 : -ENOMEM;
	}
	return 0;
}

int stage_folder_open(struct stage_folder *out, const char *path)
{
	const char *slash;
	int r;

	*out = (struct stage_folder){ 0 };
	out->path = realpath(path, NULL);
	if (!out->path)
		return -errno;
	slash = strrchr(out->path, '/');
	out->id = mem_strdup(slash ? slash + 1 : out->path);
	r = out->id ? open_path(out) : -ENOMEM;
	if (r == 0)
		r = know_saved_model(out);
	if (r < 0) {
		stage_folder_release(out);
		return r;
	}
	if (out->count)
		qsort(out->files, out->count, sizeof(*out->files),
		      compare_paths);
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* The one file of weights; NULL: none, or several. */
static const char *find_weights(const struct stage_folder *folder)
{
	static const char *const ends[] = { ".safetensors", ".pth", ".pt",
					    ".bin", ".h5" };
	const char *found = NULL;

	if (folder->count == 1)
		return folder->files[0].path;
	for (size_t i = 0; i < folder->count; i++) {
		for (size_t j = 0; j < ARRAY_LEN(ends); j++) {
			if (!ends_with(folder->files[i].path, ends[j]))
				continue;
			if (found)
				return NULL;
			found = folder->files[i].path;
		}
	}
	return found;
}

int stage_folder_is(struct stage_folder *folder, const char *skeleton,
		    const char *application)
{
	const char *weights = find_weights(folder);
	const char *value = skeleton ? skeleton : application;
	auto_str struct str facts;
	size_t len;
	int r;

	str_init(&facts, PATH_BYTES_MAX);
	if (!weights)
		return -ENOENT;
	r = str_printf(&facts, "{\"%s\":", skeleton ? "skeleton" : "config");
	if (r == 0)
		r = str_append_json(&facts, value, strlen(value));
	if (r == 0)
		r = str_append_text(&facts, ",\"weights\":");
	if (r == 0)
		r = str_append_json(&facts, weights, strlen(weights));
	if (r == 0)
		r = str_append_char(&facts, '}');
	if (r < 0)
		return r;
	free(folder->kind);
	free(folder->facts);
	folder->facts = str_take(&facts, &len);
	folder->kind = mem_strdup(skeleton ? "torchvision" : "keras");
	return folder->kind ? 0 : -ENOMEM;
}

void stage_folder_release(struct stage_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free((char *)(uintptr_t)folder->files[i].path);
	free(folder->files);
	free(folder->path);
	free(folder->id);
	free(folder->kind);
	free(folder->facts);
	*folder = (struct stage_folder){ 0 };
}

void stage_folder_repo(struct stage_folder *folder, enum stage_form form,
		       struct stage_repo *out)
{
	*out = (struct stage_repo){
		.kind = folder->kind,
		.facts = folder->facts,
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
