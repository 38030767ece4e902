/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/scope.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "staging/tensorflow/op_ports.h"

/* Tells a call from others; all bytes are set. */
struct call_key {
	uint32_t outer;
	uint32_t node;
	uint32_t number;
};

void scopes_init(struct tf_scopes *scopes, const struct saved_model *model,
		 struct tf_pool *pool, struct refusal *why)
{
	*scopes = (struct tf_scopes){
		.model = model,
		.pool = pool,
		.why = why,
		.steps_left = FREEZE_STEPS_MAX,
	};
}

void scopes_release(struct tf_scopes *scopes)
{
	map_release(&scopes->by_call);
}

int scopes_spend(struct tf_scopes *scopes, uint64_t steps)
{
	if (steps > scopes->steps_left) {
		scopes->steps_left = 0;
		return -EFBIG;
	}
	scopes->steps_left -= steps;
	return 0;
}

const char *scope_name(const struct tf_scope *scope, const struct tf_node *node)
{
	static _Thread_local char name[REASON_BYTES_MAX];

	snprintf(name, sizeof(name), "%.*s%.*s", (int)scope->prefix.len,
		 scope->prefix.at, (int)node->name.len, node->name.at);
	return name;
}

int scope_root(struct tf_scopes *scopes, const struct tf_graph *graph,
	       const struct tf_attrs *env, struct tf_body *body,
	       struct tf_scope **out)
{
	struct tf_scope *scope;

	if (scopes->count >= FREEZE_SCOPES_MAX)
		return -EFBIG;
	scope = tf_pool_array(scopes->pool, 1, sizeof(*scope));
	if (!scope)
		return tf_pool_error(scopes->pool);
	scope->graph = graph;
	scope->prefix = (struct tf_text){ "", 0 };
	if (env)
		scope->env = *env;
	scope->id = scopes->count++;
	scope->body = body;
	scope->by_port = graph->is_function || scopes->enters_all;
	*out = scope;
	return 0;
}

static int scope_make(struct tf_scopes *scopes, struct tf_scope *outer,
		      const struct tf_node *node,
		      const struct tf_function_ref *ref, struct tf_scope **out)
{
	const struct tf_graph *graph = model_function(scopes->model, ref->name);
	struct tf_scope *scope;
	int r;

	if (!graph)
		return refuse(scopes->why, "saved-model",
			      scope_name(outer, node),
			      "a node calls a function that is not there");
	if (outer->depth >= FUNCTION_DEPTH_MAX)
		return refuse(scopes->why, "function-recursion",
			      scope_name(outer, node),
			      "functions call each other more than %d deep",
			      FUNCTION_DEPTH_MAX);
	if (outer->prefix.len + node->name.len > NODE_NAME_BYTES_MAX)
		return -EFBIG;
	r = scope_root(scopes, graph, &ref->attrs, outer->body, &scope);
	if (r < 0)
		return r;
	scope->outer = outer;
	scope->call = node;
	scope->depth = outer->depth + 1;
	scope->by_port = outer->by_port;
	scope->prefix = tf_pool_join(scopes->pool, outer->prefix, node->name,
				     tf_text_of("/"));
	*out = scope;
	return scope->prefix.at ? 0 : tf_pool_error(scopes->pool);
}

int scope_enter(struct tf_scopes *scopes, struct tf_scope *outer,
		const struct tf_node *node, const struct tf_function_ref *ref,
		uint32_t number, size_t skip, struct tf_scope **out)
{
	const struct call_key key = { outer->id,
				      (uint32_t)(node - outer->graph->nodes),
				      number };
	struct tf_scope *scope = map_get_bytes(&scopes->by_call, &key,
					       sizeof(key));
	int r;

	if (!scope) {
		r = scope_make(scopes, outer, node, ref, &scope);
		if (r < 0)
			return r;
		scope->skip = skip;
		r = map_add_bytes(&scopes->by_call, &key, sizeof(key), scope);
		if (r < 0)
			return r;
	}
	*out = scope;
	return 0;
}

enum op_kind scope_kind(const struct tf_scopes *scopes,
			const struct tf_node *node)
{
	if (node->kind == OP_PLAIN && model_function(scopes->model, node->op))
		return OP_CALL;
	return node->kind;
}

int scope_attrs(struct tf_scopes *scopes, const struct tf_scope *scope,
		struct tf_attrs *attrs)
{
	struct tf_attr *items;

	if (attrs->count == 0 || scope->env.count == 0)
		return 0;
	items = tf_pool_array(scopes->pool, attrs->count, sizeof(*items));
	if (!items)
		return tf_pool_error(scopes->pool);
	for (size_t i = 0; i < attrs->count; i++) {
		const struct tf_attr *from = attr_resolve(&attrs->items[i],
							  &scope->env);

		if (!from)
			return tf_malformed(scopes->why, "an attribute");
		items[i] = *from;
		items[i].name = attrs->items[i].name;
	}
	attrs->items = items;
	return 0;
}

int scope_callee(struct tf_scopes *scopes, const struct tf_scope *scope,
		 const struct tf_node *node, struct tf_function_ref *out)
{
	const struct tf_attr *attr;
	struct wire_field field;
	int r;

	if (node->kind != OP_CALL) {
		out->name = node->op;
		out->attrs = node->attrs;
		return scope_attrs(scopes, scope, &out->attrs);
	}
	attr = attr_of(&node->attrs, "f", &scope->env);
	if (!attr_field(attr, ATTR_FUNC, &field))
		return tf_malformed(scopes->why, "a call of no function");
	r = attr_function(scopes->pool, &field, out, scopes->why);
	return r < 0 ? r : scope_attrs(scopes, scope, &out->attrs);
}

