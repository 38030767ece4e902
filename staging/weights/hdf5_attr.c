/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5_attr.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define ATTR_NAME_MAX 64 /* of those looked for */
#define ATTR_HEAD_BYTES 9
#define ATTR_PARTS_MAX 1024 /* 64 MiB of names */
#define GCOL_HEAD_BYTES 16
#define GCOL_OBJECT_BYTES 16
#define VLEN_BYTES 16

/* What an attribute message says; its value starts at .at. */
struct attr {
	struct hdf5_type type;
	uint64_t count;
	uint64_t at;
	uint64_t left; /* bytes to the end of the message */
};

void hdf5_names_release(struct hdf5_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct hdf5_names){ 0 };
}

/* Takes @name, also on failure. */
static int names_add(struct hdf5_names *names, char *name)
{
	char **more;

	if (names->count % 64 == 0) {
		more = mem_resize(names->names, names->count + 64,
				  sizeof(*more));
		if (!more) {
			free(name);
			return -ENOMEM;
		}
		names->names = more;
	}
	names->names[names->count++] = name;
	return 0;
}

/* The head of a message: sizes of name, type and space. */
struct attr_head {
	unsigned int version;
	size_t bytes; /* of the head itself */
	size_t name, type, space;
};

/* In version 1 each part is padded to a multiple of 8. */
static size_t part_bytes(const struct attr_head *head, size_t len)
{
	return head->version == 1 ? u64_ceil(len, 8) : len;
}

static int read_head(struct hdf5_file *file, const struct hdf5_message *message,
		     struct attr_head *out)
{
	uint8_t head[ATTR_HEAD_BYTES] = { 0 };
	size_t len = u64_min(sizeof(head), message->len);
	int r = hdf5_read(file, message->at, len, head);

	if (r < 0)
		return r;
	*out = (struct attr_head){
		.version = head[0],
		.bytes = head[0] == 3 ? 9 : 8,
		.name = le16(head + 2),
		.type = le16(head + 4),
		.space = le16(head + 6),
	};
	if (out->version < 1 || out->version > 3)
		return hdf5_unsupported(file, "version of an attribute");
	if (out->bytes + part_bytes(out, out->name) +
		    part_bytes(out, out->type) + part_bytes(out, out->space) >
	    message->len)
		return hdf5_bad(file, "an attribute leaves its message");
	if ((message->flags & 0x02) || (out->version > 1 && head[1] != 0))
		return hdf5_unsupported(file, "a shared type");
	return 0;
}

/* 1: it is called @name. */
static int is_called(struct hdf5_file *file, const struct hdf5_message *message,
		     const struct attr_head *head, const char *name)
{
	char stored[ATTR_NAME_MAX + 1];
	size_t len = strlen(name) + 1;
	int r;

	assert(len <= sizeof(stored));
	if (head->name != len)
		return 0;
	r = hdf5_read(file, message->at + head->bytes, len, stored);
	return r < 0 ? r : memcmp(stored, name, len) == 0;
}

static int read_attr(struct hdf5_file *file, const struct hdf5_message *message,
		     const struct attr_head *head, struct attr *out)
{
	/* A longer dataspace has more than 32 dimensions. */
	uint8_t bytes[8 + 2 * 8 * HDF5_RANK_MAX] = { 0 };
	size_t len = u64_min(head->type, sizeof(bytes));
	uint64_t at = message->at + head->bytes + part_bytes(head, head->name);
	struct hdf5_space space;
	int r = hdf5_read(file, at, len, bytes);

	if (r < 0)
		return r;
	if (hdf5_type_parse(bytes, len, &out->type) < 0)
		return hdf5_bad(file, "the type of an attribute");
	at += part_bytes(head, head->type);
	len = u64_min(head->space, sizeof(bytes));
	r = hdf5_read(file, at, len, bytes);
	if (r < 0)
		return r;
	if (hdf5_space_parse(bytes, len, &space) < 0 ||
	    !hdf5_space_count(&space, &out->count))
		return hdf5_bad(file, "the dataspace of an attribute");
	out->at = at + part_bytes(head, head->space);
	out->left = message->at + message->len - out->at;
	if (out->count > out->left / out->type.size)
		return hdf5_bad(file, "the value of an attribute leaves it");
	return 0;
}

/* Many attributes lie in a heap and a tree of their own. */
static int check_info(struct hdf5_file *file,
		      const struct hdf5_message *message)
{
	uint8_t head[2], address[8];
	int r;

	if (message->len < 12)
		return hdf5_bad(file, "a short attribute message");
	r = hdf5_read(file, message->at, sizeof(head), head);
	if (r == 0)
		r = hdf5_read(file, message->at + (head[1] & 1 ? 4 : 2),
			      sizeof(address), address);
	if (r == 0 && le64(address) != HDF5_NOWHERE)
		return hdf5_unsupported(file, "attributes in a heap");
	return r;
}

static int look_at(struct hdf5_file *file, const struct hdf5_message *message,
		   const char *name, struct attr *out)
{
	struct attr_head head;
	int r;

	if (message->type == HDF5_ATTRIBUTE_INFO)
		return check_info(file, message);
	if (message->type != HDF5_ATTRIBUTE)
		return 0;
	r = read_head(file, message, &head);
	if (r == 0)
		r = is_called(file, message, &head, name);
	if (r <= 0)
		return r;
	r = read_attr(file, message, &head, out);
	return r < 0 ? r : 1;
}

