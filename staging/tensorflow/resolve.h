/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/resolve.h - from an output back to all it needs.
 *
 * A depth-first walk with its own stack: graphs are thousands of nodes deep.
 * A node is put on its body's list after its inputs.  Only a loop, which
 * has a Merge, may lead back to a node that is not done.
 */
#ifndef STAGING_TENSORFLOW_RESOLVE_H
#define STAGING_TENSORFLOW_RESOLVE_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/*
 * What @ref in @scope, a root, is in the frozen graph; all that it needs is
 * made.  Nodes that cannot be frozen are noted in freeze->blockers.
 */
int resolve_value(struct tf_freeze *freeze, struct tf_scope *scope,
		  struct tf_text ref, struct tf_value *out) MUST_CHECK;

#endif
