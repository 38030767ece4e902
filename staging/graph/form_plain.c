/* SPDX-License-Identifier: MIT */
#include "staging/graph/form_plain.h"

#include "staging/graph/blocks.h"
#include "staging/graph/form_windows.h"

static struct value *declare(struct sheet *sheet, const char *name,
			     enum onnx_type type, uint64_t width)
{
	struct sequence *sequence = sheet->sequence;
	const struct dim dims[] = { sequence->batch,
				    sequence->tokens,
				    { .size = width } };
	struct value *input = graph_input(sheet->graph, name, type, dims,
					  width > 0 ? 3 : 2);

	input->sequence = sequence;
	if (!sequence->like)
		sequence->like = input;
	return input;
}

static struct value *plain_ids(struct sheet *sheet, const char *name)
{
	return declare(sheet, name, ONNX_INT64, 0);
}

static struct value *plain_rows(struct sheet *sheet, struct value *x)
{
	return block_rows_of(sheet, x, x->width);
}

static struct value *plain_states(struct sheet *sheet, const char *name,
				  uint64_t width)
{
	return plain_rows(sheet, declare(sheet, name, ONNX_FLOAT, width));
}

struct value *plain_shape(struct sheet *sheet, struct sequence *sequence,
			  const int64_t *tail, size_t count)
{
	struct graph *graph = sheet->graph;
	int64_t ints[4] = { -1 };

	if (sequence && !sequence->tokens.param) {
		ints[1] = (int64_t)sequence->tokens.size;
		for (size_t i = 0; i < count; i++)
			ints[2 + i] = tail[i];
		return graph_ints(graph, ints, 2 + count);
	}
	return graph_node(graph, "Concat",
			  INPUTS(sequence_shape(sheet, sequence),
				 graph_ints(graph, tail, count)),
			  ATTRS(attr_int("axis", 0)));
}

/* Rows as [batch, tokens, width]. */
static struct value *batched(struct sheet *sheet, struct value *x)
{
	const int64_t tail = (int64_t)x->width;
	struct value *out;

	out = graph_node(sheet->graph, "Reshape",
			 INPUTS(x, plain_shape(sheet, x->sequence, &tail, 1)),
			 NO_ATTRS);
	out->rank = 3;
	return out;
}

static struct value *plain_seen(struct sheet *sheet, const char *name)
{
	struct graph *graph = sheet->graph;
	struct value *mask = plain_ids(sheet, name);

	mask = graph_node(graph, "Unsqueeze", INPUTS(mask, INTS(graph, 1, 2)),
			  NO_ATTRS);
	mask->rank = 4;
	sheet->seen = graph_node(graph, "Cast", INPUTS(mask),
				 ATTRS(attr_int("to", ONNX_FLOAT)));
	return sheet->seen;
}

static struct value *plain_mask(struct sheet *sheet, const char *name)
{
	return block_masked(sheet, plain_seen(sheet, name));
}

static struct value *plain_linear(struct sheet *sheet, struct value *x,
				  struct value *weight, struct value *bias)
{
	struct value *const inputs[] = { x, weight, bias };
	struct value *out;

	out = graph_node(sheet->graph, "Gemm", inputs, bias ? 3 : 2,
			 ATTRS(attr_float("alpha", 1), attr_float("beta", 1),
			       attr_int("transA", 0),
			       attr_int("transB", !weight->transposed)));
	out->width = weight->rows;
	return out;
}

static struct value *plain_tokens(struct sheet *sheet, struct value *map,
				  uint64_t channels, const char *name,
				  uint64_t count)
{
	struct graph *graph = sheet->graph;
	struct dim tokens = { .param = count ? NULL : name, .size = count };
	struct sequence *sequence;
	struct value *x;

	x = graph_node(graph, "Reshape",
		       INPUTS(map, INTS(graph, 0, (int64_t)channels, -1)),
		       NO_ATTRS);
	x->rank = 3;
	x = graph_node(graph, "Transpose", INPUTS(x),
		       ATTRS(attr_ints("perm", 0, 2, 1)));
	x->width = channels;
	sequence = sheet_sequence_of(sheet, x, 1, sheet_batch(sheet), tokens);
	if (sequence)
		sequence->map = map;
	return plain_rows(sheet, x);
}

