/* SPDX-License-Identifier: MIT */
#include "staging/weights/flax_tree.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/weights/msgpack_item.h"

#define CHUNKED_KEY "__msgpack_chunked_array__"

enum { EXT_ARRAY = 1, EXT_NUMBER = 3 };

/* Bytes that are read in order. */
struct reader {
	const uint8_t *bytes;
	size_t len, at;
};

static const struct {
	const char *name; /* numpy's, or ml_dtypes' */
	enum dtype dtype;
} dtypes[] = {
	{ "float32", DTYPE_F32 },   { "float16", DTYPE_F16 },
	{ "bfloat16", DTYPE_BF16 }, { "float64", DTYPE_F64 },
	{ "int64", DTYPE_I64 },	    { "int32", DTYPE_I32 },
	{ "int16", DTYPE_I16 },	    { "int8", DTYPE_I8 },
	{ "uint8", DTYPE_U8 },	    { "bool", DTYPE_BOOL },
};

void flax_tree_init(struct flax_tree *tree, struct weights *weights,
		    unsigned int file, struct refusal *why)
{
	*tree = (struct flax_tree){
		.weights = weights,
		.file = file,
		.why = why,
	};
	str_init(&tree->path, TENSOR_NAME_MAX);
}

void flax_tree_release(struct flax_tree *tree)
{
	str_release(&tree->path);
}

static int next_item(struct reader *reader, struct msgpack_item *item)
{
	int r = msgpack_item(reader->bytes + reader->at,
			     reader->len - reader->at, item);

	if (r == 0)
		reader->at += item->head;
	return r;
}

/* An item of @kind. */
static int next_of(struct reader *reader, enum msgpack_kind kind,
		   uint64_t *count)
{
	struct msgpack_item item;
	int r = next_item(reader, &item);

	if (r < 0)
		return r;
	*count = item.count;
	return item.kind == kind ? 0 : -EBADMSG;
}

/* A text of at most @len_max bytes; it lies in the reader's. */
static int next_text(struct reader *reader, size_t len_max, const char **text,
		     size_t *len)
{
	uint64_t count = 0;
	int r = next_of(reader, MSGPACK_TEXT, &count);

	if (r < 0)
		return r;
	if (count == 0 || count > len_max)
		return -EBADMSG;
	if (count > reader->len - reader->at)
		return -ENODATA;
	*text = (const char *)reader->bytes + reader->at;
	*len = (size_t)count;
	reader->at += *len;
	return 0;
}

static int read_shape(struct reader *reader, struct tensor *tensor)
{
	uint64_t rank;
	int r = next_of(reader, MSGPACK_ARRAY, &rank);

	if (r == 0 && rank > TENSOR_RANK_MAX)
		r = -EBADMSG;
	for (uint64_t i = 0; r == 0 && i < rank; i++)
		r = next_of(reader, MSGPACK_UINT, &tensor->dims[i]);
	if (r == 0)
		tensor->rank = (unsigned int)rank;
	return r;
}

static int read_dtype(struct reader *reader, enum dtype *out)
{
	const char *text;
	size_t len;
	int r = next_text(reader, TENSOR_NAME_MAX, &text, &len);

	if (r < 0)
		return r;
	*out = DTYPE_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++)
		if (strlen(dtypes[i].name) == len &&
		    memcmp(dtypes[i].name, text, len) == 0)
			*out = dtypes[i].dtype;
	return 0;
}

/* The bytes after the reader are the payload then. */
static int read_array(struct reader *reader, struct tensor *tensor)
{
	uint64_t count, elements, bytes;
	int r = next_of(reader, MSGPACK_ARRAY, &count);

	if (r == 0 && count != 3)
		r = -EBADMSG;
	if (r == 0)
		r = read_shape(reader, tensor);
	if (r == 0)
		r = read_dtype(reader, &tensor->dtype);
	if (r == 0)
		r = next_of(reader, MSGPACK_BYTES, &tensor->len);
	if (r < 0)
		return r;
	if (!tensor_measure(tensor, &elements, &bytes) ||
	    (tensor->dtype != DTYPE_OTHER && bytes != tensor->len))
		return -EBADMSG;
	return 0;
}

