/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/saved_model_text.h - SavedModels written as text, and
 * frozen graphs read as text.
 *
 *	op Mul x y -> z			an operation's ports; "split*num" as
 *many as that attribute says, "out[T]" by a list, "h:resource" a type, "r&" a
 *ref x = Placeholder() dtype=float shape=<2,?> y = Mul(x, k:1, ^c) T=float
 *a node def f(h:resource) -> (y:float=m:z:0)	a function, its nodes, then end
 *	stateful			of the function before "end"
 *	sig serving_default x=x:0:float<2> -> y=y:0:float	a signature
 *	tags serve gpu			instead of "tags serve"
 *	saver restore_all		the restore op
 *	collect w			a VariableDef of the collection
 *
 * An attribute's value is a type, [types], <shape>, [<shape>, <shape>], #7,
 * "text", @function or [@function, @function], $placeholder, {text|text} for
 * a tensor of strings, or float<2>=00000000ffffffff for any tensor.
 *
 * Only for tests: what is malformed aborts.
 */
#ifndef TESTS_UNIT_STAGING_SAVED_MODEL_TEXT_H
#define TESTS_UNIT_STAGING_SAVED_MODEL_TEXT_H

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "staging/graph/wire.h"
#include "staging/tensorflow/attr_value.h"
#include "staging/weights/tensor_bundle.h"

static const char *const type_names[] = {
	[DT_FLOAT] = "float",	    [DT_DOUBLE] = "double",
	[DT_INT32] = "int32",	    [DT_STRING] = "string",
	[DT_INT64] = "int64",	    [DT_BOOL] = "bool",
	[DT_RESOURCE] = "resource", [DT_VARIANT] = "variant",
};

/* The text being read. */
struct scan {
	const char *at;
};

static inline void must(int r)
{
	if (r != 0)
		abort();
}

static inline void scan_space(struct scan *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t')
		scan->at++;
}

static inline bool scan_take(struct scan *scan, const char *text)
{
	scan_space(scan);
	if (strncmp(scan->at, text, strlen(text)) != 0)
		return false;
	scan->at += strlen(text);
	return true;
}

/* Up to one of @ends or the end of the line; not that itself. */
static inline struct tf_text scan_until(struct scan *scan, const char *ends)
{
	struct tf_text text;

	scan_space(scan);
	text.at = scan->at;
	text.len = strcspn(scan->at, ends);
	scan->at += text.len;
	return text;
}

static inline int type_of(struct tf_text name)
{
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		if (type_names[i] && tf_text_is(name, type_names[i]))
			return (int)i;
	fprintf(stderr, "no type %.*s\n", (int)name.len, name.at);
	abort();
}

static inline void put_text(struct str *out, unsigned int field,
			    struct tf_text text)
{
	must(wire_bytes(out, field, text.at, text.len));
}

/* @inner as a field, and is empty then. */
static inline void put_message(struct str *out, unsigned int field,
			       struct str *inner)
{
	must(wire_message(out, field, inner));
	str_clear(inner);
}

/* After "<": the contents of a TensorShapeProto. */
static inline void scan_shape(struct scan *scan, struct str *out)
{
	struct str dim;

	str_init(&dim, PLAN_BYTES_MAX);
	while (!scan_take(scan, ">")) {
		struct tf_text size = scan_until(scan, ",>");
		long long value = tf_text_is(size, "?")
					  ? -1
					  : strtoll(size.at, NULL, 10);

		if (tf_text_is(size, "*"))
			must(wire_int(out, 3, 1));
		else {
			must(wire_int(&dim, 1, (uint64_t)value));
			put_message(out, 2, &dim);
		}
		scan_take(scan, ",");
	}
	str_release(&dim);
}

static inline void scan_hex(struct scan *scan, struct str *out)
{
	while (isxdigit((unsigned char)*scan->at)) {
		char two[3] = { scan->at[0], scan->at[1], 0 };
		char byte = (char)strtoul(two, NULL, 16);

		must(str_append(out, &byte, 1));
		scan->at += 2;
	}
}

