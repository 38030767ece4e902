/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/variables.h - variables as constants.
 *
 * A variable's tensor in the checkpoint must have the type the graph says,
 * and its shape as far as the graph says one.  A part of a partitioned
 * variable is the one stored slice that is just that part.
 */
#ifndef STAGING_TENSORFLOW_VARIABLES_H
#define STAGING_TENSORFLOW_VARIABLES_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/*
 * The variable of the main graph's @node.  -EBADMSG: it is not restored, or
 * the checkpoint does not fit; the pool's errors.
 */
int variable_of(struct tf_freeze *freeze, const struct tf_node *node,
		struct tf_variable **out) MUST_CHECK;

/* Its constant, made on first use; not on the main graph's list. */
int variable_constant(struct tf_freeze *freeze, struct tf_variable *variable,
		      struct tf_out **out) MUST_CHECK;

/*
 * The main graph's node that a VarHandleOp within a function means by its
 * shared_name; NULL: none.
 */
const struct tf_node *variable_shared(const struct tf_freeze *freeze,
				      const struct tf_node *node);

#endif
