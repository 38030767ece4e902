/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/graph_def.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "staging/tensorflow/graph_parse.h"

enum {
	OP_NAME = 1,
	OP_INPUT = 2,
	OP_OUTPUT = 3,
	OP_ATTR = 4,
	OP_STATEFUL = 17
};
enum { OP_ATTR_NAME = 1, OP_ATTR_DEFAULT = 3 };
enum {
	ARG_NAME = 1,
	ARG_TYPE = 3,
	ARG_TYPE_ATTR = 4,
	ARG_NUMBER_ATTR = 5,
	ARG_TYPE_LIST_ATTR = 6,
	ARG_IS_REF = 16
};

static bool arg_field(struct tf_arg *arg, const struct wire_field *field)
{
	switch (field->number) {
	case ARG_NAME:
		return tf_name_of(field, &arg->name) && arg->name.len > 0;
	case ARG_TYPE:
		arg->type = (int)u64_min(field->value, INT32_MAX);
		return field->type == WIRE_VARINT;
	case ARG_TYPE_ATTR:
		return tf_name_of(field, &arg->type_attr);
	case ARG_NUMBER_ATTR:
		return tf_name_of(field, &arg->number_attr);
	case ARG_TYPE_LIST_ATTR:
		return tf_name_of(field, &arg->type_list_attr);
	case ARG_IS_REF:
		arg->is_ref = field->value != 0;
		return field->type == WIRE_VARINT;
	default:
		return true;
	}
}

static int arg_parse(const struct wire_field *arg_def, struct tf_arg *arg,
		     struct refusal *why)
{
	struct wire_field field;
	struct wire wire;

	if (arg_def->type != WIRE_LEN)
		return tf_malformed(why, "an argument");
	wire_enter(&wire, arg_def);
	while (wire_next(&wire, &field))
		if (!arg_field(arg, &field))
			return tf_malformed(why, "an argument");
	if (wire.bad || arg->name.len == 0)
		return tf_malformed(why, "an argument");
	return 0;
}

static int args_parse(struct tf_pool *pool, const struct wire_field *op_def,
		      uint32_t number, struct tf_arg **args, size_t *arg_count,
		      struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count;
	int r = 0;

	if (!tf_count_field(op_def, number, &count))
		return tf_malformed(why, "arguments");
	*args = tf_pool_array(pool, count, sizeof(**args));
	if (!*args)
		return tf_pool_error(pool);
	wire_enter(&wire, op_def);
	while (r == 0 && wire_next(&wire, &field))
		if (field.number == number)
			r = arg_parse(&field, &(*args)[(*arg_count)++], why);
	return r;
}

/* An OpDef.AttrDef, of which only the default counts. */
static int default_parse(const struct wire_field *attr_def,
			 struct tf_attr *attr, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count;

	*attr = (struct tf_attr){ 0 };
	if (attr_def->type != WIRE_LEN)
		return tf_malformed(why, "an operation's attribute");
	wire_enter(&wire, attr_def);
	while (wire_next(&wire, &field)) {
		if (field.number == OP_ATTR_NAME &&
		    !tf_name_of(&field, &attr->name))
			return tf_malformed(why, "an attribute's name");
		if (field.number != OP_ATTR_DEFAULT)
			continue;
		if (field.type != WIRE_LEN ||
		    !tf_count_field(&field, 0, &count))
			return tf_malformed(why, "an attribute's default");
		attr->value = field.bytes;
		attr->len = field.len;
	}
	return wire.bad ? tf_malformed(why, "an operation's attribute") : 0;
}

static int defaults_parse(struct tf_pool *pool, const struct wire_field *op_def,
			  struct tf_attrs *attrs, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count;
	int r = 0;

	if (!tf_count_field(op_def, OP_ATTR, &count))
		return tf_malformed(why, "an operation");
	attrs->items = tf_pool_array(pool, count, sizeof(*attrs->items));
	if (!attrs->items)
		return tf_pool_error(pool);
	wire_enter(&wire, op_def);
	while (r == 0 && wire_next(&wire, &field)) {
		struct tf_attr *attr = &attrs->items[attrs->count];

		if (field.number != OP_ATTR)
			continue;
		r = default_parse(&field, attr, why);
		attrs->count += attr->value != NULL;
	}
	if (r == 0)
		qsort(attrs->items, attrs->count, sizeof(*attrs->items),
		      tf_attr_order);
	return r;
}

