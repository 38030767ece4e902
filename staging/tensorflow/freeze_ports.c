/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/freeze_ports.h"

#include <errno.h>

#include "base/mem.h"
#include "staging/tensorflow/resolve.h"

enum { SHAPE_DIM = 2, SHAPE_UNKNOWN = 3, DIM_SIZE = 1 };

static bool letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static char node_char(char c)
{
	return letter_or_digit(c) || strchr("_.-/", c) ? c : '_';
}

/* @key with what a node's name cannot hold as "_" (node_def_util.cc). */
static int node_name(struct tf_freeze *freeze, struct tf_text key,
		     struct tf_text *out)
{
	const struct tf_text nothing = { "", 0 };
	bool starts = key.len > 0 &&
		      (letter_or_digit(key.at[0]) || key.at[0] == '.');
	struct tf_text name = tf_pool_join(
		&freeze->pool, tf_text_of(starts ? "" : "x_"), key, nothing);
	char *at = (char *)name.at;
	size_t len = 0;

	if (!at)
		return tf_pool_error(&freeze->pool);
	for (size_t i = 0; i < name.len; i++) {
		if ((at[i] & 0xc0) == 0x80) /* within a character */
			continue;
		at[len++] = node_char(at[i]);
	}
	*out = (struct tf_text){ at, len };
	return 0;
}

static int port_check(struct tf_freeze *freeze, const struct tf_port *port)
{
	char key[NAME_BYTES_MAX + 1];
	size_t len = port->key.len < sizeof(key) - 1 ? port->key.len
						     : sizeof(key) - 1;

	if (len > 0)
		memcpy(key, port->key.at, len);
	key[len] = '\0';
	if (port->tensor.len == 0)
		return refuse(freeze->why, "composite-tensor", key,
			      "the signature has a sparse or composite tensor");
	if (port->dtype == DT_RESOURCE || port->dtype == DT_VARIANT ||
	    port->dtype <= 0)
		return refuse(freeze->why, "unsupported-dtype", key,
			      "the signature has a tensor of type number %d",
			      port->dtype);
	return 0;
}

/* Any shape where the signature says none. */
static int placeholder_fill(struct tf_freeze *freeze, struct tf_out *out,
			    const struct tf_port *port)
{
	static const uint8_t unknown_rank[] = { SHAPE_UNKNOWN << 3, 1 };
	struct tf_text shape = port->shape;
	int r;

	if (!shape.at)
		shape = (struct tf_text){ (const char *)unknown_rank,
					  sizeof(unknown_rank) };
	out->op = tf_text_of("Placeholder");
	r = out_attrs(freeze, out, 2);
	if (r == 0)
		r = attr_make_type(&freeze->pool, "dtype", port->dtype,
				   &out->attrs[0].attr);
	if (r == 0)
		r = attr_make_bytes(&freeze->pool, tf_text_of("shape"),
				    ATTR_SHAPE, shape.at, shape.len,
				    &out->attrs[1].attr);
	out->attr_count = 2;
	return r;
}

static int identity_fill(struct tf_freeze *freeze, struct tf_out *out,
			 struct tf_value value, int dtype)
{
	int r = out_attrs(freeze, out, 1);

	if (r < 0)
		return r;
	out->op = tf_text_of("Identity");
	out->inputs = tf_pool_copy(&freeze->pool, &value, sizeof(value));
	if (!out->inputs)
		return tf_pool_error(&freeze->pool);
	out->input_count = 1;
	out->attr_count = 1;
	return attr_make_type(&freeze->pool, "T", dtype, &out->attrs[0].attr);
}

/* Keys that are names go before those that are only made to be. */
static bool is_turn(struct tf_text key, struct tf_text name, bool first_turn)
{
	return tf_text_equal(key, name) == first_turn;
}

static int placeholders_name(struct tf_freeze *freeze, bool first_turn)
{
	struct tf_text name;
	int r = 0;

	for (size_t i = 0; r == 0 && i < freeze->signature->input_count; i++) {
		struct tf_input *input = &freeze->inputs[i];

		r = node_name(freeze, input->port->key, &name);
		if (r == 0 && is_turn(input->port->key, name, first_turn))
			r = out_new(freeze, &freeze->main, name,
				    &input->placeholder);
	}
	return r;
}

