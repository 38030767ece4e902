/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/assigns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "staging/tensorflow/variables.h"

/* The walk has scopes of its own, which enter every call. */
struct walk {
	struct tf_freeze *freeze;
	struct tf_scopes scopes;
	struct tf_scope **queue; /* functions to look through; owned */
	size_t queued, room;
	const struct tf_node **stack; /* of the main graph; owned */
	bool *seen;		      /* by place in main.nodes; owned */
};

static void walk_release(struct walk *walk)
{
	scopes_release(&walk->scopes);
	free(walk->queue);
	free(walk->stack);
	free(walk->seen);
}
DEFINE_AUTO(walk, struct walk, walk_release)

/* The input whose handle an output of @place hands on; -1: none. */
static int64_t handle_from(const struct tf_place *place)
{
	int64_t i = 0;

	switch (place->node->kind) {
	case OP_IDENTITY:
	case OP_PASS:
	case OP_FLOW:
	case OP_MERGE:
		break;
	case OP_IDENTITY_N:
	case OP_WHILE:
		i = place->number;
		break;
	default:
		return -1;
	}
	return (size_t)i < place->node->data_count ? i : -1;
}

/* A node of the main graph, or NULL. */
static int handle_find(struct walk *walk, struct tf_scope *scope,
		       struct tf_text ref, const struct tf_node **out)
{
	struct tf_trail trail = { 0 };
	struct tf_place place;
	int64_t on;
	int r;

	*out = NULL;
	do {
		r = scope_find(&walk->scopes, scope, ref, &trail, &place);
		if (r < 0 || !place.node)
			return r;
		on = handle_from(&place);
		if (on >= 0) {
			scope = place.scope;
			ref = place.node->inputs[on];
		}
	} while (on >= 0);
	if (place.node->kind == OP_HANDLE && place.scope->outer)
		*out = variable_shared(walk->freeze, place.node);
	else if (place.node->kind == OP_HANDLE ||
		 place.node->kind == OP_REF_VARIABLE)
		*out = place.node;
	return 0;
}

/* @target NULL: it cannot be told, so it may be one that is read. */
static int assigned(struct walk *walk, const struct tf_scope *scope,
		    const struct tf_node *node, const struct tf_node *target)
{
	struct tf_freeze *freeze = walk->freeze;
	struct tf_variable *variable;

	if (!target)
		return blockers_add(&freeze->blockers, BLOCKER_ASSIGNED,
				    node->op, scope_name(scope, node));
	variable = map_get_bytes(&freeze->variables, target->name.at,
				 target->name.len);
	if (!variable || !variable->constant || variable->assigned.len > 0)
		return 0;
	variable->assigned = node->name;
	return blockers_add(&freeze->blockers, BLOCKER_ASSIGNED, target->name,
			    scope_name(scope, node));
}

static int queue_add(struct walk *walk, struct tf_scope *scope)
{
	struct tf_scope **bigger;

	if (walk->queued == walk->room) {
		size_t room = 2 * walk->room + 8;

		bigger = mem_resize(walk->queue, room, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		walk->queue = bigger;
		walk->room = room;
	}
	walk->queue[walk->queued++] = scope;
	return 0;
}

static int enter(struct walk *walk, struct tf_scope *scope,
		 const struct tf_node *node, struct tf_function_ref *function,
		 uint32_t *number, size_t skip)
{
	struct tf_scope *inner;
	int r = scope_enter(&walk->scopes, scope, node, function, (*number)++,
			    skip, &inner);

	return r < 0 ? r : queue_add(walk, inner);
}

static int enter_field(struct walk *walk, struct tf_scope *scope,
		       const struct tf_node *node,
		       const struct wire_field *field, uint32_t *number,
		       size_t skip)
{
	struct tf_function_ref function;
	int r = attr_function(walk->scopes.pool, field, &function,
			      walk->freeze->why);

	if (r == 0)
		r = scope_attrs(&walk->scopes, scope, &function.attrs);
	return r < 0 ? r : enter(walk, scope, node, &function, number, skip);
}

/* Every function that the node's attributes name. */
static int enter_attrs(struct walk *walk, struct tf_scope *scope,
		       const struct tf_node *node, size_t skip)
{
	uint32_t number = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->attrs.count; i++) {
		const struct tf_attr *attr = attr_resolve(&node->attrs.items[i],
							  &scope->env);
		struct wire_field field, inner;
		struct wire wire;

		if (!attr || tf_text_starts(node->attrs.items[i].name, "_"))
			continue;
		if (attr_field(attr, ATTR_FUNC, &field))
			r = enter_field(walk, scope, node, &field, &number,
					skip);
		if (r < 0 || !attr_field(attr, ATTR_LIST, &field))
			continue;
		wire_enter(&wire, &field);
		while (r == 0 && wire_next(&wire, &inner))
			if (inner.number == LIST_FUNC)
				r = enter_field(walk, scope, node, &inner,
						&number, skip);
	}
	return r;
}

