/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/restore_map.h - which variable is which tensor of the
 * checkpoint.
 *
 * The op that every loader runs (SaverDef.restore_op_name) is followed: its
 * assignments say which variable gets which output of RestoreV2, whose
 * constants say names and slices.  That is so for TF1 graphs and for the
 * functions of TF2.  Without a saver (some TF1 hub modules) the collection
 * "variables" tells the names; VariableDef is in
 * tensorflow/core/framework/variable.proto.
 */
#ifndef STAGING_TENSORFLOW_RESTORE_MAP_H
#define STAGING_TENSORFLOW_RESTORE_MAP_H

#include "base/annot.h"
#include "staging/tensorflow/saved_model_parts.h"

/* Fills .restored and .has_saver.  Errors as saved_model_parse(). */
int restore_map_build(struct saved_model *model,
		      const struct wire_field *meta_graph,
		      struct refusal *why) MUST_CHECK;

#endif
