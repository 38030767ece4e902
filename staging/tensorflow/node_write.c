/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/node_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "staging/graph/wire.h"

enum { NODE_NAME = 1, NODE_OP = 2, NODE_INPUT = 3, NODE_ATTR = 5 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

void sink_init(struct sink *sink, struct tf_freeze *freeze, struct plan *plan)
{
	sink->freeze = freeze;
	sink->plan = plan;
	str_init(&sink->text, PLAN_BYTES_MAX);
}

void sink_release(struct sink *sink)
{
	str_release(&sink->text);
}

int sink_flush(struct sink *sink)
{
	int r = plan_add_bytes(sink->plan, sink->text.bytes, sink->text.len);

	str_clear(&sink->text);
	return r;
}

static int sink_range(struct sink *sink, const char *path, uint64_t size,
		      uint64_t off, uint64_t len)
{
	uint32_t source;
	int r = sink_flush(sink);

	if (r == 0)
		r = plan_add_source(sink->plan, path, size, &source);
	if (r == 0)
		r = plan_add_range(sink->plan, SEGMENT_COPY, source, off, len);
	return r;
}

/* Large values that stand in saved_model.pb are ranges of it. */
static int sink_value(struct sink *sink, const struct tf_attr *attr)
{
	const struct saved_model *model = sink->freeze->model;
	const char *path = sink->freeze->shards->model_path;
	const uint8_t *start = model->bytes, *end = start + model->len;

	if (!sink->plan || !path || attr->len < FREEZE_SPLICE_BYTES ||
	    attr->value < start || attr->value >= end)
		return str_append(&sink->text, attr->value, attr->len);
	return sink_range(sink, path, model->len,
			  (uint64_t)(attr->value - start), attr->len);
}

static uint64_t value_len(const struct tf_out_attr *attr)
{
	return attr->attr.len + (attr->has_tail ? attr->len : 0);
}

static uint64_t attr_len(const struct tf_out_attr *attr)
{
	return wire_record_len(ENTRY_KEY, attr->attr.name.len) +
	       wire_record_len(ENTRY_VALUE, value_len(attr));
}

static int attr_write(struct sink *sink, const struct tf_out_attr *attr)
{
	const struct freeze_shards *shards = sink->freeze->shards;
	struct str *text = &sink->text;
	int r = wire_head(text, NODE_ATTR, attr_len(attr));

	if (r == 0)
		r = wire_bytes(text, ENTRY_KEY, attr->attr.name.at,
			       attr->attr.name.len);
	if (r == 0)
		r = wire_head(text, ENTRY_VALUE, value_len(attr));
	if (r == 0)
		r = sink_value(sink, &attr->attr);
	if (r == 0 && attr->has_tail)
		r = sink_range(sink, shards->paths[attr->shard],
			       shards->sizes[attr->shard], attr->off,
			       attr->len);
	return r;
}

/* ":1" after a node's name, ":port:0" in a function. */
static int suffix_make(struct sink *sink, const struct tf_value *value,
		       bool in_function, char *to, size_t size)
{
	struct tf_text port = value->port;

	*to = '\0';
	if (!in_function) {
		if (value->number > 0)
			snprintf(to, size, ":%" PRIu32, value->number);
		return 0;
	}
	if (value->kind == VALUE_ARG)
		return 0;
	if (value->out->one_output) {
		snprintf(to, size, ":output:0");
		return 0;
	}
	if (port.len == 0 || port.len > size - 16)
		return tf_malformed(sink->freeze->why, "a function's edge");
	snprintf(to, size, ":%.*s:%" PRIu32, (int)port.len, port.at,
		 value->index);
	return 0;
}

static struct tf_text base_name(const struct tf_value *value)
{
	return value->kind == VALUE_ARG ? value->arg->name : value->out->name;
}

static int input_write(struct sink *sink, struct str *to, uint32_t number,
		       const struct tf_value *value, bool in_function)
{
	struct tf_text name = base_name(value);
	char suffix[NAME_BYTES_MAX];
	int r = suffix_make(sink, value, in_function, suffix, sizeof(suffix));

	if (r == 0)
		r = wire_head(to, number, name.len + strlen(suffix));
	if (r == 0)
		r = str_append(to, name.at, name.len);
	return r < 0 ? r : str_append(to, suffix, strlen(suffix));
}

static int control_write(struct str *to, const struct tf_value *value)
{
	struct tf_text name = base_name(value);
	int r = wire_head(to, NODE_INPUT, name.len + 1);

	if (r == 0)
		r = str_append(to, "^", 1);
	return r < 0 ? r : str_append(to, name.at, name.len);
}

static int head_write(struct sink *sink, struct str *to,
		      const struct tf_out *out, bool in_function)
{
	int r = wire_bytes(to, NODE_NAME, out->name.at, out->name.len);

	if (r == 0)
		r = wire_bytes(to, NODE_OP, out->op.at, out->op.len);
	for (size_t i = 0; r == 0 && i < out->input_count; i++)
		r = input_write(sink, to, NODE_INPUT, &out->inputs[i],
				in_function);
	for (size_t i = 0; r == 0 && i < out->control_count; i++)
		r = control_write(to, &out->controls[i]);
	return r;
}

int node_write(struct sink *sink, uint32_t number, const struct tf_out *out,
	       bool in_function)
{
	auto_str struct str head;
	uint64_t len;
	int r;

	str_init(&head, PLAN_BYTES_MAX);
	r = head_write(sink, &head, out, in_function);
	if (r < 0)
		return r;
	len = head.len;
	for (size_t i = 0; i < out->attr_count; i++)
		len += wire_record_len(NODE_ATTR, attr_len(&out->attrs[i]));
	r = wire_head(&sink->text, number, len);
	if (r == 0)
		r = str_append(&sink->text, head.bytes, head.len);
	for (size_t i = 0; r == 0 && i < out->attr_count; i++)
		r = attr_write(sink, &out->attrs[i]);
	return r;
}

enum { FUNCTION_SIGNATURE = 1, FUNCTION_NODE = 3, FUNCTION_RET = 4 };
enum { OP_NAME = 1, OP_INPUT = 2, OP_OUTPUT = 3, OP_STATEFUL = 17 };
enum { ARG_NAME = 1, ARG_TYPE = 3 };

static int arg_write(struct str *to, uint32_t number, struct tf_text name,
		     int type)
{
	auto_str struct str arg;
	int r;

	str_init(&arg, PLAN_BYTES_MAX);
	r = wire_bytes(&arg, ARG_NAME, name.at, name.len);
	if (r == 0)
		r = wire_int(&arg, ARG_TYPE, (uint64_t)type);
	return r < 0 ? r : wire_message(to, number, &arg);
}

static int signature_write(struct str *to, const struct tf_body *body)
{
	const struct tf_graph *graph = body->root->graph;
	auto_str struct str op;
	int r;

	str_init(&op, PLAN_BYTES_MAX);
	r = wire_bytes(&op, OP_NAME, body->name.at, body->name.len);
	for (size_t i = 0; r == 0 && i < graph->input_count; i++)
		r = arg_write(&op, OP_INPUT, graph->inputs[i].name,
			      body->types[i]);
	for (size_t i = 0; r == 0 && i < graph->output_count; i++)
		r = arg_write(&op, OP_OUTPUT, graph->outputs[i].name,
			      body->return_types[i]);
	if (r == 0 && graph->stateful)
		r = wire_int(&op, OP_STATEFUL, 1);
	return r < 0 ? r : wire_message(to, FUNCTION_SIGNATURE, &op);
}

static int returns_write(struct sink *sink, const struct tf_body *body)
{
	const struct tf_graph *graph = body->root->graph;
	int r = 0;

	for (size_t i = 0; r == 0 && i < graph->output_count; i++) {
		auto_str struct str entry;

		str_init(&entry, PLAN_BYTES_MAX);
		r = wire_bytes(&entry, ENTRY_KEY, graph->outputs[i].name.at,
			       graph->outputs[i].name.len);
		if (r == 0)
			r = input_write(sink, &entry, ENTRY_VALUE,
					&body->returns[i], true);
		if (r == 0)
			r = wire_message(&sink->text, FUNCTION_RET, &entry);
	}
	return r;
}

int function_write(struct sink *sink, const struct tf_body *body)
{
	int r = signature_write(&sink->text, body);

	for (const struct tf_out *out = body->first; r == 0 && out;
	     out = out->next)
		r = node_write(sink, FUNCTION_NODE, out, true);
	return r < 0 ? r : returns_write(sink, body);
}
