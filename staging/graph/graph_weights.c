/* SPDX-License-Identifier: MIT */
/* The tensors of the original files as initializers. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/graph_build.h"

static int weight_check(struct graph *graph, const struct tensor *tensor,
			enum onnx_type type)
{
	if (type == ONNX_FLOAT && !dtype_is_float(tensor->dtype))
		return refuse(graph->why, "unsupported-dtype", tensor->name,
			      "the tensor %s is %s, not floating point",
			      tensor->name, dtype_name(tensor->dtype));
	if (type != ONNX_FLOAT && onnx_type_of(tensor->dtype) != type)
		return refuse(graph->why, "unsupported-dtype", tensor->name,
			      "the tensor %s is %s, not %s", tensor->name,
			      dtype_name(tensor->dtype), onnx_type_name(type));
	if (tensor->strided)
		return refuse(graph->why, "unsupported-layout", tensor->name,
			      "the bytes of the tensor %s lie in an order "
			      "that cannot be read as it is",
			      tensor->name);
	if (tensor->len == 0)
		return refuse(graph->why, "empty-tensor", tensor->name,
			      "the tensor %s has no elements", tensor->name);
	return 0;
}

static void weight_shape(struct initializer *made, const struct tensor *tensor)
{
	struct value *value = made->value;

	made->tensor = tensor;
	made->rank = value->rank = tensor->rank;
	for (unsigned int i = 0; i < tensor->rank; i++)
		made->dims[i] = tensor->dims[tensor_axis(tensor, i)];
	if (tensor->rank > 0) {
		value->rows = tensor->dims[0];
		value->width = tensor->dims[tensor->rank - 1];
	}
	value->transposed = tensor->order != ORDER_ROWS;
}

/* @weight as float32; it keeps its shape. */
static struct value *weight_cast(struct graph *graph, struct value *weight)
{
	struct value *cast = graph_node(graph, "Cast", INPUTS(weight),
					ATTRS(attr_int("to", ONNX_FLOAT)));

	cast->rows = weight->rows;
	cast->transposed = weight->transposed;
	return cast;
}

/* @weight, of @tensor's bytes, with its axes in the order of its shape. */
static struct value *weight_straight(struct graph *graph,
				     const struct tensor *tensor,
				     struct value *weight)
{
	struct attr perm = { .name = "perm", .kind = ATTR_INTS };
	struct value *straight;

	if (graph->error < 0 || !weight->transposed)
		return weight;
	if (tensor->rank > ATTR_INTS_MAX)
		return graph_refuse(graph, "unsupported-layout", tensor->name,
				    "the tensor %s has too many axes",
				    tensor->name);
	perm.int_count = tensor->rank;
	for (unsigned int i = 0; i < tensor->rank; i++)
		perm.ints[tensor_axis(tensor, i)] = i;
	straight = graph_node(graph, "Transpose", INPUTS(weight), ATTRS(perm));
	straight->rows = weight->rows;
	return straight;
}

/* The initializer of @tensor under @name; NULL: failed. */
static struct initializer *weight_add(struct graph *graph,
				      const struct tensor *tensor,
				      enum onnx_type type, const char *name)
{
	struct initializer *made;
	int r = weight_check(graph, tensor, type);

	if (r < 0 || !name) {
		graph_fail(graph, r < 0 ? r : -ENOMEM);
		return NULL;
	}
	made = graph_initializer(graph, name);
	if (!made)
		return NULL;
	weight_shape(made, tensor);
	made->type = type;
	if (type == ONNX_FLOAT && (tensor->dtype == DTYPE_F64 || graph->native))
		made->type = onnx_type_of(tensor->dtype);
	return made;
}

static struct value *weight_float(struct graph *graph,
				  const struct tensor *tensor, const char *name,
				  const struct shape *shape)
{
	struct initializer *made = weight_add(graph, tensor, ONNX_FLOAT, name);
	struct value *value;

	if (!made)
		return &graph->nowhere;
	value = made->value;
	if (shape) {
		made->rank = value->rank = shape->rank;
		memcpy(made->dims, shape->dims, sizeof(made->dims));
		value->rows = shape->dims[0];
		value->width = shape->dims[shape->rank - 1];
	}
	return made->type == ONNX_FLOAT ? value : weight_cast(graph, value);
}

