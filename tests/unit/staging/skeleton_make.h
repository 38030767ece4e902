/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/skeleton_make.h - small skeletons, message by message.
 *
 * A message is the bytes of its fields; lengths in these literals are
 * written out.  onnx/onnx.proto3 has the numbers.  And checkpoints, made of
 * names alone, to bind to them.
 */
#ifndef TESTS_UNIT_STAGING_SKELETON_MAKE_H
#define TESTS_UNIT_STAGING_SKELETON_MAKE_H

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "staging/graph/wire.h"
#include "staging/skeletons/skeleton.h"
#include "staging/weights/weights.h"
#include "tests/unit/unit.h"

enum { MADE_NODE = 1, MADE_INITIALIZER = 5, MADE_INPUT = 11, MADE_OUTPUT = 12 };
enum { MADE_IR = 1, MADE_GRAPH = 7, MADE_OPSET = 8, MADE_METADATA = 14 };

struct made {
	struct str graph;
	struct str model; /* but for the graph */
};

static inline void made_init(struct made *made)
{
	str_init(&made->graph, SKELETON_BYTES_MAX);
	str_init(&made->model, SKELETON_BYTES_MAX);
}

static inline void made_release(struct made *made)
{
	str_release(&made->graph);
	str_release(&made->model);
}
DEFINE_AUTO(made, struct made, made_release)

static inline void made_metadata(struct made *made, const char *key,
				 const char *value)
{
	auto_str struct str entry;

	str_init(&entry, SKELETON_BYTES_MAX);
	assert_int_equal(wire_text(&entry, 1, key), 0);
	assert_int_equal(wire_text(&entry, 2, value), 0);
	assert_int_equal(wire_message(&made->model, MADE_METADATA, &entry), 0);
}

static inline void made_head(struct made *made)
{
	assert_int_equal(wire_int(&made->model, MADE_IR, 7), 0);
	assert_int_equal(wire_bytes(&made->model, MADE_OPSET, "\x10\x0d", 2),
			 0);
	made_metadata(made, "omnihub.format", "1");
}

/* @dims ends with 0; @type is onnx.proto3's. */
static inline void made_hole(struct made *made, const char *name,
			     const char *location, unsigned int type,
			     const uint64_t *dims)
{
	auto_str struct str tensor, entry;

	str_init(&tensor, SKELETON_BYTES_MAX);
	str_init(&entry, SKELETON_BYTES_MAX);
	for (; *dims; dims++)
		assert_int_equal(wire_int(&tensor, 1, *dims), 0);
	assert_int_equal(wire_int(&tensor, 2, type), 0);
	assert_int_equal(wire_text(&tensor, 8, name), 0);
	assert_int_equal(wire_text(&entry, 1, "location"), 0);
	assert_int_equal(wire_text(&entry, 2, location), 0);
	assert_int_equal(wire_message(&tensor, 13, &entry), 0);
	assert_int_equal(wire_int(&tensor, 14, 1), 0);
	assert_int_equal(wire_message(&made->graph, MADE_INITIALIZER, &tensor),
			 0);
}

#define DIMS(...) ((const uint64_t[]){ __VA_ARGS__, 0 })

static inline void made_node(struct made *made, const char *op,
			     const char *const *inputs, const char *output)
{
	auto_str struct str node;

	str_init(&node, SKELETON_BYTES_MAX);
	for (; *inputs; inputs++)
		assert_int_equal(wire_text(&node, 1, *inputs), 0);
	assert_int_equal(wire_text(&node, 2, output), 0);
	assert_int_equal(wire_text(&node, 3, output), 0);
	assert_int_equal(wire_text(&node, 4, op), 0);
	assert_int_equal(wire_message(&made->graph, MADE_NODE, &node), 0);
}

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Floats; @params are the dims, numbers where they are digits. */
static inline void made_port(struct made *made, unsigned int field,
			     const char *name, const char *const *params)
{
	auto_str struct str dim, shape, tensor, type, port;

	str_init(&dim, SKELETON_BYTES_MAX);
	str_init(&shape, SKELETON_BYTES_MAX);
	str_init(&tensor, SKELETON_BYTES_MAX);
	str_init(&type, SKELETON_BYTES_MAX);
	str_init(&port, SKELETON_BYTES_MAX);
	for (; *params; params++) {
		str_clear(&dim);
		if ((*params)[0] >= '0' && (*params)[0] <= '9')
			assert_int_equal(
				wire_int(&dim, 1,
					 (uint64_t)((*params)[0] - '0')),
				0);
		else
			assert_int_equal(wire_text(&dim, 2, *params), 0);
		assert_int_equal(wire_message(&shape, 1, &dim), 0);
	}
	assert_int_equal(wire_int(&tensor, 1, 1), 0);
	assert_int_equal(wire_message(&tensor, 2, &shape), 0);
	assert_int_equal(wire_message(&type, 1, &tensor), 0);
	assert_int_equal(wire_text(&port, 1, name), 0);
	assert_int_equal(wire_message(&port, 2, &type), 0);
	assert_int_equal(wire_message(&made->graph, field, &port), 0);
}

