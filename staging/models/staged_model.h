/* SPDX-License-Identifier: MIT */
/*
 * staging/models/staged_model.h - from a finished graph to what is handed
 * out of it.
 */
#ifndef STAGING_MODELS_STAGED_MODEL_H
#define STAGING_MODELS_STAGED_MODEL_H

#include "base/annot.h"
#include "staging/graph/onnx_writer.h"
#include "staging/models.h"

/*
 * Fills the plans and the values of @model and adds the graph's nodes to
 * .node_count.  @records, or NULL: spliced into the graph.  On failure what
 * was made is @model's still.  -EBADMSG: refused, into graph->why; -EFBIG;
 * -ENOMEM.
 */
int staged_model_fill(struct staged_model *model, const struct graph *graph,
		      const struct onnx_records *records,
		      const struct weights *weights, enum stage_form form,
		      enum model_part part) MUST_CHECK;

/* The same as a frozen GraphDef. */
int staged_model_graphdef(struct staged_model *model, const struct graph *graph,
			  const struct weights *weights,
			  enum stage_form form) MUST_CHECK;

#endif
