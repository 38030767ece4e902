/* SPDX-License-Identifier: MIT */
#include "staging/weights/bundle_entry.h"

#include <errno.h>

#include "base/bytes.h"

#define BUNDLE_VERSION 1 /* the one that was ever written */

enum header_field { HEADER_SHARDS = 1, HEADER_ENDIAN = 2, HEADER_VERSION = 3 };
enum version_field { VERSION_MIN = 2, VERSION_BAD = 3 };
enum entry_field {
	ENTRY_DTYPE = 1,
	ENTRY_SHAPE = 2,
	ENTRY_SHARD = 3,
	ENTRY_OFFSET = 4,
	ENTRY_SIZE = 5,
	ENTRY_CRC = 6,
	ENTRY_SLICES = 7
};
enum shape_field { SHAPE_DIM = 2, SHAPE_UNKNOWN_RANK = 3 };

/* @out turns false where a reader of our version must not read it. */
static int read_version(const struct wire_field *version, bool *out)
{
	struct wire_field field;
	struct wire wire, list;
	uint64_t bad;

	wire_enter(&wire, version);
	while (wire_next(&wire, &field)) {
		if (field.number == VERSION_MIN &&
		    wire_want(&wire, &field, WIRE_VARINT))
			*out = *out && field.value <= BUNDLE_VERSION;
		if (field.number != VERSION_BAD)
			continue;
		wire_enter(&list, &field);
		while (wire_varint(&list, &bad))
			*out = *out && bad != BUNDLE_VERSION;
		if (list.bad)
			return -EBADMSG;
	}
	return wire.bad ? -EBADMSG : 0;
}

struct header {
	uint64_t shards, endian;
	bool ours;
};

static int read_header(struct wire *wire, struct header *out)
{
	struct wire_field field;
	int r = 0;

	while (r == 0 && wire_next(wire, &field)) {
		if (field.number == HEADER_VERSION &&
		    wire_want(wire, &field, WIRE_LEN))
			r = read_version(&field, &out->ours);
		else if (field.number == HEADER_SHARDS &&
			 wire_want(wire, &field, WIRE_VARINT))
			out->shards = field.value;
		else if (field.number == HEADER_ENDIAN &&
			 wire_want(wire, &field, WIRE_VARINT))
			out->endian = field.value;
	}
	return wire->bad ? -EBADMSG : r;
}

int bundle_header_parse(const void *bytes, size_t len, unsigned int *shards,
			struct refusal *why)
{
	struct header header = { .ours = true };
	struct wire wire;

	wire_init(&wire, bytes, len);
	if (read_header(&wire, &header) < 0)
		return -EBADMSG;
	if (header.endian != 0)
		return refuse(why, "big-endian", NULL,
			      "the variables were written by a big-endian "
			      "machine");
	if (!header.ours)
		return refuse(why, "tensor-bundle", NULL,
			      "the index of the variables is of a newer "
			      "format");
	if (header.shards == 0 || header.shards > BUNDLE_SHARDS_MAX)
		return refuse(why, "tensor-bundle", NULL,
			      "the variables are in too many files, or none");
	*shards = (unsigned int)header.shards;
	return 0;
}

bool bundle_elements(const uint64_t *dims, unsigned int rank, uint64_t *out)
{
	*out = 1;
	for (unsigned int d = 0; d < rank; d++)
		if (!u64_mul(*out, dims[d], out) || *out > INT64_MAX)
			return false;
	return true;
}

/* The one number of a message of which the others do not matter. */
static int read_number(const struct wire_field *message, uint32_t number,
		       uint64_t *out)
{
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, message);
	while (wire_next(&wire, &field))
		if (field.number == number &&
		    wire_want(&wire, &field, WIRE_VARINT))
			*out = field.value;
	return wire.bad ? -EBADMSG : 0;
}

static int add_dim(const struct wire_field *dim, struct bundle_tensor *out)
{
	uint64_t size = 0;

	if (out->rank == TENSOR_RANK_MAX || read_number(dim, 1, &size) < 0 ||
	    size > INT64_MAX)
		return -EBADMSG;
	out->dims[out->rank++] = size;
	return 0;
}

static int read_shape(const struct wire_field *shape, struct bundle_tensor *out)
{
	struct wire_field field;
	struct wire wire;
	int r = 0;

	wire_enter(&wire, shape);
	while (r == 0 && wire_next(&wire, &field)) {
		if (field.number == SHAPE_DIM &&
		    wire_want(&wire, &field, WIRE_LEN))
			r = add_dim(&field, out);
		else if (field.number == SHAPE_UNKNOWN_RANK && field.value != 0)
			r = -EBADMSG;
	}
	return wire.bad ? -EBADMSG : r;
}

