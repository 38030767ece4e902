/* SPDX-License-Identifier: MIT */
#include "staging/graph/onnx_writer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/onnx_parts.h"
#include "staging/graph/wire.h"

#define IR_VERSION 7
#define OPSET_VERSION 13

/* Fields of ModelProto, OperatorSetIdProto and GraphProto. */
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { OPSET_DOMAIN = 1, OPSET_NUMBER = 2 };
enum {
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12
};

/* One file being planned. */
struct writer {
	const struct graph *graph;
	const struct weights *weights;
	const struct onnx_layout *layout;
	struct onnx_tensor *tensors; /* constants, then weights by place */
	size_t count;		     /* of .tensors */
	struct plan *onnx;
	struct plan *data; /* NULL: inline */
	struct str nodes;
	struct str ports;
	struct str scratch;
};

static void writer_release(struct writer *writer)
{
	free(writer->tensors);
	plan_free(writer->onnx);
	plan_free(writer->data);
	str_release(&writer->nodes);
	str_release(&writer->ports);
	str_release(&writer->scratch);
}
DEFINE_AUTO(writer, struct writer, writer_release)

static int nodes_write(struct writer *writer)
{
	for (struct node *node = writer->graph->nodes; node;
	     node = node->next) {
		int r;

		str_clear(&writer->scratch);
		r = onnx_node(&writer->scratch, node);
		if (r == 0)
			r = wire_message(&writer->nodes, GRAPH_NODE,
					 &writer->scratch);
		if (r < 0)
			return r;
	}
	if (!writer->layout->records)
		return 0;
	return str_append(&writer->nodes,
			  str_text(writer->layout->records->nodes),
			  writer->layout->records->nodes->len);
}

