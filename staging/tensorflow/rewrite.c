/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/rewrite.h"

#include <errno.h>

#include "staging/tensorflow/rewrite_attrs.h"
#include "staging/tensorflow/variables.h"

/* Not one of ours to do: noted, and the walk goes on. */
static int unfit(struct rewrite *rewrite)
{
	const struct tf_instance *instance = rewrite->instance;

	return blockers_add(&rewrite->freeze->blockers, BLOCKER_HANDLE,
			    instance->node->op,
			    scope_name(instance->scope, instance->node));
}

/* Handles become constants; notes which inputs were handles. */
static int take_inputs(struct rewrite *rewrite, const struct tf_frame *frame)
{
	struct tf_freeze *freeze = rewrite->freeze;
	size_t count = frame->instance->node->data_count;
	int r = 0;

	rewrite->handles = tf_pool_array(&freeze->pool, count, sizeof(int));
	if (!rewrite->handles)
		return tf_pool_error(&freeze->pool);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct tf_value *value = &frame->values[i];
		struct tf_out *constant;

		rewrite->handles[i] = value_carries(value);
		rewrite->any |= rewrite->handles[i] != 0;
		if (value->kind != VALUE_VARIABLE)
			continue;
		rewrite->variable = value->variable;
		if (rewrite->kind == OP_SHAPE ||
		    rewrite->kind == OP_INITIALIZED)
			continue;
		r = variable_constant(freeze, value->variable, &constant);
		if (r == 0)
			*value = value_of_out(constant);
	}
	return r;
}

/* Each output that stands for a handle has this variable's type. */
static int carry(struct rewrite *rewrite, size_t first, size_t count, int dtype)
{
	struct tf_instance *instance = rewrite->instance;

	if (!instance->carries) {
		size_t room = first + count + instance->node->data_count;

		instance->carries = tf_pool_array(&rewrite->freeze->pool, room,
						  sizeof(int));
		if (!instance->carries)
			return tf_pool_error(&rewrite->freeze->pool);
		instance->carry_count = room;
	}
	for (size_t i = first; i < first + count; i++)
		instance->carries[i] = dtype;
	return 0;
}

static int put_type(struct rewrite *rewrite, const char *name, int type)
{
	struct tf_attr attr;
	int r = attr_make_type(&rewrite->freeze->pool, name, type, &attr);

	return r < 0 ? r : rewrite_put(rewrite, &attr);
}

/* The node's own attribute under another name, if it has it. */
static int put_as(struct rewrite *rewrite, const char *from, const char *as)
{
	const struct tf_instance *instance = rewrite->instance;
	const struct tf_attr *attr = attr_of(&instance->node->attrs, from,
					     &instance->scope->env);
	struct tf_attr renamed;

	if (!attr)
		return 0;
	renamed = *attr;
	renamed.name = tf_text_of(as);
	return rewrite_put(rewrite, &renamed);
}

static void become(struct rewrite *rewrite, const char *op, size_t input_count)
{
	struct tf_out *out = rewrite->instance->out;

	out->op = tf_text_of(op);
	out->one_output = true;
	if (out->input_count > input_count)
		out->input_count = input_count;
}

static int read_to_identity(struct rewrite *rewrite)
{
	if (!rewrite->any || rewrite->instance->out->input_count != 1)
		return unfit(rewrite);
	become(rewrite, "Identity", 1);
	return put_type(rewrite, "T", rewrite->handles[0]);
}

/*
 * A constant beside @instance's node.  In a graph with control flow by
 * edges it runs where @beside runs.
 */
static int constant_beside(struct rewrite *rewrite, const char *suffix,
			   const struct tf_value *beside, int type,
			   const struct tf_attr *value, struct tf_value *made)
{
	struct tf_freeze *freeze = rewrite->freeze;
	struct tf_body *body = rewrite->instance->scope->body;
	const struct tf_text nothing = { "", 0 };
	struct tf_text name;
	struct tf_out *out;
	int r;

	name = tf_pool_join(&freeze->pool, rewrite->instance->out->name,
			    tf_text_of(suffix), nothing);
	if (!name.at)
		return tf_pool_error(&freeze->pool);
	r = out_new(freeze, body, name, &out);
	if (r == 0)
		r = out_attrs(freeze, out, 2);
	if (r < 0)
		return r;
	out->op = tf_text_of("Const");
	out->one_output = true;
	if (rewrite->instance->scope->graph->has_flow &&
	    beside->kind == VALUE_NODE) {
		out->controls = tf_pool_copy(&freeze->pool, beside,
					     sizeof(*beside));
		if (!out->controls)
			return tf_pool_error(&freeze->pool);
		out->control_count = 1;
	}
	r = attr_make_type(&freeze->pool, "dtype", type, &out->attrs[0].attr);
	out->attrs[1].attr = *value;
	out->attr_count = 2;
	body_add(body, out);
	*made = value_of_out(out);
	return r;
}

