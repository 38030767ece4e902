/* SPDX-License-Identifier: MIT */
#include "staging/graph/graph.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define append(graph, list, item)                     \
	do {                                          \
		*(graph)->list##s_end = (item);       \
		(graph)->list##s_end = &(item)->next; \
		(graph)->list##_count++;              \
	} while (0)

int graph_new(struct refusal *why, struct graph **out)
{
	struct graph *graph = mem_zalloc(sizeof(*graph));

	if (!graph)
		return -ENOMEM;
	map_init(&graph->constants);
	map_init(&graph->weights);
	graph->nodes_end = &graph->nodes;
	graph->initializers_end = &graph->initializers;
	graph->inputs_end = &graph->inputs;
	graph->outputs_end = &graph->outputs;
	graph->why = why;
	graph->nowhere.name = "";
	*out = graph;
	return 0;
}

void graph_free(struct graph *graph)
{
	if (!graph)
		return;
	map_release(&graph->constants);
	map_release(&graph->weights);
	arena_release(&graph->arena);
	free(graph);
}

struct value *graph_fail(struct graph *graph, int error)
{
	assert(error < 0);
	if (graph->error == 0)
		graph->error = error;
	return &graph->nowhere;
}

PRINTF_LIKE(2, 3)
static char *name_format(struct graph *graph, const char *format, ...)
{
	va_list args;
	char *name;

	va_start(args, format);
	name = arena_vprintf(&graph->arena, format, args);
	va_end(args);
	return name;
}

const char *graph_text(struct graph *graph, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(&graph->arena, format, args);
	va_end(args);
	if (text)
		return text;
	graph_fail(graph, -ENOMEM);
	return "";
}

static void *copy(struct graph *graph, const void *from, size_t count,
		  size_t size)
{
	void *to = arena_alloc(&graph->arena, count * size);

	if (to && count > 0)
		memcpy(to, from, count * size);
	return to;
}

/* No weight makes them: a number of the configuration went too far. */
static struct value *not_finite(struct graph *graph)
{
	return graph_refuse(graph, "unsupported-config", NULL,
			    "a number of the configuration is too large or "
			    "too small to compute with");
}

static bool attrs_are_finite(const struct attr *attrs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (attrs[i].kind == ATTR_FLOAT && !isfinite(attrs[i].f))
			return false;
	return true;
}

static int node_fill(struct graph *graph, struct node *node, const char *op,
		     struct value *const *inputs, const struct attr *attrs)
{
	struct value *output = copy(graph, inputs[0], 1, sizeof(*output));

	node->op = op;
	node->output = output;
	node->inputs = copy(graph, inputs, node->input_count, sizeof(*inputs));
	node->attrs = copy(graph, attrs, node->attr_count, sizeof(*attrs));
	if (!output || !node->inputs || !node->attrs)
		return -ENOMEM;
	output->name = name_format(graph, "%s_%zu", op, graph->node_count + 1);
	output->rows = 0;
	output->transposed = false;
	return output->name ? 0 : -ENOMEM;
}

struct value *graph_node(struct graph *graph, const char *op,
			 struct value *const *inputs, size_t input_count,
			 const struct attr *attrs, size_t attr_count)
{
	struct node *node;

	if (graph->error < 0)
		return &graph->nowhere;
	if (graph->node_count >= MODEL_NODES_MAX)
		return graph_fail(graph, -EFBIG);
	if (!attrs_are_finite(attrs, attr_count))
		return not_finite(graph);
	node = arena_alloc(&graph->arena, sizeof(*node));
	if (!node)
		return graph_fail(graph, -ENOMEM);
	node->input_count = input_count;
	node->attr_count = attr_count;
	if (node_fill(graph, node, op, inputs, attrs) < 0)
		return graph_fail(graph, -ENOMEM);
	append(graph, node, node);
	return node->output;
}

