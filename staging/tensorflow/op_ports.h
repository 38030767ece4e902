/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/op_ports.h - the outputs of a node by number.  Pure.
 *
 * Within a function an output is "node:port:i", in a GraphDef "node:k".  How
 * many outputs a port has is in the operation's OpDef and in the node's
 * attributes.  The OpDefs a model needs are in its own file
 * (MetaInfoDef.stripped_op_list).
 */
#ifndef STAGING_TENSORFLOW_OP_PORTS_H
#define STAGING_TENSORFLOW_OP_PORTS_H

#include "base/annot.h"
#include "staging/tensorflow/graph_def.h"

/*
 * Number of the output that @edge names.  @env: attributes of the calling
 * node.  -EBADMSG: no such output, or nobody can tell.
 */
int op_output(const struct tf_op *op, const struct tf_node *node,
	      const struct tf_attrs *env, const struct tf_edge *edge,
	      uint32_t *number) MUST_CHECK;

#endif
