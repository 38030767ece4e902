/* SPDX-License-Identifier: MIT */
#include "staging/weights/tensor_bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "staging/weights/bundle_entry.h"
#include "staging/weights/bundle_slices.h"
#include "staging/weights/bundle_table.h"

#define CODE "tensor-bundle"

void tensor_bundle_free(struct tensor_bundle *bundle)
{
	if (!bundle)
		return;
	map_release(&bundle->by_key);
	for (size_t i = 0; i < bundle->count; i++)
		free((char *)bundle->tensors[i].key);
	free(bundle->tensors);
	free(bundle->slices);
	free(bundle);
}

const struct bundle_tensor *tensor_bundle_find(
	const struct tensor_bundle *bundle, const char *key)
{
	return map_get(&bundle->by_key, key);
}

size_t bundle_dtype_bytes(int dtype)
{
	static const uint8_t bytes[] = {
		[DT_FLOAT] = 4,	    [DT_DOUBLE] = 8,	  [DT_INT32] = 4,
		[DT_UINT8] = 1,	    [DT_INT16] = 2,	  [DT_INT8] = 1,
		[DT_COMPLEX64] = 8, [DT_INT64] = 8,	  [DT_BOOL] = 1,
		[DT_QINT8] = 1,	    [DT_QUINT8] = 1,	  [DT_QINT32] = 4,
		[DT_BFLOAT16] = 2,  [DT_QINT16] = 2,	  [DT_QUINT16] = 2,
		[DT_UINT16] = 2,    [DT_COMPLEX128] = 16, [DT_HALF] = 2,
		[DT_UINT32] = 4,    [DT_UINT64] = 8,
	};

	return dtype > 0 && (size_t)dtype < ARRAY_LEN(bytes) ? bytes[dtype] : 0;
}

/* What is known while the table is walked. */
struct reading {
	struct tensor_bundle *bundle;
	struct bundle_table table;
	struct bundle_parts parts;
	size_t names_bytes;
	struct refusal *why;
};

static void reading_release(struct reading *reading)
{
	bundle_table_release(&reading->table);
	bundle_parts_release(&reading->parts);
	tensor_bundle_free(reading->bundle);
}
DEFINE_AUTO(reading, struct reading, reading_release)

static int too_large(struct refusal *why)
{
	return refuse(why, "too-large", NULL,
		      "the index of the variables lists too many");
}

/* Room for 16, 32, 64 ... tensors. */
static int make_room(struct tensor_bundle *bundle)
{
	size_t count = bundle->count;
	struct bundle_tensor *tensors;

	if (count > 0 && (count < 16 || (count & (count - 1)) != 0))
		return 0;
	tensors = mem_resize(bundle->tensors, count ? 2 * count : 16,
			     sizeof(*tensors));
	if (!tensors)
		return -ENOMEM;
	bundle->tensors = tensors;
	return 0;
}

static bool is_name(const struct str *key)
{
	return key->len > 0 && key->len <= TENSOR_NAME_MAX &&
	       !memchr(key->bytes, 0, key->len) &&
	       utf8_valid(key->bytes, key->len);
}

static int add_tensor(struct reading *reading, struct bundle_tensor *tensor)
{
	const struct bundle_block *at = &reading->table.data;
	struct tensor_bundle *bundle = reading->bundle;
	auto_free char *key = NULL;
	int r;

	if (!is_name(&at->key))
		return -EBADMSG;
	if (bundle->count == TENSORS_MAX)
		return too_large(reading->why);
	r = make_room(bundle);
	if (r < 0)
		return r;
	key = mem_strndup(at->key.bytes, at->key.len);
	if (!key)
		return -ENOMEM;
	tensor->key = key;
	if (tensor->sliced)
		r = bundle_parts_attach(&reading->parts, bundle, tensor,
					at->value, at->value_len);
	if (r < 0)
		return refuse(reading->why, CODE, key,
			      "the parts of the variable %s do not make it "
			      "up",
			      key);
	bundle->tensors[bundle->count++] = *tensor;
	take_ptr(key);
	return 0;
}

