/* SPDX-License-Identifier: MIT */
#include "providers/repo_files.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

void repo_files_init(struct repo_files *files)
{
	*files = (struct repo_files){ 0 };
}

void repo_files_release(struct repo_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->list[i].path);
	free(files->list);
	repo_files_init(files);
}

static bool component_ok(const char *name, size_t len)
{
	if (len == 0 || len > NAME_BYTES_MAX)
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

bool repo_path_ok(const char *path, size_t len)
{
	const char *end = path + len;
	size_t depth = 0;

	if (len == 0 || len > PATH_BYTES_MAX || memchr(path, 0, len))
		return false;
	for (;;) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const char *stop = slash ? slash : end;

		if (++depth > PATH_DEPTH_MAX ||
		    !component_ok(path, (size_t)(stop - path)))
			return false;
		if (!slash)
			return true;
		path = slash + 1;
	}
}

static int files_grow(struct repo_files *files)
{
	size_t cap = files->cap ? 2 * files->cap : 16;
	struct repo_file *list;

	if (files->count >= REPO_FILES_MAX)
		return -EFBIG;
	if (files->count < files->cap)
		return 0;
	list = mem_resize(files->list, cap, sizeof(*list));
	if (!list)
		return -ENOMEM;
	files->list = list;
	files->cap = cap;
	return 0;
}

int repo_files_add(struct repo_files *files, const char *path, size_t path_len,
		   uint64_t size, const struct digest *digest)
{
	struct repo_file *file;
	char *copy;
	int r;

	if (!repo_path_ok(path, path_len) || size > FILE_BYTES_MAX) {
		files->hidden++;
		return 0;
	}
	r = files_grow(files);
	if (r < 0)
		return r;
	copy = mem_strndup(path, path_len);
	if (!copy)
		return -ENOMEM;
	file = &files->list[files->count++];
	*file = (struct repo_file){ copy, size, *digest };
	return 0;
}

static int file_compare(const void *a, const void *b)
{
	const struct repo_file *x = *(struct repo_file *const *)a;
	const struct repo_file *y = *(struct repo_file *const *)b;
	int order = strcmp(x->path, y->path);

	return order ? order : (x > y) - (x < y);
}

/* <0, 0, >0: @path sorts before, is below, or sorts after directory @dir. */
static int below_compare(const char *path, const char *dir, size_t dir_len)
{
	int order = strncmp(path, dir, dir_len);

	return order ? order : (int)(unsigned char)path[dir_len] - '/';
}

/* True: a file of the sorted @order stands below that at @at. */
static bool is_shadowed(struct repo_file *const *order, size_t at, size_t count)
{
	const char *dir = order[at]->path;
	size_t dir_len = strlen(dir);
	size_t low = at + 1, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int side = below_compare(order[middle]->path, dir, dir_len);

		if (side == 0)
			return true;
		if (side < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Moves what stays of @order to @kept, frees the rest.  The count kept. */
static size_t files_pick(struct repo_file **order, size_t count,
			 struct repo_file *kept)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		bool twin = used &&
			    !strcmp(kept[used - 1].path, order[i]->path);

		if (twin || is_shadowed(order, i, count))
			free(order[i]->path);
		else
			kept[used++] = *order[i];
	}
	return used;
}

int repo_files_finish(struct repo_files *files, struct repo *repo)
{
	size_t count = files->count, hidden = files->hidden;
	auto_free struct repo_file **order = NULL;
	struct repo_file *kept;

	assert(!repo->files);
	if (!count)
		return 0;
	order = mem_array(count, sizeof(struct repo_file *));
	kept = mem_array(count, sizeof(*kept));
	if (!order || !kept) {
		free(kept);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &files->list[i];
	qsort(order, count, sizeof(*order), file_compare);
	repo->files = kept;
	repo->file_count = files_pick(order, count, kept);
	free(files->list);
	repo_files_init(files);
	files->hidden = hidden + count - repo->file_count;
	return 0;
}
