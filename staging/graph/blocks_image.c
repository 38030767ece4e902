/* SPDX-License-Identifier: MIT */
#include "staging/graph/blocks_image.h"

#include "staging/graph/blocks.h"

/* Two numbers for an attribute, or four of a begin and an end. */
#define PAIR(key, of) attr_ints((key), (int64_t)(of)[0], (int64_t)(of)[1])
#define QUAD(key, a, b)                                                     \
	attr_ints((key), (int64_t)(a)[0], (int64_t)(a)[1], (int64_t)(b)[0], \
		  (int64_t)(b)[1])

struct value *block_conv(struct sheet *sheet, struct value *x,
			 const struct conv *conv)
{
	struct value *const inputs[] = { x, conv->weight, conv->bias };
	struct value *out;

	out = graph_node(sheet->graph, "Conv", inputs, conv->bias ? 3 : 2,
			 ATTRS(PAIR("kernel_shape", conv->kernel),
			       PAIR("strides", conv->stride),
			       QUAD("pads", conv->pad, conv->after),
			       PAIR("dilations", conv->dilation),
			       attr_int("group", (int64_t)conv->groups)));
	out->rank = 4;
	out->width = 0;
	out->sequence = NULL;
	return out;
}

struct value *block_batch_norm(struct sheet *sheet, struct value *x,
			       const struct batch_norm *norm)
{
	return graph_node(sheet->graph, "BatchNormalization",
			  INPUTS(x, norm->scale, norm->bias, norm->mean,
				 norm->variance),
			  ATTRS(attr_float("epsilon", (float)norm->eps)));
}

struct value *block_max_pool(struct sheet *sheet, struct value *x,
			     uint64_t kernel, uint64_t stride, uint64_t pad)
{
	const uint64_t kernels[] = { kernel, kernel };
	const uint64_t strides[] = { stride, stride };
	const uint64_t pads[] = { pad, pad };

	return graph_node(sheet->graph, "MaxPool", INPUTS(x),
			  ATTRS(PAIR("kernel_shape", kernels),
				PAIR("strides", strides),
				QUAD("pads", pads, pads)));
}

struct value *block_map_pool(struct sheet *sheet, struct value *x)
{
	return graph_node(sheet->graph, "ReduceMean", INPUTS(x),
			  ATTRS(attr_ints("axes", 2, 3),
				attr_int("keepdims", 1)));
}

struct value *block_map_mean(struct sheet *sheet, struct value *x,
			     uint64_t channels)
{
	return block_rows_of(sheet, block_map_pool(sheet, x), channels);
}

struct value *block_map_average(struct sheet *sheet, struct value *x,
				unsigned int axis)
{
	return graph_node(sheet->graph, "ReduceMean", INPUTS(x),
			  ATTRS(attr_ints("axes", axis),
				attr_int("keepdims", 1)));
}

struct value *block_map_length(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;

	x = graph_node(graph, "ReduceSum",
		       INPUTS(block_mul(sheet, x, x), INTS(graph, 2, 3)),
		       ATTRS(attr_int("keepdims", 1)));
	return block_unary(sheet, "Sqrt", x);
}

struct value *block_map_norm(struct sheet *sheet, struct value *x,
			     unsigned int axis, struct value *scale,
			     struct value *bias, double eps)
{
	struct value *centred = block_sub(sheet, x,
					  block_map_average(sheet, x, axis));
	struct value *spread = block_mul(sheet, centred, centred);

	spread = block_map_average(sheet, spread, axis);
	spread = block_add(sheet, spread, block_number(sheet, eps));
	x = block_div(sheet, centred, block_unary(sheet, "Sqrt", spread));
	return block_add(sheet, block_mul(sheet, x, scale), bias);
}

struct value *block_insert_axis(struct sheet *sheet, struct value *x,
				unsigned int axis)
{
	struct value *out = graph_node(sheet->graph, "Unsqueeze",
				       INPUTS(x, INTS(sheet->graph, axis)),
				       NO_ATTRS);

	out->rank = x->rank + 1;
	return out;
}
