/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "staging/skeletons/skeleton_read.h"
#include "staging/wire_read.h"

#define IR_VERSION 7
#define OPSET_VERSION 13

/* Fields of ModelProto, OperatorSetIdProto and GraphProto. */
enum {
	MODEL_IR = 1,
	MODEL_PRODUCER = 2,
	MODEL_PRODUCER_VERSION = 3,
	MODEL_DOMAIN = 4,
	MODEL_VERSION = 5,
	MODEL_DOC = 6,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8,
	MODEL_METADATA = 14
};
enum { OPSET_DOMAIN = 1, OPSET_NUMBER = 2 };
enum {
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_DOC = 10,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_VALUE_INFO = 13
};

/* The parts of a model that have to be there, once each. */
struct model {
	uint64_t ir;
	uint64_t opset;
	struct wire_field graph; /* .bytes NULL: not seen */
};

static int read_opset(const struct wire_field *field, struct model *model)
{
	struct wire_field inner;
	struct wire wire;

	if (model->opset != 0)
		return -EBADMSG;
	wire_enter(&wire, field);
	while (wire_next(&wire, &inner)) {
		if (inner.number == OPSET_NUMBER)
			model->opset = inner.value;
		else if (inner.number != OPSET_DOMAIN || !wire_is(&inner, ""))
			return -EBADMSG;
	}
	return wire.bad || model->opset != OPSET_VERSION ? -EBADMSG : 0;
}

static int read_model_field(struct skeleton *skeleton, struct wire *wire,
			    const struct wire_field *field, struct model *model)
{
	switch (field->number) {
	case MODEL_IR:
		model->ir = field->value;
		return wire_want(wire, field, WIRE_VARINT) ? 0 : -EBADMSG;
	case MODEL_GRAPH:
		if (model->graph.bytes || !wire_want(wire, field, WIRE_LEN))
			return -EBADMSG;
		model->graph = *field;
		return 0;
	case MODEL_OPSET:
		if (!wire_want(wire, field, WIRE_LEN))
			return -EBADMSG;
		return read_opset(field, model);
	case MODEL_METADATA:
		if (!wire_want(wire, field, WIRE_LEN))
			return -EBADMSG;
		return skeleton_metadata(skeleton, field);
	case MODEL_PRODUCER:
	case MODEL_PRODUCER_VERSION:
	case MODEL_DOMAIN:
	case MODEL_VERSION:
	case MODEL_DOC:
		return 0;
	default: /* functions, training: other models */
		return -EBADMSG;
	}
}

/* How many there are of what goes into arrays. */
static int graph_measure(struct skeleton *skeleton,
			 const struct wire_field *graph)
{
	struct skeleton_ports *in = &skeleton->inputs;
	struct skeleton_ports *out = &skeleton->outputs;
	size_t inputs = 0, outputs = 0, initializers = 0;
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, graph);
	while (wire_next(&wire, &field)) {
		inputs += field.number == GRAPH_INPUT;
		outputs += field.number == GRAPH_OUTPUT;
		initializers += field.number == GRAPH_INITIALIZER;
	}
	if (wire.bad || inputs == 0 || inputs > SKELETON_PORTS_MAX ||
	    outputs == 0 || outputs > SKELETON_PORTS_MAX ||
	    initializers > SKELETON_TENSORS_MAX)
		return -EBADMSG;
	in->list = mem_array(inputs, sizeof(*in->list));
	out->list = mem_array(outputs, sizeof(*out->list));
	skeleton->holes = mem_array(initializers + 1, sizeof(*skeleton->holes));
	return in->list && out->list && skeleton->holes ? 0 : -ENOMEM;
}

