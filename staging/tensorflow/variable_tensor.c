/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/variable_tensor.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/graph/wire.h"

enum {
	TENSOR_DTYPE = 1,
	TENSOR_SHAPE = 2,
	TENSOR_CONTENT = 4,
	TENSOR_STRING = 8
};
enum { SHAPE_DIM = 2, DIM_SIZE = 1 };
enum { STRING_CHECKSUM_BYTES = 4 };

static int refuse_strings(struct tf_freeze *freeze,
			  const struct tf_variable *variable, const char *what)
{
	return refuse(freeze->why, "string-variable",
		      scope_name(freeze->main.root, variable->node),
		      "a variable of strings %s", what);
}

static int head_write(const struct tf_variable *variable, struct str *out)
{
	auto_str struct str shape, dim;
	int r = wire_int(out, TENSOR_DTYPE, (uint64_t)variable->dtype);

	str_init(&shape, PLAN_BYTES_MAX);
	str_init(&dim, PLAN_BYTES_MAX);
	for (unsigned int i = 0; r == 0 && i < variable->rank; i++) {
		str_clear(&dim);
		r = wire_int(&dim, DIM_SIZE, variable->dims[i]);
		if (r == 0)
			r = wire_message(&shape, SHAPE_DIM, &dim);
	}
	return r < 0 ? r : wire_message(out, TENSOR_SHAPE, &shape);
}

static int strings_write(struct tf_freeze *freeze,
			 const struct tf_variable *variable,
			 const uint8_t *bytes, struct str *out)
{
	uint64_t count = 1, len;
	struct wire lengths;
	struct cursor strings = cursor_of(bytes, variable->len);
	int r = 0;

	for (unsigned int i = 0; i < variable->rank; i++)
		if (!u64_mul(count, variable->dims[i], &count))
			return refuse_strings(freeze, variable, "is damaged");
	wire_init(&lengths, bytes, variable->len);
	for (uint64_t i = 0; i < count; i++)
		if (!wire_varint(&lengths, &len))
			return refuse_strings(freeze, variable, "is damaged");
	cursor_take(&strings, (size_t)(lengths.at - bytes));
	cursor_take(&strings, STRING_CHECKSUM_BYTES);
	wire_init(&lengths, bytes, variable->len);
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		const uint8_t *at = NULL;

		if (wire_varint(&lengths, &len))
			at = cursor_take(&strings, len);
		if (!at)
			return refuse_strings(freeze, variable, "is damaged");
		r = wire_bytes(out, TENSOR_STRING, at, len);
	}
	if (r == 0 && cursor_left(&strings) > 0)
		return refuse_strings(freeze, variable, "is damaged");
	return r;
}

static int strings_read(struct tf_freeze *freeze,
			const struct tf_variable *variable, struct str *out)
{
	const struct freeze_shards *shards = freeze->shards;
	auto_free uint8_t *bytes = NULL;
	int r;

	if (variable->len > STRING_VARIABLE_BYTES_MAX || !shards->read)
		return refuse_strings(freeze, variable, "is too long");
	bytes = mem_alloc(variable->len);
	if (!bytes)
		return -ENOMEM;
	r = shards->read(shards->arg, variable->shard, variable->off,
			 variable->len, bytes);
	return r < 0 ? r : strings_write(freeze, variable, bytes, out);
}

/* The bytes end with a head for what follows in the shard. */
static int range_write(const struct tf_variable *variable, struct str *out)
{
	return variable->len > 0 ? wire_head(out, TENSOR_CONTENT, variable->len)
				 : 0;
}

/* @tensor as AttrValue.tensor of "value", @tail bytes longer. */
static int attr_finish(struct tf_freeze *freeze, const struct str *tensor,
		       uint64_t tail, struct tf_out_attr *out)
{
	auto_str struct str value;
	int r;

	str_init(&value, PLAN_BYTES_MAX);
	r = wire_head(&value, ATTR_TENSOR, tensor->len + tail);
	if (r == 0)
		r = str_append(&value, tensor->bytes, tensor->len);
	if (r < 0)
		return r;
	out->attr.name = tf_text_of("value");
	out->attr.len = value.len;
	out->attr.value = tf_pool_copy(&freeze->pool, value.bytes, value.len);
	return out->attr.value ? 0 : tf_pool_error(&freeze->pool);
}

int variable_tensor(struct tf_freeze *freeze,
		    const struct tf_variable *variable, struct tf_out_attr *out)
{
	auto_str struct str tensor;
	bool is_string = variable->dtype == DT_STRING;
	int r;

	str_init(&tensor, PLAN_BYTES_MAX);
	if (!is_string && bundle_dtype_bytes(variable->dtype) == 0)
		return refuse(freeze->why, "unsupported-dtype",
			      scope_name(freeze->main.root, variable->node),
			      "a variable has the type number %d",
			      variable->dtype);
	r = head_write(variable, &tensor);
	if (r == 0)
		r = is_string ? strings_read(freeze, variable, &tensor)
			      : range_write(variable, &tensor);
	if (r < 0)
		return r;
	out->has_tail = !is_string && variable->len > 0;
	out->shard = variable->shard;
	out->off = variable->off;
	out->len = variable->len;
	return attr_finish(freeze, &tensor, out->has_tail ? out->len : 0, out);
}
