/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/freeze_state.h"

#include <errno.h>
#include <stdio.h>

int unique_name(struct tf_freeze *freeze, struct map *names,
		struct tf_text name, const char *infix, struct tf_text *out)
{
	const struct tf_text nothing = { "", 0 };
	char number[32];
	int r;

	*out = name;
	if (name.len > 2 * NODE_NAME_BYTES_MAX)
		return -EFBIG;
	for (size_t i = 1;; i++) {
		r = map_add_bytes(names, out->at, out->len, freeze);
		if (r != -EEXIST)
			return r;
		r = scopes_spend(&freeze->scopes, 1);
		if (r < 0)
			return r;
		snprintf(number, sizeof(number), "%s%zu", infix, i);
		*out = tf_pool_join(&freeze->pool, name, tf_text_of(number),
				    nothing);
		if (!out->at)
			return tf_pool_error(&freeze->pool);
	}
}

int body_name(struct tf_freeze *freeze, struct tf_body *body,
	      struct tf_text name, struct tf_text *out)
{
	return unique_name(freeze, &body->names, name, "_", out);
}

int out_new(struct tf_freeze *freeze, struct tf_body *body, struct tf_text name,
	    struct tf_out **out)
{
	struct tf_out *made;

	if (freeze->node_count >= GRAPH_NODES_MAX)
		return -EFBIG;
	made = tf_pool_array(&freeze->pool, 1, sizeof(*made));
	if (!made)
		return tf_pool_error(&freeze->pool);
	freeze->node_count++;
	*out = made;
	return body_name(freeze, body, name, &made->name);
}

void body_add(struct tf_body *body, struct tf_out *out)
{
	if (body->last)
		body->last->next = out;
	else
		body->first = out;
	body->last = out;
	body->count++;
}

int out_attrs(struct tf_freeze *freeze, struct tf_out *out, size_t count)
{
	out->attrs = tf_pool_array(&freeze->pool, count, sizeof(*out->attrs));
	return out->attrs ? 0 : tf_pool_error(&freeze->pool);
}

int value_carries(const struct tf_value *value)
{
	const struct tf_instance *instance = value->instance;

	if (value->is_read)
		return 0;
	if (value->kind == VALUE_VARIABLE)
		return value->variable->dtype;
	if (value->kind == VALUE_ARG)
		return value->carries;
	if (!instance || value->number >= instance->carry_count)
		return 0;
	return instance->carries[value->number];
}

struct tf_value value_of_out(struct tf_out *out)
{
	return (struct tf_value){ .kind = VALUE_NODE, .out = out };
}
