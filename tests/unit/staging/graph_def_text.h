/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/graph_def_text.h - a GraphDef as text, in the form of
 * saved_model_text.h.
 */
#ifndef TESTS_UNIT_STAGING_GRAPH_DEF_TEXT_H
#define TESTS_UNIT_STAGING_GRAPH_DEF_TEXT_H

#include <inttypes.h>

#include "tests/unit/staging/saved_model_text.h"

static inline void say_name(struct str *out, const struct wire_field *field)
{
	must(str_append(out, field->bytes, field->len));
}

static inline void say_type(struct str *out, uint64_t type)
{
	assert(type < ARRAY_LEN(type_names) && type_names[type]);
	must(str_append_text(out, type_names[type]));
}

static inline void say_shape(struct str *out, const struct wire_field *shape)
{
	struct wire wire, inner;
	struct wire_field dim, size;
	const char *comma = "";

	must(str_append_text(out, "<"));
	wire_enter(&wire, shape);
	while (wire_next(&wire, &dim)) {
		int64_t value = 0;

		if (dim.number == 3) {
			must(str_append_text(out, "*"));
			continue;
		}
		wire_enter(&inner, &dim);
		while (wire_next(&inner, &size))
			value = (int64_t)size.value;
		must(str_append_text(out, comma));
		must(value < 0 ? str_append_text(out, "?")
			       : str_printf(out, "%" PRId64, value));
		comma = ",";
	}
	must(str_append_text(out, ">"));
	assert(!wire.bad);
}

static inline void say_tensor(struct str *out, const struct wire_field *tensor)
{
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, tensor);
	while (wire_next(&wire, &field)) {
		if (field.number == 1)
			say_type(out, field.value);
		else if (field.number == 2)
			say_shape(out, &field);
		else if (field.number == 8) {
			must(str_append_text(out, "|"));
			say_name(out, &field);
		} else {
			must(str_append_text(out, "="));
			for (size_t i = 0; i < field.len; i++)
				must(str_printf(out, "%02x", field.bytes[i]));
		}
	}
	assert(!wire.bad);
}

static inline void say_function(struct str *out, const struct wire_field *func)
{
	struct wire_field field;
	struct wire wire;

	must(str_append_text(out, "@"));
	wire_enter(&wire, func);
	while (wire_next(&wire, &field))
		say_name(out, &field);
}

static inline void say_list(struct str *out, const struct wire_field *list)
{
	const char *comma = "[";
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, list);
	while (wire_next(&wire, &field)) {
		must(str_append_text(out, comma));
		comma = ",";
		if (field.number == 6)
			say_type(out, field.value);
		else if (field.number == 7)
			say_shape(out, &field);
		else
			say_function(out, &field);
	}
	must(str_append_text(out, "]"));
}

static inline void say_value(struct str *out, const struct wire_field *value)
{
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, value);
	while (wire_next(&wire, &field)) {
		switch (field.number) {
		case ATTR_LIST:
			say_list(out, &field);
			break;
		case ATTR_S:
			must(str_append_text(out, "\""));
			say_name(out, &field);
			must(str_append_text(out, "\""));
			break;
		case ATTR_I:
			must(str_printf(out, "#%" PRId64,
					(int64_t)field.value));
			break;
		case ATTR_TYPE:
			say_type(out, field.value);
			break;
		case ATTR_SHAPE:
			say_shape(out, &field);
			break;
		case ATTR_TENSOR:
			say_tensor(out, &field);
			break;
		case ATTR_FUNC:
			say_function(out, &field);
			break;
		default:
			abort();
		}
	}
	assert(!wire.bad);
}

/* The fields @number of @message, with commas between. */
static inline void say_names(struct str *out, const struct wire_field *message,
			     uint32_t number)
{
	const char *comma = "";
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, message);
	while (wire_next(&wire, &field)) {
		if (field.number != number)
			continue;
		must(str_append_text(out, comma));
		say_name(out, &field);
		comma = ", ";
	}
	assert(!wire.bad);
}

static inline void say_node(struct str *out, const struct wire_field *node)
{
	struct wire_field field, value;
	struct tf_text key;
	struct wire wire;

	say_names(out, node, 1);
	must(str_append_text(out, " = "));
	say_names(out, node, 2);
	must(str_append_text(out, "("));
	say_names(out, node, 3);
	must(str_append_text(out, ")"));
	wire_enter(&wire, node);
	while (wire_next(&wire, &field)) {
		if (field.number != 5)
			continue;
		must(tf_entry_parse(&field, &key, &value, NULL));
		must(str_printf(out, " %.*s=", (int)key.len, key.at));
		say_value(out, &value);
	}
	must(str_append_text(out, "\n"));
}

static inline void say_args(struct str *out, const struct wire_field *signature,
			    uint32_t number)
{
	const char *comma = "";
	struct wire wire, inner;
	struct wire_field arg, field;

	wire_enter(&wire, signature);
	while (wire_next(&wire, &arg)) {
		if (arg.number != number)
			continue;
		must(str_append_text(out, comma));
		comma = ", ";
		wire_enter(&inner, &arg);
		while (wire_next(&inner, &field)) {
			if (field.number == 1)
				say_name(out, &field);
			if (field.number != 3)
				continue;
			must(str_append_text(out, ":"));
			say_type(out, field.value);
		}
	}
}

static inline void say_definition(struct str *out,
				  const struct wire_field *function)
{
	struct wire_field field, value;
	struct tf_text key;
	struct wire wire;

	wire_enter(&wire, function);
	while (wire_next(&wire, &field)) {
		if (field.number == 1) {
			must(str_append_text(out, "def "));
			say_names(out, &field, 1);
			must(str_append_text(out, "("));
			say_args(out, &field, 2);
			must(str_append_text(out, ") -> ("));
			say_args(out, &field, 3);
			must(str_append_text(out, ")\n"));
		} else if (field.number == 3) {
			say_node(out, &field);
		} else {
			must(tf_entry_parse(&field, &key, &value, NULL));
			must(str_printf(out, "return %.*s=", (int)key.len,
					key.at));
			say_name(out, &value);
			must(str_append_text(out, "\n"));
		}
	}
	assert(!wire.bad);
}

/* Nodes and functions, one a line. */
static inline void graph_def_say(struct str *out, const void *bytes, size_t len)
{
	struct wire_field field, function;
	struct wire wire, library;

	wire_init(&wire, bytes, len);
	while (wire_next(&wire, &field)) {
		if (field.number == 1)
			say_node(out, &field);
		if (field.number != 2)
			continue;
		wire_enter(&library, &field);
		while (wire_next(&library, &function))
			say_definition(out, &function);
	}
	assert(!wire.bad);
}

#endif
