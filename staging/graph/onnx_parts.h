/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/onnx_parts.h - the messages within an ONNX graph.
 *
 * For onnx_writer.c, which has the facts' sources; where the elements of an
 * initializer lie is the same in every format.
 */
#ifndef STAGING_GRAPH_ONNX_PARTS_H
#define STAGING_GRAPH_ONNX_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"
#include "staging/graph/graph.h"
#include "staging/plan.h"

/* An initializer with its place. */
struct onnx_tensor {
	const struct initializer *from;
	size_t number;	      /* in order of making */
	const char *external; /* name of its data file, borrowed; or NULL */
	uint64_t off;	      /* in that */
};

/*
 * All initializers of @graph, generated ones first, then weights in the order
 * of their bytes in the files; the caller frees *@out.  -ENOMEM.
 */
int onnx_tensors_sort(const struct graph *graph,
		      struct onnx_tensor **out) MUST_CHECK;

/* Append the contents of a NodeProto, a ValueInfoProto. */
int onnx_node(struct str *out, const struct node *node) MUST_CHECK;
int onnx_port(struct str *out, const struct port *port) MUST_CHECK;

/* Bytes of the tensor's elements as they are staged. */
uint64_t onnx_tensor_bytes(const struct onnx_tensor *tensor);

/* Bytes of the whole TensorProto. */
uint64_t onnx_tensor_len(const struct onnx_tensor *tensor);

/* Appends a TensorProto but for the bytes of raw_data, which end it. */
int onnx_tensor_head(struct str *out,
		     const struct onnx_tensor *tensor) MUST_CHECK;

/* Adds the tensor's bytes, as they are read, to @plan. */
int onnx_tensor_splice(struct plan *plan, const struct weights *weights,
		       const struct onnx_tensor *tensor) MUST_CHECK;

/* Whether both are weights made of the same bytes. */
bool onnx_tensor_same_bytes(const struct onnx_tensor *a,
			    const struct onnx_tensor *b);

#endif
