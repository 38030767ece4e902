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
#include "staging/graph/graph_build.h"

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

char *graph_name(struct graph *graph, const char *format, ...)
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
	output->name = graph_name(graph, "%s_%zu", op, graph->node_count + 1);
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

struct initializer *graph_initializer(struct graph *graph, const char *name)
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

struct value *graph_know(struct graph *graph, struct map *known,
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

	made = graph_initializer(graph, name);
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
	return graph_know(graph, &graph->constants, name, made->value);
}

size_t shape_elements(struct shape shape)
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
	count = shape_elements(shape);
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
	count = shape_elements(shape);
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
				 graph_name(graph, "float_%.9g", (double)f), &f,
				 (struct shape){ 0 });
}

struct value *graph_int(struct graph *graph, int64_t i)
{
	return graph_int_table(graph, graph_name(graph, "int_%" PRId64, i), &i,
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
		name = graph_name(graph, "%s_%" PRId64, name, ints[i]);
	if (!name)
		return graph_fail(graph, -ENOMEM);
	return graph_table(graph, name, ints, count);
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
