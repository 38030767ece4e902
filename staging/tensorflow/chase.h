/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/chase.h - what one input of a node is.
 *
 * Goes back through what only hands a value on: arguments, calls,
 * identities, defaults of placeholders, reads of variables.  In a graph with
 * control flow by edges, identities and reads stay nodes, since a control
 * edge may lead from them or place them in a branch.
 */
#ifndef STAGING_TENSORFLOW_CHASE_H
#define STAGING_TENSORFLOW_CHASE_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/*
 * @ref of a node in @scope; @scope is a root of @body or inside one.
 * VALUE_NODE of an instance that is STATE_NEW has no .out yet.
 * -EBADMSG: it leads nowhere, or to a variable that is not restored.
 */
int chase_value(struct tf_freeze *freeze, struct tf_scope *scope,
		struct tf_text ref, struct tf_value *out) MUST_CHECK;

/* @node of @scope itself, for a control edge. */
int chase_node(struct tf_freeze *freeze, struct tf_scope *scope,
	       const struct tf_node *node, struct tf_value *out) MUST_CHECK;

#endif
