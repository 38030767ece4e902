/* SPDX-License-Identifier: MIT */
#include "staging/external/onnx_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "staging/external/plain_name.h"
#include "staging/json_write.h"
#include "staging/wire_read.h"

/* What a message is; TENSOR and VALUE have nothing in them to walk to. */
enum kind { MODEL, GRAPH, NODE, ATTRIBUTE, SPARSE, FUNCTION, TENSOR, VALUE };

/* Fields that hold such messages. */
static const struct {
	enum kind in;
	uint32_t number;
	enum kind is;
} fields[] = {
	{ MODEL, 7, GRAPH },	     /* graph */
	{ MODEL, 25, FUNCTION },     /* functions */
	{ GRAPH, 1, NODE },	     /* node */
	{ GRAPH, 5, TENSOR },	     /* initializer */
	{ GRAPH, 11, VALUE },	     /* input */
	{ GRAPH, 12, VALUE },	     /* output */
	{ GRAPH, 15, SPARSE },	     /* sparse_initializer */
	{ NODE, 5, ATTRIBUTE },	     /* attribute */
	{ ATTRIBUTE, 5, TENSOR },    /* t */
	{ ATTRIBUTE, 6, GRAPH },     /* g */
	{ ATTRIBUTE, 10, TENSOR },   /* tensors */
	{ ATTRIBUTE, 11, GRAPH },    /* graphs */
	{ ATTRIBUTE, 22, SPARSE },   /* sparse_tensor */
	{ ATTRIBUTE, 23, SPARSE },   /* sparse_tensors */
	{ SPARSE, 1, TENSOR },	     /* values */
	{ SPARSE, 2, TENSOR },	     /* indices */
	{ FUNCTION, 7, NODE },	     /* node */
	{ FUNCTION, 11, ATTRIBUTE }, /* attribute_proto */
};

#define GRAPH_INPUT 11

/* TensorProto.DataType, as the rest of this program names them. */
static const char *const dtypes[] = {
	NULL,	  "float32", "uint8",	  "int8",	"uint16",   "int16",
	"int32",  "int64",   "string",	  "bool",	"float16",  "float64",
	"uint32", "uint64",  "complex64", "complex128", "bfloat16",
};

struct frame {
	struct wire wire;
	enum kind kind;
};

struct look {
	struct frame stack[ONNX_DEPTH_MAX];
	size_t depth;
	uint64_t ir, opset, nodes;
	size_t graphs, outputs; /* of the model itself */
	struct map data;	/* name -> uint64_t *, owned: its least size */
	struct str values[2];	/* JSON of outputs, of inputs */
	struct json_write json[2];
};

/* -EBADMSG: it is no text; -ENOMEM. */
static int text_of(const struct wire_field *field, char **out)
{
	if (field->len > ONNX_NAME_BYTES_MAX ||
	    memchr(field->bytes, 0, field->len) ||
	    !utf8_valid(field->bytes, field->len))
		return -EBADMSG;
	*out = mem_strndup((const char *)field->bytes, field->len);
	return *out ? 0 : -ENOMEM;
}

/* ---- external data ---- */

struct place {
	struct wire_field location; /* .bytes NULL: not said */
	uint64_t offset, length;
};

static int take_number(const struct wire_field *value, uint64_t *out)
{
	return parse_u64((const char *)value->bytes, value->len,
			 STAGED_BYTES_MAX, out) < 0
		       ? -EBADMSG
		       : 0;
}

/* StringStringEntryProto: key 1, value 2. */
static int take_pair(const struct wire_field *pair, struct place *place)
{
	struct wire_field field, key = { 0 }, value = { 0 };
	struct wire wire;

	wire_enter(&wire, pair);
	while (wire_next(&wire, &field)) {
		if (field.number == 1 && wire_want(&wire, &field, WIRE_LEN))
			key = field;
		if (field.number == 2 && wire_want(&wire, &field, WIRE_LEN))
			value = field;
	}
	if (wire.bad || !key.bytes || !value.bytes)
		return -EBADMSG;
	if (wire_is(&key, "location"))
		place->location = value;
	else if (wire_is(&key, "offset"))
		return take_number(&value, &place->offset);
	else if (wire_is(&key, "length"))
		return take_number(&value, &place->length);
	return 0;
}

