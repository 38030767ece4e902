/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/rewrite_attrs.h"

#include <assert.h>
#include <errno.h>

#include "base/str.h"
#include "staging/graph/wire.h"
#include "staging/tensorflow/library.h"

enum { FUNCTION_NAME = 1 };

int rewrite_put(struct rewrite *rewrite, const struct tf_attr *attr)
{
	struct tf_out *out = rewrite->instance->out;

	assert(out->attr_count <
	       rewrite->instance->node->attrs.count + REWRITE_ATTRS_MORE);
	out->attrs[out->attr_count++].attr = *attr;
	return 0;
}

/* Only of nodes that hand their inputs to their functions as they are. */
static bool hands_inputs(enum op_kind kind)
{
	return kind == OP_WHILE || kind == OP_BRANCH || kind == OP_CALL;
}

int rewrite_function(struct rewrite *rewrite,
		     const struct tf_function_ref *function, bool loops,
		     struct tf_text *name)
{
	const struct tf_instance *instance = rewrite->instance;
	struct library_request request = {
		.caller = instance->scope->body,
		.node = instance->node,
		.scope = instance->scope,
		.function = *function,
		.loops = loops,
	};

	if (rewrite->any && hands_inputs(rewrite->kind)) {
		request.handles = rewrite->handles + rewrite->skip;
		request.handle_count = instance->node->data_count -
				       rewrite->skip;
	}
	return library_request(rewrite->freeze, &request, name);
}

/* A NameAttrList becomes one with only the new name. */
static int function_put(struct rewrite *rewrite, const struct wire_field *field,
			bool loops, struct str *out)
{
	struct tf_freeze *freeze = rewrite->freeze;
	struct tf_function_ref function;
	struct tf_text name;
	int r = attr_function(&freeze->pool, field, &function, freeze->why);

	if (r == 0)
		r = scope_attrs(&freeze->scopes, rewrite->instance->scope,
				&function.attrs);
	if (r == 0)
		r = rewrite_function(rewrite, &function, loops, &name);
	return r < 0 ? r : wire_bytes(out, FUNCTION_NAME, name.at, name.len);
}

/* AttrValue.list.func; other lists are no affair of ours. */
static int functions_put(struct rewrite *rewrite, const struct wire_field *list,
			 struct str *out)
{
	struct wire_field field;
	struct wire wire;
	int r = 0;

	wire_enter(&wire, list);
	while (r == 0 && wire_next(&wire, &field)) {
		auto_str struct str one;

		str_init(&one, PLAN_BYTES_MAX);
		if (field.number != LIST_FUNC)
			continue;
		r = function_put(rewrite, &field, false, &one);
		if (r == 0)
			r = wire_message(out, LIST_FUNC, &one);
	}
	return r;
}

static bool has_functions(const struct wire_field *list)
{
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, list);
	while (wire_next(&wire, &field))
		if (field.number == LIST_FUNC)
			return true;
	return false;
}

static int copy_one(struct rewrite *rewrite, const struct tf_attr *attr)
{
	struct tf_pool *pool = &rewrite->freeze->pool;
	bool loops = rewrite->kind == OP_WHILE &&
		     tf_text_is(attr->name, "body");
	auto_str struct str contents;
	struct wire_field field;
	struct tf_attr made;
	uint32_t number;
	int r;

	str_init(&contents, PLAN_BYTES_MAX);
	if (attr_field(attr, ATTR_FUNC, &field)) {
		number = ATTR_FUNC;
		r = function_put(rewrite, &field, loops, &contents);
	} else if (attr_field(attr, ATTR_LIST, &field) &&
		   has_functions(&field)) {
		number = ATTR_LIST;
		r = functions_put(rewrite, &field, &contents);
	} else {
		return rewrite_put(rewrite, attr);
	}
	if (r == 0)
		r = attr_make_bytes(pool, attr->name, number, contents.bytes,
				    contents.len, &made);
	return r < 0 ? r : rewrite_put(rewrite, &made);
}

static const struct tf_attr *changed_find(const struct tf_attr *changed,
					  size_t count, struct tf_text name)
{
	for (size_t i = 0; i < count; i++)
		if (tf_text_equal(changed[i].name, name))
			return &changed[i];
	return NULL;
}

int rewrite_copy(struct rewrite *rewrite, const struct tf_attr *changed,
		 size_t changed_count)
{
	const struct tf_instance *instance = rewrite->instance;
	const struct tf_attrs *attrs = &instance->node->attrs;
	int r = 0;

	for (size_t i = 0; r == 0 && i < attrs->count; i++) {
		const struct tf_attr *from = &attrs->items[i], *put;
		struct tf_attr attr;

		if (tf_text_starts(from->name, "_"))
			continue;
		put = changed_find(changed, changed_count, from->name);
		if (!put)
			put = attr_resolve(from, &instance->scope->env);
		if (!put)
			return tf_malformed(rewrite->freeze->why,
					    "an attribute");
		attr = *put;
		attr.name = from->name;
		r = copy_one(rewrite, &attr);
	}
	return r;
}

enum { SHAPE_UNKNOWN_RANK = 3 };

/* @list with the shapes of handles unknown. */
static int shapes_put(const struct rewrite *rewrite,
		      const struct wire_field *list, struct str *out)
{
	auto_str struct str unknown;
	struct wire_field field;
	struct wire wire;
	size_t i = 0;
	int r;

	str_init(&unknown, PLAN_BYTES_MAX);
	r = wire_int(&unknown, SHAPE_UNKNOWN_RANK, 1);
	wire_enter(&wire, list);
	while (r == 0 && wire_next(&wire, &field)) {
		if (field.number != LIST_SHAPE || field.type != WIRE_LEN)
			continue;
		if (i < rewrite->instance->node->data_count &&
		    rewrite->handles[i] != 0)
			r = wire_message(out, LIST_SHAPE, &unknown);
		else
			r = wire_bytes(out, LIST_SHAPE, field.bytes, field.len);
		i++;
	}
	return r;
}

int rewrite_shapes(struct rewrite *rewrite, struct tf_attr *out, size_t *count)
{
	const struct tf_instance *instance = rewrite->instance;
	const struct tf_text name = tf_text_of("output_shapes");
	const struct tf_attr *attr = attr_of(
		&instance->node->attrs, "output_shapes", &instance->scope->env);
	auto_str struct str contents;
	struct wire_field list;
	int r;

	str_init(&contents, PLAN_BYTES_MAX);
	if (!attr_field(attr, ATTR_LIST, &list))
		return 0;
	r = shapes_put(rewrite, &list, &contents);
	if (r == 0)
		r = attr_make_bytes(&rewrite->freeze->pool, name, ATTR_LIST,
				    contents.bytes, contents.len, out);
	*count += r == 0;
	return r;
}