static struct value *plain_map(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;
	struct value *shape = sequence_map_shape(sheet, x->sequence, x->width);
	struct value *out;

	out = graph_node(graph, "Transpose", INPUTS(batched(sheet, x)),
			 ATTRS(attr_ints("perm", 0, 2, 1)));
	out = graph_node(graph, "Reshape", INPUTS(out, shape), NO_ATTRS);
	out->rank = 4;
	out->channels = x->width;
	out->width = 0;
	out->sequence = NULL;
	return out;
}

static struct value *plain_resize(struct sheet *sheet, struct value *x,
				  struct value *like)
{
	struct value *sizes = block_unary(sheet, "Shape", like);

	sizes->rank = 1;
	return graph_node(
		sheet->graph, "Resize", INPUTS(x, NULL, NULL, sizes),
		ATTRS(attr_text("coordinate_transformation_mode", "half_pixel"),
		      attr_text("mode", "linear")));
}

static struct value *plain_waveform(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;

	x = graph_node(graph, "Unsqueeze", INPUTS(x, INTS(graph, 1, 2)),
		       NO_ATTRS);
	x->rank = 4;
	x->channels = 1;
	return x;
}

static struct value *plain_prepend(struct sheet *sheet, struct value *x,
				   struct value *table)
{
	struct graph *graph = sheet->graph;
	const struct sequence *from = x->sequence;
	int64_t width = (int64_t)x->width, count = (int64_t)table->rows;
	struct value *batch, *shape;

	x = batched(sheet, x);
	if (graph->error < 0)
		return &graph->nowhere;
	batch = graph_node(graph, "Shape", INPUTS(x), NO_ATTRS);
	batch->rank = 1;
	batch = block_slice(sheet, batch, 0, 1, 0);
	shape = graph_node(graph, "Concat",
			   INPUTS(batch, INTS(graph, count, width)),
			   ATTRS(attr_int("axis", 0)));
	table = graph_node(graph, "Expand",
			   INPUTS(graph_straight(graph, table), shape),
			   NO_ATTRS);
	x = graph_node(graph, "Concat", INPUTS(table, x),
		       ATTRS(attr_int("axis", 1)));
	x->rank = 3;
	sheet_sequence_more(sheet, x, 1, from, (int)count);
	return plain_rows(sheet, x);
}

static struct value *plain_add_each(struct sheet *sheet, struct value *x,
				    struct value *table)
{
	table = graph_straight(sheet->graph, table);
	return plain_rows(sheet, block_add(sheet, batched(sheet, x), table));
}

static struct value *plain_pick(struct sheet *sheet, struct value *x,
				struct value *which, struct value *kept,
				uint64_t count)
{
	struct graph *graph = sheet->graph;
	const struct sequence *from = x->sequence;

	x = graph_node(graph, "Gather", INPUTS(batched(sheet, x), which),
		       ATTRS(attr_int("axis", 1)));
	if (kept)
		x = block_mul(sheet, x, kept);
	if (graph->error < 0)
		return &graph->nowhere;
	sheet_sequence_of(sheet, x, 1, from->batch,
			  (struct dim){ .size = count });
	return plain_rows(sheet, x);
}

static struct value *plain_drop(struct sheet *sheet, struct value *x,
				uint64_t count)
{
	struct graph *graph = sheet->graph;
	const struct sequence *from = x->sequence;

	x = block_slice(sheet, batched(sheet, x), (int64_t)count, INT32_MAX, 1);
	if (graph->error < 0)
		return &graph->nowhere;
	sheet_sequence_more(sheet, x, 1, from, -(int)count);
	return plain_rows(sheet, x);
}