static int note_data(struct look *look, const char *name, uint64_t end)
{
	uint64_t *size = map_get(&look->data, name);
	int r;

	if (!size) {
		if (look->data.count == CONVERT_FILES_MAX)
			return -EFBIG;
		size = mem_zalloc(sizeof(*size));
		if (!size)
			return -ENOMEM;
		r = map_add(&look->data, name, size);
		if (r < 0) {
			free(size);
			return r;
		}
	}
	*size = u64_max(*size, end);
	return 0;
}

static int note_place(struct look *look, const struct place *place)
{
	auto_free char *name = NULL;
	uint64_t end;
	int r;

	if (!place->location.bytes)
		return -EBADMSG;
	r = text_of(&place->location, &name);
	if (r < 0)
		return r;
	if (!name_is_plain(name) ||
	    !u64_add(place->offset, place->length, &end))
		return -EBADMSG;
	return note_data(look, name, end);
}

/* TensorProto: external_data 13, data_location 14 (1 is EXTERNAL). */
static int take_tensor(struct look *look, const struct wire_field *tensor)
{
	struct place place = { .offset = 0 };
	struct wire_field field;
	struct wire wire;
	bool external = false;
	int r = 0;

	wire_enter(&wire, tensor);
	while (r == 0 && wire_next(&wire, &field)) {
		if (field.number == 13 && wire_want(&wire, &field, WIRE_LEN))
			r = take_pair(&field, &place);
		if (field.number == 14 && wire_want(&wire, &field, WIRE_VARINT))
			external = field.value == 1;
	}
	if (r == 0 && wire.bad)
		r = -EBADMSG;
	return r == 0 && external ? note_place(look, &place) : r;
}

/* ---- inputs and outputs ---- */

/* The one field @number of @in as a message.  False: none, or malformed. */
static bool find_field(const struct wire_field *in, uint32_t number,
		       struct wire_field *out)
{
	struct wire_field field;
	struct wire wire;
	bool found = false;

	wire_enter(&wire, in);
	while (wire_next(&wire, &field)) {
		if (field.number != number)
			continue;
		*out = field;
		found = true;
	}
	return found && !wire.bad;
}

/* Dimension: dim_value 1, dim_param 2; neither: it may be anything. */
static void write_dimension(struct json_write *json,
			    const struct wire_field *dimension)
{
	auto_free char *name = NULL;
	struct wire_field value;

	if (find_field(dimension, 1, &value) && value.type == WIRE_VARINT) {
		json_write_u64(json, NULL, value.value);
		return;
	}
	if (find_field(dimension, 2, &value) && value.type == WIRE_LEN &&
	    text_of(&value, &name) == -ENOMEM)
		json->result = -ENOMEM;
	json_write_text(json, NULL, name ? name : "?");
}

/* TypeProto.Tensor: elem_type 1, shape 2; of the shape: dim 1. */
static void write_tensor_type(struct json_write *json,
			      const struct wire_field *type)
{
	struct wire_field value;
	struct wire wire;
	const char *dtype = NULL;

	if (find_field(type, 1, &value) && value.value < ARRAY_LEN(dtypes) &&
	    value.type == WIRE_VARINT)
		dtype = dtypes[value.value];
	json_write_text(json, "dtype", dtype ? dtype : "other");
	json_write_open(json, "shape", '[');
	if (find_field(type, 2, &value) && value.type == WIRE_LEN) {
		wire_enter(&wire, &value);
		while (wire_next(&wire, &value))
			if (value.number == 1 && value.type == WIRE_LEN)
				write_dimension(json, &value);
	}
	json_write_close(json, ']');
}

/* ValueInfoProto: name 1, type 2; of the type: tensor_type 1. */
static int take_value(struct look *look, const struct wire_field *value,
		      bool input)
{
	struct json_write *json = &look->json[input];
	struct wire_field field, tensor;
	auto_free char *name = NULL;
	int r = -EBADMSG;

	if (find_field(value, 1, &field) && field.type == WIRE_LEN)
		r = text_of(&field, &name);
	if (r < 0)
		return r;
	look->outputs += !input;
	json_write_open(json, NULL, '{');
	json_write_text(json, "name", name);
	if (find_field(value, 2, &field) && field.type == WIRE_LEN &&
	    find_field(&field, 1, &tensor) && tensor.type == WIRE_LEN)
		write_tensor_type(json, &tensor);
	json_write_close(json, '}');
	return json->result;
}

/* ---- the walk ---- */

