/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_read.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

enum {
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_OP = 4,
	NODE_ATTRIBUTE = 5,
	NODE_DOC = 6,
	NODE_DOMAIN = 7
};
enum {
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_SEGMENT = 3,
	TENSOR_NAME = 8,
	TENSOR_EXTERNAL = 13,
	TENSOR_LOCATION = 14
};
enum { LOCATION_DEFAULT = 0, LOCATION_EXTERNAL = 1 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

int skeleton_text(struct skeleton *skeleton, const struct wire_field *field,
		  const char **out)
{
	char *text;

	if (field->type != WIRE_LEN || field->len > SKELETON_TEXT_MAX ||
	    (field->len > 0 && memchr(field->bytes, 0, field->len)) ||
	    !utf8_valid(field->bytes, field->len))
		return -EBADMSG;
	text = arena_alloc(&skeleton->arena, field->len + 1);
	if (!text)
		return -ENOMEM;
	if (field->len > 0)
		memcpy(text, field->bytes, field->len);
	*out = text;
	return 0;
}

int skeleton_define(struct skeleton *skeleton, const char *name)
{
	int r;

	if (!name || !name[0])
		return -EBADMSG;
	r = map_add(&skeleton->names, name, skeleton);
	return r == -EEXIST ? -EBADMSG : r;
}

int skeleton_axis_parse(char *text, struct skeleton_axis *out)
{
	char *colon = strrchr(text, ':');
	uint64_t axis;

	if (!colon || colon == text ||
	    parse_u64(colon + 1, strlen(colon + 1), TENSOR_RANK_MAX - 1,
		      &axis) < 0)
		return -EBADMSG;
	*colon = '\0';
	out->location = text;
	out->axis = (unsigned int)axis;
	return 0;
}

static int read_node_field(struct skeleton *skeleton,
			   const struct wire_field *field)
{
	const char *name;
	int r;

	switch (field->number) {
	case NODE_INPUT:
		if (field->type != WIRE_LEN)
			return -EBADMSG;
		if (field->len > 0 &&
		    !map_get_bytes(&skeleton->names, field->bytes, field->len))
			return -EBADMSG;
		return 0;
	case NODE_OUTPUT:
		if (wire_is(field, ""))
			return 0;
		r = skeleton_text(skeleton, field, &name);
		return r < 0 ? r : skeleton_define(skeleton, name);
	case NODE_DOMAIN:
		return wire_is(field, "") ? 0 : -EBADMSG;
	case NODE_NAME:
	case NODE_OP:
	case NODE_ATTRIBUTE:
	case NODE_DOC:
		return 0;
	default:
		return -EBADMSG;
	}
}

/* The whole record, tag and all. */
static int splice(struct str *out, const struct wire_field *field)
{
	return str_append(out, field->record,
			  (size_t)(field->bytes + field->len - field->record));
}

int skeleton_node(struct skeleton *skeleton, const struct wire_field *field)
{
	struct wire_field inner;
	struct wire wire;
	int r = 0;

	if (field->type != WIRE_LEN || skeleton->node_count >= GRAPH_NODES_MAX)
		return -EBADMSG;
	skeleton->node_count++;
	wire_enter(&wire, field);
	while (r == 0 && wire_next(&wire, &inner))
		r = read_node_field(skeleton, &inner);
	if (r == 0 && wire.bad)
		r = -EBADMSG;
	return r < 0 ? r : splice(&skeleton->nodes, field);
}

/* A tensor's message in parts. */
struct parts {
	const char *name;
	const char *location; /* the last external entry's */
	uint64_t type;
	uint64_t where; /* data_location */
	size_t entries; /* of external data */
	bool has_bytes;
};

static int read_dims(const struct wire_field *field, struct skeleton_hole *hole)
{
	struct wire numbers;
	uint64_t size;

	wire_enter(&numbers, field);
	while (wire_varint(&numbers, &size)) {
		if (hole->rank >= TENSOR_RANK_MAX || size > INT64_MAX)
			return -EBADMSG;
		hole->dims[hole->rank++] = size;
	}
	return numbers.bad ? -EBADMSG : 0;
}

static int read_entry(struct skeleton *skeleton, const struct wire_field *field,
		      struct parts *parts)
{
	struct wire_field inner;
	struct wire wire;
	int r = 0;

	if (field->type != WIRE_LEN)
		return -EBADMSG;
	parts->entries++;
	wire_enter(&wire, field);
	while (r == 0 && wire_next(&wire, &inner)) {
		if (inner.number == ENTRY_VALUE)
			r = skeleton_text(skeleton, &inner, &parts->location);
		else if (inner.number != ENTRY_KEY ||
			 !wire_is(&inner, "location"))
			r = -EBADMSG;
	}
	return r == 0 && wire.bad ? -EBADMSG : r;
}

static int read_part(struct skeleton *skeleton, const struct wire_field *field,
		     struct parts *parts, struct skeleton_hole *hole)
{
	switch (field->number) {
	case TENSOR_DIMS:
		return read_dims(field, hole);
	case TENSOR_TYPE:
		parts->type = field->value;
		return field->type == WIRE_VARINT ? 0 : -EBADMSG;
	case TENSOR_NAME:
		return skeleton_text(skeleton, field, &parts->name);
	case TENSOR_EXTERNAL:
		return read_entry(skeleton, field, parts);
	case TENSOR_LOCATION:
		parts->where = field->value;
		return field->type == WIRE_VARINT ? 0 : -EBADMSG;
	case TENSOR_SEGMENT:
		return -EBADMSG;
	default:
		parts->has_bytes = true;
		return 0;
	}
}

/* Types that a hole may have: those that weights can be written as. */
static bool hole_type(uint64_t number, enum onnx_type *out)
{
	*out = number <= ONNX_DOUBLE ? (enum onnx_type)number : ONNX_NONE;
	return *out != ONNX_FLOAT16 && onnx_type_name(*out) != NULL;
}

static int hole_finish(const struct parts *parts, struct skeleton_hole *hole)
{
	if (parts->where != LOCATION_EXTERNAL || parts->entries != 1 ||
	    parts->has_bytes || !parts->location || !parts->location[0] ||
	    strlen(parts->location) > TENSOR_NAME_MAX ||
	    !hole_type(parts->type, &hole->type))
		return -EBADMSG;
	hole->name = parts->name;
	hole->location = parts->location;
	return 0;
}

int skeleton_initializer(struct skeleton *skeleton,
			 const struct wire_field *field,
			 struct skeleton_hole *hole)
{
	struct parts parts = { 0 };
	struct wire_field inner;
	struct wire wire;
	int r = field->type == WIRE_LEN ? 0 : -EBADMSG;

	*hole = (struct skeleton_hole){ 0 };
	if (r == 0)
		wire_enter(&wire, field);
	while (r == 0 && wire_next(&wire, &inner))
		r = read_part(skeleton, &inner, &parts, hole);
	if (r == 0)
		r = wire.bad ? -EBADMSG : skeleton_define(skeleton, parts.name);
	if (r < 0)
		return r;
	if (parts.where != LOCATION_DEFAULT || parts.entries > 0)
		return hole_finish(&parts, hole);
	return splice(&skeleton->constants, field);
}
