/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/op_kinds.h - what a freeze does with an operation.  Pure.
 *
 * Operations that are not named here are taken as they are.  Facts:
 * tensorflow/core/ops/{resource_variable,state,control_flow,functional,
 * array,lookup,dataset,io}_ops.cc.
 */
#ifndef STAGING_TENSORFLOW_OP_KINDS_H
#define STAGING_TENSORFLOW_OP_KINDS_H

#include <stdbool.h>

#include "staging/tensorflow/graph_def.h"
#include "staging/tensorflow/tf_text.h"

enum op_kind {
	OP_PLAIN,
	OP_PASS,       /* output 0 is input 0: StopGradient ... */
	OP_IDENTITY,   /* also that, but control edges may lead from it */
	OP_IDENTITY_N, /* output i is input i */
	OP_DEFAULT,    /* PlaceholderWithDefault */
	OP_PLACEHOLDER,
	OP_HANDLE,	 /* of a variable: VarHandleOp */
	OP_REF_VARIABLE, /* VariableV2: its output is the value */
	OP_READ,	 /* the value of a handle */
	OP_GATHER,	 /* of a handle */
	OP_GATHER_ND,	 /* of a handle */
	OP_SHAPE,	 /* of a handle */
	OP_INITIALIZED,	 /* whether a variable is */
	OP_CALL,	 /* PartitionedCall ... */
	OP_WHILE,	 /* function arguments are the inputs */
	OP_BRANCH,	 /* ... are the inputs but the first: If, Case */
	OP_FLOW,	 /* Switch, Enter, Exit, NextIteration, LoopCond */
	OP_MERGE,	 /* of OP_FLOW; the one that closes a loop */
	OP_WRITE,	 /* changes a variable */
	OP_TABLE,	 /* from here on: not in a file of constants */
	OP_ITERATOR,
	OP_FILE,
	OP_CUSTOM, /* known to no program but the author's */
};

enum op_kind op_kind(struct tf_text op);

/* Switch, Merge and the like: they run by edges, not by values alone. */
static inline bool op_is_flow(enum op_kind kind)
{
	return kind == OP_FLOW || kind == OP_MERGE;
}

/* A control edge from it says in which frame or branch a node runs. */
static inline bool op_pivots(enum op_kind kind)
{
	return op_is_flow(kind) || kind == OP_IDENTITY;
}

/* Cannot be in a frozen graph, whatever its inputs. */
static inline bool op_is_blocked(enum op_kind kind)
{
	return kind >= OP_WRITE;
}

/* "RefSwitch" is "Switch" where variables are constants. */
struct tf_text op_without_ref(struct tf_text op);

/*
 * Whether it gives out something that lives in a session: resources other
 * than a loop's own arrays and stacks, references.  @op may be NULL.
 */
bool op_makes_state(const struct tf_op *op);

/*
 * Whether it may change a variable that it gets; of OP_WRITE that is the
 * first input.  @op NULL: nothing is known of it but its name.
 */
bool op_may_write(enum op_kind kind, const struct tf_op *op);

#endif