/* What defines names without using any. */
static int read_definition(struct skeleton *skeleton,
			   const struct wire_field *field)
{
	struct skeleton_ports *in = &skeleton->inputs;
	struct skeleton_hole *hole = &skeleton->holes[skeleton->hole_count];
	int r;

	switch (field->number) {
	case GRAPH_INITIALIZER:
		r = skeleton_initializer(skeleton, field, hole);
		skeleton->hole_count += r == 0 && hole->name;
		return r;
	case GRAPH_INPUT:
		r = skeleton_port(skeleton, field, &in->list[in->count++]);
		if (r < 0)
			return r;
		return skeleton_define(skeleton, in->list[in->count - 1].name);
	case GRAPH_NODE:
	case GRAPH_OUTPUT:
	case GRAPH_NAME:
	case GRAPH_DOC:
	case GRAPH_VALUE_INFO:
		return 0;
	default: /* sparse initializers, quantization */
		return -EBADMSG;
	}
}

static int read_node(struct skeleton *skeleton, const struct wire_field *field)
{
	if (field->number != GRAPH_NODE)
		return 0;
	return skeleton_node(skeleton, field);
}

static int read_output(struct skeleton *skeleton,
		       const struct wire_field *field)
{
	struct skeleton_ports *out = &skeleton->outputs;
	struct skeleton_port *port = &out->list[out->count];
	int r;

	if (field->number != GRAPH_OUTPUT)
		return 0;
	out->count++;
	r = skeleton_port(skeleton, field, port);
	if (r == 0 && !map_get(&skeleton->names, port->name))
		return -EBADMSG;
	return r;
}

static int graph_pass(struct skeleton *skeleton, const struct wire_field *graph,
		      int (*read)(struct skeleton *, const struct wire_field *))
{
	struct wire_field field;
	struct wire wire;
	int r = 0;

	wire_enter(&wire, graph);
	while (r == 0 && wire_next(&wire, &field))
		r = read(skeleton, &field);
	return r == 0 && wire.bad ? -EBADMSG : r;
}

static int read_graph(struct skeleton *skeleton, const struct wire_field *graph)
{
	int r = graph_measure(skeleton, graph);

	if (r == 0)
		r = graph_pass(skeleton, graph, read_definition);
	if (r == 0)
		r = graph_pass(skeleton, graph, read_node);
	return r < 0 ? r : graph_pass(skeleton, graph, read_output);
}

static int read_model(struct skeleton *skeleton, const void *bytes, size_t len)
{
	struct model model = { 0 };
	struct wire_field field;
	struct wire wire;
	int r = 0;

	wire_init(&wire, bytes, len);
	while (r == 0 && wire_next(&wire, &field))
		r = read_model_field(skeleton, &wire, &field, &model);
	if (r == 0 &&
	    (wire.bad || !skeleton->is_known || model.ir != IR_VERSION ||
	     model.opset != OPSET_VERSION || !model.graph.bytes))
		r = -EBADMSG;
	return r < 0 ? r : read_graph(skeleton, &model.graph);
}

static int skeleton_new(struct skeleton **out)
{
	struct skeleton *skeleton = mem_zalloc(sizeof(*skeleton));

	if (!skeleton)
		return -ENOMEM;
	map_init(&skeleton->names);
	str_init(&skeleton->nodes, SKELETON_BYTES_MAX);
	str_init(&skeleton->constants, SKELETON_BYTES_MAX);
	*out = skeleton;
	return 0;
}

void skeleton_free(struct skeleton *skeleton)
{
	if (!skeleton)
		return;
	map_release(&skeleton->names);
	arena_release(&skeleton->arena);
	str_release(&skeleton->nodes);
	str_release(&skeleton->constants);
	free(skeleton->holes);
	free(skeleton->inputs.list);
	free(skeleton->outputs.list);
	free(skeleton->unused);
	free(skeleton->free);
	free(skeleton);
}

int skeleton_parse(const void *bytes, size_t len, struct skeleton **out,
		   struct refusal *why)
{
	auto_skeleton struct skeleton *skeleton = NULL;
	int r = skeleton_new(&skeleton);

	if (r == 0)
		r = len > SKELETON_BYTES_MAX ? -EBADMSG
					     : read_model(skeleton, bytes, len);
	if (r == -EBADMSG || r == -EFBIG)
		return refuse(why, "skeleton", NULL,
			      "the skeleton of the model is malformed");
	if (r == 0)
		*out = take_ptr(skeleton);
	return r;
}