static int ports_write(struct writer *writer, const struct port *ports,
		       unsigned int field)
{
	for (; ports; ports = ports->next) {
		int r;

		str_clear(&writer->scratch);
		r = onnx_port(&writer->scratch, ports);
		if (r == 0)
			r = wire_message(&writer->ports, field,
					 &writer->scratch);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Bytes of all initializers as records of the graph. */
static uint64_t tensors_len(const struct writer *writer)
{
	uint64_t len = 0;

	if (writer->layout->records)
		len = writer->layout->records->initializers->len;
	for (size_t i = 0; i < writer->count; i++)
		len += wire_record_len(GRAPH_INITIALIZER,
				       onnx_tensor_len(&writer->tensors[i]));
	return len;
}

static int head_write(struct str *out, uint64_t graph_len)
{
	int r = wire_int(out, MODEL_IR, IR_VERSION);

	if (r == 0)
		r = wire_text(out, MODEL_PRODUCER, "omnihub");
	return r < 0 ? r : wire_head(out, MODEL_GRAPH, graph_len);
}

static int opset_write(struct str *out, struct str *scratch)
{
	int r;

	str_clear(scratch);
	r = wire_text(scratch, OPSET_DOMAIN, "");
	if (r == 0)
		r = wire_int(scratch, OPSET_NUMBER, OPSET_VERSION);
	return r < 0 ? r : wire_message(out, MODEL_OPSET, scratch);
}

#define GRAPH_TITLE "staged"

static uint64_t graph_len(const struct writer *writer)
{
	return writer->nodes.len +
	       wire_record_len(GRAPH_NAME, strlen(GRAPH_TITLE)) +
	       tensors_len(writer) + writer->ports.len;
}

/* The file but for the few bytes around its graph. */
static bool fits(const struct writer *writer, uint64_t inline_max)
{
	const uint64_t around = 64;
	uint64_t len = graph_len(writer);

	return len <= inline_max && around <= inline_max - len;
}

/* Gives each weight its place in the data file; equal ranges share one. */
static int data_plan(struct writer *writer)
{
	const struct onnx_tensor *last = NULL;
	int r = plan_new(&writer->data);

	for (size_t i = 0; r == 0 && i < writer->count; i++) {
		struct onnx_tensor *tensor = &writer->tensors[i];
		uint64_t pad;

		if (!tensor->from->tensor)
			continue;
		tensor->external = writer->layout->data_name;
		if (last && onnx_tensor_same_bytes(last, tensor)) {
			tensor->off = last->off;
			continue;
		}
		pad = u64_ceil(writer->data->size, EXTERNAL_ALIGN) -
		      writer->data->size;
		r = plan_add_zeros(writer->data, pad);
		tensor->off = writer->data->size;
		if (r == 0)
			r = onnx_tensor_splice(writer->data, writer->weights,
					       tensor);
		last = tensor;
	}
	return r < 0 ? r : plan_finish(writer->data);
}

static int tensor_write(struct writer *writer, const struct onnx_tensor *tensor)
{
	struct str *out = &writer->scratch;
	int r;

	str_clear(out);
	r = wire_head(out, GRAPH_INITIALIZER, onnx_tensor_len(tensor));
	if (r == 0)
		r = onnx_tensor_head(out, tensor);
	if (r == 0)
		r = plan_add_bytes(writer->onnx, out->bytes, out->len);
	if (r < 0 || tensor->external)
		return r;
	return onnx_tensor_splice(writer->onnx, writer->weights, tensor);
}

static int tensors_write(struct writer *writer)
{
	int r = 0;

	if (writer->layout->records)
		r = plan_add_bytes(
			writer->onnx,
			str_text(writer->layout->records->initializers),
			writer->layout->records->initializers->len);
	for (size_t i = 0; r == 0 && i < writer->count; i++)
		r = tensor_write(writer, &writer->tensors[i]);
	return r;
}

static int file_write(struct writer *writer)
{
	struct str *out = &writer->scratch;
	int r;

	str_clear(out);
	r = head_write(out, graph_len(writer));
	if (r == 0)
		r = plan_add_bytes(writer->onnx, out->bytes, out->len);
	if (r == 0)
		r = wire_text(&writer->nodes, GRAPH_NAME, GRAPH_TITLE);
	if (r == 0)
		r = plan_add_bytes(writer->onnx, writer->nodes.bytes,
				   writer->nodes.len);
	if (r == 0)
		r = tensors_write(writer);
	if (r == 0)
		r = opset_write(&writer->ports, out);
	if (r == 0)
		r = plan_add_bytes(writer->onnx, writer->ports.bytes,
				   writer->ports.len);
	return r < 0 ? r : plan_finish(writer->onnx);
}

static int writer_run(struct writer *writer)
{
	const struct onnx_layout *layout = writer->layout;
	const struct graph *graph = writer->graph;
	int r = plan_new(&writer->onnx);

	if (r == 0)
		r = onnx_tensors_sort(graph, &writer->tensors);
	if (r == 0)
		r = nodes_write(writer);
	if (r == 0)
		r = ports_write(writer, graph->inputs, GRAPH_INPUT);
	if (r == 0)
		r = ports_write(writer, graph->outputs, GRAPH_OUTPUT);
	if (r == 0 && !fits(writer, layout->inline_max))
		r = layout->external_allowed ? data_plan(writer) : -EFBIG;
	return r < 0 ? r : file_write(writer);
}

int onnx_write(const struct graph *graph, const struct weights *weights,
	       const struct onnx_layout *layout, struct plan **onnx,
	       struct plan **data)
{
	auto_of(writer) struct writer writer = {
		.graph = graph,
		.weights = weights,
		.count = graph->initializer_count,
		.layout = layout,
	};
	int r;

	assert(graph->error == 0);
	str_init(&writer.nodes, PLAN_BYTES_MAX);
	str_init(&writer.ports, PLAN_BYTES_MAX);
	str_init(&writer.scratch, PLAN_BYTES_MAX);
	r = writer_run(&writer);
	if (r < 0)
		return r;
	*onnx = take_ptr(writer.onnx);
	*data = take_ptr(writer.data);
	return 0;
}
