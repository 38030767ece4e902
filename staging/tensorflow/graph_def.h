/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/graph_def.h - GraphDef and FunctionDef, parsed.  Pure.
 *
 * Facts: tensorflow/core/framework/{graph,node_def,function,op_def,
 * attr_value}.proto.  Names and attributes' values stay where they are in
 * the file; all else lies in a pool.  What is accepted: each node and
 * argument has a name of its own in its graph, each attribute in its node;
 * names are UTF-8 without NUL; each attribute is a well-formed message; no
 * data input comes after a control input.
 * Whether what an input names is there is seen when it is followed.
 */
#ifndef STAGING_TENSORFLOW_GRAPH_DEF_H
#define STAGING_TENSORFLOW_GRAPH_DEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/map.h"
#include "staging/refusal.h"
#include "staging/tensorflow/tf_pool.h"
#include "staging/tensorflow/tf_text.h"
#include "staging/wire_read.h"

/* One of a node's, or an operation's default. */
struct tf_attr {
	struct tf_text name;
	const uint8_t *value; /* an AttrValue */
	size_t len;
};

struct tf_attrs {
	struct tf_attr *items; /* in order of their names */
	size_t count;
};

struct tf_node {
	struct tf_text name;
	struct tf_text op;
	unsigned int kind;	/* an enum op_kind, by the operation's name */
	struct tf_text *inputs; /* first data, then "^name": control */
	size_t data_count;
	size_t input_count; /* data and control */
	struct tf_attrs attrs;
};

/* An argument of a function, or a group of an operation's ports. */
struct tf_arg {
	struct tf_text name;
	int type; /* 0: by one of the attributes below */
	struct tf_text type_attr;
	struct tf_text number_attr;
	struct tf_text type_list_attr;
	bool is_ref;
	struct tf_text ret; /* of a function's output: what it is */
};

struct tf_graph {
	struct tf_text name; /* of a function */
	bool is_function;
	bool stateful;
	bool has_flow; /* Switch, Merge, Enter ...: control edges matter */
	struct tf_node *nodes;
	size_t node_count;
	struct tf_arg *inputs; /* of a function, also the two below */
	size_t input_count;
	struct tf_arg *outputs;
	size_t output_count;
	struct map by_name; /* name -> struct tf_node * */
	struct map args;    /* name -> struct tf_arg * of inputs */
};

/* A signature of a function or of an operation. */
struct tf_op {
	struct tf_text name;
	struct tf_arg *inputs;
	size_t input_count;
	struct tf_arg *outputs;
	size_t output_count;
	struct tf_attrs defaults; /* of the attributes that have one */
	bool stateful;
};

/* Where an input leads: "name", "name:1", "name:port:1" or "^name". */
struct tf_edge {
	struct tf_text name;
	struct tf_text port; /* empty: not named */
	uint32_t index;
	bool is_control;
};

/*
 * Both fill the zeroed @graph, and give what they allocate to @pool but for
 * the maps, which tf_graph_release() frees, also after a failure.
 * -EBADMSG: refused, and @why says why; -ENOMEM, -EFBIG.
 */
int tf_graph_parse(struct tf_pool *pool, const struct wire_field *graph_def,
		   struct tf_graph *graph, struct refusal *why) MUST_CHECK;
int tf_function_parse(struct tf_pool *pool,
		      const struct wire_field *function_def,
		      struct tf_graph *graph, struct refusal *why) MUST_CHECK;
void tf_graph_release(struct tf_graph *graph);

/* An OpDef.  Errors as above. */
int tf_op_parse(struct tf_pool *pool, const struct wire_field *op_def,
		struct tf_op *op, struct refusal *why) MUST_CHECK;

/* One entry of a map from names to messages; @value is one, maybe empty. */
int tf_entry_parse(const struct wire_field *entry, struct tf_text *key,
		   struct wire_field *value, struct refusal *why) MUST_CHECK;

/* A repeated field of attributes, sorted. */
int tf_attrs_parse(struct tf_pool *pool, const struct wire_field *message,
		   uint32_t number, struct tf_attrs *attrs,
		   struct refusal *why) MUST_CHECK;

/* False: @input is malformed. */
bool tf_edge_parse(struct tf_text input, bool in_function,
		   struct tf_edge *edge) MUST_CHECK;

/* NULL: not there. */
const struct tf_node *tf_graph_node(const struct tf_graph *graph,
				    struct tf_text name);
const struct tf_attr *tf_attrs_find(const struct tf_attrs *attrs,
				    struct tf_text name);

/* The field's contents; false: not a name. */
bool tf_name_of(const struct wire_field *field, struct tf_text *out);

/* Always -EBADMSG: saved_model.pb is damaged, in @what. */
int tf_malformed(struct refusal *why, const char *what);

#endif
