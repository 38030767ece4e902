/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/saved_model_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"

enum { META_SIGNATURE = 5 };
enum { SIGNATURE_INPUT = 1, SIGNATURE_OUTPUT = 2 };
enum { INFO_NAME = 1, INFO_DTYPE = 2, INFO_SHAPE = 3 };

/* A TensorInfo. */
static int port_fill(struct tf_port *port, const struct wire_field *info,
		     struct refusal *why)
{
	struct wire_field field;
	struct wire wire;

	if (info->type != WIRE_LEN)
		return tf_malformed(why, "a signature's tensor");
	wire_enter(&wire, info);
	while (wire_next(&wire, &field)) {
		if (field.number == INFO_NAME &&
		    !tf_name_of(&field, &port->tensor))
			return tf_malformed(why, "a signature's tensor");
		if (field.number == INFO_DTYPE)
			port->dtype = (int)u64_min(field.value, INT32_MAX);
		if (field.number == INFO_SHAPE && field.type == WIRE_LEN)
			port->shape = (struct tf_text){
				(const char *)field.bytes, field.len
			};
	}
	if (port->dtype > 100) /* a reference to that type */
		port->dtype -= 100;
	return wire.bad ? tf_malformed(why, "a signature's tensor") : 0;
}

static int port_order(const void *a_ptr, const void *b_ptr)
{
	const struct tf_port *a = a_ptr, *b = b_ptr;

	return tf_text_compare(a->key, b->key);
}

static int ports_sort(struct tf_port *ports, size_t count, struct refusal *why)
{
	qsort(ports, count, sizeof(*ports), port_order);
	for (size_t i = 1; i < count; i++)
		if (port_order(&ports[i - 1], &ports[i]) == 0)
			return tf_malformed(why, "a signature's key is twice");
	return 0;
}

static int ports_parse(struct tf_pool *pool, const struct wire_field *def,
		       uint32_t number, struct tf_port **ports, size_t *count,
		       struct refusal *why)
{
	struct wire_field field, info;
	struct wire wire;
	size_t room = 0;
	int r = 0;

	wire_enter(&wire, def);
	while (wire_next(&wire, &field))
		room += field.number == number;
	*ports = tf_pool_array(pool, room, sizeof(**ports));
	if (!*ports)
		return tf_pool_error(pool);
	wire_enter(&wire, def);
	while (r == 0 && wire_next(&wire, &field)) {
		struct tf_port *port = &(*ports)[*count];

		if (field.number != number)
			continue;
		(*count)++;
		r = tf_entry_parse(&field, &port->key, &info, why);
		if (r == 0)
			r = port_fill(port, &info, why);
	}
	if (wire.bad)
		return tf_malformed(why, "a signature");
	return r < 0 ? r : ports_sort(*ports, *count, why);
}

static int signature_fill(struct saved_model *model,
			  const struct wire_field *entry, struct refusal *why)
{
	struct tf_signature *signature =
		&model->signatures[model->signature_count++];
	const struct tf_text nothing = { "", 0 }, end = { "", 1 };
	struct wire_field def;
	int r = tf_entry_parse(entry, &signature->key, &def, why);

	if (r < 0)
		return r;
	if (def.type != WIRE_LEN || signature->key.len == 0)
		return tf_malformed(why, "a signature");
	signature->key = tf_pool_join(&model->pool, signature->key, nothing,
				      end);
	if (!signature->key.at)
		return tf_pool_error(&model->pool);
	signature->key.len--;
	r = ports_parse(&model->pool, &def, SIGNATURE_INPUT, &signature->inputs,
			&signature->input_count, why);
	if (r < 0)
		return r;
	return ports_parse(&model->pool, &def, SIGNATURE_OUTPUT,
			   &signature->outputs, &signature->output_count, why);
}

static int signature_order(const void *a_ptr, const void *b_ptr)
{
	const struct tf_signature *a = a_ptr, *b = b_ptr;

	return tf_text_compare(a->key, b->key);
}

int signatures_parse(struct saved_model *model,
		     const struct wire_field *meta_graph, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count = 0;
	int r = 0;

	wire_enter(&wire, meta_graph);
	while (wire_next(&wire, &field))
		count += field.number == META_SIGNATURE;
	model->signatures = tf_pool_array(&model->pool, count,
					  sizeof(*model->signatures));
	if (!model->signatures)
		return tf_pool_error(&model->pool);
	wire_enter(&wire, meta_graph);
	while (r == 0 && wire_next(&wire, &field))
		if (field.number == META_SIGNATURE)
			r = signature_fill(model, &field, why);
	if (r < 0)
		return r;
	qsort(model->signatures, count, sizeof(*model->signatures),
	      signature_order);
	for (size_t i = 1; i < count; i++)
		if (signature_order(&model->signatures[i - 1],
				    &model->signatures[i]) == 0)
			return tf_malformed(why, "a signature is there twice");
	return 0;
}

const struct tf_signature *model_signature(const struct saved_model *model,
					   const char *name)
{
	struct tf_signature key = { .key = tf_text_of(name) };

	if (model->signature_count == 0)
		return NULL;
	return bsearch(&key, model->signatures, model->signature_count,
		       sizeof(key), signature_order);
}

size_t saved_model_signature_count(const struct saved_model *model)
{
	return model->signature_count;
}

const char *saved_model_signature(const struct saved_model *model, size_t i)
{
	return model->signatures[i].key.at;
}

const char *saved_model_default_signature(const struct saved_model *model)
{
	static const char *const first[] = { "serving_default", "default" };

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		if (model_signature(model, first[i]))
			return first[i];
	for (size_t i = 0; i < model->signature_count; i++)
		if (!tf_text_starts(model->signatures[i].key, "__"))
			return saved_model_signature(model, i);
	return NULL;
}