static int add_part(struct reading *reading, const struct bundle_tensor *entry)
{
	const struct str *key = &reading->table.data.key;
	int r = bundle_parts_add(&reading->parts, reading->bundle, key->bytes,
				 key->len, entry);

	return r == -EFBIG ? too_large(reading->why) : r;
}

/* For people; the key of a part is not text. */
static const char *shown(const struct str *key)
{
	return key->bytes[0] ? key->bytes : "a part of a variable";
}

static int add_entry(struct reading *reading)
{
	const struct bundle_block *at = &reading->table.data;
	struct bundle_tensor tensor;

	reading->names_bytes += at->key.len;
	if (reading->names_bytes > BUNDLE_NAMES_BYTES_MAX)
		return too_large(reading->why);
	if (bundle_entry_parse(at->value, at->value_len,
			       reading->bundle->shard_count, &tensor) < 0)
		return refuse(reading->why, CODE, shown(&at->key),
			      "the index of the variables contradicts itself "
			      "about %s",
			      shown(&at->key));
	if (at->key.bytes[0] == '\0')
		return add_part(reading, &tensor);
	return add_tensor(reading, &tensor);
}

/* The header is under the empty key, so it is the first entry. */
static int read_first(struct reading *reading)
{
	const struct bundle_block *at = &reading->table.data;
	int r = bundle_table_next(&reading->table);

	if (r < 0)
		return r;
	if (r == 0 || at->key.len > 0)
		return -EBADMSG;
	return bundle_header_parse(at->value, at->value_len,
				   &reading->bundle->shard_count, reading->why);
}

static int read_all(struct reading *reading, const void *bytes, size_t len)
{
	struct tensor_bundle *bundle = reading->bundle;
	int r = bundle_table_open(&reading->table, bytes, len);

	if (r == 0)
		r = read_first(reading);
	while (r == 0) {
		r = bundle_table_next(&reading->table);
		if (r <= 0)
			break;
		r = add_entry(reading);
	}
	if (r == 0 && !bundle_parts_done(&reading->parts))
		return -EBADMSG;
	for (size_t i = 0; r == 0 && i < bundle->count; i++)
		r = map_add(&bundle->by_key, bundle->tensors[i].key,
			    &bundle->tensors[i]);
	return r;
}

int tensor_bundle_parse(const void *bytes, size_t len,
			struct tensor_bundle **out, struct refusal *why)
{
	auto_of(reading) struct reading reading = { .why = why };
	int r;

	*out = NULL;
	if (len > BUNDLE_INDEX_BYTES_MAX)
		return too_large(why);
	reading.bundle = mem_zalloc(sizeof(*reading.bundle));
	if (!reading.bundle)
		return -ENOMEM;
	map_init(&reading.bundle->by_key);
	r = read_all(&reading, bytes, len);
	if (r == -EBADMSG)
		return refuse(why, CODE, NULL,
			      "the index of the variables is damaged");
	if (r == 0)
		*out = take_ptr(reading.bundle);
	return r;
}

int bundle_shard_name(char *to, size_t size, const char *prefix,
		      unsigned int shard, unsigned int count)
{
	int len = snprintf(to, size, "%s.data-%05u-of-%05u", prefix, shard,
			   count);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static bool is_inside(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

static bool is_whole(const struct tensor_bundle *bundle,
		     const struct bundle_tensor *tensor, const uint64_t *sizes)
{
	if (!tensor->sliced)
		return is_inside(tensor->off, tensor->len,
				 sizes[tensor->shard]);
	for (size_t i = 0; i < tensor->slice_count; i++) {
		const struct bundle_slice *slice =
			&bundle->slices[tensor->slice_first + i];

		if (!is_inside(slice->off, slice->len, sizes[slice->shard]))
			return false;
	}
	return true;
}

int tensor_bundle_check(const struct tensor_bundle *bundle,
			const uint64_t *sizes, struct refusal *why)
{
	for (size_t i = 0; i < bundle->count; i++) {
		const char *key = bundle->tensors[i].key;

		if (!is_whole(bundle, &bundle->tensors[i], sizes))
			return refuse(why, CODE, key,
				      "the file of the variables ends before "
				      "%s does",
				      key);
	}
	return 0;
}
