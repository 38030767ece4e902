/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/op_ports.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/tensorflow/attr_value.h"

/* The node's attribute, or the operation's default for it. */
static const struct tf_attr *attr_or_default(const struct tf_op *op,
					     const struct tf_node *node,
					     const struct tf_attrs *env,
					     struct tf_text name)
{
	const struct tf_attr *attr = tf_attrs_find(&node->attrs, name);

	return attr ? attr_resolve(attr, env)
		    : tf_attrs_find(&op->defaults, name);
}

static int port_count(const struct tf_op *op, const struct tf_node *node,
		      const struct tf_attrs *env, const struct tf_arg *port,
		      uint64_t *count)
{
	const struct tf_attr *attr;
	int64_t number;

	*count = 1;
	if (port->number_attr.len > 0) {
		attr = attr_or_default(op, node, env, port->number_attr);
		if (!attr_int(attr, &number) || number < 0 ||
		    number > (int64_t)OP_PORTS_MAX)
			return -EBADMSG;
		*count = (uint64_t)number;
	} else if (port->type_list_attr.len > 0) {
		attr = attr_or_default(op, node, env, port->type_list_attr);
		if (!attr_type_count(attr, count))
			return -EBADMSG;
	}
	return 0;
}

int op_output(const struct tf_op *op, const struct tf_node *node,
	      const struct tf_attrs *env, const struct tf_edge *edge,
	      uint32_t *number)
{
	uint64_t first = 0, count;

	if (!op)
		return -EBADMSG;
	for (size_t i = 0; i < op->output_count; i++) {
		int r = port_count(op, node, env, &op->outputs[i], &count);

		if (r < 0)
			return r;
		if (tf_text_equal(op->outputs[i].name, edge->port)) {
			*number = (uint32_t)(first + edge->index);
			return edge->index < count ? 0 : -EBADMSG;
		}
		first += count;
		if (first > OP_PORTS_MAX)
			return -EBADMSG;
	}
	return -EBADMSG;
}
