/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/graphdef_writer.h - a graph as a frozen TensorFlow GraphDef,
 * planned.
 *
 * Facts: tensorflow/core/framework/graph.proto and node_def.proto; transformers
 * 4.46, modeling_tf_utils.py (input_signature, serving_output) for what ports
 * are called and of which type they are.
 *
 * Weights are Const nodes, first and in the order of their bytes in the
 * files; their elements end the node, so they are a range of the weight file,
 * spliced in.  Then come the other nodes, each after its inputs.
 *
 * An input is a Placeholder of its name; ids, int64 in ONNX, are int32 there,
 * as in a serving signature.  An Identity stands behind each: Deeplearning4j
 * reads some operations wrongly that take a Placeholder.  An output is an
 * Identity of its name.  What else is called so gets another name.
 */
#ifndef STAGING_GRAPH_GRAPHDEF_WRITER_H
#define STAGING_GRAPH_GRAPHDEF_WRITER_H

#include <stddef.h>

#include "base/annot.h"
#include "staging/graph/graph.h"
#include "staging/plan.h"
#include "staging/staging.h"

/*
 * Plans the file; *@node_count: nodes but for the weights.  The graph has no
 * error.  On failure *@out is not set.  -EBADMSG: refused, @why (or NULL)
 * says so: "unsupported-operator", "type-mismatch", "port-name", "too-large".
 * Else -EFBIG, -ENOMEM.
 */
int graphdef_write(const struct graph *graph, const struct weights *weights,
		   enum stage_form form, struct plan **out, size_t *node_count,
		   struct refusal *why) MUST_CHECK;

/* The type that an input of @type has there. */
enum onnx_type graphdef_port_type(enum onnx_type type);

#endif