/* ResourceGather's batch_dims is both the axis and batch_dims of GatherV2. */
static int gather(struct rewrite *rewrite)
{
	struct tf_freeze *freeze = rewrite->freeze;
	const struct tf_instance *instance = rewrite->instance;
	struct tf_out *out = instance->out;
	struct tf_value inputs[3];
	struct tf_attr axis;
	int64_t batch = 0;
	uint64_t value;
	int r;

	if (out->input_count != 2 || rewrite->handles[0] == 0 ||
	    rewrite->handles[1] != 0)
		return unfit(rewrite);
	if (attr_int(attr_of(&instance->node->attrs, "batch_dims",
			     &instance->scope->env),
		     &batch) &&
	    (batch < 0 || batch > TENSOR_RANK_MAX))
		return unfit(rewrite);
	value = (uint64_t)batch;
	inputs[0] = out->inputs[0];
	inputs[1] = out->inputs[1];
	r = attr_make_ints(&freeze->pool, "value", DT_INT32, &value, 1, true,
			   &axis);
	if (r == 0)
		r = constant_beside(rewrite, "/axis", &inputs[1], DT_INT32,
				    &axis, &inputs[2]);
	if (r < 0)
		return r;
	out->inputs = tf_pool_copy(&freeze->pool, inputs, sizeof(inputs));
	if (!out->inputs)
		return tf_pool_error(&freeze->pool);
	out->input_count = 3;
	become(rewrite, "GatherV2", 3);
	r = put_type(rewrite, "Taxis", DT_INT32);
	if (r == 0)
		r = put_as(rewrite, "Tindices", "Tindices");
	if (r == 0)
		r = put_as(rewrite, "dtype", "Tparams");
	if (r == 0 && batch > 0)
		r = put_as(rewrite, "batch_dims", "batch_dims");
	return r;
}

static int gather_nd(struct rewrite *rewrite)
{
	int r;

	if (rewrite->instance->out->input_count != 2 ||
	    rewrite->handles[0] == 0 || rewrite->handles[1] != 0)
		return unfit(rewrite);
	become(rewrite, "GatherNd", 2);
	r = put_as(rewrite, "Tindices", "Tindices");
	return r < 0 ? r : put_as(rewrite, "dtype", "Tparams");
}

/* Known here, unless the handle came through control flow. */
static int shape(struct rewrite *rewrite)
{
	const struct tf_instance *instance = rewrite->instance;
	const struct tf_variable *variable = rewrite->variable;
	int type = DT_INT32, r;
	struct tf_attr value;

	if (!rewrite->any || instance->out->input_count != 1)
		return unfit(rewrite);
	attr_type(attr_of(&instance->node->attrs, "out_type",
			  &instance->scope->env),
		  &type);
	if (type != DT_INT32 && type != DT_INT64)
		return unfit(rewrite);
	if (!variable) {
		become(rewrite, "Shape", 1);
		r = put_type(rewrite, "T", rewrite->handles[0]);
		return r < 0 ? r : put_type(rewrite, "out_type", type);
	}
	become(rewrite, "Const", 0);
	r = attr_make_ints(&rewrite->freeze->pool, "value", type,
			   variable->dims, variable->rank, false, &value);
	if (r == 0)
		r = put_type(rewrite, "dtype", type);
	return r < 0 ? r : rewrite_put(rewrite, &value);
}

/* A variable that is a constant is initialized. */
static int initialized(struct rewrite *rewrite)
{
	struct tf_freeze *freeze = rewrite->freeze;
	struct tf_out *out = rewrite->instance->out;
	struct tf_attr value;
	int r;

	if (out->input_count != 1 ||
	    !(rewrite->any ||
	      (out->inputs[0].kind == VALUE_NODE && !out->inputs[0].instance)))
		return unfit(rewrite);
	if (rewrite->handles[0] != 0 && !rewrite->variable &&
	    out->control_count == 0 &&
	    rewrite->instance->scope->graph->has_flow) {
		out->controls = out->inputs;
		out->control_count = 1;
	}
	become(rewrite, "Const", 0);
	r = attr_make_true(&freeze->pool, "value", &value);
	if (r == 0)
		r = put_type(rewrite, "dtype", DT_BOOL);
	return r < 0 ? r : rewrite_put(rewrite, &value);
}

/* All inputs of a Merge carry one type; of others only the first may. */
static bool flow_fits(const struct rewrite *rewrite)
{
	size_t count = rewrite->instance->out->input_count;

	for (size_t i = 1; i < count; i++)
		if (rewrite->handles[i] !=
		    (rewrite->kind == OP_MERGE ? rewrite->handles[0] : 0))
			return false;
	return rewrite->handles[0] != 0;
}

/* Switch has two outputs with the value, Merge's second is a number. */
static int flow(struct rewrite *rewrite)
{
	struct tf_attr type;
	int r;

	if (!flow_fits(rewrite))
		return unfit(rewrite);
	r = attr_make_type(&rewrite->freeze->pool, "T", rewrite->handles[0],
			   &type);
	if (r == 0)
		r = rewrite_copy(rewrite, &type, 1);
	if (r == 0)
		r = carry(rewrite, 0, rewrite->kind == OP_MERGE ? 1 : 2,
			  rewrite->handles[0]);
	return r;
}

