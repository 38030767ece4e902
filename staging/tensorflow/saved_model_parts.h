/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/saved_model_parts.h - what is in a struct saved_model.
 *
 * For the files of this folder.
 */
#ifndef STAGING_TENSORFLOW_SAVED_MODEL_PARTS_H
#define STAGING_TENSORFLOW_SAVED_MODEL_PARTS_H

#include "base/map.h"
#include "staging/tensorflow/graph_def.h"
#include "staging/tensorflow/saved_model.h"

/* A tensor that a signature names. */
struct tf_port {
	struct tf_text key;
	struct tf_text tensor; /* "node:1"; empty: composite or sparse */
	int dtype;
	struct tf_text shape; /* a TensorShapeProto; .at NULL: not said */
};

struct tf_signature {
	struct tf_text key;	/* NUL-terminated, in the pool */
	struct tf_port *inputs; /* in order of their keys */
	size_t input_count;
	struct tf_port *outputs; /* the same */
	size_t output_count;
};

/* Where a variable's value comes from (restore_map.h). */
struct tf_restored {
	struct tf_text key;   /* in the checkpoint */
	struct tf_text slice; /* "10 7 0,4:0,7"; empty: the whole */
	bool ambiguous;	      /* two different ones were found */
};

struct saved_model {
	uint8_t *bytes; /* owned */
	size_t len;
	struct tf_pool pool;
	struct tf_graph main;
	struct tf_text versions; /* a VersionDef; .at NULL: not said */
	struct tf_graph *functions;
	size_t function_count;
	struct map by_function; /* name -> struct tf_graph * */
	struct tf_op *ops;
	size_t op_count;
	struct map by_op; /* name -> struct tf_op * */
	struct tf_signature *signatures;
	size_t signature_count;
	bool has_saver;	     /* .restored is all that is restored */
	struct map restored; /* main graph's node -> struct tf_restored * */
};

/* NULL: not there. */
static inline const struct tf_graph *model_function(
	const struct saved_model *model, struct tf_text name)
{
	return map_get_bytes(&model->by_function, name.at, name.len);
}

static inline const struct tf_op *model_op(const struct saved_model *model,
					   struct tf_text name)
{
	return map_get_bytes(&model->by_op, name.at, name.len);
}

/* NULL: not there. */
const struct tf_signature *model_signature(const struct saved_model *model,
					   const char *name);

/* Fills .signatures of the MetaGraphDef.  Errors as saved_model_parse(). */
int signatures_parse(struct saved_model *model,
		     const struct wire_field *meta_graph,
		     struct refusal *why) MUST_CHECK;

#endif