static int dangling(struct tf_scopes *scopes, const struct tf_scope *scope,
		    struct tf_text ref)
{
	char name[REASON_BYTES_MAX];

	snprintf(name, sizeof(name), "%.*s%.*s", (int)scope->prefix.len,
		 scope->prefix.at, (int)ref.len, ref.at);
	return refuse(scopes->why, "saved-model", name,
		      "a node's input leads to nothing that can be found");
}

static int trail_step(struct tf_scopes *scopes, struct tf_trail *trail,
		      const struct tf_scope *scope, struct tf_text ref)
{
	int r = scopes_spend(scopes, 1);

	if (r < 0)
		return r;
	if (trail->scope == scope && trail->ref == ref.at)
		return refuse(scopes->why, "graph-cycle",
			      scope->call
				      ? scope_name(scope->outer, scope->call)
				      : NULL,
			      "the model's graph runs in a circle");
	if (trail->taken++ >= trail->turn) {
		*trail = (struct tf_trail){ scope, ref.at, trail->taken,
					    2 * trail->taken };
	}
	return 0;
}

/* The call's input for the argument. */
static int arg_leave(struct tf_scopes *scopes, const struct tf_arg *arg,
		     struct tf_scope **scope, struct tf_text *ref)
{
	const struct tf_scope *inner = *scope;
	size_t i = (size_t)(arg - inner->graph->inputs) + inner->skip;

	if (i >= inner->call->data_count)
		return dangling(scopes, inner, arg->name);
	*ref = inner->call->inputs[i];
	*scope = inner->outer;
	return 0;
}

/* What the function returns as the call's output. */
static int call_enter(struct tf_scopes *scopes, const struct tf_node *node,
		      const struct tf_edge *edge, struct tf_scope **scope,
		      struct tf_text *ref)
{
	struct tf_scope *outer = *scope;
	const struct tf_graph *graph;
	struct tf_function_ref callee;
	size_t i = edge->index;
	int r = scope_callee(scopes, outer, node, &callee);

	if (r == 0)
		r = scope_enter(scopes, outer, node, &callee, 0, 0, scope);
	if (r < 0)
		return r;
	graph = (*scope)->graph;
	if (edge->port.len > 0 && node->kind != OP_CALL) {
		for (i = 0; i < graph->output_count; i++)
			if (tf_text_equal(graph->outputs[i].name, edge->port))
				break;
	}
	if (i >= graph->output_count)
		return dangling(scopes, outer, node->name);
	*ref = graph->outputs[i].ret;
	return 0;
}

static int number_output(struct tf_scopes *scopes, struct tf_place *place,
			 struct tf_text ref)
{
	const struct tf_op *op = model_op(scopes->model, place->node->op);

	place->number = place->edge.index;
	if (place->edge.port.len == 0 || place->edge.is_control)
		return 0;
	if (scope_kind(scopes, place->node) == OP_CALL &&
	    place->node->kind != OP_CALL)
		return refuse(scopes->why, "unsupported-call",
			      scope_name(place->scope, place->node),
			      "a function with control flow of TensorFlow 1 "
			      "calls another by its name");
	if (!op && place->scope->by_port) {
		place->number += tf_text_is(place->edge.port, "output_true") ||
				 tf_text_is(place->edge.port, "value_index");
		return 0;
	}
	if (op_output(op, place->node, &place->scope->env, &place->edge,
		      &place->number) < 0)
		return dangling(scopes, place->scope, ref);
	return 0;
}

void *scope_cut(const struct tf_scopes *scopes, const struct tf_scope *scope,
		struct tf_text ref)
{
	if (!scopes->cuts || scope->graph != &scopes->model->main)
		return NULL;
	if (tf_text_ends(ref, ":0"))
		ref.len -= 2;
	return map_get_bytes(scopes->cuts, ref.at, ref.len);
}

/* 1: @scope and @ref lead on; 0: *@out is it. */
static int find_step(struct tf_scopes *scopes, struct tf_scope **scope,
		     struct tf_text *ref, struct tf_place *out)
{
	const struct tf_graph *graph = (*scope)->graph;
	int r;

	*out = (struct tf_place){ .scope = *scope };
	out->cut = scope_cut(scopes, *scope, *ref);
	if (out->cut)
		return 0;
	if (!tf_edge_parse(*ref, graph->is_function, &out->edge))
		return dangling(scopes, *scope, *ref);
	out->arg = map_get_bytes(&graph->args, out->edge.name.at,
				 out->edge.name.len);
	if (out->arg && (out->edge.index != 0 || out->edge.port.len > 0))
		return dangling(scopes, *scope, *ref);
	if (out->arg && !(*scope)->outer)
		return 0;
	if (out->arg) {
		r = arg_leave(scopes, out->arg, scope, ref);
		return r < 0 ? r : 1;
	}
	out->node = tf_graph_node(graph, out->edge.name);
	if (!out->node)
		return dangling(scopes, *scope, *ref);
	if (scope_kind(scopes, out->node) != OP_CALL || out->edge.is_control ||
	    (graph->has_flow && !scopes->enters_all))
		return number_output(scopes, out, *ref);
	r = call_enter(scopes, out->node, &out->edge, scope, ref);
	return r < 0 ? r : 1;
}

int scope_find(struct tf_scopes *scopes, struct tf_scope *scope,
	       struct tf_text ref, struct tf_trail *trail, struct tf_place *out)
{
	int r;

	do {
		r = trail_step(scopes, trail, scope, ref);
		if (r == 0)
			r = find_step(scopes, &scope, &ref, out);
	} while (r == 1);
	return r;
}
