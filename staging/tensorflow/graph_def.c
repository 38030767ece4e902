/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/graph_def.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/tensorflow/graph_parse.h"
#include "staging/tensorflow/op_kinds.h"

enum { GRAPH_NODE = 1 };
enum { NODE_NAME = 1, NODE_OP = 2, NODE_INPUT = 3, NODE_ATTR = 5 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

int tf_malformed(struct refusal *why, const char *what)
{
	return refuse(why, "saved-model", what,
		      "saved_model.pb is damaged or of an unknown form");
}

bool tf_name_of(const struct wire_field *field, struct tf_text *out)
{
	if (field->type != WIRE_LEN || !utf8_valid(field->bytes, field->len) ||
	    (field->len > 0 && memchr(field->bytes, '\0', field->len)))
		return false;
	*out = (struct tf_text){ (const char *)field->bytes, field->len };
	return true;
}

/* How often @number is there; every record is well-formed. */
bool tf_count_field(const struct wire_field *message, uint32_t number,
		    size_t *count)
{
	struct wire_field field;
	struct wire wire;

	*count = 0;
	wire_enter(&wire, message);
	while (wire_next(&wire, &field))
		*count += field.number == number;
	return !wire.bad;
}

int tf_entry_parse(const struct wire_field *entry, struct tf_text *key,
		   struct wire_field *value, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;

	*key = (struct tf_text){ "", 0 };
	*value = (struct wire_field){ .type = WIRE_LEN, .bytes = entry->bytes };
	if (entry->type != WIRE_LEN)
		return tf_malformed(why, "a map's entry");
	wire_enter(&wire, entry);
	while (wire_next(&wire, &field)) {
		if (field.number == ENTRY_KEY && !tf_name_of(&field, key))
			return tf_malformed(why, "a map's key");
		if (field.number == ENTRY_VALUE)
			*value = field;
	}
	return wire.bad ? tf_malformed(why, "a map's entry") : 0;
}

static int attr_parse(const struct wire_field *entry, struct tf_attr *attr,
		      struct refusal *why)
{
	struct wire_field value;
	size_t count;
	int r = tf_entry_parse(entry, &attr->name, &value, why);

	if (r < 0)
		return r;
	if (attr->name.len == 0 || value.type != WIRE_LEN ||
	    !tf_count_field(&value, 0, &count))
		return tf_malformed(why, "an attribute");
	attr->value = value.bytes;
	attr->len = value.len;
	return 0;
}

int tf_attr_order(const void *a_ptr, const void *b_ptr)
{
	const struct tf_attr *a = a_ptr, *b = b_ptr;

	return tf_text_compare(a->name, b->name);
}

int tf_attrs_parse(struct tf_pool *pool, const struct wire_field *message,
		   uint32_t number, struct tf_attrs *attrs, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count;

	*attrs = (struct tf_attrs){ 0 };
	if (!tf_count_field(message, number, &count))
		return tf_malformed(why, "attributes");
	if (count == 0)
		return 0;
	attrs->items = tf_pool_array(pool, count, sizeof(*attrs->items));
	if (!attrs->items)
		return tf_pool_error(pool);
	wire_enter(&wire, message);
	while (wire_next(&wire, &field)) {
		struct tf_attr *attr = &attrs->items[attrs->count];
		int r;

		if (field.number != number)
			continue;
		r = attr_parse(&field, attr, why);
		if (r < 0)
			return r;
		attrs->count++;
	}
	qsort(attrs->items, attrs->count, sizeof(*attrs->items), tf_attr_order);
	for (size_t i = 1; i < attrs->count; i++)
		if (tf_attr_order(&attrs->items[i - 1], &attrs->items[i]) == 0)
			return tf_malformed(why, "an attribute is there twice");
	return 0;
}

const struct tf_attr *tf_attrs_find(const struct tf_attrs *attrs,
				    struct tf_text name)
{
	struct tf_attr key = { .name = name };

	if (attrs->count == 0)
		return NULL;
	return bsearch(&key, attrs->items, attrs->count, sizeof(*attrs->items),
		       tf_attr_order);
}

static bool node_field(struct tf_node *node, const struct wire_field *field)
{
	switch (field->number) {
	case NODE_NAME:
		return tf_name_of(field, &node->name);
	case NODE_OP:
		return tf_name_of(field, &node->op);
	case NODE_INPUT:
		return tf_name_of(field, &node->inputs[node->input_count++]);
	default:
		return true;
	}
}

/* Counts the data inputs; false: one comes after a control input. */
static bool inputs_sorted(struct tf_node *node)
{
	for (size_t i = 0; i < node->input_count; i++) {
		if (tf_text_starts(node->inputs[i], "^"))
			continue;
		if (node->data_count++ != i)
			return false;
	}
	return true;
}

static int node_parse(struct tf_pool *pool, const struct wire_field *node_def,
		      struct tf_node *node, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count;

	if (node_def->type != WIRE_LEN ||
	    !tf_count_field(node_def, NODE_INPUT, &count))
		return tf_malformed(why, "a node");
	node->inputs = tf_pool_array(pool, count, sizeof(*node->inputs));
	if (!node->inputs)
		return tf_pool_error(pool);
	wire_enter(&wire, node_def);
	while (wire_next(&wire, &field))
		if (!node_field(node, &field))
			return tf_malformed(why, "a node's name or input");
	if (node->name.len == 0 || node->op.len == 0)
		return tf_malformed(why, "a node without name or operation");
	if (!inputs_sorted(node))
		return tf_malformed(why, "a node's inputs");
	node->kind = op_kind(node->op);
	return tf_attrs_parse(pool, node_def, NODE_ATTR, &node->attrs, why);
}

static int node_add(struct tf_graph *graph, struct tf_node *node,
		    struct refusal *why)
{
	int r = map_add_bytes(&graph->by_name, node->name.at, node->name.len,
			      node);

	if (r == -EEXIST)
		return tf_malformed(why, "two nodes have one name");
	graph->node_count++;
	graph->has_flow |= op_is_flow(node->kind);
	return r;
}

/* The nodes are the message's fields @number. */
int tf_nodes_parse(struct tf_pool *pool, const struct wire_field *message,
		   uint32_t number, struct tf_graph *graph, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count;
	int r = 0;

	if (message->type != WIRE_LEN ||
	    !tf_count_field(message, number, &count))
		return tf_malformed(why, "a graph");
	if (count > GRAPH_NODES_MAX)
		return -EFBIG;
	graph->nodes = tf_pool_array(pool, count, sizeof(*graph->nodes));
	if (!graph->nodes)
		return tf_pool_error(pool);
	wire_enter(&wire, message);
	while (r == 0 && wire_next(&wire, &field)) {
		struct tf_node *node = &graph->nodes[graph->node_count];

		if (field.number != number)
			continue;
		r = node_parse(pool, &field, node, why);
		if (r == 0)
			r = node_add(graph, node, why);
	}
	return r;
}

int tf_graph_parse(struct tf_pool *pool, const struct wire_field *graph_def,
		   struct tf_graph *graph, struct refusal *why)
{
	return tf_nodes_parse(pool, graph_def, GRAPH_NODE, graph, why);
}

void tf_graph_release(struct tf_graph *graph)
{
	map_release(&graph->by_name);
	map_release(&graph->args);
}

const struct tf_node *tf_graph_node(const struct tf_graph *graph,
				    struct tf_text name)
{
	return map_get_bytes(&graph->by_name, name.at, name.len);
}