/* A tensor without a number is output 0. */
static int cut_add(struct tf_freeze *freeze, struct tf_input *input)
{
	struct tf_text tensor = input->port->tensor;
	int r;

	if (tf_text_ends(tensor, ":0"))
		tensor.len -= 2;
	r = map_add_bytes(&freeze->cuts, tensor.at, tensor.len, input);
	if (r == -EEXIST)
		return refuse(freeze->why, "shared-input", NULL,
			      "two inputs of the signature are one tensor");
	return r;
}

static int inputs_open(struct tf_freeze *freeze)
{
	const struct tf_signature *signature = freeze->signature;
	int r = 0;

	freeze->inputs = tf_pool_array(&freeze->pool, signature->input_count,
				       sizeof(*freeze->inputs));
	if (!freeze->inputs)
		return tf_pool_error(&freeze->pool);
	for (size_t i = 0; r == 0 && i < signature->input_count; i++) {
		freeze->inputs[i].port = &signature->inputs[i];
		r = port_check(freeze, freeze->inputs[i].port);
		if (r == 0)
			r = cut_add(freeze, &freeze->inputs[i]);
	}
	if (r == 0)
		r = placeholders_name(freeze, true);
	if (r == 0)
		r = placeholders_name(freeze, false);
	for (size_t i = 0; r == 0 && i < signature->input_count; i++) {
		struct tf_input *input = &freeze->inputs[i];

		r = placeholder_fill(freeze, input->placeholder, input->port);
		body_add(&freeze->main, input->placeholder);
	}
	return r;
}

/* The name, "<name>_output" where a node has it. */
static int output_name(struct tf_freeze *freeze, struct tf_text *name)
{
	const struct tf_text nothing = { "", 0 };
	int r = 0;

	while (r == 0) {
		r = map_add_bytes(&freeze->main.names, name->at, name->len,
				  freeze);
		if (r != -EEXIST)
			return r;
		*name = tf_pool_join(&freeze->pool, *name,
				     tf_text_of("_output"), nothing);
		r = name->at ? 0 : tf_pool_error(&freeze->pool);
	}
	return r;
}

static int outputs_name(struct tf_freeze *freeze, struct tf_text *names,
			bool first_turn)
{
	const struct tf_signature *signature = freeze->signature;
	struct tf_text name;
	int r = 0;

	for (size_t i = 0; r == 0 && i < signature->output_count; i++) {
		r = node_name(freeze, signature->outputs[i].key, &name);
		if (r < 0 ||
		    !is_turn(signature->outputs[i].key, name, first_turn))
			continue;
		r = output_name(freeze, &name);
		names[i] = name;
	}
	return r;
}

/* Only now: the names of the outputs go before these. */
static int identities_make(struct tf_freeze *freeze)
{
	const struct tf_text nothing = { "", 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < freeze->signature->input_count; i++) {
		struct tf_input *input = &freeze->inputs[i];
		struct tf_text name =
			tf_pool_join(&freeze->pool, input->placeholder->name,
				     tf_text_of("/identity"), nothing);

		if (!name.at)
			return tf_pool_error(&freeze->pool);
		r = out_new(freeze, &freeze->main, name, &input->identity);
		if (r == 0)
			r = identity_fill(freeze, input->identity,
					  value_of_out(input->placeholder),
					  input->port->dtype);
	}
	return r;
}

int ports_open(struct tf_freeze *freeze, struct tf_text *output_names)
{
	const struct tf_signature *signature = freeze->signature;
	int r = inputs_open(freeze);

	for (size_t i = 0; r == 0 && i < signature->output_count; i++)
		r = port_check(freeze, &signature->outputs[i]);
	if (r == 0)
		r = outputs_name(freeze, output_names, true);
	if (r == 0)
		r = outputs_name(freeze, output_names, false);
	return r < 0 ? r : identities_make(freeze);
}

