/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/chase.h"

#include <errno.h>

#include "staging/tensorflow/variables.h"

struct instance_key {
	uint32_t scope;
	uint32_t node;
};

static int instance_of(struct tf_freeze *freeze, struct tf_scope *scope,
		       const struct tf_node *node, struct tf_instance **out)
{
	const struct instance_key key = {
		scope->id, (uint32_t)(node - scope->graph->nodes)
	};
	struct tf_instance *instance = map_get_bytes(&freeze->instances, &key,
						     sizeof(key));

	*out = instance;
	if (instance)
		return 0;
	instance = tf_pool_array(&freeze->pool, 1, sizeof(*instance));
	if (!instance)
		return tf_pool_error(&freeze->pool);
	instance->scope = scope;
	instance->node = node;
	*out = instance;
	return map_add_bytes(&freeze->instances, &key, sizeof(key), instance);
}

static int place_value(struct tf_freeze *freeze, const struct tf_place *place,
		       struct tf_value *out)
{
	int r = instance_of(freeze, place->scope, place->node, &out->instance);

	if (r < 0)
		return r;
	out->kind = VALUE_NODE;
	out->out = out->instance->out;
	out->number = place->number;
	out->port = place->edge.port;
	out->index = place->edge.index;
	return 0;
}

int chase_node(struct tf_freeze *freeze, struct tf_scope *scope,
	       const struct tf_node *node, struct tf_value *out)
{
	const struct tf_place place = { .scope = scope, .node = node };

	*out = (struct tf_value){ 0 };
	return place_value(freeze, &place, out);
}

static void argument_value(const struct tf_place *place, struct tf_value *out)
{
	const struct tf_body *body = place->scope->body;
	size_t i = (size_t)(place->arg - place->scope->graph->inputs);

	out->kind = VALUE_ARG;
	out->arg = place->arg;
	out->carries = body->carried && body->carried[i] ? body->types[i] : 0;
}

/* A variable itself: the end of a walk.  Within a kept function: none. */
static int variable_value(struct tf_freeze *freeze,
			  const struct tf_place *place, struct tf_value *out)
{
	const struct tf_node *node = place->node;
	int r;

	if (place->scope->graph != &freeze->model->main)
		node = place->scope->body == &freeze->main
			       ? variable_shared(freeze, node)
			       : NULL;
	if (!node)
		return refuse(freeze->why, "variable-not-restored",
			      scope_name(place->scope, place->node),
			      "a variable within a function has no value");
	r = variable_of(freeze, node, &out->variable);
	if (r < 0)
		return r;
	out->kind = VALUE_VARIABLE;
	out->is_read |= place->node->kind == OP_REF_VARIABLE;
	return 0;
}

/* What was read becomes a constant; a handle stays one. */
static int settle(struct tf_freeze *freeze, struct tf_value *out)
{
	struct tf_out *constant;
	int r;

	if (out->kind != VALUE_VARIABLE || !out->is_read)
		return 0;
	r = variable_constant(freeze, out->variable, &constant);
	if (r == 0)
		*out = value_of_out(constant);
	return r;
}

/* The input that the place hands on; or -1: it is not of that kind. */
static int64_t handed_on(const struct tf_place *place)
{
	const struct tf_node *node = place->node;
	bool by_edges = place->scope->graph->has_flow;
	uint32_t i = node->kind == OP_IDENTITY_N ? place->number : 0;

	switch (node->kind) {
	case OP_IDENTITY:
	case OP_READ:
		if (by_edges)
			return -1;
		break;
	case OP_PASS:
	case OP_DEFAULT:
	case OP_IDENTITY_N:
		break;
	default:
		return -1;
	}
	return i < node->data_count ? (int64_t)i : -1;
}

static int value_make(struct tf_freeze *freeze, const struct tf_place *place,
		      bool is_read, struct tf_value *out)
{
	struct tf_input *input = place->cut;
	int r = 0;

	*out = (struct tf_value){ .is_read = is_read };
	if (input) {
		input->used = true;
		*out = value_of_out(input->identity);
	} else if (!place->node) {
		argument_value(place, out);
	} else if (place->node->kind == OP_HANDLE ||
		   place->node->kind == OP_REF_VARIABLE) {
		r = variable_value(freeze, place, out);
	} else {
		r = place_value(freeze, place, out);
	}
	return r < 0 ? r : settle(freeze, out);
}

int chase_value(struct tf_freeze *freeze, struct tf_scope *scope,
		struct tf_text ref, struct tf_value *out)
{
	struct tf_trail trail = { 0 };
	struct tf_place place;
	bool is_read = false;
	int64_t on;
	int r;

	for (;;) {
		r = scope_find(&freeze->scopes, scope, ref, &trail, &place);
		if (r < 0)
			return r;
		on = place.node ? handed_on(&place) : -1;
		if (on < 0)
			return value_make(freeze, &place, is_read, out);
		is_read |= place.node->kind == OP_READ;
		scope = place.scope;
		ref = place.node->inputs[on];
	}
}
