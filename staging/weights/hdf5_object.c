/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5_object.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define HEADER_BYTES 16
#define MESSAGE_HEAD_BYTES 8
#define FLAG_SHARED 0x02
#define FLAG_MUST_KNOW 0x80
#define TYPE_LAST 0x18 /* of the specification's version 3.0 */

static int add_block(struct hdf5_walk *walk, uint64_t at, uint64_t len)
{
	uint64_t end;

	if (walk->block_count == HDF5_BLOCKS_MAX)
		return hdf5_bad(walk->file, "too many continuations");
	if (!u64_add(at, len, &end) || end > walk->file->end)
		return hdf5_bad(walk->file, "an object header leaves the file");
	walk->blocks[walk->block_count++] = (struct hdf5_block){ at, end };
	return 0;
}

int hdf5_walk_init(struct hdf5_walk *walk, struct hdf5_file *file,
		   uint64_t header)
{
	uint8_t head[HEADER_BYTES];
	int r;

	walk->file = file;
	walk->block = 0;
	walk->block_count = 0;
	r = hdf5_read(file, header, sizeof(head), head);
	if (r < 0)
		return r;
	if (memcmp(head, "OHDR", 4) == 0)
		return hdf5_unsupported(file, "object header 2");
	if (head[0] != 1)
		return hdf5_bad(file, "no object header");
	walk->left = le16(head + 2);
	return add_block(walk, header + sizeof(head), le32(head + 8));
}

static int follow(struct hdf5_walk *walk, const struct hdf5_message *message)
{
	uint8_t body[16];
	int r;

	if (message->len < sizeof(body))
		return hdf5_bad(walk->file, "a short continuation");
	r = hdf5_read(walk->file, message->at, sizeof(body), body);
	return r < 0 ? r : add_block(walk, le64(body), le64(body + 8));
}

/* The block that has the next message; what is left of one may be a gap. */
static struct hdf5_block *block_of_next(struct hdf5_walk *walk)
{
	while (walk->block < walk->block_count) {
		struct hdf5_block *block = &walk->blocks[walk->block];

		if (block->end - block->at >= MESSAGE_HEAD_BYTES)
			return block;
		walk->block++;
	}
	return NULL;
}

static int read_message(struct hdf5_walk *walk, struct hdf5_block *block,
			struct hdf5_message *out)
{
	uint8_t head[MESSAGE_HEAD_BYTES];
	int r = hdf5_read(walk->file, block->at, sizeof(head), head);

	if (r < 0)
		return r;
	*out = (struct hdf5_message){
		.type = le16(head),
		.len = le16(head + 2),
		.flags = head[4],
		.at = block->at + sizeof(head),
	};
	if (out->len > block->end - out->at)
		return hdf5_bad(walk->file, "a message leaves its header");
	if ((out->flags & FLAG_MUST_KNOW) && out->type > TYPE_LAST)
		return hdf5_unsupported(walk->file, "an unknown message");
	block->at = out->at + out->len;
	walk->left--;
	return 0;
}

