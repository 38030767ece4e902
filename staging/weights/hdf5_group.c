/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5_group.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

#define TREE_HEAD_BYTES 24
#define TREE_STEP_BYTES 16 /* a key and a child */
#define SNOD_HEAD_BYTES 8
#define HEAP_HEAD_BYTES 32
#define CACHED_LINK 2 /* a symbolic link: the entry has no header */

/* A search for one name in one group. */
struct search {
	struct hdf5_file *file;
	uint64_t names, names_bytes; /* the heap's data */
	const char *name;
	size_t len;
};

static int heap_open(struct search *search, uint64_t heap)
{
	uint8_t head[HEAP_HEAD_BYTES];
	int r = hdf5_read(search->file, heap, sizeof(head), head);

	if (r < 0)
		return r;
	if (memcmp(head, "HEAP", 4) != 0 || head[4] != 0)
		return hdf5_bad(search->file, "no local heap");
	search->names_bytes = le64(head + 8);
	search->names = le64(head + 24);
	return 0;
}

/* *@order is that of the name looked for, against the one at @off. */
static int compare(struct search *search, uint64_t off, int *order)
{
	char stored[TENSOR_NAME_MAX + 1];
	uint64_t at;
	size_t len;
	int r;

	if (off >= search->names_bytes || !u64_add(search->names, off, &at))
		return hdf5_bad(search->file, "a name outside of its heap");
	len = u64_min(search->len + 1, search->names_bytes - off);
	r = hdf5_read(search->file, at, len, stored);
	if (r < 0)
		return r;
	*order = strncmp(search->name, stored, len);
	if (*order == 0 && len <= search->len)
		return hdf5_bad(search->file, "a name without an end");
	return 0;
}

/* The first of @count names that is not before the one looked for. */
static int bisect(struct search *search, uint64_t at, uint64_t step,
		  unsigned int count, unsigned int *found, bool *equal)
{
	unsigned int low = 0, high = count;

	*equal = false;
	while (low < high) {
		unsigned int middle = low + (high - low) / 2;
		uint8_t offset[8];
		int order, r;

		r = hdf5_read(search->file, at + middle * step, sizeof(offset),
			      offset);
		if (r == 0)
			r = compare(search, le64(offset), &order);
		if (r < 0)
			return r;
		if (order > 0) {
			low = middle + 1;
		} else {
			high = middle;
			*equal = order == 0;
		}
	}
	*found = low;
	return 0;
}

static int read_tree(struct search *search, uint64_t at, unsigned int *level,
		     unsigned int *count)
{
	uint8_t head[TREE_HEAD_BYTES];
	int r = hdf5_read(search->file, at, sizeof(head), head);

	if (r < 0)
		return r;
	if (memcmp(head, "TREE", 4) != 0 || head[4] != 0)
		return hdf5_bad(search->file, "no tree of a group");
	*level = head[5];
	*count = le16(head + 6);
	if (*count > 2 * search->file->node_k)
		return hdf5_bad(search->file, "too many children");
	return 0;
}

/*
 * The symbol node that may have the name: the key behind a child is the
 * greatest name below it.
 */
static int descend(struct search *search, uint64_t tree, uint64_t *node)
{
	unsigned int level = 0, below = 0, count = 0, child = 0;
	uint8_t address[8];
	uint64_t at = tree;
	bool equal;
	int r;

	for (bool first = true;; first = false) {
		r = read_tree(search, at, &level, &count);
		if (r < 0)
			return r;
		if (level >= HDF5_TREE_LEVELS_MAX || (!first && level != below))
			return hdf5_bad(search->file, "levels of a tree");
		r = bisect(search, at + TREE_HEAD_BYTES + TREE_STEP_BYTES,
			   TREE_STEP_BYTES, count, &child, &equal);
		if (r < 0)
			return r;
		if (child == count)
			return -ENOENT;
		r = hdf5_read(search->file,
			      at + TREE_HEAD_BYTES + 8 +
				      child * TREE_STEP_BYTES,
			      sizeof(address), address);
		if (r < 0)
			return r;
		at = le64(address);
		if (level == 0)
			break;
		below = level - 1;
	}
	*node = at;
	return 0;
}

static int read_node(struct search *search, uint64_t node, uint64_t *header)
{
	uint8_t head[SNOD_HEAD_BYTES], entry[HDF5_ENTRY_BYTES];
	unsigned int count, found;
	bool equal;
	int r = hdf5_read(search->file, node, sizeof(head), head);

	if (r < 0)
		return r;
	count = le16(head + 6);
	if (memcmp(head, "SNOD", 4) != 0 || head[4] != 1)
		return hdf5_bad(search->file, "no symbol node");
	if (count > 2 * search->file->leaf_k)
		return hdf5_bad(search->file, "too many symbols");
	r = bisect(search, node + sizeof(head), sizeof(entry), count, &found,
		   &equal);
	if (r < 0 || !equal)
		return r < 0 ? r : -ENOENT;
	r = hdf5_read(search->file, node + sizeof(head) + found * sizeof(entry),
		      sizeof(entry), entry);
	if (r < 0)
		return r;
	if (le32(entry + 16) == CACHED_LINK)
		return hdf5_unsupported(search->file, "a symbolic link");
	*header = le64(entry + 8);
	return 0;
}

/* One part of a path. */
static int find_part(struct hdf5_file *file, const struct hdf5_object *group,
		     const char *name, size_t len, uint64_t *header)
{
	struct search search = { .file = file, .name = name, .len = len };
	char part[TENSOR_NAME_MAX + 1];
	uint64_t node = 0;
	int r;

	if (len == 0 || (len == 1 && name[0] == '.'))
		return hdf5_unsupported(file, "an empty part of a path");
	if (len > TENSOR_NAME_MAX)
		return -EFBIG;
	memcpy(part, name, len);
	part[len] = '\0';
	search.name = part;
	r = heap_open(&search, group->heap);
	if (r == 0)
		r = descend(&search, group->tree, &node);
	return r < 0 ? r : read_node(&search, node, header);
}

int hdf5_find_header(struct hdf5_file *file, const struct hdf5_object *from,
		     const char *path, uint64_t *header)
{
	struct hdf5_object at = *from;
	const char *part = path;

	for (;;) {
		size_t len = strcspn(part, "/");
		int r;

		if (!at.is_group)
			return -ENOENT;
		r = find_part(file, &at, part, len, header);
		if (r < 0 || part[len] == '\0')
			return r;
		r = hdf5_object_read(file, *header, &at);
		if (r < 0)
			return r;
		part += len + 1;
	}
}

int hdf5_find(struct hdf5_file *file, const struct hdf5_object *from,
	      const char *path, struct hdf5_object *out)
{
	uint64_t header;
	int r = hdf5_find_header(file, from, path, &header);

	return r < 0 ? r : hdf5_object_read(file, header, out);
}