static int take_numbers(const struct wire_field *field, unsigned int shards,
			struct bundle_tensor *out)
{
	switch (field->number) {
	case ENTRY_DTYPE:
		out->dtype = (int)field->value;
		return field->value <= INT32_MAX ? 0 : -EBADMSG;
	case ENTRY_SHARD:
		out->shard = (unsigned int)field->value;
		return field->value < shards ? 0 : -EBADMSG;
	case ENTRY_OFFSET:
		out->off = field->value;
		return field->value <= INT64_MAX ? 0 : -EBADMSG;
	case ENTRY_SIZE:
		out->len = field->value;
		return field->value <= INT64_MAX ? 0 : -EBADMSG;
	default:
		return 0;
	}
}

static unsigned int type_of(uint32_t number)
{
	if (number == ENTRY_SHAPE || number == ENTRY_SLICES)
		return WIRE_LEN;
	return number == ENTRY_CRC ? WIRE_I32 : WIRE_VARINT;
}

static int take_field(const struct wire_field *field, unsigned int shards,
		      struct bundle_tensor *out)
{
	if (field->number > ENTRY_SLICES)
		return 0;
	if (field->type != type_of(field->number))
		return -EBADMSG;
	if (field->number == ENTRY_SHAPE)
		return read_shape(field, out);
	if (field->number == ENTRY_SLICES)
		out->sliced = true;
	if (field->number == ENTRY_CRC)
		out->crc = (uint32_t)field->value;
	return take_numbers(field, shards, out);
}

/* A string has a byte of length at least. */
static int check_len(const struct bundle_tensor *tensor)
{
	size_t width = bundle_dtype_bytes(tensor->dtype);
	uint64_t elements, bytes;

	if (tensor->dtype == 0 ||
	    !bundle_elements(tensor->dims, tensor->rank, &elements) ||
	    !u64_mul(elements, width, &bytes))
		return -EBADMSG;
	if (tensor->sliced)
		return 0;
	if (tensor->off + tensor->len > INT64_MAX)
		return -EBADMSG;
	if (width > 0)
		return tensor->len == bytes ? 0 : -EBADMSG;
	if (tensor->dtype == DT_STRING && tensor->len < elements)
		return -EBADMSG;
	return 0;
}

int bundle_entry_parse(const void *bytes, size_t len, unsigned int shards,
		       struct bundle_tensor *out)
{
	struct wire_field field;
	struct wire wire;

	*out = (struct bundle_tensor){ 0 };
	wire_init(&wire, bytes, len);
	while (wire_next(&wire, &field))
		if (take_field(&field, shards, out) < 0)
			return -EBADMSG;
	return wire.bad ? -EBADMSG : check_len(out);
}

int bundle_slice_settle(struct bundle_slice *slice)
{
	for (unsigned int d = 0; d < slice->rank; d++) {
		if (slice->length[d] == -1 && slice->start[d] == -1)
			slice->start[d] = 0;
		if (slice->start[d] < 0 || slice->length[d] < -1 ||
		    (slice->length[d] == -1 && slice->start[d] != 0))
			return -EBADMSG;
	}
	return 0;
}

static int add_extent(const struct wire_field *extent, struct bundle_slice *out)
{
	uint64_t start = 0, length = (uint64_t)-1;

	if (out->rank == TENSOR_RANK_MAX ||
	    read_number(extent, 1, &start) < 0 ||
	    read_number(extent, 2, &length) < 0)
		return -EBADMSG;
	out->start[out->rank] = (int64_t)start;
	out->length[out->rank++] = (int64_t)length;
	return 0;
}

int bundle_listed_slice(struct wire *entry, struct bundle_slice *out)
{
	struct wire_field field, extent;
	struct wire slice;

	do {
		if (!wire_next(entry, &field))
			return entry->bad ? -EBADMSG : 0;
	} while (field.number != ENTRY_SLICES);
	*out = (struct bundle_slice){ 0 };
	wire_enter(&slice, &field);
	while (wire_next(&slice, &extent))
		if (extent.number == 1 &&
		    (!wire_want(&slice, &extent, WIRE_LEN) ||
		     add_extent(&extent, out) < 0))
			return -EBADMSG;
	if (slice.bad || bundle_slice_settle(out) < 0)
		return -EBADMSG;
	return 1;
}