/* After "{": a TensorProto of strings. */
static inline void scan_strings(struct scan *scan, struct str *out)
{
	struct str shape, dim;
	uint64_t count = 0;

	str_init(&shape, PLAN_BYTES_MAX);
	str_init(&dim, PLAN_BYTES_MAX);
	must(wire_int(out, 1, DT_STRING));
	while (!scan_take(scan, "}")) {
		put_text(out, 8, scan_until(scan, "|}"));
		count++;
		if (scan_take(scan, "|") && *scan->at == '}') {
			put_text(out, 8, tf_text_of(""));
			count++;
		}
	}
	must(wire_int(&dim, 1, count));
	put_message(&shape, 2, &dim);
	put_message(out, 2, &shape);
	str_release(&shape);
	str_release(&dim);
}

/* After "@": a NameAttrList, with attributes in (). */
static inline void scan_attrs(struct scan *scan, unsigned int field,
			      const char *ends, struct str *out);

static inline void scan_function(struct scan *scan, struct str *out)
{
	put_text(out, 1, scan_until(scan, " ,]\n("));
	if (scan_take(scan, "("))
		scan_attrs(scan, 2, ")", out);
}

/* After "[": an AttrValue.ListValue. */
static inline void scan_list(struct scan *scan, struct str *out)
{
	struct str one;

	str_init(&one, PLAN_BYTES_MAX);
	while (!scan_take(scan, "]")) {
		if (scan_take(scan, "@")) {
			scan_function(scan, &one);
			put_message(out, 9, &one);
		} else if (scan_take(scan, "<")) {
			scan_shape(scan, &one);
			put_message(out, 7, &one);
		} else {
			must(wire_int(
				out, 6,
				(uint64_t)type_of(scan_until(scan, ",]"))));
		}
		scan_take(scan, ",");
	}
	str_release(&one);
}

/* A type, or a tensor. */
static inline void scan_typed(struct scan *scan, struct str *value)
{
	struct str tensor, inner;
	int type = type_of(scan_until(scan, " <\n,)"));

	str_init(&tensor, PLAN_BYTES_MAX);
	str_init(&inner, PLAN_BYTES_MAX);
	if (*scan->at != '<') {
		must(wire_int(value, 6, (uint64_t)type));
		return;
	}
	scan->at++;
	scan_shape(scan, &inner);
	must(wire_int(&tensor, 1, (uint64_t)type));
	put_message(&tensor, 2, &inner);
	if (scan_take(scan, "=")) {
		scan_hex(scan, &inner);
		put_message(&tensor, 4, &inner);
	}
	put_message(value, 8, &tensor);
	str_release(&tensor);
	str_release(&inner);
}

/* An AttrValue. */
static inline void scan_value(struct scan *scan, struct str *value)
{
	struct str inner;

	str_init(&inner, PLAN_BYTES_MAX);
	if (scan_take(scan, "#")) {
		must(wire_int(value, 3,
			      (uint64_t)strtoll(scan_until(scan, " \n,)").at,
						NULL, 10)));
	} else if (scan_take(scan, "\"")) {
		put_text(value, 2, scan_until(scan, "\""));
		scan->at++;
	} else if (scan_take(scan, "$")) {
		put_text(value, 9, scan_until(scan, " \n,)"));
	} else if (scan_take(scan, "@")) {
		scan_function(scan, &inner);
		put_message(value, 10, &inner);
	} else if (scan_take(scan, "<")) {
		scan_shape(scan, &inner);
		put_message(value, 7, &inner);
	} else if (scan_take(scan, "[")) {
		scan_list(scan, &inner);
		put_message(value, 1, &inner);
	} else if (scan_take(scan, "{")) {
		scan_strings(scan, &inner);
		put_message(value, 8, &inner);
	} else {
		scan_typed(scan, value);
	}
	str_release(&inner);
}

static inline void scan_attrs(struct scan *scan, unsigned int field,
			      const char *ends, struct str *out)
{
	struct str entry, value;

	str_init(&entry, PLAN_BYTES_MAX);
	str_init(&value, PLAN_BYTES_MAX);
	for (;;) {
		scan_space(scan);
		if (*scan->at == '\n' || *scan->at == '\0' ||
		    scan_take(scan, ends))
			break;
		put_text(&entry, 1, scan_until(scan, "="));
		scan->at++;
		scan_value(scan, &value);
		put_message(&entry, 2, &value);
		put_message(out, field, &entry);
		scan_take(scan, ",");
	}
	str_release(&entry);
	str_release(&value);
}

