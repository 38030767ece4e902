/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/restore_map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/tensorflow/restore_collection.h"
#include "staging/tensorflow/scope.h"

enum { META_SAVER = 3, SAVER_RESTORE = 3 };

/* The strings of a constant, read once. */
struct strings {
	struct tf_text *items;
	size_t count;
};

struct restore {
	struct saved_model *model;
	struct tf_scopes scopes;
	struct map constants;	 /* node's address -> struct strings * */
	struct tf_scope **queue; /* functions to look through; owned */
	size_t queued, queue_room;
	const struct tf_node **stack; /* of the main graph; owned */
	bool *seen;		      /* by place in main.nodes; owned */
};

static void restore_release(struct restore *restore)
{
	scopes_release(&restore->scopes);
	map_release(&restore->constants);
	free(restore->queue);
	free(restore->stack);
	free(restore->seen);
}
DEFINE_AUTO(restore, struct restore, restore_release)

/* Not a failure of the model: only nothing is learned here. */
static int unless_lost(int r)
{
	return r == -EBADMSG ? 0 : r;
}

static int strings_of(struct restore *restore, struct tf_scope *scope,
		      struct tf_text ref, const struct strings **out)
{
	struct tf_trail trail = { 0 };
	struct tf_place place;
	struct strings *strings;
	int r = scope_find(&restore->scopes, scope, ref, &trail, &place);

	*out = NULL;
	if (r < 0 || !place.node || !tf_text_is(place.node->op, "Const"))
		return unless_lost(r);
	*out = map_get_bytes(&restore->constants, &place.node,
			     sizeof(place.node));
	if (*out)
		return 0;
	strings = tf_pool_array(restore->scopes.pool, 1, sizeof(*strings));
	if (!strings)
		return tf_pool_error(restore->scopes.pool);
	r = attr_strings(restore->scopes.pool,
			 attr_of(&place.node->attrs, "value",
				 &place.scope->env),
			 &strings->items, &strings->count);
	if (r < 0)
		return unless_lost(r);
	*out = strings;
	return map_add_bytes(&restore->constants, &place.node,
			     sizeof(place.node), strings);
}

/* Of slices one may stand for as many as there are outputs. */
static bool string_at(const struct strings *strings, uint32_t i,
		      bool one_for_all, struct tf_text *out)
{
	if (!strings)
		return false;
	if (one_for_all && strings->count == 1)
		i = 0;
	if (i >= strings->count)
		return false;
	*out = strings->items[i];
	return true;
}

/* .key.at stays NULL where @value is not something restored. */
static int source_find(struct restore *restore, struct tf_scope *scope,
		       struct tf_text value, struct tf_restored *out)
{
	const struct strings *keys, *slices;
	struct tf_trail trail = { 0 };
	struct tf_place place;
	int r;

	for (;;) {
		r = scope_find(&restore->scopes, scope, value, &trail, &place);
		if (r < 0 || !place.node || place.node->data_count == 0)
			return unless_lost(r);
		if (place.node->kind != OP_IDENTITY &&
		    place.node->kind != OP_IDENTITY_N &&
		    !tf_text_is(place.node->op, "Reshape") &&
		    !tf_text_is(place.node->op, "Cast"))
			break;
		scope = place.scope;
		if (place.node->kind != OP_IDENTITY_N)
			place.number = 0;
		if (place.number >= place.node->data_count)
			return 0;
		value = place.node->inputs[place.number];
	}
	if (!tf_text_is(place.node->op, "RestoreV2") ||
	    place.node->data_count < 3)
		return 0;
	r = strings_of(restore, place.scope, place.node->inputs[1], &keys);
	if (r == 0)
		r = strings_of(restore, place.scope, place.node->inputs[2],
			       &slices);
	if (r == 0 && !(string_at(slices, place.number, true, &out->slice) &&
			string_at(keys, place.number, false, &out->key)))
		out->key.at = NULL;
	return r;
}

/* NULL: @handle is no variable of the main graph. */
static int variable_find(struct restore *restore, struct tf_scope *scope,
			 struct tf_text handle, const struct tf_node **out)
{
	struct tf_trail trail = { 0 };
	struct tf_place place;
	int r;

	*out = NULL;
	do {
		r = scope_find(&restore->scopes, scope, handle, &trail, &place);
		if (r < 0 || !place.node)
			return unless_lost(r);
		scope = place.scope;
		if (place.node->data_count > 0)
			handle = place.node->inputs[0];
	} while (place.node->kind == OP_IDENTITY && place.node->data_count > 0);
	if (!scope->outer && (place.node->kind == OP_HANDLE ||
			      place.node->kind == OP_REF_VARIABLE))
		*out = place.node;
	return 0;
}

int restore_note(struct saved_model *model, struct tf_text variable,
		 const struct tf_restored *found)
{
	struct tf_restored *known = map_get_bytes(&model->restored, variable.at,
						  variable.len);

	if (known) {
		if (!tf_text_equal(known->key, found->key) ||
		    !tf_text_equal(known->slice, found->slice))
			known->ambiguous = true;
		return 0;
	}
	known = tf_pool_copy(&model->pool, found, sizeof(*found));
	if (!known)
		return tf_pool_error(&model->pool);
	return map_add_bytes(&model->restored, variable.at, variable.len,
			     known);
}

