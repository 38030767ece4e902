/* SPDX-License-Identifier: MIT */
#include "staging/graph/onnx_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/onnx_writer.h"
#include "staging/graph/wire.h"

enum {
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_OP = 4,
	NODE_ATTRIBUTE = 5
};
enum {
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_F = 2,
	ATTRIBUTE_I = 3,
	ATTRIBUTE_S = 4,
	ATTRIBUTE_INTS = 8,
	ATTRIBUTE_TYPE = 20
};
enum {
	ATTRIBUTE_IS_FLOAT = 1,
	ATTRIBUTE_IS_INT = 2,
	ATTRIBUTE_IS_STRING = 3,
	ATTRIBUTE_IS_INTS = 7
};
enum {
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
	TENSOR_EXTERNAL = 13,
	TENSOR_LOCATION = 14
};
enum { LOCATION_EXTERNAL = 1 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { PORT_NAME = 1, PORT_TYPE = 2 };
enum { TYPE_TENSOR = 1 };
enum { TYPE_ELEMENT = 1, TYPE_SHAPE = 2 };
enum { SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_PARAM = 2 };

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int tensor_order(const void *a_ptr, const void *b_ptr)
{
	const struct onnx_tensor *a = a_ptr, *b = b_ptr;
	const struct tensor *x = a->from->tensor, *y = b->from->tensor;
	int r;

	if (!x || !y)
		return x || y ? (x ? 1 : -1) : compare(a->number, b->number);
	r = compare(x->file, y->file);
	if (r == 0)
		r = compare(x->off, y->off);
	if (r == 0)
		r = compare(x->len, y->len);
	return r == 0 ? compare(a->number, b->number) : r;
}

int onnx_tensors_sort(const struct graph *graph, struct onnx_tensor **out)
{
	struct onnx_tensor *tensors = mem_array(graph->initializer_count + 1,
						sizeof(*tensors));
	size_t count = 0;

	if (!tensors)
		return -ENOMEM;
	for (struct initializer *i = graph->initializers; i; i = i->next) {
		tensors[count].from = i;
		tensors[count].number = count;
		count++;
	}
	qsort(tensors, count, sizeof(*tensors), tensor_order);
	*out = tensors;
	return 0;
}

static int attribute_value(struct str *out, const struct attr *attr)
{
	int r = 0;

	switch (attr->kind) {
	case ATTR_INT:
		r = wire_int(out, ATTRIBUTE_I, (uint64_t)attr->i);
		return r < 0 ? r
			     : wire_int(out, ATTRIBUTE_TYPE, ATTRIBUTE_IS_INT);
	case ATTR_FLOAT:
		r = wire_float(out, ATTRIBUTE_F, attr->f);
		return r < 0 ? r
			     : wire_int(out, ATTRIBUTE_TYPE,
					ATTRIBUTE_IS_FLOAT);
	case ATTR_TEXT:
		r = wire_text(out, ATTRIBUTE_S, attr->text);
		return r < 0 ? r
			     : wire_int(out, ATTRIBUTE_TYPE,
					ATTRIBUTE_IS_STRING);
	case ATTR_INTS:
		break;
	}
	for (size_t i = 0; r == 0 && i < attr->int_count; i++)
		r = wire_int(out, ATTRIBUTE_INTS, (uint64_t)attr->ints[i]);
	return r < 0 ? r : wire_int(out, ATTRIBUTE_TYPE, ATTRIBUTE_IS_INTS);
}

static int attribute(struct str *out, const struct attr *attr)
{
	auto_str struct str message;
	int r;

	str_init(&message, PLAN_BYTES_MAX);
	r = wire_text(&message, ATTRIBUTE_NAME, attr->name);
	if (r == 0)
		r = attribute_value(&message, attr);
	return r < 0 ? r : wire_message(out, NODE_ATTRIBUTE, &message);
}

int onnx_node(struct str *out, const struct node *node)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->input_count; i++)
		r = wire_text(out, NODE_INPUT,
			      node->inputs[i] ? node->inputs[i]->name : "");
	if (r == 0)
		r = wire_text(out, NODE_OUTPUT, node->output->name);
	if (r == 0)
		r = wire_text(out, NODE_NAME, node->output->name);
	if (r == 0)
		r = wire_text(out, NODE_OP, node->op);
	for (size_t i = 0; r == 0 && i < node->attr_count; i++)
		r = attribute(out, &node->attrs[i]);
	return r;
}

static int dimension(struct str *out, const struct dim *dim)
{
	auto_str struct str message;
	int r;

	str_init(&message, PLAN_BYTES_MAX);
	r = dim->param ? wire_text(&message, DIM_PARAM, dim->param)
		       : wire_int(&message, DIM_VALUE, dim->size);
	return r < 0 ? r : wire_message(out, SHAPE_DIM, &message);
}