/* *@end: where the extension ends, in the reader's counting. */
static int add_array(struct flax_tree *tree, struct reader *reader,
		     const struct msgpack_item *ext, uint64_t *end)
{
	struct tensor tensor = { .name = tree->path.bytes, .file = tree->file };
	size_t start = reader->at;
	int r = read_array(reader, &tensor);

	if (r < 0)
		return r;
	*end = reader->at + tensor.len;
	if (*end != start + ext->count)
		return -EBADMSG;
	tensor.off = tree->at + reader->at;
	return weights_add(tree->weights, &tensor);
}

static int open_map(struct flax_tree *tree, uint64_t pairs)
{
	if (tree->depth == FLAX_DEPTH_MAX)
		return -EFBIG;
	tree->maps[tree->depth++] = (struct flax_map){ pairs, tree->path.len };
	return 0;
}

static int refuse_leaf(struct flax_tree *tree)
{
	return refuse(tree->why, "flax", str_text(&tree->path),
		      "the file holds what is no array");
}

/* Appends the key to the path. */
static int read_key(struct flax_tree *tree, struct reader *reader)
{
	const char *key;
	size_t len;
	int r = next_text(reader, TENSOR_NAME_MAX, &key, &len);

	if (r < 0)
		return r;
	if (!utf8_valid(key, len) || memchr(key, '\0', len))
		return -EBADMSG;
	if (len == strlen(CHUNKED_KEY) && memcmp(key, CHUNKED_KEY, len) == 0)
		return refuse(tree->why, "flax-chunked", str_text(&tree->path),
			      "the array %s is in several pieces",
			      str_text(&tree->path));
	if (tree->path.len > 0)
		r = str_append_char(&tree->path, '/');
	return r < 0 ? r : str_append(&tree->path, key, len);
}

static int read_value(struct flax_tree *tree, struct reader *reader)
{
	struct msgpack_item item;
	uint64_t end = 0;
	int r = next_item(reader, &item);

	if (r < 0)
		return r;
	if (item.kind == MSGPACK_MAP) {
		r = open_map(tree, item.count);
		end = reader->at;
	} else if (item.kind == MSGPACK_EXT &&
		   (item.ext == EXT_ARRAY || item.ext == EXT_NUMBER)) {
		r = add_array(tree, reader, &item, &end);
	} else {
		r = refuse_leaf(tree);
	}
	if (r == 0)
		tree->at += end;
	return r;
}

static int begin(struct flax_tree *tree, struct reader *reader)
{
	uint64_t pairs = 0;
	int r = next_of(reader, MSGPACK_MAP, &pairs);

	if (r == 0)
		r = open_map(tree, pairs);
	if (r < 0)
		return r;
	tree->begun = true;
	tree->at += reader->at;
	return 1;
}

static int step_pair(struct flax_tree *tree, struct reader *reader)
{
	struct flax_map *map = &tree->maps[tree->depth - 1];
	int r;

	str_truncate(&tree->path, map->path_len);
	r = read_key(tree, reader);
	if (r == 0)
		r = read_value(tree, reader);
	if (r < 0)
		return r;
	map->left--;
	return 1;
}

int flax_tree_step(struct flax_tree *tree, const uint8_t *bytes, size_t len)
{
	struct reader reader = { bytes, len, 0 };

	if (++tree->steps > FLAX_STEPS_MAX)
		return -EFBIG;
	if (!tree->begun)
		return begin(tree, &reader);
	while (tree->depth > 0 && tree->maps[tree->depth - 1].left == 0)
		tree->depth--;
	if (tree->depth > 0)
		return step_pair(tree, &reader);
	return tree->at == tree->weights->files[tree->file].size ? 0 : -EBADMSG;
}
