/* SPDX-License-Identifier: MIT */
#include "staging/models/swin_windows.h"

#include <errno.h>

#include "base/mem.h"
#include "staging/graph/blocks.h"

#define NOT_SEEN -100.0f /* what the library adds to such scores */

/* A map in windows; all lengths in patches. */
struct tiling {
	uint64_t size[2];   /* of the map */
	uint64_t filled[2]; /* multiples of .side */
	uint64_t side, shift;
};

static uint64_t patches(const uint64_t size[2])
{
	return size[0] * size[1];
}

/* Where in the filled and shifted map the patch @at of all windows stands. */
static void place_of(const struct tiling *tiling, uint64_t at,
		     uint64_t place[2])
{
	uint64_t side = tiling->side, area = side * side;
	uint64_t window = at / area, within = at % area;
	uint64_t across = tiling->filled[1] / side;

	place[0] = window / across * side + within / side;
	place[1] = window % across * side + within % side;
}

/* The patch of the map that is there; false: it was filled up. */
static bool source_of(const struct tiling *tiling, const uint64_t place[2],
		      uint64_t *out)
{
	uint64_t from[2];

	for (unsigned int i = 0; i < 2; i++) {
		from[i] = (place[i] + tiling->shift) % tiling->filled[i];
		if (from[i] >= tiling->size[i])
			return false;
	}
	*out = from[0] * tiling->size[1] + from[1];
	return true;
}

static void orders_make(struct emit *emit, const struct tiling *tiling,
			const char *name, struct swin_windows *made)
{
	struct graph *graph = emit->graph;
	uint64_t count = made->count, inner = patches(tiling->size);
	auto_free int64_t *order = mem_array(count, sizeof(*order));
	auto_free int64_t *back = mem_array(inner, sizeof(*back));
	auto_free float *kept = mem_array(count, sizeof(*kept));

	if (!order || !back || !kept) {
		graph_fail(graph, -ENOMEM);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t place[2], source = 0;

		place_of(tiling, i, place);
		if (!source_of(tiling, place, &source))
			continue;
		order[i] = (int64_t)source;
		back[source] = (int64_t)i;
		kept[i] = 1;
	}
	made->order = graph_table(graph, graph_text(graph, "%s_order", name),
				  order, count);
	made->back = graph_table(graph, graph_text(graph, "%s_back", name),
				 back, inner);
	if (count > inner)
		made->kept = graph_float_table(
			graph, graph_text(graph, "%s_kept", name), kept,
			SHAPE(count, 1));
}

/* Patches of one region were beside each other before the shift. */
static unsigned int region_of(const struct tiling *tiling, uint64_t at)
{
	unsigned int region = 0;
	uint64_t place[2];

	place_of(tiling, at, place);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t end = tiling->filled[i];

		region = 3 * region + (place[i] >= end - tiling->side) +
			 (place[i] >= end - tiling->shift);
	}
	return region;
}

static void mask_make(struct emit *emit, const struct tiling *tiling,
		      const char *name, struct windows *windows)
{
	uint64_t area = windows->tokens, count = windows->count * area;
	auto_free float *mask = mem_array(count * area, sizeof(*mask));

	if (!mask) {
		graph_fail(emit->graph, -ENOMEM);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		for (uint64_t j = 0; j < area; j++) {
			uint64_t other = i / area * area + j;

			if (region_of(tiling, i) != region_of(tiling, other))
				mask[i * area + j] = NOT_SEEN;
		}
	windows->mask = graph_float_table(
		emit->graph, graph_text(emit->graph, "%s_mask", name), mask,
		SHAPE(windows->count, 1, area, area));
}

void swin_windows_make(struct emit *emit, const uint64_t size[2], uint64_t side,
		       uint64_t shift, struct swin_windows *made)
{
	struct tiling tiling = { .side = side, .shift = shift };
	const char *name;

	*made = (struct swin_windows){ 0 };
	for (unsigned int i = 0; i < 2; i++) {
		tiling.size[i] = size[i];
		tiling.filled[i] = (size[i] + side - 1) / side * side;
	}
	made->count = patches(tiling.filled);
	made->windows.tokens = side * side;
	made->windows.count = made->count / made->windows.tokens;
	if (made->windows.count == 1 && made->count == patches(size))
		return;
	name = graph_text(emit->graph, "windows_%llu_%llu_%llu",
			  (unsigned long long)size[0],
			  (unsigned long long)size[1],
			  (unsigned long long)shift);
	orders_make(emit, &tiling, name, made);
	if (shift > 0)
		mask_make(emit, &tiling, name, &made->windows);
}

struct value *swin_buckets(struct emit *emit, uint64_t side)
{
	uint64_t area = side * side, across = 2 * side - 1;
	auto_free int64_t *rows = mem_array(area * area, sizeof(*rows));

	if (!rows)
		return graph_fail(emit->graph, -ENOMEM);
	for (uint64_t i = 0; i < area; i++)
		for (uint64_t j = 0; j < area; j++) {
			uint64_t down = i / side + side - 1 - j / side;
			uint64_t right = i % side + side - 1 - j % side;

			rows[i * area + j] = (int64_t)(down * across + right);
		}
	return graph_int_table(emit->graph, "window_buckets", rows,
			       SHAPE(area, area));
}

/* Column by column of the four, as the library joins them. */
static void merged_order(const uint64_t size[2], uint64_t at, int64_t *order,
			 float *kept)
{
	uint64_t across = (size[1] + 1) / 2, of = at / 4, part = at % 4;
	uint64_t row = of / across * 2 + part % 2;
	uint64_t column = of % across * 2 + part / 2;

	if (row >= size[0] || column >= size[1])
		return;
	*order = (int64_t)(row * size[1] + column);
	*kept = 1;
}

struct value *swin_merge(struct emit *emit, struct value *x, uint64_t size[2])
{
	struct graph *graph = emit->graph;
	const uint64_t half[] = { (size[0] + 1) / 2, (size[1] + 1) / 2 };
	uint64_t count = 4 * patches(half), width = x->width;
	auto_free int64_t *order = mem_array(count, sizeof(*order));
	auto_free float *kept = mem_array(count, sizeof(*kept));
	const char *name = graph_text(graph, "merge_%llu_%llu",
				      (unsigned long long)size[0],
				      (unsigned long long)size[1]);
	struct value *which, *filled = NULL;

	if (!order || !kept)
		return graph_fail(graph, -ENOMEM);
	for (uint64_t i = 0; i < count; i++)
		merged_order(size, i, &order[i], &kept[i]);
	which = graph_table(graph, graph_text(graph, "%s_order", name), order,
			    count);
	if (count > patches(size))
		filled = graph_float_table(graph,
					   graph_text(graph, "%s_kept", name),
					   kept, SHAPE(count, 1));
	x = emit->sheet.form->pick(&emit->sheet, x, which, filled, count);
	x = block_rows_of(&emit->sheet, x, 4 * width);
	size[0] = half[0];
	size[1] = half[1];
	return sheet_regroup(&emit->sheet, x, count / 4);
}
