/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/graph_build.h - what graph.c and graph_weights.c make graphs
 * of.
 */
#ifndef STAGING_GRAPH_GRAPH_BUILD_H
#define STAGING_GRAPH_GRAPH_BUILD_H

#include "base/annot.h"
#include "staging/graph/graph.h"

/* In the graph's arena; NULL: no memory, which is not noted yet. */
char *graph_name(struct graph *graph, const char *format, ...)
	PRINTF_LIKE(2, 3);

/* A new one, all but its name to be filled; NULL: failed, which is noted. */
struct initializer *graph_initializer(struct graph *graph, const char *name);

size_t shape_elements(struct shape shape);

/* Remembers in @known that @name gives @value; returns it. */
struct value *graph_know(struct graph *graph, struct map *known,
			 const char *name, struct value *value);

#endif
