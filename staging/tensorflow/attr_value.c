/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/attr_value.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"

enum { FUNCTION_NAME = 1, FUNCTION_ATTR = 2 };
enum { TENSOR_STRING = 8 };

bool attr_field(const struct tf_attr *attr, uint32_t number,
		struct wire_field *out)
{
	struct wire_field field;
	struct wire wire;
	bool found = false;

	if (!attr)
		return false;
	wire_init(&wire, attr->value, attr->len);
	while (wire_next(&wire, &field)) {
		if (field.number != number)
			continue;
		*out = field;
		found = true;
	}
	return found && !wire.bad;
}

const struct tf_attr *attr_resolve(const struct tf_attr *attr,
				   const struct tf_attrs *env)
{
	struct wire_field field;
	struct tf_text name;

	if (!attr || !attr_field(attr, ATTR_PLACEHOLDER, &field))
		return attr;
	if (!env || !tf_name_of(&field, &name))
		return NULL;
	return tf_attrs_find(env, name);
}

const struct tf_attr *attr_of(const struct tf_attrs *attrs, const char *name,
			      const struct tf_attrs *env)
{
	return attr_resolve(tf_attrs_find(attrs, tf_text_of(name)), env);
}

bool attr_int(const struct tf_attr *attr, int64_t *out)
{
	struct wire_field field;

	if (!attr_field(attr, ATTR_I, &field) || field.type != WIRE_VARINT)
		return false;
	*out = (int64_t)field.value;
	return true;
}

bool attr_type(const struct tf_attr *attr, int *out)
{
	struct wire_field field;

	if (!attr_field(attr, ATTR_TYPE, &field) || field.type != WIRE_VARINT ||
	    field.value > INT32_MAX)
		return false;
	*out = (int)field.value;
	return true;
}

/* An empty string is the field with nothing in it. */
bool attr_text(const struct tf_attr *attr, struct tf_text *out)
{
	struct wire_field field;

	return attr_field(attr, ATTR_S, &field) && tf_name_of(&field, out);
}

/* Reads the numbers of one record, packed or not; @items may be NULL. */
static bool types_read(const struct wire_field *field, int *items,
		       uint64_t *count)
{
	struct wire wire;
	uint64_t value;

	wire_enter(&wire, field);
	while (wire_varint(&wire, &value)) {
		if (*count == OP_PORTS_MAX || value > INT32_MAX)
			return false;
		if (items)
			items[*count] = (int)value;
		(*count)++;
	}
	return !wire.bad;
}

static bool types_walk(const struct tf_attr *attr, int *items, uint64_t *count)
{
	struct wire_field list, field;
	struct wire wire;

	*count = 0;
	if (!attr_field(attr, ATTR_LIST, &list) || list.type != WIRE_LEN)
		return false;
	wire_enter(&wire, &list);
	while (wire_next(&wire, &field))
		if (field.number == LIST_TYPE &&
		    !types_read(&field, items, count))
			return false;
	return !wire.bad;
}

bool attr_type_count(const struct tf_attr *attr, uint64_t *count)
{
	return types_walk(attr, NULL, count);
}

int attr_types(struct tf_pool *pool, const struct tf_attr *attr,
	       struct tf_types *out)
{
	uint64_t count;

	*out = (struct tf_types){ 0 };
	if (!attr_type_count(attr, &count))
		return -EBADMSG;
	out->items = tf_pool_array(pool, count, sizeof(*out->items));
	if (!out->items)
		return tf_pool_error(pool);
	out->count = count;
	return types_walk(attr, out->items, &count) ? 0 : -EBADMSG;
}

int attr_function(struct tf_pool *pool, const struct wire_field *message,
		  struct tf_function_ref *out, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;

	*out = (struct tf_function_ref){ 0 };
	if (message->type != WIRE_LEN)
		return tf_malformed(why, "a function's name");
	wire_enter(&wire, message);
	while (wire_next(&wire, &field))
		if (field.number == FUNCTION_NAME &&
		    !tf_name_of(&field, &out->name))
			return tf_malformed(why, "a function's name");
	if (wire.bad || out->name.len == 0)
		return tf_malformed(why, "a function's name");
	return tf_attrs_parse(pool, message, FUNCTION_ATTR, &out->attrs, why);
}

int attr_strings(struct tf_pool *pool, const struct tf_attr *attr,
		 struct tf_text **out, size_t *count)
{
	struct wire_field tensor, field;
	struct wire wire;
	size_t room = 0;

	*count = 0;
	if (!attr_field(attr, ATTR_TENSOR, &tensor) || tensor.type != WIRE_LEN)
		return -EBADMSG;
	wire_enter(&wire, &tensor);
	while (wire_next(&wire, &field))
		room += field.number == TENSOR_STRING;
	if (wire.bad)
		return -EBADMSG;
	*out = tf_pool_array(pool, room, sizeof(**out));
	if (!*out)
		return tf_pool_error(pool);
	wire_enter(&wire, &tensor);
	while (wire_next(&wire, &field))
		if (field.number == TENSOR_STRING &&
		    !tf_name_of(&field, &(*out)[(*count)++]))
			return -EBADMSG;
	return 0;
}