static struct value *plain_token(struct sheet *sheet, struct value *x,
				 uint64_t number)
{
	uint64_t width = x->width;
	int64_t at = (int64_t)number;

	x = block_slice(sheet, batched(sheet, x), at, at + 1, 1);
	return block_rows_of(sheet, x, width);
}

static struct value *plain_last(struct sheet *sheet, struct value *x)
{
	uint64_t width = x->width;

	x = block_slice(sheet, batched(sheet, x), -1, INT32_MAX, 1);
	return block_rows_of(sheet, x, width);
}

static struct value *reduced(struct sheet *sheet, const char *op,
			     struct value *x)
{
	struct value *out;

	out = graph_node(sheet->graph, op, INPUTS(batched(sheet, x)),
			 ATTRS(attr_ints("axes", 1), attr_int("keepdims", 0)));
	out->rank = 2;
	return out;
}

static struct value *plain_mean(struct sheet *sheet, struct value *x)
{
	return reduced(sheet, "ReduceMean", x);
}

static struct value *plain_highest(struct sheet *sheet, struct value *x)
{
	return reduced(sheet, "ReduceMax", x);
}

static struct value *plain_weigh(struct sheet *sheet, struct value *x,
				 struct value *weights)
{
	struct graph *graph = sheet->graph;
	uint64_t width = x->width;

	weights = graph_node(graph, "Unsqueeze",
			     INPUTS(weights, INTS(graph, 1)), NO_ATTRS);
	weights->rank = 3;
	x = graph_node(sheet->graph, "MatMul",
		       INPUTS(weights, batched(sheet, x)), NO_ATTRS);
	return block_rows_of(sheet, x, width);
}

static void plain_output_tokens(struct sheet *sheet, struct value *x,
				const char *name)
{
	const struct sequence *sequence = x->sequence;

	x = batched(sheet, x);
	if (sheet->graph->error == 0)
		graph_output(sheet->graph, x, name,
			     (const struct dim[]){ sequence->batch,
						   sequence->tokens,
						   { .size = x->width } },
			     3);
}

static void plain_output_column(struct sheet *sheet, struct value *x,
				unsigned int column, const char *name)
{
	struct sequence *sequence = x->sequence;

	if (x->width > 1)
		x = block_slice(sheet, x, column, column + 1, 1);
	x = graph_node(sheet->graph, "Reshape",
		       INPUTS(x, sequence_shape(sheet, sequence)), NO_ATTRS);
	if (sheet->graph->error == 0)
		graph_output(sheet->graph, x, name,
			     (const struct dim[]){ sequence->batch,
						   sequence->tokens },
			     2);
}

static void plain_output_each(struct sheet *sheet, struct value *x,
			      const char *name)
{
	struct dim dims[] = { { 0 }, { .size = x->width } };

	sheet_output(sheet, x, name, dims, 2);
}

const struct form form_plain = {
	.name = "plain",
	.is_batched = true,
	.batch = { .param = "batch_size" },
	.ids = plain_ids,
	.states = plain_states,
	.rows = plain_rows,
	.seen = plain_seen,
	.mask = plain_mask,
	.linear = plain_linear,
	.attention = plain_attention,
	.windowed = plain_windowed,
	.relative_bias = plain_relative_bias,
	.picked_products = plain_picked_products,
	.over_heads = plain_over_heads,
	.tokens = plain_tokens,
	.map = plain_map,
	.resize = plain_resize,
	.waveform = plain_waveform,
	.prepend = plain_prepend,
	.add_each = plain_add_each,
	.pick = plain_pick,
	.drop = plain_drop,
	.token = plain_token,
	.last = plain_last,
	.mean = plain_mean,
	.highest = plain_highest,
	.weigh = plain_weigh,
	.output_tokens = plain_output_tokens,
	.output_column = plain_output_column,
	.output_each = plain_output_each,
};