static struct initializer *initializer_add(struct graph *graph,
					   const char *name)
{
	struct initializer *made;

	made = arena_alloc(&graph->arena, sizeof(*made));
	if (made)
		made->value = arena_alloc(&graph->arena, sizeof(*made->value));
	if (!made || !made->value) {
		graph_fail(graph, -ENOMEM);
		return NULL;
	}
	made->value->name = name;
	append(graph, initializer, made);
	return made;
}

/* Remembers what @name gives. */
static struct value *know(struct graph *graph, struct map *known,
			  const char *name, struct value *value)
{
	int r = graph->error < 0 ? 0 : map_add(known, name, value);

	return r < 0 ? graph_fail(graph, r) : value;
}

/*
 * What @name gives already, or where nothing can be made; NULL: to be made.
 */
static struct value *known_constant(struct graph *graph, const char *name)
{
	if (graph->error < 0)
		return &graph->nowhere;
	if (!name)
		return graph_fail(graph, -ENOMEM);
	return map_get(&graph->constants, name);
}

/* A new one; @bytes are the graph's. */
static struct value *constant(struct graph *graph, const char *name,
			      enum onnx_type type, const uint8_t *bytes,
			      size_t len, struct shape shape)
{
	struct initializer *made;

	made = initializer_add(graph, name);
	if (!made)
		return &graph->nowhere;
	made->bytes = bytes;
	made->len = len;
	made->type = type;
	made->rank = made->value->rank = shape.rank;
	memcpy(made->dims, shape.dims, sizeof(made->dims));
	if (shape.rank > 0) {
		made->value->rows = shape.dims[0];
		made->value->width = shape.dims[shape.rank - 1];
	}
	return know(graph, &graph->constants, name, made->value);
}

static size_t elements(struct shape shape)
{
	size_t count = 1;

	for (unsigned int i = 0; i < shape.rank; i++)
		count *= (size_t)shape.dims[i];
	assert(count > 0);
	return count;
}

struct value *graph_float_table(struct graph *graph, const char *name,
				const float *floats, struct shape shape)
{
	struct value *known = known_constant(graph, name);
	size_t count;
	uint8_t *bytes;
	uint32_t bits;

	if (known)
		return known;
	count = elements(shape);
	bytes = arena_alloc(&graph->arena, count * sizeof(bits));
	if (!bytes)
		return graph_fail(graph, -ENOMEM);
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(floats[i]))
			return not_finite(graph);
		memcpy(&bits, &floats[i], sizeof(bits));
		put_le32(bytes + sizeof(bits) * i, bits);
	}
	return constant(graph, name, ONNX_FLOAT, bytes, count * sizeof(bits),
			shape);
}

struct value *graph_int_table(struct graph *graph, const char *name,
			      const int64_t *ints, struct shape shape)
{
	struct value *known = known_constant(graph, name);
	size_t count;
	uint8_t *bytes;

	if (known)
		return known;
	count = elements(shape);
	bytes = arena_alloc(&graph->arena, count * sizeof(*ints));
	if (!bytes)
		return graph_fail(graph, -ENOMEM);
	for (size_t i = 0; i < count; i++)
		put_le64(bytes + sizeof(*ints) * i, (uint64_t)ints[i]);
	return constant(graph, name, ONNX_INT64, bytes, count * sizeof(*ints),
			shape);
}

struct value *graph_float(struct graph *graph, float f)
{
	return graph_float_table(graph,
				 name_format(graph, "float_%.9g", (double)f),
				 &f, (struct shape){ 0 });
}

struct value *graph_int(struct graph *graph, int64_t i)
{
	return graph_int_table(graph, name_format(graph, "int_%" PRId64, i), &i,
			       (struct shape){ 0 });
}

struct value *graph_table(struct graph *graph, const char *name,
			  const int64_t *ints, size_t count)
{
	return graph_int_table(graph, name, ints, SHAPE(count));
}