int hdf5_walk_next(struct hdf5_walk *walk, struct hdf5_message *out)
{
	while (walk->left > 0) {
		struct hdf5_block *block = block_of_next(walk);
		int r;

		if (!block)
			return hdf5_bad(walk->file, "messages are missing");
		r = read_message(walk, block, out);
		if (r < 0)
			return r;
		if (out->type != HDF5_CONTINUATION)
			return 1;
		r = follow(walk, out);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What a message says, if it is one of those an object has once. */
struct seen {
	bool space, type, layout;
};

static int once(struct hdf5_file *file, bool *seen)
{
	if (*seen)
		return hdf5_bad(file, "a message twice");
	*seen = true;
	return 0;
}

/* Bytes of the longest: a dataspace of 32 dimensions and their maxima. */
#define BODY_BYTES (8 + 3 * 8 * HDF5_RANK_MAX)

static int read_body(struct hdf5_file *file, const struct hdf5_message *message,
		     uint8_t body[BODY_BYTES], size_t *len)
{
	*len = u64_min(message->len, BODY_BYTES);
	if (message->flags & FLAG_SHARED)
		return hdf5_unsupported(file, "a shared message");
	return hdf5_read(file, message->at, *len, body);
}

static int take_symbol_table(struct hdf5_file *file, const uint8_t *body,
			     size_t len, struct hdf5_object *out)
{
	int r = once(file, &out->is_group);

	if (r < 0)
		return r;
	if (len < 16)
		return hdf5_bad(file, "a short symbol table message");
	out->tree = le64(body);
	out->heap = le64(body + 8);
	return 0;
}

/* Version 3; its classes: compact, contiguous, chunked. */
static int take_layout(struct hdf5_file *file,
		       const struct hdf5_message *message, const uint8_t *body,
		       size_t len, struct hdf5_object *out)
{
	if (len < 4 || body[0] != 3)
		return hdf5_unsupported(file, "a data layout not of version 3");
	switch (body[1]) {
	case 0:
		out->data = message->at + 4;
		out->data_bytes = le16(body + 2);
		if (out->data_bytes > message->len - 4)
			return hdf5_bad(file, "compact data leave their "
					      "message");
		return 0;
	case 1:
		if (len < 18)
			return hdf5_bad(file, "a short data layout");
		out->data = le64(body + 2);
		out->data_bytes = le64(body + 10);
		return 0;
	case 2:
		return hdf5_unsupported(file, "chunked data");
	default:
		return hdf5_unsupported(file, "virtual data");
	}
}

static int take_described(struct hdf5_file *file,
			  const struct hdf5_message *message, struct seen *seen,
			  struct hdf5_object *out)
{
	uint8_t body[BODY_BYTES] = { 0 };
	size_t len;
	int r = read_body(file, message, body, &len);

	if (r < 0)
		return r;
	switch (message->type) {
	case HDF5_SYMBOL_TABLE:
		return take_symbol_table(file, body, len, out);
	case HDF5_SPACE:
		r = once(file, &seen->space);
		if (r == 0 && hdf5_space_parse(body, len, &out->space) < 0)
			return hdf5_bad(file, "a dataspace");
		return r;
	case HDF5_TYPE:
		r = once(file, &seen->type);
		if (r == 0 && hdf5_type_parse(body, len, &out->type) < 0)
			return hdf5_bad(file, "a datatype");
		return r;
	default:
		r = once(file, &seen->layout);
		return r < 0 ? r : take_layout(file, message, body, len, out);
	}
}

static int take(struct hdf5_file *file, const struct hdf5_message *message,
		struct seen *seen, struct hdf5_object *out)
{
	switch (message->type) {
	case HDF5_SYMBOL_TABLE:
	case HDF5_SPACE:
	case HDF5_TYPE:
	case HDF5_LAYOUT:
		return take_described(file, message, seen, out);
	case HDF5_FILTERS:
		return hdf5_unsupported(file, "filtered data");
	case HDF5_EXTERNAL:
		return hdf5_unsupported(file, "data in another file");
	case HDF5_LINK:
	case HDF5_LINK_INFO:
		return hdf5_unsupported(file, "a group of the newer kind");
	default:
		return 0;
	}
}

int hdf5_object_read(struct hdf5_file *file, uint64_t header,
		     struct hdf5_object *out)
{
	struct hdf5_walk walk;
	struct hdf5_message message;
	struct seen seen = { 0 };
	int r = hdf5_walk_init(&walk, file, header);

	*out = (struct hdf5_object){ .header = header };
	if (r < 0)
		return r;
	while ((r = hdf5_walk_next(&walk, &message)) > 0) {
		r = take(file, &message, &seen, out);
		if (r < 0)
			return r;
	}
	out->is_dataset = seen.space && seen.type && seen.layout;
	if (r == 0 && out->is_dataset == out->is_group)
		return hdf5_bad(file, "neither a group nor a dataset");
	return r;
}
