/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/rewrite_attrs.h - the attributes of a rewritten node.
 *
 * For rewrite.c.
 */
#ifndef STAGING_TENSORFLOW_REWRITE_ATTRS_H
#define STAGING_TENSORFLOW_REWRITE_ATTRS_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

#define REWRITE_ATTRS_MORE 4 /* most that a rewritten node gets anew */

/* A node being rewritten. */
struct rewrite {
	struct tf_freeze *freeze;
	struct tf_instance *instance;
	enum op_kind kind;
	size_t skip;  /* inputs before those of the functions it runs */
	int *handles; /* of each data input: dtype of the variable, or 0 */
	bool any;     /* there is one */
	struct tf_variable *variable; /* the last one that came directly */
};

/* Appends @attr to the node's. */
int rewrite_put(struct rewrite *rewrite, const struct tf_attr *attr) MUST_CHECK;

/*
 * Copies all of the original's but for the private ones; those of the names
 * in @changed from there; functions by the names they get in the library.
 */
int rewrite_copy(struct rewrite *rewrite, const struct tf_attr *changed,
		 size_t changed_count) MUST_CHECK;

/*
 * A While's output_shapes: where a handle was, whose shape is that of a
 * scalar, any shape.  Counts it in @count if there is one.
 */
int rewrite_shapes(struct rewrite *rewrite, struct tf_attr *out,
		   size_t *count) MUST_CHECK;

/* The name in the library of a function that the node runs. */
int rewrite_function(struct rewrite *rewrite,
		     const struct tf_function_ref *function, bool loops,
		     struct tf_text *name) MUST_CHECK;

#endif
