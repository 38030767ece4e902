/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/rewrite.h - what stands for a node in the frozen graph.
 *
 * Mostly the node itself without its private attributes ("_class" ...).
 * What takes a variable's handle becomes what takes its value: ResourceGather
 * is GatherV2, ResourceGatherNd is GatherNd, VariableShape a constant or
 * Shape, ReadVariableOp Identity; Switch, Enter and the like hand the value
 * on; functions of While, If and Case are asked for in a form that takes
 * values.  Facts: tensorflow/core/ops/resource_variable_ops.cc,
 * array_ops.cc, functional_ops.cc.
 */
#ifndef STAGING_TENSORFLOW_REWRITE_H
#define STAGING_TENSORFLOW_REWRITE_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/*
 * Fills frame->instance's .out and .carries; every input is known, those of
 * a loop perhaps not done.  What cannot be done goes to the blockers.
 */
int rewrite_node(struct tf_freeze *freeze,
		 const struct tf_frame *frame) MUST_CHECK;

#endif
