/* SPDX-License-Identifier: MIT */
#include "staging/weights/safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

#define METADATA_KEY "__metadata__"

int safetensors_head_len(const void *prefix, uint64_t file_size,
			 size_t *head_len)
{
	uint64_t json_len;

	if (file_size < SAFETENSORS_PREFIX_BYTES)
		return -EBADMSG;
	json_len = le64(prefix);
	if (json_len < 2 || json_len > SAFETENSORS_HEADER_MAX ||
	    json_len > file_size - SAFETENSORS_PREFIX_BYTES)
		return -EBADMSG;
	*head_len = SAFETENSORS_PREFIX_BYTES + (size_t)json_len;
	return 0;
}

/* Bytes of an element of the dtypes that only pass through; 0: unknown. */
static size_t other_bytes(const char *dtype)
{
	static const struct {
		const char *name;
		size_t bytes;
	} others[] = {
		{ "U64", 8 },	  { "U32", 4 },	    { "U16", 2 },
		{ "F8_E4M3", 1 }, { "F8_E5M2", 1 }, { "F8_E8M0", 1 },
		{ "C64", 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(others[i].name, dtype) == 0)
			return others[i].bytes;
	return 0;
}

static int read_shape(const struct json *shape, struct tensor *tensor)
{
	if (json_kind(shape) != JSON_ARRAY ||
	    json_count(shape) > TENSOR_RANK_MAX)
		return -EBADMSG;
	for (const struct json *dim = json_first(shape); dim;
	     dim = json_next(dim))
		if (!json_u64(dim, &tensor->dims[tensor->rank++]))
			return -EBADMSG;
	return 0;
}

/* Relative offsets; .off is made absolute by the caller. */
static int read_offsets(const struct json *offsets, struct tensor *tensor)
{
	const struct json *begin = json_first(offsets);
	uint64_t end;

	if (json_kind(offsets) != JSON_ARRAY || json_count(offsets) != 2)
		return -EBADMSG;
	if (!json_u64(begin, &tensor->off) || !json_u64(json_next(begin), &end))
		return -EBADMSG;
	if (end < tensor->off)
		return -EBADMSG;
	tensor->len = end - tensor->off;
	return 0;
}

static int check_len(const struct tensor *tensor, const char *dtype)
{
	uint64_t elements, bytes;
	size_t width;

	if (!tensor_measure(tensor, &elements, &bytes))
		return -EBADMSG;
	if (tensor->dtype == DTYPE_OTHER) {
		width = other_bytes(dtype);
		if (width == 0) /* sub-byte or newer: nothing to check by */
			return 0;
		if (!u64_mul(elements, width, &bytes))
			return -EBADMSG;
	}
	return bytes == tensor->len ? 0 : -EBADMSG;
}

static int add_entry(struct weights *weights, unsigned int file, uint64_t data,
		     const struct json *entry)
{
	const char *dtype = json_string(json_get(entry, "dtype"));
	struct tensor tensor = { .file = file };
	int r;

	if (!dtype)
		return -EBADMSG;
	tensor.dtype = dtype_parse(dtype);
	r = read_shape(json_get(entry, "shape"), &tensor);
	if (r == 0)
		r = read_offsets(json_get(entry, "data_offsets"), &tensor);
	if (r == 0)
		r = check_len(&tensor, dtype);
	if (r < 0)
		return r;
	if (!u64_add(tensor.off, data, &tensor.off))
		return -EBADMSG;
	tensor.name = mem_strdup(json_key(entry));
	if (!tensor.name)
		return -ENOMEM;
	r = weights_add(weights, &tensor);
	free(tensor.name);
	return r;
}

/* The library that wrote it, by transformers' own habit. */
static enum weight_names names_of(const struct json *metadata)
{
	const char *format = json_string(json_get(metadata, "format"));

	if (format && strcmp(format, "tf") == 0)
		return NAMES_TF_SHORT;
	if (format && strcmp(format, "flax") == 0)
		return NAMES_FLAX;
	return NAMES_TORCH;
}

static int check_metadata(const struct json *metadata)
{
	if (json_kind(metadata) != JSON_OBJECT)
		return -EBADMSG;
	for (const struct json *value = json_first(metadata); value;
	     value = json_next(value))
		if (json_kind(value) != JSON_STRING)
			return -EBADMSG;
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct tensor *const *x = a, *const *y = b;

	if ((*x)->off != (*y)->off)
		return (*x)->off < (*y)->off ? -1 : 1;
	return ((*x)->len > (*y)->len) - ((*x)->len < (*y)->len);
}

/* The tensors from number @first on tile [@at, @end) exactly. */
static int check_tiling(const struct weights *weights, size_t first,
			uint64_t at, uint64_t end)
{
	size_t count = weights->count - first;
	auto_free const struct tensor **sorted = mem_array(count + 1,
							   sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &weights->tensors[first + i];
	qsort(sorted, count, sizeof(*sorted), by_offset);
	for (size_t i = 0; i < count; i++) {
		if (sorted[i]->off != at)
			return -EBADMSG;
		at += sorted[i]->len;
	}
	return at == end ? 0 : -EBADMSG;
}

static int add_entries(struct weights *weights, unsigned int file,
		       uint64_t data, const struct json *root)
{
	int r = 0;

	for (const struct json *entry = json_first(root); entry && r == 0;
	     entry = json_next(entry)) {
		if (strcmp(json_key(entry), METADATA_KEY) != 0) {
			r = add_entry(weights, file, data, entry);
			continue;
		}
		r = check_metadata(entry);
		weights->files[file].names = names_of(entry);
	}
	return r;
}

int safetensors_parse(struct weights *weights, unsigned int file,
		      const void *bytes, size_t len)
{
	const char *json = (const char *)bytes + SAFETENSORS_PREFIX_BYTES;
	uint64_t file_size = weights->files[file].size;
	auto_json struct json_doc *doc = NULL;
	size_t head_len, first = weights->count;
	int r;

	if (len < SAFETENSORS_PREFIX_BYTES)
		return -EBADMSG;
	r = safetensors_head_len(bytes, file_size, &head_len);
	if (r < 0)
		return r;
	if (head_len != len || json[0] != '{')
		return -EBADMSG;
	r = json_parse(json, len - SAFETENSORS_PREFIX_BYTES,
		       SAFETENSORS_HEADER_MAX, &doc);
	if (r < 0)
		return r;
	r = add_entries(weights, file, len, json_root(doc));
	if (r < 0)
		return r;
	return check_tiling(weights, first, len, file_size);
}
