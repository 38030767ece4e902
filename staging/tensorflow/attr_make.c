/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/attr_value.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/str.h"
#include "staging/graph/wire.h"
#include "staging/weights/tensor_bundle.h"

enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4 };
enum { SHAPE_DIM = 2, DIM_SIZE = 1 };

/* @value becomes the attribute's, and is freed. */
static int make(struct tf_pool *pool, struct tf_text name, struct str *value,
		int r, struct tf_attr *out)
{
	out->name = name;
	out->len = value->len;
	out->value = r == 0 ? tf_pool_copy(pool, str_text(value), value->len)
			    : NULL;
	if (r == 0 && !out->value)
		r = tf_pool_error(pool);
	str_release(value);
	return r;
}

int attr_make_int(struct tf_pool *pool, const char *name, int64_t value,
		  struct tf_attr *out)
{
	struct str str;
	int r;

	str_init(&str, PLAN_BYTES_MAX);
	r = wire_int(&str, ATTR_I, (uint64_t)value);
	return make(pool, tf_text_of(name), &str, r, out);
}

int attr_make_type(struct tf_pool *pool, const char *name, int type,
		   struct tf_attr *out)
{
	struct str str;
	int r;

	str_init(&str, PLAN_BYTES_MAX);
	r = wire_int(&str, ATTR_TYPE, (uint64_t)type);
	return make(pool, tf_text_of(name), &str, r, out);
}

int attr_make_types(struct tf_pool *pool, const char *name,
		    const struct tf_types *types, struct tf_attr *out)
{
	auto_str struct str list;
	struct str str;
	int r = 0;

	str_init(&list, PLAN_BYTES_MAX);
	str_init(&str, PLAN_BYTES_MAX);
	for (size_t i = 0; r == 0 && i < types->count; i++)
		r = wire_int(&list, LIST_TYPE, (uint64_t)types->items[i]);
	if (r == 0)
		r = wire_message(&str, ATTR_LIST, &list);
	return make(pool, tf_text_of(name), &str, r, out);
}

int attr_make_bytes(struct tf_pool *pool, struct tf_text name, uint32_t number,
		    const void *bytes, size_t len, struct tf_attr *out)
{
	struct str str;
	int r;

	str_init(&str, PLAN_BYTES_MAX);
	r = wire_bytes(&str, number, bytes, len);
	return make(pool, name, &str, r, out);
}

static int vector_shape(struct str *tensor, size_t count)
{
	auto_str struct str shape, dim;
	int r;

	str_init(&shape, PLAN_BYTES_MAX);
	str_init(&dim, PLAN_BYTES_MAX);
	r = wire_int(&dim, DIM_SIZE, count);
	if (r == 0)
		r = wire_message(&shape, SHAPE_DIM, &dim);
	return r < 0 ? r : wire_message(tensor, TENSOR_SHAPE, &shape);
}

/* @count 0: a scalar. */
static int tensor_make(struct tf_pool *pool, const char *name, int type,
		       size_t count, bool scalar, const struct str *content,
		       struct tf_attr *out)
{
	auto_str struct str tensor;
	int r;

	str_init(&tensor, PLAN_BYTES_MAX);
	r = wire_int(&tensor, TENSOR_DTYPE, (uint64_t)type);
	if (r == 0 && scalar)
		r = wire_bytes(&tensor, TENSOR_SHAPE, "", 0);
	else if (r == 0)
		r = vector_shape(&tensor, count);
	if (r == 0 && content->len > 0)
		r = wire_message(&tensor, TENSOR_CONTENT, content);
	if (r < 0)
		return r;
	return attr_make_bytes(pool, tf_text_of(name), ATTR_TENSOR,
			       tensor.bytes, tensor.len, out);
}

int attr_make_ints(struct tf_pool *pool, const char *name, int type,
		   const uint64_t *values, size_t count, bool scalar,
		   struct tf_attr *out)
{
	auto_str struct str content;
	size_t width = bundle_dtype_bytes(type);
	int r = 0;

	str_init(&content, PLAN_BYTES_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint8_t bytes[8];

		put_le64(bytes, values[i]);
		r = str_append(&content, bytes, width);
	}
	if (r < 0)
		return r;
	return tensor_make(pool, name, type, count, scalar, &content, out);
}

int attr_make_true(struct tf_pool *pool, const char *name, struct tf_attr *out)
{
	auto_str struct str content;
	int r;

	str_init(&content, PLAN_BYTES_MAX);
	r = str_append(&content, "\1", 1);
	if (r < 0)
		return r;
	return tensor_make(pool, name, DT_BOOL, 1, true, &content, out);
}
