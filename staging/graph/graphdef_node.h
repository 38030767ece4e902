/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/graphdef_node.h - the messages within a TensorFlow graph,
 * written.
 *
 * Facts: tensorflow/core/framework/graph.proto, node_def.proto,
 * attr_value.proto, tensor.proto, tensor_shape.proto, types.proto (its
 * numbers are enum bundle_dtype's).
 *
 * All append to @out, and give -ENOMEM or -EFBIG.
 */
#ifndef STAGING_GRAPH_GRAPHDEF_NODE_H
#define STAGING_GRAPH_GRAPHDEF_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"
#include "staging/weights/tensor_bundle.h"

enum op_attr_kind {
	OP_ATTR_TYPE,
	OP_ATTR_INT,
	OP_ATTR_BOOL,
	OP_ATTR_TEXT,
	OP_ATTR_INTS, /* of .ints, .count */
	OP_ATTR_SHAPE /* the same; -1: any size */
};

/* An attribute of an operation; borrows all that it points to. */
struct op_attr {
	const char *name;
	enum op_attr_kind kind;
	int64_t i; /* of a type, a whole number, a truth value */
	const char *text;
	const int64_t *ints;
	size_t count;
};

static inline struct op_attr op_type(const char *name, enum bundle_dtype type)
{
	return (struct op_attr){ name, OP_ATTR_TYPE, type, NULL, NULL, 0 };
}

static inline struct op_attr op_int(const char *name, int64_t i)
{
	return (struct op_attr){ name, OP_ATTR_INT, i, NULL, NULL, 0 };
}

static inline struct op_attr op_bool(const char *name, bool is)
{
	return (struct op_attr){ name, OP_ATTR_BOOL, is, NULL, NULL, 0 };
}

static inline struct op_attr op_text(const char *name, const char *text)
{
	return (struct op_attr){ name, OP_ATTR_TEXT, 0, text, NULL, 0 };
}

static inline struct op_attr op_list(const char *name, enum op_attr_kind kind,
				     const int64_t *ints, size_t count)
{
	return (struct op_attr){ name, kind, 0, NULL, ints, count };
}

#define OP_INTS(name, ...)                                              \
	op_list((name), OP_ATTR_INTS, (const int64_t[]){ __VA_ARGS__ }, \
		sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

/* A NodeDef as a record of a GraphDef.  @inputs are as it names them. */
int graphdef_node(struct str *out, const char *name, const char *op,
		  const char *const *inputs, size_t input_count,
		  const struct op_attr *attrs, size_t attr_count) MUST_CHECK;

struct const_shape {
	enum bundle_dtype type;
	unsigned int rank;
	uint64_t dims[TENSOR_RANK_MAX];
};

/*
 * The record of a constant up to its tensor_content, which ends it: @len
 * bytes are to follow.
 */
int graphdef_const_head(struct str *out, const char *name,
			const struct const_shape *shape,
			uint64_t len) MUST_CHECK;

/* The versions of the GraphDef. */
int graphdef_versions(struct str *out) MUST_CHECK;

#endif
