/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/onnx_writer.h - a graph as an ONNX file, planned.
 *
 * Facts: onnx/onnx.proto3 (fields and numbers), docs/IR.md, docs/Versioning.md
 * (operator set 13 goes with IR 7), docs/ExternalData.md, onnx/checker.cc
 * (a message of at most 2^31 - 1 bytes).
 *
 * Constants come first, then the weights in the order of their bytes in the
 * files, so that who reads the staged file front to back reads each weight
 * file front to back.  The bytes of a tensor end its message, so they are a
 * range of the weight file, spliced in.
 */
#ifndef STAGING_GRAPH_ONNX_WRITER_H
#define STAGING_GRAPH_ONNX_WRITER_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/str.h"
#include "staging/graph/graph.h"
#include "staging/plan.h"

/*
 * Records of the GraphProto that are not in the graph and are spliced in as
 * they are; each a run of whole records, or empty.
 */
struct onnx_records {
	const struct str *nodes;	/* after the graph's */
	const struct str *initializers; /* before the graph's */
};

struct onnx_layout {
	uint64_t inline_max;   /* bytes; above it weights go to a second file */
	bool external_allowed; /* else above it is -EFBIG */
	const char *data_name; /* of the second file, which lies beside */
	const struct onnx_records *records; /* or NULL */
};

/*
 * Plans the file; *@data is NULL where all is in one.  The graph has no
 * error.  On failure neither is set.  -EFBIG; -ENOMEM; -EBADMSG.
 */
int onnx_write(const struct graph *graph, const struct weights *weights,
	       const struct onnx_layout *layout, struct plan **onnx,
	       struct plan **data) MUST_CHECK;

#endif
