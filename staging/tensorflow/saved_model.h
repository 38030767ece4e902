/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/saved_model.h - saved_model.pb, parsed.  Pure.
 *
 * A SavedModel holds one or more meta graphs; the one for inference is
 * taken: tagged {serve} exactly, else one with serve among its tags, else
 * one without tags (a TF1 hub module), else the only one there is.  Facts:
 * tensorflow/core/protobuf/{saved_model,meta_graph,saver}.proto.
 *
 * A struct saved_model is immutable and safe from any thread.
 */
#ifndef STAGING_TENSORFLOW_SAVED_MODEL_H
#define STAGING_TENSORFLOW_SAVED_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"

struct saved_model;

/*
 * Takes @bytes (of mem_alloc()), also on failure, and keeps them.
 * -EBADMSG: refused, and @why (if not NULL) says why; -EFBIG: more nodes
 * than base/limits.h allows; -ENOMEM.
 */
int saved_model_parse(uint8_t *bytes, size_t len, struct saved_model **out,
		      struct refusal *why) MUST_CHECK;
void saved_model_free(struct saved_model *model);
DEFINE_AUTO_PTR(saved_model, struct saved_model, saved_model_free)
#define auto_saved_model auto_of(saved_model)

/* The signatures, sorted by name; the names live as long as @model. */
size_t saved_model_signature_count(const struct saved_model *model);
const char *saved_model_signature(const struct saved_model *model, size_t i);

/*
 * serving_default, else default (TF1 hub modules), else the first that does
 * not begin with "__".  NULL: none, the model cannot be staged.
 */
const char *saved_model_default_signature(const struct saved_model *model);

#endif
