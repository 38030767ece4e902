/* SPDX-License-Identifier: MIT */
#include "staging/graph/graphdef_node.h"

#include "base/limits.h"
#include "staging/graph/wire.h"

enum { GRAPH_NODE = 1, GRAPH_VERSIONS = 4 };
enum { NODE_NAME = 1, NODE_OP = 2, NODE_INPUT = 3, NODE_ATTR = 5 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum {
	VALUE_LIST = 1,
	VALUE_TEXT = 2,
	VALUE_INT = 3,
	VALUE_BOOL = 5,
	VALUE_TYPE = 6,
	VALUE_SHAPE = 7,
	VALUE_TENSOR = 8
};
enum { LIST_INT = 3 };
enum { SHAPE_DIM = 2, DIM_SIZE = 1 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4 };
enum { VERSIONS_PRODUCER = 1 };

/*
 * That of TensorFlow 1.15 (core/public/version.h): every operation written
 * here exists since then, and newer ones have dropped none of them.
 */
#define PRODUCER 134

static int dimension(struct str *out, uint64_t size)
{
	auto_str struct str dim;
	int r;

	str_init(&dim, PLAN_BYTES_MAX);
	r = wire_int(&dim, DIM_SIZE, size);
	return r < 0 ? r : wire_message(out, SHAPE_DIM, &dim);
}

static int list_value(struct str *out, const struct op_attr *attr)
{
	bool is_shape = attr->kind == OP_ATTR_SHAPE;
	auto_str struct str list;
	int r = 0;

	str_init(&list, PLAN_BYTES_MAX);
	for (size_t i = 0; r == 0 && i < attr->count; i++)
		r = is_shape ? dimension(&list, (uint64_t)attr->ints[i])
			     : wire_int(&list, LIST_INT,
					(uint64_t)attr->ints[i]);
	if (r < 0)
		return r;
	return wire_message(out, is_shape ? VALUE_SHAPE : VALUE_LIST, &list);
}

static int attr_value(struct str *out, const struct op_attr *attr)
{
	switch (attr->kind) {
	case OP_ATTR_TYPE:
		return wire_int(out, VALUE_TYPE, (uint64_t)attr->i);
	case OP_ATTR_INT:
		return wire_int(out, VALUE_INT, (uint64_t)attr->i);
	case OP_ATTR_BOOL:
		return wire_int(out, VALUE_BOOL, (uint64_t)attr->i);
	case OP_ATTR_TEXT:
		return wire_text(out, VALUE_TEXT, attr->text);
	case OP_ATTR_INTS:
	case OP_ATTR_SHAPE:
		break;
	}
	return list_value(out, attr);
}

static int attr_write(struct str *out, const struct op_attr *attr)
{
	auto_str struct str entry, value;
	int r;

	str_init(&entry, PLAN_BYTES_MAX);
	str_init(&value, PLAN_BYTES_MAX);
	r = attr_value(&value, attr);
	if (r == 0)
		r = wire_text(&entry, ENTRY_KEY, attr->name);
	if (r == 0)
		r = wire_message(&entry, ENTRY_VALUE, &value);
	return r < 0 ? r : wire_message(out, NODE_ATTR, &entry);
}

int graphdef_node(struct str *out, const char *name, const char *op,
		  const char *const *inputs, size_t input_count,
		  const struct op_attr *attrs, size_t attr_count)
{
	auto_str struct str node;
	int r;

	str_init(&node, PLAN_BYTES_MAX);
	r = wire_text(&node, NODE_NAME, name);
	if (r == 0)
		r = wire_text(&node, NODE_OP, op);
	for (size_t i = 0; r == 0 && i < input_count; i++)
		r = wire_text(&node, NODE_INPUT, inputs[i]);
	for (size_t i = 0; r == 0 && i < attr_count; i++)
		r = attr_write(&node, &attrs[i]);
	return r < 0 ? r : wire_message(out, GRAPH_NODE, &node);
}

/* @inner and @tail bytes more become field @number after @before. */
static int wrap(struct str *inner, const struct str *before,
		unsigned int number, uint64_t tail)
{
	auto_str struct str outer;
	int r;

	str_init(&outer, PLAN_BYTES_MAX);
	r = str_append(&outer, str_text(before), before->len);
	if (r == 0)
		r = wire_head(&outer, number, inner->len + tail);
	if (r == 0)
		r = str_append(&outer, inner->bytes, inner->len);
	if (r < 0)
		return r;
	str_clear(inner);
	return str_append(inner, outer.bytes, outer.len);
}

static int tensor_head(struct str *out, const struct const_shape *shape,
		       uint64_t len)
{
	auto_str struct str dims;
	int r;

	str_init(&dims, PLAN_BYTES_MAX);
	r = wire_int(out, TENSOR_DTYPE, shape->type);
	for (unsigned int i = 0; r == 0 && i < shape->rank; i++)
		r = dimension(&dims, shape->dims[i]);
	if (r == 0)
		r = wire_message(out, TENSOR_SHAPE, &dims);
	return r < 0 ? r : wire_head(out, TENSOR_CONTENT, len);
}

/* Name, operation and type of the elements. */
static int const_start(struct str *out, const char *name,
		       enum bundle_dtype type)
{
	const struct op_attr dtype = op_type("dtype", type);
	int r = wire_text(out, NODE_NAME, name);

	if (r == 0)
		r = wire_text(out, NODE_OP, "Const");
	return r < 0 ? r : attr_write(out, &dtype);
}

int graphdef_const_head(struct str *out, const char *name,
			const struct const_shape *shape, uint64_t len)
{
	auto_str struct str inner, start, key, none;
	int r;

	str_init(&inner, PLAN_BYTES_MAX);
	str_init(&start, PLAN_BYTES_MAX);
	str_init(&key, PLAN_BYTES_MAX);
	str_init(&none, 0);
	r = const_start(&start, name, shape->type);
	if (r == 0)
		r = wire_text(&key, ENTRY_KEY, "value");
	if (r == 0)
		r = tensor_head(&inner, shape, len);
	if (r == 0)
		r = wrap(&inner, &none, VALUE_TENSOR, len);
	if (r == 0)
		r = wrap(&inner, &key, ENTRY_VALUE, len);
	if (r == 0)
		r = wrap(&inner, &start, NODE_ATTR, len);
	if (r == 0)
		r = wrap(&inner, &none, GRAPH_NODE, len);
	return r < 0 ? r : str_append(out, inner.bytes, inner.len);
}

int graphdef_versions(struct str *out)
{
	auto_str struct str versions;
	int r;

	str_init(&versions, PLAN_BYTES_MAX);
	r = wire_int(&versions, VERSIONS_PRODUCER, PRODUCER);
	return r < 0 ? r : wire_message(out, GRAPH_VERSIONS, &versions);
}
