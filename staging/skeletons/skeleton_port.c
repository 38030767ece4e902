/* SPDX-License-Identifier: MIT */
/* What a skeleton takes and gives: ValueInfoProto. */
#include "staging/skeletons/skeleton_read.h"

#include <errno.h>
#include <string.h>

enum { PORT_NAME = 1, PORT_TYPE = 2, PORT_DOC = 3 };
enum { TYPE_TENSOR = 1, TYPE_DENOTATION = 6 };
enum { TYPE_ELEMENT = 1, TYPE_SHAPE = 2 };
enum { SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_PARAM = 2, DIM_DENOTATION = 3 };

/* A port being read. */
struct reader {
	struct skeleton *skeleton;
	struct skeleton_port *port;
	bool has_shape;
};

static int each(struct reader *reader, const struct wire_field *field,
		int (*read)(struct reader *, const struct wire_field *))
{
	struct wire_field inner;
	struct wire wire;
	int r = 0;

	if (field->type != WIRE_LEN)
		return -EBADMSG;
	wire_enter(&wire, field);
	while (r == 0 && wire_next(&wire, &inner))
		r = read(reader, &inner);
	return r == 0 && wire.bad ? -EBADMSG : r;
}

static int read_param(struct reader *reader, const struct wire_field *field,
		      struct skeleton_dim *dim)
{
	int r = skeleton_text(reader->skeleton, field, &dim->param);
	char *text;

	if (r < 0 || dim->param[0] != '=')
		return r;
	text = (char *)dim->param + 1;
	dim->param = NULL;
	return skeleton_axis_parse(text, &dim->of);
}

/* One field of the last dim. */
static int read_dim(struct reader *reader, const struct wire_field *field)
{
	struct skeleton_port *port = reader->port;
	struct skeleton_dim *dim = &port->dims[port->rank - 1];

	switch (field->number) {
	case DIM_VALUE:
		dim->size = field->value;
		if (field->type != WIRE_VARINT || dim->size > INT64_MAX)
			return -EBADMSG;
		return 0;
	case DIM_PARAM:
		return read_param(reader, field, dim);
	case DIM_DENOTATION:
		return 0;
	default:
		return -EBADMSG;
	}
}

static int read_shape(struct reader *reader, const struct wire_field *field)
{
	struct skeleton_port *port = reader->port;
	const struct skeleton_dim *dim = &port->dims[port->rank];
	int r;

	if (field->number != SHAPE_DIM || port->rank >= PORT_RANK_MAX)
		return -EBADMSG;
	port->rank++;
	r = each(reader, field, read_dim);
	if (r == 0 && !dim->of.location && dim->size == 0 &&
	    (!dim->param || !dim->param[0]))
		return -EBADMSG;
	return r;
}

static int read_tensor(struct reader *reader, const struct wire_field *field)
{
	switch (field->number) {
	case TYPE_ELEMENT:
		if (field->type != WIRE_VARINT || field->value > ONNX_DOUBLE)
			return -EBADMSG;
		reader->port->type = (enum onnx_type)field->value;
		return onnx_type_name(reader->port->type) ? 0 : -EBADMSG;
	case TYPE_SHAPE:
		if (reader->has_shape)
			return -EBADMSG;
		reader->has_shape = true;
		return each(reader, field, read_shape);
	default:
		return -EBADMSG;
	}
}

static int read_type(struct reader *reader, const struct wire_field *field)
{
	if (field->number == TYPE_DENOTATION)
		return 0;
	if (field->number != TYPE_TENSOR) /* a sequence, a map */
		return -EBADMSG;
	return each(reader, field, read_tensor);
}

static int read_port(struct reader *reader, const struct wire_field *field)
{
	switch (field->number) {
	case PORT_NAME:
		return skeleton_text(reader->skeleton, field,
				     &reader->port->name);
	case PORT_TYPE:
		return each(reader, field, read_type);
	case PORT_DOC:
		return 0;
	default:
		return -EBADMSG;
	}
}

int skeleton_port(struct skeleton *skeleton, const struct wire_field *field,
		  struct skeleton_port *out)
{
	struct reader reader = { skeleton, out, false };
	int r = each(&reader, field, read_port);

	if (r == 0 && (!out->name || !out->name[0] || !reader.has_shape ||
		       out->type == ONNX_NONE))
		return -EBADMSG;
	return r;
}
