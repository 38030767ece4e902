/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5_type.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define SPACE_NULL 2 /* in version 2 */

static int parse_head(struct cursor *c, struct hdf5_space *out)
{
	uint8_t version = cursor_u8(c);
	uint8_t type;

	out->rank = cursor_u8(c);
	cursor_u8(c); /* bit 0: largest dimensions follow the dimensions */
	type = cursor_u8(c);
	if (version == 1)
		cursor_take(c, 4);
	else if (version != 2 || type > SPACE_NULL)
		return -EBADMSG;
	out->null = version == 2 && type == SPACE_NULL;
	return c->bad || out->rank > HDF5_RANK_MAX ? -EBADMSG : 0;
}

int hdf5_space_parse(const void *bytes, size_t len, struct hdf5_space *out)
{
	struct cursor c = cursor_of(bytes, len);
	int r = parse_head(&c, out);

	for (unsigned int i = 0; r == 0 && i < out->rank; i++)
		out->dims[i] = cursor_le64(&c);
	return r == 0 && c.bad ? -EBADMSG : r;
}

bool hdf5_space_count(const struct hdf5_space *space, uint64_t *count)
{
	*count = space->null ? 0 : 1;
	for (unsigned int i = 0; i < space->rank; i++)
		if (!u64_mul(*count, space->dims[i], count))
			return false;
	return true;
}

/* Classes of datatypes. */
enum { CLASS_FIXED = 0, CLASS_FLOAT = 1, CLASS_STRING = 3, CLASS_VLEN = 9 };

/*
 * Floats by their bits: after bit offset and precision come the place and
 * size of the exponent, those of the mantissa, and the exponent's bias.
 */
static const struct {
	enum dtype dtype;
	uint32_t size;
	uint8_t sign; /* its bit */
	uint8_t layout[12];
} floats[] = {
	{ DTYPE_F16, 2, 15, { 0, 0, 16, 0, 10, 5, 0, 10, 15 } },
	{ DTYPE_BF16, 2, 15, { 0, 0, 16, 0, 7, 8, 0, 7, 127 } },
	{ DTYPE_F32, 4, 31, { 0, 0, 32, 0, 23, 8, 0, 23, 127 } },
	{ DTYPE_F64, 8, 63, { 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3 } },
};

/* Bits 4 and 5 of the first flags: the mantissa's highest bit is implied. */
#define FLOAT_NORM_MASK 0x30
#define FLOAT_NORM_IMPLIED 0x20
#define BIG_ENDIAN_BIT 0x01
#define VAX_BIT 0x40
#define SIGNED_BIT 0x08

static int parse_float(struct cursor *c, const uint8_t *flags,
		       struct hdf5_type *out)
{
	const uint8_t *layout = cursor_take(c, sizeof(floats[0].layout));

	if (!layout)
		return -EBADMSG;
	out->big_endian = flags[0] & BIG_ENDIAN_BIT;
	out->kind = HDF5_NUMBER;
	out->dtype = DTYPE_OTHER;
	if ((flags[0] & VAX_BIT) ||
	    (flags[0] & FLOAT_NORM_MASK) != FLOAT_NORM_IMPLIED)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(floats); i++)
		if (out->size == floats[i].size && flags[1] == floats[i].sign &&
		    memcmp(layout, floats[i].layout,
			   sizeof(floats[i].layout)) == 0)
			out->dtype = floats[i].dtype;
	return 0;
}

static enum dtype fixed_dtype(uint32_t size, bool is_signed)
{
	if (!is_signed)
		return size == 1 ? DTYPE_U8 : DTYPE_OTHER;
	switch (size) {
	case 1:
		return DTYPE_I8;
	case 2:
		return DTYPE_I16;
	case 4:
		return DTYPE_I32;
	case 8:
		return DTYPE_I64;
	default:
		return DTYPE_OTHER;
	}
}

static int parse_fixed(struct cursor *c, const uint8_t *flags,
		       struct hdf5_type *out)
{
	uint16_t offset = cursor_le16(c), precision = cursor_le16(c);

	if (c->bad)
		return -EBADMSG;
	out->big_endian = flags[0] & BIG_ENDIAN_BIT;
	out->kind = HDF5_NUMBER;
	out->dtype = DTYPE_OTHER;
	if (offset == 0 && precision == 8ull * out->size)
		out->dtype = fixed_dtype(out->size, flags[0] & SIGNED_BIT);
	return 0;
}

/* Low nibble of the flags: NUL-terminated, NUL-padded, space-padded. */
static int parse_string(const uint8_t *flags, struct hdf5_type *out)
{
	if ((flags[0] & 0x0f) > 2)
		return -EBADMSG;
	out->kind = HDF5_STRING;
	out->terminated = (flags[0] & 0x0f) == 0;
	out->pad = (flags[0] & 0x0f) == 2 ? ' ' : '\0';
	return 0;
}

/* Low nibble of the flags: a sequence, or a string. */
static int parse_vlen(const uint8_t *flags, struct hdf5_type *out)
{
	if ((flags[0] & 0x0f) != 1)
		return 0;
	if (out->size != 16)
		return -EBADMSG;
	out->kind = HDF5_VLEN_STRING;
	out->terminated = true;
	return 0;
}

int hdf5_type_parse(const void *bytes, size_t len, struct hdf5_type *out)
{
	struct cursor c = cursor_of(bytes, len);
	uint8_t class = cursor_u8(&c) & 0x0f;
	const uint8_t *flags = cursor_take(&c, 3);

	*out = (struct hdf5_type){ .kind = HDF5_OTHER, .dtype = DTYPE_OTHER };
	out->size = cursor_le32(&c);
	if (c.bad || out->size == 0)
		return -EBADMSG;
	switch (class) {
	case CLASS_FIXED:
		return parse_fixed(&c, flags, out);
	case CLASS_FLOAT:
		return parse_float(&c, flags, out);
	case CLASS_STRING:
		return parse_string(flags, out);
	case CLASS_VLEN:
		return parse_vlen(flags, out);
	default:
		return 0;
	}
}