static inline void scan_node(struct scan *scan, struct tf_text name,
			     struct str *out)
{
	put_text(out, 1, name);
	put_text(out, 2, scan_until(scan, "("));
	scan->at++;
	while (!scan_take(scan, ")")) {
		put_text(out, 3, scan_until(scan, ",)"));
		scan_take(scan, ",");
	}
	scan_attrs(scan, 5, "\n", out);
}

/* An ArgDef: "name:type", "name*number", "name[list]", "name&". */
static inline void scan_port(struct scan *scan, struct str *out)
{
	put_text(out, 1, scan_until(scan, " :*[&,)=\n"));
	if (scan_take(scan, ":"))
		must(wire_int(out, 3,
			      (uint64_t)type_of(scan_until(scan, " ,)=\n"))));
	else if (scan_take(scan, "*"))
		put_text(out, 5, scan_until(scan, " \n"));
	else if (scan_take(scan, "&"))
		must(wire_int(out, 16, 1));
	else if (scan_take(scan, "["))
		put_text(out, 6, scan_until(scan, "]"));
	scan_take(scan, "]");
}

static inline void scan_op(struct scan *scan, struct str *out)
{
	unsigned int field = 2;
	struct str port;

	str_init(&port, PLAN_BYTES_MAX);
	put_text(out, 1, scan_until(scan, " \n"));
	for (;;) {
		if (scan_take(scan, "->")) {
			field = 3;
			continue;
		}
		scan_space(scan);
		if (*scan->at == '\n' || *scan->at == '\0')
			break;
		scan_port(scan, &port);
		put_message(out, field, &port);
	}
	str_release(&port);
}

/* A function's head: its signature, and what it returns. */
static inline void scan_head(struct scan *scan, struct str *signature,
			     struct str *rets)
{
	struct str port, ret;

	str_init(&port, PLAN_BYTES_MAX);
	str_init(&ret, PLAN_BYTES_MAX);
	put_text(signature, 1, scan_until(scan, "("));
	scan->at++;
	while (!scan_take(scan, ")")) {
		scan_port(scan, &port);
		put_message(signature, 2, &port);
		scan_take(scan, ",");
	}
	scan_take(scan, "->");
	scan_take(scan, "(");
	while (!scan_take(scan, ")")) {
		struct tf_text name = { scan->at, strcspn(scan->at, ":") };

		scan_port(scan, &port);
		put_message(signature, 3, &port);
		put_text(&ret, 1, name);
		scan_take(scan, "=");
		put_text(&ret, 2, scan_until(scan, ",)"));
		put_message(rets, 4, &ret);
		scan_take(scan, ",");
		scan_space(scan);
	}
	str_release(&port);
	str_release(&ret);
}

/* "key=tensor:type<shape>", up to "->" or the end of the line. */
static inline void scan_ports(struct scan *scan, unsigned int field,
			      struct str *out)
{
	struct str entry, info, shape;

	str_init(&entry, PLAN_BYTES_MAX);
	str_init(&info, PLAN_BYTES_MAX);
	str_init(&shape, PLAN_BYTES_MAX);
	for (;;) {
		struct tf_text name, type;

		scan_space(scan);
		if (*scan->at == '\n' || *scan->at == '\0' ||
		    scan_take(scan, "->"))
			break;
		put_text(&entry, 1, scan_until(scan, "="));
		scan->at++;
		name = scan_until(scan, " <\n");
		type = (struct tf_text){ memrchr(name.at, ':', name.len), 0 };
		type.at++;
		type.len = (size_t)(name.at + name.len - type.at);
		name.len -= type.len + 1;
		put_text(&info, 1, name);
		must(wire_int(&info, 2, (uint64_t)type_of(type)));
		if (*scan->at == '<') {
			scan->at++;
			scan_shape(scan, &shape);
			put_message(&info, 3, &shape);
		}
		put_message(&entry, 2, &info);
		put_message(out, field, &entry);
	}
	str_release(&entry);
	str_release(&info);
	str_release(&shape);
}

/* A model being put together. */
struct made_model {
	struct str info, ops, graph, library, function, signature, rets, meta;
	struct str collection;
	bool in_function, tagged;
};

static inline void scan_signature(struct scan *scan, struct made_model *made)
{
	struct str entry, def;

	str_init(&entry, PLAN_BYTES_MAX);
	str_init(&def, PLAN_BYTES_MAX);
	put_text(&entry, 1, scan_until(scan, " "));
	scan_ports(scan, 1, &def);
	scan_ports(scan, 2, &def);
	put_message(&entry, 2, &def);
	put_message(&made->meta, 5, &entry);
	str_release(&entry);
	str_release(&def);
}

