/* SPDX-License-Identifier: MIT */
#include "staging/graph/past_rows.h"

#include <errno.h>

#include "staging/graph/blocks.h"

struct value *past_rows_with(struct sheet *sheet, struct value *before,
			     unsigned int head, struct value *rows)
{
	uint64_t width = rows->width;

	before = block_slice(sheet, before, head, head + 1, 1);
	before = block_rows_of(sheet, before, width);
	return graph_node(sheet->graph, "Concat", INPUTS(before, rows),
			  ATTRS(attr_int("axis", 0)));
}

static struct value *as_head(struct sheet *sheet, struct value *rows)
{
	struct graph *graph = sheet->graph;
	int64_t width = (int64_t)rows->width;
	struct value *out = graph_node(
		graph, "Reshape", INPUTS(rows, INTS(graph, 1, 1, -1, width)),
		NO_ATTRS);

	out->rank = 4;
	return out;
}

struct value *past_of_rows(struct sheet *sheet, struct value *const *rows,
			   size_t heads)
{
	struct graph *graph = sheet->graph;
	struct value **list = arena_alloc(&graph->arena, heads * sizeof(*list));

	if (!list)
		return graph_fail(graph, -ENOMEM);
	for (size_t i = 0; i < heads; i++)
		list[i] = as_head(sheet, rows[i]);
	if (heads == 1)
		return list[0];
	return graph_node(graph, "Concat", list, heads,
			  ATTRS(attr_int("axis", 1)));
}
