/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/library.h - the functions that a frozen graph keeps.
 *
 * While, If and Case name functions.  One is made for each function and the
 * arguments in which it gets a variable's value where it took a handle;
 * within it calls are inlined as in the main graph.
 */
#ifndef STAGING_TENSORFLOW_LIBRARY_H
#define STAGING_TENSORFLOW_LIBRARY_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/* What is asked of a function. */
struct library_request {
	struct tf_body *caller;
	const struct tf_node *node; /* that names the function, in .scope */
	struct tf_scope *scope;
	struct tf_function_ref function; /* attributes resolved */
	/* Of each argument: dtype of the variable whose value it is, or 0. */
	const int *handles;
	size_t handle_count;
	bool loops; /* a While's body: must return what it takes */
};

/* The function's name in the frozen graph.  -EBADMSG, the pool's errors. */
int library_request(struct tf_freeze *freeze,
		    const struct library_request *request,
		    struct tf_text *name) MUST_CHECK;

/*
 * Makes all functions that were asked for, and those that they ask for.
 * -EBADMSG: one cannot be, or calls itself.
 */
int library_build(struct tf_freeze *freeze) MUST_CHECK;

#endif