static inline void function_end(struct made_model *made)
{
	struct str whole;

	str_init(&whole, PLAN_BYTES_MAX);
	put_message(&whole, 1, &made->signature);
	must(str_append(&whole, str_text(&made->function), made->function.len));
	must(str_append(&whole, str_text(&made->rets), made->rets.len));
	str_clear(&made->function);
	str_clear(&made->rets);
	put_message(&made->library, 1, &whole);
	made->in_function = false;
	str_release(&whole);
}

static inline void scan_line(struct scan *scan, struct made_model *made)
{
	struct str inner;

	str_init(&inner, PLAN_BYTES_MAX);
	if (scan_take(scan, "op ")) {
		scan_op(scan, &inner);
		put_message(&made->ops, 1, &inner);
	} else if (scan_take(scan, "def ")) {
		made->in_function = true;
		scan_head(scan, &made->signature, &made->rets);
	} else if (scan_take(scan, "end\n")) {
		function_end(made);
		scan->at--;
	} else if (scan_take(scan, "stateful")) {
		must(wire_int(&made->signature, 17, 1));
	} else if (scan_take(scan, "sig ")) {
		scan_signature(scan, made);
	} else if (scan_take(scan, "tags")) {
		made->tagged = true;
		while (scan_space(scan), *scan->at != '\n')
			put_text(&made->info, 4, scan_until(scan, " \n"));
	} else if (scan_take(scan, "saver ")) {
		put_text(&inner, 3, scan_until(scan, "\n"));
		put_message(&made->meta, 3, &inner);
	} else if (scan_take(scan, "collect ")) {
		must(str_printf(&inner, "%.*s:0", (int)strcspn(scan->at, "\n"),
				scan->at));
		scan_until(scan, "\n");
		must(wire_message(&made->collection, 99, &inner));
	} else {
		struct tf_text name = scan_until(scan, " ");

		assert(scan_take(scan, "= "));
		scan_node(scan, name, &inner);
		put_message(made->in_function ? &made->function : &made->graph,
			    made->in_function ? 3 : 1, &inner);
	}
	str_release(&inner);
}

static inline void collection_put(struct made_model *made)
{
	struct str variable, list, collection, entry;
	struct wire_field field;
	struct wire wire;

	str_init(&variable, PLAN_BYTES_MAX);
	str_init(&list, PLAN_BYTES_MAX);
	str_init(&collection, PLAN_BYTES_MAX);
	str_init(&entry, PLAN_BYTES_MAX);
	wire_init(&wire, made->collection.bytes, made->collection.len);
	while (wire_next(&wire, &field)) {
		must(wire_bytes(&variable, 1, field.bytes, field.len));
		put_message(&list, 1, &variable);
	}
	put_message(&collection, 2, &list);
	put_text(&entry, 1, tf_text_of("variables"));
	put_message(&entry, 2, &collection);
	put_message(&made->meta, 4, &entry);
	str_release(&variable);
	str_release(&list);
	str_release(&collection);
	str_release(&entry);
}

/* Adds a meta graph made of @text to @out, a SavedModel. */
static inline void saved_model_of_text(const char *text, struct str *out)
{
	struct made_model made = { 0 };
	struct str *parts[] = {
		&made.info,    &made.ops,      &made.graph,
		&made.library, &made.function, &made.signature,
		&made.rets,    &made.meta,     &made.collection
	};
	struct scan scan = { text };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		str_init(parts[i], PLAN_BYTES_MAX);
	while (*scan.at) {
		scan_space(&scan);
		if (*scan.at != '\n')
			scan_line(&scan, &made);
		assert(*scan.at == '\n');
		scan.at++;
	}
	if (!made.tagged)
		put_text(&made.info, 4, tf_text_of("serve"));
	put_message(&made.info, 2, &made.ops);
	put_message(&made.graph, 2, &made.library);
	if (made.collection.len > 0)
		collection_put(&made);
	put_message(&made.meta, 1, &made.info);
	put_message(&made.meta, 2, &made.graph);
	must(wire_message(out, 2, &made.meta));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		str_release(parts[i]);
}

#endif
