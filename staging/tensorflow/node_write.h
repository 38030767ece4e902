/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/node_write.h - NodeDef and FunctionDef, written.
 *
 * For freeze_write.c.
 */
#ifndef STAGING_TENSORFLOW_NODE_WRITE_H
#define STAGING_TENSORFLOW_NODE_WRITE_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/* Where bytes go: to the text, and with it to a plan if there is one. */
struct sink {
	struct tf_freeze *freeze;
	struct str text;
	struct plan *plan; /* NULL: everything stays in .text */
};

void sink_init(struct sink *sink, struct tf_freeze *freeze, struct plan *plan);
void sink_release(struct sink *sink);
DEFINE_AUTO(sink, struct sink, sink_release)

/* The text becomes bytes of the plan. */
int sink_flush(struct sink *sink) MUST_CHECK;

/* A node as field @number.  @in_function: names as a FunctionDef has them. */
int node_write(struct sink *sink, uint32_t number, const struct tf_out *out,
	       bool in_function) MUST_CHECK;

/* The contents of a FunctionDef; @sink has no plan. */
int function_write(struct sink *sink, const struct tf_body *body) MUST_CHECK;

#endif