struct value *graph_ints(struct graph *graph, const int64_t *ints, size_t count)
{
	const char *name = "ints";

	for (size_t i = 0; name && i < count; i++)
		name = name_format(graph, "%s_%" PRId64, name, ints[i]);
	if (!name)
		return graph_fail(graph, -ENOMEM);
	return graph_table(graph, name, ints, count);
}

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
	made = initializer_add(graph, name);
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
	return know(graph, &graph->weights, tensor->name, value);
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
	assert(shape.rank > 0 && elements(shape) == tensor_elements(tensor));
	for (unsigned int i = 0; name && i < shape.rank; i++)
		name = name_format(graph, "%s_%" PRIu64, name, shape.dims[i]);
	if (!name)
		return graph_fail(graph, -ENOMEM);
	value = map_get(&graph->weights, name);
	if (value)
		return value;
	value = tensor->order == ORDER_ROWS
			? weight_float(graph, tensor, name, &shape)
			: weight_reshaped(graph, tensor, &shape);
	return know(graph, &graph->weights, name, value);
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
	turned = copy(graph, weight, 1, sizeof(*weight));
	if (!turned)
		return graph_fail(graph, -ENOMEM);
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
				   : name_format(graph, "%s_stored", name));
	if (!made)
		return;
	value = made->value;
	if (is_cast) {
		value = weight_cast(graph, value);
		value->name = name_format(graph, "%s_cast", name);
		if (!value->name)
			graph_fail(graph, -ENOMEM);
	}
	value = weight_straight(graph, tensor, value);
	if (graph->error == 0)
		value->name = name;
}

static struct port *port_new(struct graph *graph, struct value *value,
			     enum onnx_type type, const struct dim *dims,
			     unsigned int rank)
{
	struct port *port;

	assert(rank <= PORT_RANK_MAX);
	port = arena_alloc(&graph->arena, sizeof(*port));
	if (!port) {
		graph_fail(graph, -ENOMEM);
		return NULL;
	}
	port->value = value;
	port->type = type;
	port->rank = rank;
	memcpy(port->dims, dims, rank * sizeof(*dims));
	return port;
}

static struct port *foreign_port(struct graph *graph, const char *name,
				 enum onnx_type type, const struct dim *dims,
				 unsigned int rank)
{
	struct value *value;

	if (graph->error < 0)
		return NULL;
	value = arena_alloc(&graph->arena, sizeof(*value));
	if (!value) {
		graph_fail(graph, -ENOMEM);
		return NULL;
	}
	value->name = name;
	value->rank = rank;
	if (rank > 0 && !dims[rank - 1].param)
		value->width = dims[rank - 1].size;
	return port_new(graph, value, type, dims, rank);
}

struct value *graph_input(struct graph *graph, const char *name,
			  enum onnx_type type, const struct dim *dims,
			  unsigned int rank)
{
	struct port *port = foreign_port(graph, name, type, dims, rank);

	if (!port)
		return &graph->nowhere;
	append(graph, input, port);
	return port->value;
}

void graph_foreign_input(struct graph *graph, const char *name,
			 enum onnx_type type, const struct dim *dims,
			 unsigned int rank)
{
	struct port *port = foreign_port(graph, name, type, dims, rank);

	if (port)
		append(graph, input, port);
}

void graph_foreign_output(struct graph *graph, const char *name,
			  enum onnx_type type, const struct dim *dims,
			  unsigned int rank)
{
	struct port *port = foreign_port(graph, name, type, dims, rank);

	if (port)
		append(graph, output, port);
}

void graph_output(struct graph *graph, struct value *value, const char *name,
		  const struct dim *dims, unsigned int rank)
{
	struct port *port;

	if (graph->error < 0)
		return;
	port = port_new(graph, value, ONNX_FLOAT, dims, rank);
	if (!port)
		return;
	value->name = name;
	append(graph, output, port);
}
