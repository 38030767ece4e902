/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/resolve.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "staging/tensorflow/chase.h"
#include "staging/tensorflow/rewrite.h"

static const enum blocker blocker_of[] = {
	[OP_WRITE] = BLOCKER_ASSIGNED,	  [OP_TABLE] = BLOCKER_TABLE,
	[OP_ITERATOR] = BLOCKER_ITERATOR, [OP_FILE] = BLOCKER_FILE,
	[OP_CUSTOM] = BLOCKER_CUSTOM,
};

/* 1: @instance cannot be frozen, and was noted. */
static int block(struct tf_freeze *freeze, const struct tf_instance *instance)
{
	const struct tf_node *node = instance->node;
	const char *name = scope_name(instance->scope, node);
	enum blocker kind;
	int r;

	if (op_is_blocked(node->kind))
		kind = blocker_of[node->kind];
	else if (node->kind == OP_PLACEHOLDER)
		kind = BLOCKER_PLACEHOLDER;
	else if (op_makes_state(model_op(freeze->model, node->op)))
		kind = BLOCKER_STATE;
	else
		return 0;
	r = blockers_add(&freeze->blockers, kind, node->op, name);
	return r < 0 ? r : 1;
}

static int name_instance(struct tf_freeze *freeze, struct tf_instance *instance)
{
	const struct tf_text nothing = { "", 0 };
	struct tf_scope *scope = instance->scope;
	struct tf_text name = instance->node->name;

	if (scope->prefix.len > 0) {
		name = tf_pool_join(&freeze->pool, scope->prefix, name,
				    nothing);
		if (!name.at)
			return tf_pool_error(&freeze->pool);
	}
	return out_new(freeze, scope->body, name, &instance->out);
}

static int stack_grow(struct tf_freeze *freeze)
{
	size_t room = freeze->stack_room * 2 + 64;
	struct tf_frame *bigger;

	if (freeze->depth < freeze->stack_room)
		return 0;
	bigger = mem_resize(freeze->stack, room, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	freeze->stack = bigger;
	freeze->stack_room = room;
	return 0;
}

/* Begins @instance, which is new. */
static int open_instance(struct tf_freeze *freeze, struct tf_instance *instance)
{
	const struct tf_node *node = instance->node;
	struct tf_frame *frame;
	int r = name_instance(freeze, instance);

	if (r == 0)
		r = block(freeze, instance);
	if (r == 1)
		instance->state = STATE_DONE;
	if (r != 0)
		return r < 0 ? r : 0;
	r = stack_grow(freeze);
	if (r < 0)
		return r;
	frame = &freeze->stack[freeze->depth];
	*frame = (struct tf_frame){ .instance = instance };
	frame->values = tf_pool_array(&freeze->pool, node->input_count,
				      sizeof(*frame->values));
	if (!frame->values)
		return tf_pool_error(&freeze->pool);
	frame->merges = node->kind == OP_MERGE;
	if (freeze->depth > 0)
		frame->merges += freeze->stack[freeze->depth - 1].merges;
	instance->state = STATE_OPEN;
	instance->frame = freeze->depth++;
	return 0;
}

/* Whether the stack from @instance up, which is a circle, has a Merge. */
static bool is_loop(const struct tf_freeze *freeze,
		    const struct tf_instance *instance)
{
	size_t top = freeze->stack[freeze->depth - 1].merges;
	size_t below = instance->frame > 0
			       ? freeze->stack[instance->frame - 1].merges
			       : 0;

	return top > below;
}

static int wait_for(struct tf_freeze *freeze, const struct tf_value *value)
{
	struct tf_instance *instance = value->instance;

	if (value->kind != VALUE_NODE || !instance ||
	    instance->state == STATE_DONE)
		return 0;
	if (instance->state == STATE_NEW)
		return open_instance(freeze, instance);
	if (is_loop(freeze, instance))
		return 0;
	return refuse(freeze->why, "graph-cycle",
		      scope_name(instance->scope, instance->node),
		      "the model's graph runs in a circle");
}

/* A control input that places the node; false: one that only orders. */
static int control_value(struct tf_freeze *freeze, struct tf_scope *scope,
			 struct tf_text ref, bool *kept, struct tf_value *out)
{
	const struct tf_graph *graph = scope->graph;
	const struct tf_node *node;
	struct tf_edge edge;

	*kept = false;
	if (!graph->has_flow)
		return 0;
	if (!tf_edge_parse(ref, graph->is_function, &edge))
		return tf_malformed(freeze->why, "a control input");
	node = tf_graph_node(graph, edge.name);
	if (!node || !op_pivots(node->kind))
		return 0;
	*kept = true;
	return chase_node(freeze, scope, node, out);
}

/* The next input of the node on top. */
static int step(struct tf_freeze *freeze)
{
	struct tf_frame *frame = &freeze->stack[freeze->depth - 1];
	const struct tf_node *node = frame->instance->node;
	struct tf_scope *scope = frame->instance->scope;
	struct tf_text ref = node->inputs[frame->next];
	struct tf_value *value = &frame->values[frame->next];
	bool kept = true;
	int r;

	if (frame->next < node->data_count) {
		r = chase_value(freeze, scope, ref, value);
	} else {
		value = &frame->values[node->data_count + frame->control_count];
		r = control_value(freeze, scope, ref, &kept, value);
		frame->control_count += kept;
	}
	frame->next++;
	if (r < 0 || !kept)
		return r;
	return wait_for(freeze, value);
}

/* What was read must have been a variable. */
static int read_check(struct tf_freeze *freeze, const struct tf_scope *scope,
		      const struct tf_node *node, const struct tf_value *value)
{
	struct tf_value as_handle = *value;

	as_handle.is_read = false;
	if (!value->is_read || value_carries(&as_handle) != 0)
		return 0;
	return blockers_add(&freeze->blockers, BLOCKER_HANDLE, node->op,
			    scope_name(scope, node));
}

static int finish(struct tf_freeze *freeze)
{
	struct tf_frame *frame = &freeze->stack[freeze->depth - 1];
	struct tf_instance *instance = frame->instance;
	size_t count = instance->node->data_count + frame->control_count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct tf_value *value = &frame->values[i];

		if (value->kind == VALUE_NODE && value->instance)
			value->out = value->instance->out;
		r = read_check(freeze, instance->scope, instance->node, value);
	}
	if (r == 0)
		r = rewrite_node(freeze, frame);
	if (r < 0)
		return r;
	instance->state = STATE_DONE;
	body_add(instance->scope->body, instance->out);
	freeze->depth--;
	return 0;
}

static int drain(struct tf_freeze *freeze)
{
	int r = 0;

	while (r == 0 && freeze->depth > 0) {
		const struct tf_frame *frame =
			&freeze->stack[freeze->depth - 1];

		if (frame->next < frame->instance->node->input_count)
			r = step(freeze);
		else
			r = finish(freeze);
	}
	return r;
}

int resolve_value(struct tf_freeze *freeze, struct tf_scope *scope,
		  struct tf_text ref, struct tf_value *out)
{
	const struct tf_node asked = { .name = ref, .op = { "output", 6 } };
	int r;

	assert(freeze->depth == 0);
	r = chase_value(freeze, scope, ref, out);
	if (r == 0)
		r = wait_for(freeze, out);
	if (r == 0)
		r = drain(freeze);
	if (r < 0)
		return r;
	if (out->kind == VALUE_NODE && out->instance)
		out->out = out->instance->out;
	return read_check(freeze, scope, &asked, out);
}