static int output_resolve(struct tf_freeze *freeze, const struct tf_port *port,
			  struct tf_text name)
{
	struct tf_value value;
	struct tf_out *out;
	int r = resolve_value(freeze, freeze->main.root, port->tensor, &value);

	if (r < 0)
		return r;
	if (value.kind != VALUE_NODE || value_carries(&value) != 0)
		return refuse(freeze->why, "unsupported-dtype", NULL,
			      "an output of the signature is a variable");
	out = tf_pool_array(&freeze->pool, 1, sizeof(*out));
	if (!out)
		return tf_pool_error(&freeze->pool);
	out->name = name;
	r = identity_fill(freeze, out, value, port->dtype);
	body_add(&freeze->main, out);
	return r;
}

int ports_resolve(struct tf_freeze *freeze, const struct tf_text *output_names)
{
	const struct tf_signature *signature = freeze->signature;
	int r = 0;

	for (size_t i = 0; r == 0 && i < signature->output_count; i++)
		r = output_resolve(freeze, &signature->outputs[i],
				   output_names[i]);
	return r;
}

void ports_close(struct tf_freeze *freeze)
{
	for (size_t i = 0; i < freeze->signature->input_count; i++) {
		struct tf_input *input = &freeze->inputs[i];

		if (!input->used)
			continue;
		input->identity->next = input->placeholder->next;
		input->placeholder->next = input->identity;
		if (freeze->main.last == input->placeholder)
			freeze->main.last = input->identity;
		freeze->main.count++;
	}
}

static int64_t dim_size(const struct wire_field *dim)
{
	struct wire_field field;
	struct wire wire;
	int64_t size = 0;

	wire_enter(&wire, dim);
	while (wire_next(&wire, &field))
		if (field.number == DIM_SIZE)
			size = (int64_t)field.value;
	return size < 0 ? -1 : size;
}

static int shape_describe(struct tf_freeze *freeze, struct tf_text shape,
			  struct frozen_value *value)
{
	struct wire_field field;
	struct wire wire;

	value->rank_known = shape.at != NULL;
	wire_init(&wire, shape.at, shape.len);
	while (wire_next(&wire, &field)) {
		if (field.number == SHAPE_UNKNOWN && field.value != 0)
			value->rank_known = false;
		if (field.number != SHAPE_DIM || field.type != WIRE_LEN)
			continue;
		if (value->rank == TENSOR_RANK_MAX)
			return refuse(freeze->why, "unsupported-shape",
				      value->key,
				      "a tensor has more than %d dimensions",
				      TENSOR_RANK_MAX);
		value->dims[value->rank++] = dim_size(&field);
	}
	if (wire.bad)
		return tf_malformed(freeze->why, "a shape");
	if (!value->rank_known)
		value->rank = 0;
	return 0;
}

static int port_describe(struct tf_freeze *freeze, const struct tf_port *port,
			 struct tf_text name, struct frozen_value *value)
{
	value->name = mem_strndup(name.at, name.len);
	value->key = mem_strndup(port->key.at, port->key.len);
	value->dtype = port->dtype;
	if (!value->name || !value->key)
		return -ENOMEM;
	return shape_describe(freeze, port->shape, value);
}

int ports_describe(struct tf_freeze *freeze, const struct tf_text *output_names,
		   struct frozen *frozen)
{
	const struct tf_signature *signature = freeze->signature;
	int r = 0;

	frozen->inputs = mem_array(signature->input_count,
				   sizeof(*frozen->inputs));
	frozen->outputs = mem_array(signature->output_count,
				    sizeof(*frozen->outputs));
	if (!frozen->inputs || !frozen->outputs)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < signature->input_count; i++) {
		frozen->input_count++;
		r = port_describe(freeze, &signature->inputs[i],
				  freeze->inputs[i].placeholder->name,
				  &frozen->inputs[i]);
	}
	for (size_t i = 0; r == 0 && i < signature->output_count; i++) {
		frozen->output_count++;
		r = port_describe(freeze, &signature->outputs[i],
				  output_names[i], &frozen->outputs[i]);
	}
	return r;
}
