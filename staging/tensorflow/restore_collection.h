/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/restore_collection.h - variables' names of a model
 * without a saver.
 *
 * For restore_map.c.
 */
#ifndef STAGING_TENSORFLOW_RESTORE_COLLECTION_H
#define STAGING_TENSORFLOW_RESTORE_COLLECTION_H

#include "base/annot.h"
#include "staging/tensorflow/saved_model_parts.h"

/* Notes what the collection "variables" tells. */
int restore_collection(struct saved_model *model,
		       const struct wire_field *meta_graph,
		       struct refusal *why) MUST_CHECK;

/* Of the main graph's node @variable; a second, other one is ambiguous. */
int restore_note(struct saved_model *model, struct tf_text variable,
		 const struct tf_restored *found) MUST_CHECK;

#endif