int onnx_port(struct str *out, const struct port *port)
{
	auto_str struct str shape, tensor, type;
	int r = 0;

	str_init(&shape, PLAN_BYTES_MAX);
	str_init(&tensor, PLAN_BYTES_MAX);
	str_init(&type, PLAN_BYTES_MAX);
	for (unsigned int i = 0; r == 0 && i < port->rank; i++)
		r = dimension(&shape, &port->dims[i]);
	if (r == 0)
		r = wire_int(&tensor, TYPE_ELEMENT, port->type);
	if (r == 0)
		r = wire_message(&tensor, TYPE_SHAPE, &shape);
	if (r == 0)
		r = wire_message(&type, TYPE_TENSOR, &tensor);
	if (r == 0)
		r = wire_text(out, PORT_NAME, port->value->name);
	return r < 0 ? r : wire_message(out, PORT_TYPE, &type);
}

static enum segment_kind kind_of(const struct initializer *from)
{
	if (from->type != ONNX_FLOAT)
		return SEGMENT_COPY;
	switch (from->tensor->dtype) {
	case DTYPE_F16:
		return SEGMENT_F16_F32;
	case DTYPE_BF16:
		return SEGMENT_BF16_F32;
	default:
		return SEGMENT_COPY;
	}
}

/* Of raw_data. */
static uint64_t raw_len(const struct initializer *from)
{
	if (!from->tensor)
		return from->len;
	return from->tensor->len * (kind_of(from) == SEGMENT_COPY ? 1 : 2);
}

uint64_t onnx_tensor_bytes(const struct onnx_tensor *tensor)
{
	return raw_len(tensor->from);
}

/* What external_data says, but for the location. */
struct place {
	char off[24];
	char len[24];
};

static struct place place_of(const struct onnx_tensor *tensor)
{
	struct place place;

	snprintf(place.off, sizeof(place.off), "%" PRIu64, tensor->off);
	snprintf(place.len, sizeof(place.len), "%" PRIu64,
		 raw_len(tensor->from));
	return place;
}

static uint64_t entry_len(const char *key, const char *value)
{
	uint64_t len = wire_record_len(ENTRY_KEY, strlen(key)) +
		       wire_record_len(ENTRY_VALUE, strlen(value));

	return wire_record_len(TENSOR_EXTERNAL, len);
}

static uint64_t int_len(unsigned int field, uint64_t v)
{
	return wire_varint_len((uint64_t)field << 3) + wire_varint_len(v);
}

uint64_t onnx_tensor_len(const struct onnx_tensor *tensor)
{
	const struct initializer *from = tensor->from;
	uint64_t len = int_len(TENSOR_TYPE, from->type) +
		       wire_record_len(TENSOR_NAME, strlen(from->value->name));
	struct place place;

	for (unsigned int i = 0; i < from->rank; i++)
		len += int_len(TENSOR_DIMS, from->dims[i]);
	if (!tensor->external)
		return len + wire_record_len(TENSOR_RAW, raw_len(from));
	place = place_of(tensor);
	return len + entry_len("location", tensor->external) +
	       entry_len("offset", place.off) + entry_len("length", place.len) +
	       int_len(TENSOR_LOCATION, LOCATION_EXTERNAL);
}

static int entry(struct str *out, const char *key, const char *value)
{
	auto_str struct str message;
	int r;

	str_init(&message, PLAN_BYTES_MAX);
	r = wire_text(&message, ENTRY_KEY, key);
	if (r == 0)
		r = wire_text(&message, ENTRY_VALUE, value);
	return r < 0 ? r : wire_message(out, TENSOR_EXTERNAL, &message);
}

static int external(struct str *out, const struct onnx_tensor *tensor)
{
	struct place place = place_of(tensor);
	int r = entry(out, "location", tensor->external);

	if (r == 0)
		r = entry(out, "offset", place.off);
	if (r == 0)
		r = entry(out, "length", place.len);
	return r < 0 ? r : wire_int(out, TENSOR_LOCATION, LOCATION_EXTERNAL);
}

int onnx_tensor_head(struct str *out, const struct onnx_tensor *tensor)
{
	const struct initializer *from = tensor->from;
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < from->rank; i++)
		r = wire_int(out, TENSOR_DIMS, from->dims[i]);
	if (r == 0)
		r = wire_int(out, TENSOR_TYPE, from->type);
	if (r == 0)
		r = wire_text(out, TENSOR_NAME, from->value->name);
	if (r < 0)
		return r;
	return tensor->external ? external(out, tensor)
				: wire_head(out, TENSOR_RAW, raw_len(from));
}

int onnx_tensor_splice(struct plan *plan, const struct weights *weights,
		       const struct onnx_tensor *tensor)
{
	const struct initializer *from = tensor->from;
	const struct weight_file *file;
	uint32_t source;
	int r;

	if (!from->tensor)
		return plan_add_bytes(plan, from->bytes, from->len);
	file = &weights->files[from->tensor->file];
	r = plan_add_source(plan, file->path, file->size, &source);
	if (r < 0)
		return r;
	return plan_add_range(plan, kind_of(from), source, from->tensor->off,
			      from->tensor->len);
}

bool onnx_tensor_same_bytes(const struct onnx_tensor *a,
			    const struct onnx_tensor *b)
{
	const struct tensor *x = a->from->tensor, *y = b->from->tensor;

	return x && y && x->file == y->file && x->off == y->off &&
	       x->len == y->len && x->dtype == y->dtype;
}