static int find_attr(struct hdf5_file *file, const struct hdf5_object *object,
		     const char *name, struct attr *out)
{
	struct hdf5_walk walk;
	struct hdf5_message message;
	int r = hdf5_walk_init(&walk, file, object->header);

	if (r < 0)
		return r;
	while ((r = hdf5_walk_next(&walk, &message)) > 0) {
		r = look_at(file, &message, name, out);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return r < 0 ? r : -ENOENT;
}

/* Object @index of the heap at @heap: where it lies. */
static int heap_object(struct hdf5_file *file, uint64_t heap, uint32_t index,
		       uint64_t *at, uint64_t *len)
{
	uint8_t head[GCOL_HEAD_BYTES];
	uint64_t end, next = heap + sizeof(head);
	int r = hdf5_read(file, heap, sizeof(head), head);

	if (r < 0)
		return r;
	if (memcmp(head, "GCOL", 4) != 0 || head[4] != 1)
		return hdf5_bad(file, "no global heap");
	if (!u64_add(heap, le64(head + 8), &end) || end > file->end)
		return hdf5_bad(file, "a global heap leaves the file");
	while (next < end && end - next >= GCOL_OBJECT_BYTES) {
		r = hdf5_read(file, next, GCOL_OBJECT_BYTES, head);
		if (r < 0)
			return r;
		*at = next + GCOL_OBJECT_BYTES;
		*len = le64(head + 8);
		if (le16(head) == 0 || *len > end - *at)
			break;
		if (le16(head) == index)
			return 0;
		next = *at + u64_ceil(*len, 8);
	}
	return hdf5_bad(file, "a string that is not in its heap");
}

/* Length, address of the heap, number in it; no address: empty. */
static int find_vlen(struct hdf5_file *file, uint64_t ref, uint64_t *at,
		     size_t *len)
{
	uint8_t bytes[VLEN_BYTES];
	uint64_t stored = 0;
	int r = hdf5_read(file, ref, sizeof(bytes), bytes);

	*len = 0;
	*at = ref;
	if (r < 0 || le32(bytes) == 0)
		return r;
	*len = le32(bytes);
	r = heap_object(file, le64(bytes + 4), le32(bytes + 12), at, &stored);
	if (r == 0 && *len > stored)
		return hdf5_bad(file, "a string longer than its place");
	return r;
}

static size_t trimmed(const char *text, size_t len,
		      const struct hdf5_type *type)
{
	if (type->terminated)
		return strnlen(text, len);
	while (len > 0 && text[len - 1] == type->pad)
		len--;
	return len;
}

/* String @i of @attr. */
static int read_string(struct hdf5_file *file, const struct attr *attr,
		       uint64_t i, char **out)
{
	uint64_t at = attr->at + i * attr->type.size;
	size_t len = attr->type.size;
	auto_free char *text = NULL;
	int r = 0;

	if (attr->type.kind == HDF5_VLEN_STRING)
		r = find_vlen(file, at, &at, &len);
	if (r == 0 && len > UINT16_MAX)
		return -EFBIG;
	if (r < 0)
		return r;
	text = mem_zalloc(len + 1);
	if (!text)
		return -ENOMEM;
	r = hdf5_read(file, at, len, text);
	if (r < 0)
		return r;
	len = trimmed(text, len, &attr->type);
	text[len] = '\0';
	if (len == 0 || len > TENSOR_NAME_MAX || !utf8_valid(text, len) ||
	    strlen(text) != len)
		return hdf5_bad(file, "a name that is none");
	*out = take_ptr(text);
	return 0;
}

static bool is_strings(const struct attr *attr)
{
	return attr->type.kind == HDF5_STRING ||
	       attr->type.kind == HDF5_VLEN_STRING;
}

static int add_strings(struct hdf5_file *file, const struct attr *attr,
		       struct hdf5_names *out)
{
	if (attr->count > 0 && !is_strings(attr))
		return hdf5_bad(file, "an attribute that is no string");
	if (attr->count > HDF5_NAMES_MAX - out->count)
		return -EFBIG;
	for (uint64_t i = 0; i < attr->count; i++) {
		char *name;
		int r = read_string(file, attr, i, &name);

		if (r == 0)
			r = names_add(out, name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_attr(struct hdf5_file *file, const struct hdf5_object *object,
		    const char *name, struct hdf5_names *out)
{
	struct attr attr;
	int r = find_attr(file, object, name, &attr);

	return r < 0 ? r : add_strings(file, &attr, out);
}

/* <name>0, <name>1 ...: as many as there are, at least one. */
static int add_parts(struct hdf5_file *file, const struct hdf5_object *object,
		     const char *name, struct hdf5_names *out)
{
	char part[ATTR_NAME_MAX];

	for (unsigned int i = 0; i < ATTR_PARTS_MAX; i++) {
		int r;

		snprintf(part, sizeof(part), "%s%u", name, i);
		r = add_attr(file, object, part, out);
		if (r < 0)
			return r == -ENOENT && i > 0 ? 0 : r;
	}
	return -EFBIG;
}

int hdf5_attr_names(struct hdf5_file *file, const struct hdf5_object *object,
		    const char *name, struct hdf5_names *out)
{
	auto_hdf5_names struct hdf5_names found = { 0 };
	int r = add_attr(file, object, name, &found);

	if (r == -ENOENT)
		r = add_parts(file, object, name, &found);
	if (r < 0)
		return r;
	*out = found;
	found = (struct hdf5_names){ 0 };
	return 0;
}

int hdf5_attr_text(struct hdf5_file *file, const struct hdf5_object *object,
		   const char *name, char **out)
{
	struct attr attr;
	int r = find_attr(file, object, name, &attr);

	if (r < 0)
		return r;
	if (!is_strings(&attr) || attr.count != 1)
		return hdf5_bad(file, "an attribute that is not one string");
	return read_string(file, &attr, 0, out);
}

int hdf5_attr_there(struct hdf5_file *file, const struct hdf5_object *object,
		    const char *name)
{
	struct attr attr;
	int r = find_attr(file, object, name, &attr);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}
