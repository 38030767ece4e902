/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/library.h"

#include <errno.h>

/* Equal for equal requests, and only for those. */
static int request_key(const struct library_request *request, struct str *key)
{
	const struct tf_attrs *attrs = &request->function.attrs;
	int r = str_printf(key, "%zu %zu ", request->function.name.len,
			   request->handle_count);

	if (r == 0)
		r = str_append(key, request->function.name.at,
			       request->function.name.len);
	if (r == 0 && request->handle_count > 0)
		r = str_append(key, request->handles,
			       request->handle_count *
				       sizeof(*request->handles));
	for (size_t i = 0; r == 0 && i < attrs->count; i++) {
		const struct tf_attr *attr = &attrs->items[i];

		r = str_printf(key, "%zu %zu ", attr->name.len, attr->len);
		if (r == 0)
			r = str_append(key, attr->name.at, attr->name.len);
		if (r == 0)
			r = str_append(key, attr->value, attr->len);
	}
	return r;
}

static int unsupported(struct tf_freeze *freeze,
		       const struct library_request *request)
{
	return refuse(freeze->why, "unsupported-call",
		      scope_name(request->scope, request->node),
		      "a function that control flow runs has arguments of an "
		      "unknown form");
}

static int arg_type(const struct tf_arg *arg, const struct tf_attrs *env,
		    int *type)
{
	*type = arg->type;
	if (arg->number_attr.len > 0 || arg->type_list_attr.len > 0 ||
	    arg->is_ref)
		return -EBADMSG;
	if (arg->type > 0)
		return 0;
	return attr_type(tf_attrs_find(env, arg->type_attr), type) ? 0
								   : -EBADMSG;
}

/* @body's arguments; their names are taken. */
static int args_fill(struct tf_freeze *freeze, struct tf_body *body,
		     const struct tf_graph *graph,
		     const struct library_request *request)
{
	size_t count = graph->input_count;
	int r = 0;

	body->types = tf_pool_array(&freeze->pool, count, sizeof(int));
	body->carried = tf_pool_array(&freeze->pool, count, sizeof(bool));
	if (!body->types || !body->carried)
		return tf_pool_error(&freeze->pool);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct tf_arg *arg = &graph->inputs[i];
		int handle = i < request->handle_count ? request->handles[i]
						       : 0;

		if (arg_type(arg, &request->function.attrs, &body->types[i]) <
			    0 ||
		    (handle != 0 && body->types[i] != DT_RESOURCE))
			return unsupported(freeze, request);
		body->carried[i] = handle != 0;
		if (handle != 0)
			body->types[i] = handle;
		r = map_add_bytes(&body->names, arg->name.at, arg->name.len,
				  body);
	}
	return r;
}

static int returns_fill(struct tf_freeze *freeze, struct tf_body *body,
			const struct tf_graph *graph,
			const struct library_request *request)
{
	size_t count = graph->output_count;

	body->returns = tf_pool_array(&freeze->pool, count,
				      sizeof(*body->returns));
	body->return_types = tf_pool_array(&freeze->pool, count, sizeof(int));
	if (!body->returns || !body->return_types)
		return tf_pool_error(&freeze->pool);
	for (size_t i = 0; i < count; i++)
		if (arg_type(&graph->outputs[i], &request->function.attrs,
			     &body->return_types[i]) < 0)
			return unsupported(freeze, request);
	return 0;
}

/* The function's own name where it is free. */
static int name_fill(struct tf_freeze *freeze, struct tf_body *body,
		     struct tf_text name)
{
	int r = map_add_bytes(&freeze->function_names, name.at, name.len, body);

	body->name = name;
	if (r != -EEXIST)
		return r;
	do {
		r = unique_name(freeze, &freeze->function_names, name, "_s",
				&body->name);
	} while (r == 0 && model_function(freeze->model, body->name));
	return r;
}

static int body_make(struct tf_freeze *freeze,
		     const struct library_request *request,
		     struct tf_body **out)
{
	const struct tf_graph *graph = model_function(freeze->model,
						      request->function.name);
	struct tf_body *body;
	int r;

	if (!graph)
		return refuse(freeze->why, "saved-model",
			      scope_name(request->scope, request->node),
			      "a node calls a function that is not there");
	if (freeze->function_count >= FREEZE_FUNCTIONS_MAX)
		return -EFBIG;
	body = tf_pool_array(&freeze->pool, 1, sizeof(*body));
	if (!body)
		return tf_pool_error(&freeze->pool);
	map_init(&body->names);
	*freeze->last_function = body;
	freeze->last_function = &body->next;
	freeze->function_count++;
	r = name_fill(freeze, body, request->function.name);
	if (r == 0)
		r = args_fill(freeze, body, graph, request);
	if (r == 0)
		r = returns_fill(freeze, body, graph, request);
	if (r == 0)
		r = scope_root(&freeze->scopes, graph, &request->function.attrs,
			       body, &body->root);
	*out = body;
	return r;
}

static int call_note(struct tf_freeze *freeze, struct tf_body *from,
		     struct tf_body *to)
{
	struct tf_call *call = tf_pool_array(&freeze->pool, 1, sizeof(*call));

	if (!call)
		return tf_pool_error(&freeze->pool);
	call->to = to;
	call->next = from->calls;
	from->calls = call;
	to->callers++;
	return 0;
}

int library_request(struct tf_freeze *freeze,
		    const struct library_request *request, struct tf_text *name)
{
	auto_str struct str key;
	struct tf_body *body;
	int r;

	str_init(&key, PLAN_BYTES_MAX);
	r = request_key(request, &key);
	if (r < 0)
		return r;
	body = map_get_bytes(&freeze->functions, key.bytes, key.len);
	if (!body) {
		r = body_make(freeze, request, &body);
		if (r == 0)
			r = map_add_bytes(&freeze->functions, key.bytes,
					  key.len, body);
		if (r < 0)
			return r;
	}
	body->loops |= request->loops;
	*name = body->name;
	return call_note(freeze, request->caller, body);
}