static int push(struct look *look, enum kind kind,
		const struct wire_field *field)
{
	struct frame *frame;

	if (look->depth == ONNX_DEPTH_MAX)
		return -EFBIG;
	frame = &look->stack[look->depth++];
	frame->kind = kind;
	wire_enter(&frame->wire, field);
	look->nodes += kind == NODE;
	return 0;
}

/* OperatorSetIdProto: domain 1, version 2; the empty domain is ONNX's own. */
static void take_opset(struct look *look, const struct wire_field *set)
{
	struct wire_field domain = { 0 }, version;

	if (find_field(set, 1, &domain) && domain.len > 0 &&
	    !wire_is(&domain, "ai.onnx"))
		return;
	if (find_field(set, 2, &version) && version.type == WIRE_VARINT)
		look->opset = version.value;
}

static void take_head(struct look *look, struct wire *wire,
		      const struct wire_field *field)
{
	if (field->number == 1 && wire_want(wire, field, WIRE_VARINT))
		look->ir = field->value;
	if (field->number == 8 && wire_want(wire, field, WIRE_LEN))
		take_opset(look, field);
	look->graphs += field->number == 7;
}

static int take_field(struct look *look, struct frame *frame,
		      const struct wire_field *field)
{
	size_t at = 0;

	if (frame->kind == MODEL)
		take_head(look, &frame->wire, field);
	while (at < ARRAY_LEN(fields) && (fields[at].in != frame->kind ||
					  fields[at].number != field->number))
		at++;
	if (at == ARRAY_LEN(fields))
		return 0;
	if (!wire_want(&frame->wire, field, WIRE_LEN))
		return -EBADMSG;
	if (fields[at].is == TENSOR)
		return take_tensor(look, field);
	if (fields[at].is == VALUE)
		return look->depth == 2
			       ? take_value(look, field,
					    field->number == GRAPH_INPUT)
			       : 0;
	return push(look, fields[at].is, field);
}

static int walk(struct look *look)
{
	int r = 0;

	while (r == 0 && look->depth > 0) {
		struct frame *frame = &look->stack[look->depth - 1];
		struct wire_field field;

		if (wire_next(&frame->wire, &field))
			r = take_field(look, frame, &field);
		else
			look->depth--;
		if (r == 0 && frame->wire.bad)
			r = -EBADMSG;
	}
	return r;
}

static int write_look(struct look *look, struct str *out)
{
	const struct map_slot *slot;
	struct json_write json;
	size_t at = 0;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_u64(&json, "ir", look->ir);
	json_write_u64(&json, "opset", look->opset);
	json_write_u64(&json, "nodes", look->nodes);
	json_write_raw(&json, "inputs", str_text(&look->values[true]));
	json_write_raw(&json, "outputs", str_text(&look->values[false]));
	json_write_open(&json, "data", '[');
	while ((slot = map_next(&look->data, &at))) {
		json_write_open(&json, NULL, '{');
		json_write_text(&json, "name", slot->key);
		json_write_u64(&json, "size", *(uint64_t *)slot->value);
		json_write_close(&json, '}');
	}
	json_write_close(&json, ']');
	json_write_close(&json, '}');
	return json_write_end(&json);
}

static void look_init(struct look *look, const void *bytes, size_t len)
{
	map_init(&look->data);
	for (size_t i = 0; i < ARRAY_LEN(look->values); i++) {
		str_init(&look->values[i], CONVERT_LOOK_BYTES_MAX);
		json_write_init(&look->json[i], &look->values[i]);
		json_write_open(&look->json[i], NULL, '[');
	}
	look->depth = 1;
	look->stack[0].kind = MODEL;
	wire_init(&look->stack[0].wire, bytes, len);
}

static void look_free(struct look *look)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&look->data, &at)))
		free(slot->value);
	map_release(&look->data);
	for (size_t i = 0; i < ARRAY_LEN(look->values); i++)
		str_release(&look->values[i]);
	free(look);
}

int onnx_look(const void *bytes, size_t len, struct str *out)
{
	struct look *look = mem_zalloc(sizeof(*look));
	int r;

	if (!look)
		return -ENOMEM;
	look_init(look, bytes, len);
	r = walk(look);
	for (size_t i = 0; i < ARRAY_LEN(look->json); i++) {
		json_write_close(&look->json[i], ']');
		r = r ?: json_write_end(&look->json[i]);
	}
	if (r == 0 && (look->graphs != 1 || look->ir == 0 || look->opset == 0 ||
		       look->outputs == 0))
		r = -EBADMSG;
	if (r == 0)
		r = write_look(look, out);
	look_free(look);
	return r;
}