struct value *graph_weight(struct graph *graph, const struct tensor *tensor)
{
	struct value *value;

	if (graph->error < 0)
		return &graph->nowhere;
	value = map_get(&graph->weights, tensor->name);
	if (value)
		return value;
	value = weight_float(graph, tensor, tensor->name, NULL);
	if (tensor->rank != 2)
		value = weight_straight(graph, tensor, value);
	return graph_know(graph, &graph->weights, tensor->name, value);
}

/* By a node, since the bytes lie in another order. */
static struct value *weight_reshaped(struct graph *graph,
				     const struct tensor *tensor,
				     const struct shape *shape)
{
	struct value *value = graph_weight(graph, tensor);
	int64_t dims[TENSOR_RANK_MAX];

	for (unsigned int i = 0; i < shape->rank; i++)
		dims[i] = (int64_t)shape->dims[i];
	value = weight_straight(graph, tensor, value);
	value = graph_node(graph, "Reshape",
			   INPUTS(value, graph_ints(graph, dims, shape->rank)),
			   NO_ATTRS);
	value->rank = shape->rank;
	value->rows = shape->dims[0];
	value->width = shape->dims[shape->rank - 1];
	return value;
}

struct value *graph_weight_shaped(struct graph *graph,
				  const struct tensor *tensor,
				  struct shape shape)
{
	const char *name = tensor->name;
	struct value *value;

	if (graph->error < 0)
		return &graph->nowhere;
	assert(shape.rank > 0 &&
	       shape_elements(shape) == tensor_elements(tensor));
	for (unsigned int i = 0; name && i < shape.rank; i++)
		name = graph_name(graph, "%s_%" PRIu64, name, shape.dims[i]);
	if (!name)
		return graph_fail(graph, -ENOMEM);
	value = map_get(&graph->weights, name);
	if (value)
		return value;
	value = tensor->order == ORDER_ROWS
			? weight_float(graph, tensor, name, &shape)
			: weight_reshaped(graph, tensor, &shape);
	return graph_know(graph, &graph->weights, name, value);
}

struct value *graph_straight(struct graph *graph, struct value *weight)
{
	struct value *straight;

	if (!weight->transposed)
		return weight;
	assert(weight->rank == 2);
	straight = graph_node(graph, "Transpose", INPUTS(weight),
			      ATTRS(attr_ints("perm", 1, 0)));
	straight->rows = weight->rows;
	return straight;
}

struct value *graph_turned(struct graph *graph, struct value *weight)
{
	struct value *turned;

	if (graph->error < 0)
		return &graph->nowhere;
	assert(weight->rank == 2);
	turned = arena_alloc(&graph->arena, sizeof(*turned));
	if (!turned)
		return graph_fail(graph, -ENOMEM);
	*turned = *weight;
	turned->rows = weight->width;
	turned->width = weight->rows;
	turned->transposed = !weight->transposed;
	return turned;
}

void graph_weight_as(struct graph *graph, const struct tensor *tensor,
		     enum onnx_type type, const char *name)
{
	bool is_cast = type == ONNX_FLOAT && tensor->dtype == DTYPE_F64;
	bool is_plain = !is_cast && tensor->order == ORDER_ROWS;
	struct initializer *made;
	struct value *value;

	if (graph->error < 0)
		return;
	made = weight_add(graph, tensor, type,
			  is_plain ? name
				   : graph_name(graph, "%s_stored", name));
	if (!made)
		return;
	value = made->value;
	if (is_cast) {
		value = weight_cast(graph, value);
		value->name = graph_name(graph, "%s_cast", name);
		if (!value->name)
			graph_fail(graph, -ENOMEM);
	}
	value = weight_straight(graph, tensor, value);
	if (graph->error == 0)
		value->name = name;
}