/* The types of what the functions get, changed where handles were. */
static int call_types(struct rewrite *rewrite, const char *name,
		      struct tf_attr *out)
{
	const struct tf_instance *instance = rewrite->instance;
	struct tf_freeze *freeze = rewrite->freeze;
	size_t count = instance->out->input_count - rewrite->skip;
	struct tf_types types;
	int r = attr_types(&freeze->pool,
			   attr_of(&instance->node->attrs, name,
				   &instance->scope->env),
			   &types);

	if (r == -EBADMSG || (r == 0 && types.count != count))
		return tf_malformed(freeze->why, "types of arguments");
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (rewrite->handles[i + rewrite->skip] != 0)
			types.items[i] = rewrite->handles[i + rewrite->skip];
	return attr_make_types(&freeze->pool, name, &types, out);
}

/* Whether it gives out a resource, which then might be a variable. */
static bool gives_resource(const struct rewrite *rewrite)
{
	const struct tf_instance *instance = rewrite->instance;
	struct tf_types types = { 0 };

	if (attr_types(&rewrite->freeze->pool,
		       attr_of(&instance->node->attrs, "Tout",
			       &instance->scope->env),
		       &types) < 0)
		return true;
	for (size_t i = 0; i < types.count; i++)
		if (types.items[i] == DT_RESOURCE)
			return true;
	return false;
}

static int loop(struct rewrite *rewrite)
{
	size_t count = rewrite->instance->out->input_count;
	struct tf_attr changed[2];
	size_t changed_count = 1;
	int r = call_types(rewrite, "T", &changed[0]);

	if (r == 0)
		r = rewrite_shapes(rewrite, &changed[1], &changed_count);
	if (r == 0)
		r = rewrite_copy(rewrite, changed, changed_count);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (rewrite->handles[i] != 0)
			r = carry(rewrite, i, 1, rewrite->handles[i]);
	return r;
}

static int branch(struct rewrite *rewrite)
{
	struct tf_attr types;
	int r;

	if ((rewrite->skip > 0 && rewrite->handles[0] != 0) ||
	    gives_resource(rewrite))
		return unfit(rewrite);
	r = call_types(rewrite, "Tin", &types);
	return r < 0 ? r : rewrite_copy(rewrite, &types, 1);
}

/* A call that stays one, since its graph has control flow by edges. */
static int call(struct rewrite *rewrite)
{
	struct tf_freeze *freeze = rewrite->freeze;
	struct tf_instance *instance = rewrite->instance;
	struct tf_function_ref callee;
	int r;

	if (instance->node->kind == OP_CALL)
		return rewrite->any ? branch(rewrite)
				    : rewrite_copy(rewrite, NULL, 0);
	r = scope_callee(&freeze->scopes, instance->scope, instance->node,
			 &callee);
	if (r == 0)
		r = rewrite_function(rewrite, &callee, false,
				     &instance->out->op);
	return r;
}

static int with_handles(struct rewrite *rewrite)
{
	switch (rewrite->kind) {
	case OP_IDENTITY:
	case OP_FLOW:
	case OP_MERGE:
		return flow(rewrite);
	case OP_WHILE:
		return loop(rewrite);
	case OP_BRANCH:
		return branch(rewrite);
	default:
		return unfit(rewrite);
	}
}

static int rewrite_by_kind(struct rewrite *rewrite)
{
	switch (rewrite->kind) {
	case OP_READ:
		return read_to_identity(rewrite);
	case OP_GATHER:
		return gather(rewrite);
	case OP_GATHER_ND:
		return gather_nd(rewrite);
	case OP_SHAPE:
		return shape(rewrite);
	case OP_INITIALIZED:
		return initialized(rewrite);
	case OP_CALL:
		return call(rewrite);
	default:
		return rewrite->any ? with_handles(rewrite)
				    : rewrite_copy(rewrite, NULL, 0);
	}
}

int rewrite_node(struct tf_freeze *freeze, const struct tf_frame *frame)
{
	struct tf_instance *instance = frame->instance;
	const struct tf_node *node = instance->node;
	struct tf_out *out = instance->out;
	struct rewrite rewrite = {
		.freeze = freeze,
		.instance = instance,
		.kind = scope_kind(&freeze->scopes, node),
	};
	int r;

	rewrite.skip = rewrite.kind == OP_BRANCH && node->data_count > 0;
	r = take_inputs(&rewrite, frame);
	if (r < 0)
		return r;
	out->op = op_without_ref(node->op);
	out->inputs = frame->values;
	out->input_count = node->data_count;
	out->controls = frame->values + node->data_count;
	out->control_count = frame->control_count;
	r = out_attrs(freeze, out, node->attrs.count + REWRITE_ATTRS_MORE);
	if (r == 0)
		r = rewrite_by_kind(&rewrite);
	freeze->has_control_flow |= op_is_flow(rewrite.kind) ||
				    rewrite.kind == OP_WHILE ||
				    rewrite.kind == OP_BRANCH;
	return r;
}