static int enter_callee(struct walk *walk, struct tf_scope *scope,
			const struct tf_node *node)
{
	struct tf_function_ref callee;
	uint32_t number = 0;
	int r = scope_callee(&walk->scopes, scope, node, &callee);

	return r < 0 ? r : enter(walk, scope, node, &callee, &number, 0);
}

/*
 * What @node may write; of OP_WRITE it must be known.  An operation of which
 * only the name is known (@by_handle) takes reference variables as values.
 */
static int writes_look(struct walk *walk, struct tf_scope *scope,
		       const struct tf_node *node, bool by_handle)
{
	bool writes = node->kind == OP_WRITE;
	const struct tf_node *target;
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->data_count; i++) {
		if (writes && i > 0)
			break;
		r = handle_find(walk, scope, node->inputs[i], &target);
		if (target && by_handle && !writes && target->kind != OP_HANDLE)
			continue;
		if (r == 0 && (target || writes))
			r = assigned(walk, scope, node, target);
	}
	return r;
}

static int node_look(struct walk *walk, struct tf_scope *scope,
		     const struct tf_node *node)
{
	const struct tf_op *op = model_op(walk->freeze->model, node->op);
	enum op_kind kind = scope_kind(&walk->scopes, node);

	if (kind == OP_CALL)
		return enter_callee(walk, scope, node);
	if (kind == OP_WHILE || kind == OP_BRANCH)
		return enter_attrs(walk, scope, node, kind == OP_BRANCH);
	if (!op_may_write(kind, op))
		return 0;
	return writes_look(walk, scope, node, !op);
}

static void push(struct walk *walk, struct tf_text ref, size_t *depth)
{
	const struct tf_graph *graph = &walk->freeze->model->main;
	const struct tf_node *node;
	struct tf_edge edge;

	if (!tf_edge_parse(ref, false, &edge) ||
	    scope_cut(&walk->scopes, walk->freeze->main.root, ref))
		return;
	node = tf_graph_node(graph, edge.name);
	if (!node || walk->seen[node - graph->nodes])
		return;
	walk->seen[node - graph->nodes] = true;
	walk->stack[(*depth)++] = node;
}

static int main_look(struct walk *walk, struct tf_scope *scope)
{
	const struct tf_signature *signature = walk->freeze->signature;
	size_t depth = 0;
	int r = 0;

	for (size_t i = 0; i < signature->output_count; i++)
		push(walk, signature->outputs[i].tensor, &depth);
	while (r == 0 && depth > 0) {
		const struct tf_node *node = walk->stack[--depth];

		r = node_look(walk, scope, node);
		for (size_t i = 0; i < node->input_count; i++)
			push(walk, node->inputs[i], &depth);
	}
	return r;
}

static int functions_look(struct walk *walk)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < walk->queued; i++) {
		struct tf_scope *scope = walk->queue[i];

		r = scopes_spend(&walk->scopes, scope->graph->node_count);
		for (size_t n = 0; r == 0 && n < scope->graph->node_count; n++)
			r = node_look(walk, scope, &scope->graph->nodes[n]);
	}
	return r;
}

int assigns_check(struct tf_freeze *freeze)
{
	const struct tf_graph *graph = &freeze->model->main;
	auto_of(walk) struct walk walk = { .freeze = freeze };
	struct tf_scope *scope;
	int r;

	scopes_init(&walk.scopes, freeze->model, &freeze->pool, freeze->why);
	walk.scopes.enters_all = true;
	walk.scopes.cuts = &freeze->cuts;
	walk.stack = mem_array(graph->node_count, sizeof(*walk.stack));
	walk.seen = mem_array(graph->node_count, 1);
	if (!walk.stack || !walk.seen)
		return -ENOMEM;
	r = scope_root(&walk.scopes, graph, NULL, NULL, &scope);
	if (r == 0)
		r = main_look(&walk, scope);
	return r < 0 ? r : functions_look(&walk);
}