int tf_op_parse(struct tf_pool *pool, const struct wire_field *op_def,
		struct tf_op *op, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	int r;

	if (op_def->type != WIRE_LEN)
		return tf_malformed(why, "an operation");
	wire_enter(&wire, op_def);
	while (wire_next(&wire, &field)) {
		if (field.number == OP_NAME && !tf_name_of(&field, &op->name))
			return tf_malformed(why, "an operation's name");
		if (field.number == OP_STATEFUL)
			op->stateful = field.value != 0;
	}
	if (wire.bad || op->name.len == 0)
		return tf_malformed(why, "an operation");
	r = args_parse(pool, op_def, OP_INPUT, &op->inputs, &op->input_count,
		       why);
	if (r == 0)
		r = args_parse(pool, op_def, OP_OUTPUT, &op->outputs,
			       &op->output_count, why);
	return r < 0 ? r : defaults_parse(pool, op_def, &op->defaults, why);
}

enum { FUNCTION_SIGNATURE = 1, FUNCTION_NODE = 3, FUNCTION_RET = 4 };

static int signature_parse(struct tf_pool *pool,
			   const struct wire_field *function_def,
			   struct tf_graph *graph, struct refusal *why)
{
	struct tf_op op = { 0 };
	struct wire_field field;
	struct wire wire;
	int r;

	if (function_def->type != WIRE_LEN)
		return tf_malformed(why, "a function");
	wire_enter(&wire, function_def);
	while (wire_next(&wire, &field)) {
		if (field.number != FUNCTION_SIGNATURE)
			continue;
		if (op.name.len > 0)
			return tf_malformed(why, "a function's signature");
		r = tf_op_parse(pool, &field, &op, why);
		if (r < 0)
			return r;
	}
	if (wire.bad || op.name.len == 0)
		return tf_malformed(why, "a function without signature");
	*graph = (struct tf_graph){
		.name = op.name,
		.is_function = true,
		.stateful = op.stateful,
		.inputs = op.inputs,
		.input_count = op.input_count,
		.outputs = op.outputs,
		.output_count = op.output_count,
	};
	return 0;
}

static int args_add(struct tf_graph *graph, struct refusal *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < graph->input_count; i++) {
		struct tf_arg *arg = &graph->inputs[i];

		r = map_add_bytes(&graph->args, arg->name.at, arg->name.len,
				  arg);
		if (r == 0 && tf_graph_node(graph, arg->name))
			r = -EEXIST;
	}
	if (r == -EEXIST)
		return tf_malformed(why, "two arguments have one name");
	return r;
}

static struct tf_attr *ret_find(struct tf_attrs *rets, struct tf_text name)
{
	return (struct tf_attr *)tf_attrs_find(rets, name);
}

/* The map has names as values; its entries are as those of attributes. */
static int rets_parse(struct tf_pool *pool,
		      const struct wire_field *function_def,
		      struct tf_graph *graph, struct refusal *why)
{
	struct tf_text key, ret;
	struct wire_field field, value;
	struct tf_attrs rets = { 0 };
	struct wire wire;
	size_t count;
	int r;

	if (!tf_count_field(function_def, FUNCTION_RET, &count))
		return tf_malformed(why, "a function");
	rets.items = tf_pool_array(pool, count, sizeof(*rets.items));
	if (!rets.items)
		return tf_pool_error(pool);
	wire_enter(&wire, function_def);
	while (wire_next(&wire, &field)) {
		if (field.number != FUNCTION_RET)
			continue;
		r = tf_entry_parse(&field, &key, &value, why);
		if (r < 0)
			return r;
		if (!tf_name_of(&value, &ret))
			return tf_malformed(why, "a function's output");
		rets.items[rets.count++] = (struct tf_attr){ key, value.bytes,
							     value.len };
	}
	qsort(rets.items, rets.count, sizeof(*rets.items), tf_attr_order);
	for (size_t i = 0; i < graph->output_count; i++) {
		struct tf_arg *output = &graph->outputs[i];
		const struct tf_attr *found = ret_find(&rets, output->name);

		if (!found || found->len == 0)
			return tf_malformed(why, "a function's output");
		output->ret = (struct tf_text){ (const char *)found->value,
						found->len };
	}
	return 0;
}

int tf_function_parse(struct tf_pool *pool,
		      const struct wire_field *function_def,
		      struct tf_graph *graph, struct refusal *why)
{
	int r = signature_parse(pool, function_def, graph, why);

	if (r == 0)
		r = tf_nodes_parse(pool, function_def, FUNCTION_NODE, graph,
				   why);
	if (r == 0)
		r = args_add(graph, why);
	return r < 0 ? r : rets_parse(pool, function_def, graph, why);
}