static bool assigns(const struct tf_node *node)
{
	return node->data_count >= 2 &&
	       (tf_text_is(node->op, "Assign") ||
		tf_text_is(node->op, "AssignVariableOp"));
}

static int look_into(struct restore *restore, struct tf_scope *scope,
		     const struct tf_node *node)
{
	struct tf_function_ref callee;
	struct tf_scope *inner;
	struct tf_scope **bigger;
	int r = scope_callee(&restore->scopes, scope, node, &callee);

	if (r == 0)
		r = scope_enter(&restore->scopes, scope, node, &callee, 0, 0,
				&inner);
	if (r < 0)
		return unless_lost(r);
	if (restore->queued == restore->queue_room) {
		size_t room = 2 * restore->queue_room + 8;

		bigger = mem_resize(restore->queue, room, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		restore->queue = bigger;
		restore->queue_room = room;
	}
	restore->queue[restore->queued++] = inner;
	return 0;
}

static int node_look(struct restore *restore, struct tf_scope *scope,
		     const struct tf_node *node)
{
	struct tf_restored found = { 0 };
	const struct tf_node *variable;
	int r;

	if (scope_kind(&restore->scopes, node) == OP_CALL)
		return look_into(restore, scope, node);
	if (!assigns(node))
		return 0;
	r = variable_find(restore, scope, node->inputs[0], &variable);
	if (r == 0 && variable)
		r = source_find(restore, scope, node->inputs[1], &found);
	if (r < 0 || !variable || !found.key.at)
		return r;
	return restore_note(restore->model, variable->name, &found);
}

/* All that @root needs, by data or control. */
static int main_look(struct restore *restore, struct tf_scope *scope,
		     const struct tf_node *root)
{
	const struct tf_graph *graph = scope->graph;
	size_t depth = 0;
	int r = 0;

	restore->stack[depth++] = root;
	restore->seen[root - graph->nodes] = true;
	while (r == 0 && depth > 0) {
		const struct tf_node *node = restore->stack[--depth];

		r = node_look(restore, scope, node);
		for (size_t i = 0; i < node->input_count; i++) {
			const struct tf_node *input;
			struct tf_edge edge;

			if (!tf_edge_parse(node->inputs[i], false, &edge))
				continue;
			input = tf_graph_node(graph, edge.name);
			if (!input || restore->seen[input - graph->nodes])
				continue;
			restore->seen[input - graph->nodes] = true;
			restore->stack[depth++] = input;
		}
	}
	return r;
}

static int functions_look(struct restore *restore)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < restore->queued; i++) {
		struct tf_scope *scope = restore->queue[i];

		r = scopes_spend(&restore->scopes, scope->graph->node_count);
		for (size_t n = 0; r == 0 && n < scope->graph->node_count; n++)
			r = node_look(restore, scope, &scope->graph->nodes[n]);
	}
	return r;
}

static int restore_follow(struct saved_model *model, const struct tf_node *root)
{
	auto_of(restore) struct restore restore = { .model = model };
	struct tf_scope *scope;
	int r;

	scopes_init(&restore.scopes, model, &model->pool, NULL);
	restore.scopes.enters_all = true;
	restore.stack = mem_array(model->main.node_count,
				  sizeof(*restore.stack));
	restore.seen = mem_array(model->main.node_count, 1);
	if (!restore.stack || !restore.seen)
		return -ENOMEM;
	r = scope_root(&restore.scopes, &model->main, NULL, NULL, &scope);
	if (r == 0)
		r = main_look(&restore, scope, root);
	return r < 0 ? r : functions_look(&restore);
}

/* Empty: there is no saver, or it restores nothing. */
static int restore_op(const struct wire_field *meta_graph, struct tf_text *name,
		      struct refusal *why)
{
	struct wire_field saver, field;
	struct wire wire, inner;

	*name = (struct tf_text){ "", 0 };
	wire_enter(&wire, meta_graph);
	while (wire_next(&wire, &saver)) {
		if (saver.number != META_SAVER || saver.type != WIRE_LEN)
			continue;
		wire_enter(&inner, &saver);
		while (wire_next(&inner, &field))
			if (field.number == SAVER_RESTORE &&
			    !tf_name_of(&field, name))
				return tf_malformed(why, "the saver");
	}
	return 0;
}

int restore_map_build(struct saved_model *model,
		      const struct wire_field *meta_graph, struct refusal *why)
{
	const struct tf_node *root;
	struct tf_text name;
	int r = restore_op(meta_graph, &name, why);

	if (r < 0)
		return r;
	if (name.len == 0)
		return restore_collection(model, meta_graph, why);
	root = tf_graph_node(&model->main, name);
	if (!root)
		return tf_malformed(why, "the saver's restore operation");
	model->has_saver = true;
	return restore_follow(model, root);
}
