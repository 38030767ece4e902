/* SPDX-License-Identifier: MIT */
#include "staging/graph/graphdef_writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/graphdef_ops.h"
#include "staging/graph/onnx_parts.h"

/* One file being planned. */
struct writer {
	struct translation t;
	const struct weights *weights;
	struct onnx_tensor *tensors; /* by place */
	struct term **terms;	     /* of each */
	bool *used;		     /* of each: a node reads it */
	size_t count;
};

static void writer_release(struct writer *writer)
{
	translation_release(&writer->t);
	free(writer->tensors);
	free(writer->terms);
	free(writer->used);
}
DEFINE_AUTO(writer, struct writer, writer_release)

enum onnx_type graphdef_port_type(enum onnx_type type)
{
	return type == ONNX_INT64 ? ONNX_INT32 : type;
}

static int reserve(struct writer *writer, const struct port *ports)
{
	int r = 0;

	for (; r == 0 && ports; ports = ports->next)
		r = term_reserve(&writer->t, ports->value->name);
	if (r == -EEXIST || r == -EINVAL)
		return refuse(writer->t.why, "port-name", NULL,
			      "two inputs or outputs have one name, or one "
			      "that no node can have");
	return r;
}

/* The elements of a short constant of whole numbers. */
static void know_elements(struct translation *t, struct term *term,
			  const struct initializer *from)
{
	int64_t ints[2 * TENSOR_RANK_MAX];
	size_t count = from->len / sizeof(*ints);

	if (from->tensor || from->type != ONNX_INT64 || from->rank > 1 ||
	    count > ARRAY_LEN(ints))
		return;
	for (size_t i = 0; i < count; i++)
		ints[i] = (int64_t)le64(from->bytes + i * sizeof(*ints));
	term_know(t, term, ints, count);
}

static int initializer_term(struct writer *writer, size_t i)
{
	const struct initializer *from = writer->tensors[i].from;
	const char *name = from->value->name;
	struct translation *t = &writer->t;
	enum bundle_dtype type;
	struct term *term;

	if (!term_type_of(from->type, &type))
		return refuse(t->why, "unsupported-dtype", name,
			      "the tensor %s has a type that is not known",
			      name);
	term = term_new(t, term_name(t, name), type, (int)from->rank);
	if (t->error < 0)
		return t->error;
	term->from = from;
	term->used = &writer->used[i];
	know_elements(t, term, from);
	writer->terms[i] = term;
	return map_add(&t->terms, name, term);
}

static int initializers_translate(struct writer *writer)
{
	const struct graph *graph = writer->t.graph;
	int r;

	writer->count = graph->initializer_count;
	writer->terms = mem_array(writer->count + 1, sizeof(*writer->terms));
	writer->used = mem_array(writer->count + 1, sizeof(*writer->used));
	if (!writer->terms || !writer->used)
		return -ENOMEM;
	r = onnx_tensors_sort(graph, &writer->tensors);
	for (size_t i = 0; r == 0 && i < writer->count; i++)
		r = initializer_term(writer, i);
	return r;
}

static struct term *placeholder(struct translation *t, const struct port *port)
{
	int64_t shape[PORT_RANK_MAX];
	enum bundle_dtype type;
	struct term *out;

	if (!term_type_of(graphdef_port_type(port->type), &type))
		return term_refuse(t, "unsupported-dtype", port->value->name,
				   "the input %s has a type that is not known",
				   port->value->name);
	for (unsigned int i = 0; i < port->rank; i++)
		shape[i] = port->dims[i].param ? -1
					       : (int64_t)port->dims[i].size;
	out = term_node_named(
		t, port->value->name, "Placeholder", type, NULL, 0,
		OP_ATTRS(op_type("dtype", type),
			 op_list("shape", OP_ATTR_SHAPE, shape, port->rank)));
	out->rank = (int)port->rank;
	return out;
}

static void input_translate(struct translation *t, const struct port *port)
{
	struct term *term;
	enum bundle_dtype type;
	int r;

	t->base = port->value->name;
	t->base_taken = true;
	term = placeholder(t, port);
	term = term_unary(t, "Identity", term);
	if (t->error == 0 && term_type_of(port->type, &type))
		term = term_cast(t, term, type);
	r = t->error == 0 ? map_add(&t->terms, port->value->name, term) : 0;
	if (r < 0)
		term_fail(t, r);
}

static void output_translate(struct translation *t, const struct port *port)
{
	const char *name = port->value->name;
	struct term *term = map_get(&t->terms, name);
	enum bundle_dtype type;

	if (t->error < 0)
		return;
	if (!term || !term_type_of(port->type, &type) || type != term->type) {
		term_refuse(t, "type-mismatch", name,
			    "the output %s has another type than was said",
			    name);
		return;
	}
	term_node_named(t, name, "Identity", type, TERMS(term),
			OP_ATTRS(op_type("T", type)));
}

static int graph_translate(struct writer *writer)
{
	const struct graph *graph = writer->t.graph;
	int r = reserve(writer, graph->inputs);

	if (r == 0)
		r = reserve(writer, graph->outputs);
	if (r == 0)
		r = initializers_translate(writer);
	if (r < 0)
		return r;
	for (const struct port *port = graph->inputs; port; port = port->next)
		input_translate(&writer->t, port);
	for (const struct node *node = graph->nodes; node; node = node->next)
		graphdef_translate(&writer->t, node);
	for (const struct port *port = graph->outputs; port; port = port->next)
		output_translate(&writer->t, port);
	return writer->t.error;
}

static int constant_write(struct writer *writer, size_t i, struct plan *plan)
{
	const struct onnx_tensor *tensor = &writer->tensors[i];
	const struct initializer *from = tensor->from;
	const struct term *term = writer->terms[i];
	struct const_shape shape = { .type = term->type, .rank = from->rank };
	auto_str struct str head;
	int r;

	memcpy(shape.dims, from->dims, sizeof(shape.dims));
	str_init(&head, PLAN_BYTES_MAX);
	r = graphdef_const_head(&head, term->name, &shape,
				onnx_tensor_bytes(tensor));
	if (r == 0)
		r = plan_add_bytes(plan, head.bytes, head.len);
	return r < 0 ? r : onnx_tensor_splice(plan, writer->weights, tensor);
}

static int plan_write(struct writer *writer, struct plan *plan)
{
	struct str *text = &writer->t.text;
	int r = graphdef_versions(text);

	for (size_t i = 0; r == 0 && i < writer->count; i++)
		if (writer->used[i])
			r = constant_write(writer, i, plan);
	if (r == 0)
		r = plan_add_bytes(plan, text->bytes, text->len);
	if (r == 0 && plan->size > STAGED_INLINE_MAX)
		return refuse(writer->t.why, "too-large", NULL,
			      "the model is over the 2 GiB that a TensorFlow "
			      "graph may have");
	return r < 0 ? r : plan_finish(plan);
}

int graphdef_write(const struct graph *graph, const struct weights *weights,
		   enum stage_form form, struct plan **out, size_t *node_count,
		   struct refusal *why)
{
	auto_of(writer) struct writer writer = { .weights = weights };
	auto_plan struct plan *plan = NULL;
	int r;

	assert(graph->error == 0);
	translation_init(&writer.t, graph, form, why);
	r = graph_translate(&writer);
	if (r == 0)
		r = plan_new(&plan);
	if (r == 0)
		r = plan_write(&writer, plan);
	if (r < 0)
		return r;
	*node_count = writer.t.node_count;
	*out = take_ptr(plan);
	return 0;
}