/* The graph put into the model: all of it. */
static inline const struct str *made_finish(struct made *made)
{
	assert_int_equal(wire_message(&made->model, MADE_GRAPH, &made->graph),
			 0);
	return &made->model;
}

/* A linear layer of 3 to 4 classes, and a norm of whole numbers. */
static inline void made_classifier(struct made *made)
{
	made_init(made);
	made_head(made);
	made_metadata(made, "omnihub.source", "library 1.0 net");
	made_metadata(made, "omnihub.free", "fc.weight:0 fc.bias:0");
	made_metadata(made, "omnihub.unused", "aux.weight\nold.*");
	made_port(made, MADE_INPUT, "x", NAMES("batch", "3"));
	made_hole(made, "w", "fc.weight", 1, DIMS(4, 3));
	made_hole(made, "b", "fc.bias", 1, DIMS(4));
	made_hole(made, "n", "layer.count", 7, DIMS(2));
	/* "one", a float that is there. */
	assert_int_equal(wire_bytes(&made->graph, MADE_INITIALIZER,
				    "\x10\1\x42\3one\x4a\4\0\0\x80\x3f", 13),
			 0);
	made_node(made, "Gemm", NAMES("x", "w", "b"), "h");
	made_node(made, "Mul", NAMES("h", "one"), "y");
	made_port(made, MADE_OUTPUT, "y", NAMES("batch", "=fc.weight:0"));
}

/* A tensor of a checkpoint; .name NULL ends a list. */
struct given {
	const char *name;
	enum dtype dtype;
	uint64_t dims[4]; /* until a 0 */
	bool transposed, strided;
};

#define F32(name, ...)                                         \
	{                                                      \
		name, DTYPE_F32, { __VA_ARGS__ }, false, false \
	}
#define OTHER(name, dtype, ...)                                    \
	{                                                          \
		name, DTYPE_##dtype, { __VA_ARGS__ }, false, false \
	}
#define NO_MORE F32(NULL, 0)
#define WEIGHT F32("fc.weight", 4, 3)
#define BIAS F32("fc.bias", 4)
#define COUNT OTHER("layer.count", I64, 2)

static inline struct weights *weights_of(const struct given *given)
{
	struct weights *weights;
	struct tensor tensor = { 0 };

	assert_int_equal(weights_new("safetensors", &weights), 0);
	assert_int_equal(
		weights_add_file(weights, "w", 0, 1 << 20, &tensor.file), 0);
	tensor.off = 100;
	for (; given->name; given++) {
		tensor.name = (char *)given->name;
		tensor.dtype = given->dtype;
		tensor.order = given->transposed ? ORDER_REVERSED : ORDER_ROWS;
		tensor.strided = given->strided;
		for (tensor.rank = 0; given->dims[tensor.rank]; tensor.rank++)
			tensor.dims[tensor.rank] = given->dims[tensor.rank];
		assert_int_equal(weights_add(weights, &tensor), 0);
		tensor.off += 100;
	}
	assert_int_equal(weights_finish(weights), 0);
	return weights;
}

static inline struct skeleton *skeleton_of(struct made *made)
{
	const struct str *bytes = made_finish(made);
	struct skeleton *skeleton = NULL;

	assert_int_equal(
		skeleton_parse(bytes->bytes, bytes->len, &skeleton, NULL), 0);
	return skeleton;
}

#endif
