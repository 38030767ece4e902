/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/graph_parse.h - what graph_def.c and function_def.c
 * share.
 */
#ifndef STAGING_TENSORFLOW_GRAPH_PARSE_H
#define STAGING_TENSORFLOW_GRAPH_PARSE_H

#include "staging/tensorflow/graph_def.h"

/* How often @number is there.  False: a record is malformed. */
bool tf_count_field(const struct wire_field *message, uint32_t number,
		    size_t *count) MUST_CHECK;

/* Of two struct tf_attr, by their names; for qsort() and bsearch(). */
int tf_attr_order(const void *a, const void *b);

/* The nodes are the message's fields @number. */
int tf_nodes_parse(struct tf_pool *pool, const struct wire_field *message,
		   uint32_t number, struct tf_graph *graph,
		   struct refusal *why) MUST_CHECK;

#endif
