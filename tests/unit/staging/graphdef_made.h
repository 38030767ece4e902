/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/graphdef_made.h - small graphs of an input and two
 * weights, and a GraphDef as text.
 */
#ifndef TESTS_UNIT_STAGING_GRAPHDEF_MADE_H
#define TESTS_UNIT_STAGING_GRAPHDEF_MADE_H

#include "staging/graph/graphdef_writer.h"
#include "staging/wire_read.h"
#include "tests/unit/staging/synthetic.h"
#include "tests/unit/unit.h"

/* A graph being made, of an input "x" of ids and two weights. */
struct made {
	struct graph *graph;
	const struct weights *weights;
	struct value *x; /* int64 [n, 4] */
	struct value *f; /* the same in floats */
};

#define OP(op, ...) graph_node(m->graph, op, INPUTS(__VA_ARGS__), NO_ATTRS)
#define OPA(op, inputs, ...) \
	graph_node(m->graph, op, inputs, ATTRS(__VA_ARGS__))
#define W(i) graph_weight(m->graph, &m->weights->tensors[i])

static inline struct value *cast(struct made *m, struct value *x, int64_t type)
{
	return OPA("Cast", INPUTS(x), attr_int("to", type));
}

static inline struct weights *two_weights(enum dtype dtype)
{
	struct synthetic made;

	synthetic_start(&made, "");
	made.dtype = dtype;
	synthetic_tensor(&made, "late", 3, 0);
	synthetic_tensor(&made, "a+b", 3, 4);
	assert_int_equal(made.error, 0);
	assert_int_equal(weights_finish(made.weights), 0);
	/* As if the file had them the other way round. */
	made.weights->tensors[0].off = 1024;
	return made.weights;
}

static inline void made_start(struct made *m, const struct weights *weights)
{
	const struct dim dims[] = { { .param = "n" }, { .size = 4 } };

	m->weights = weights;
	assert_int_equal(graph_new(NULL, &m->graph), 0);
	m->x = graph_input(m->graph, "x", ONNX_INT64, dims, 2);
	m->f = cast(m, m->x, ONNX_FLOAT);
}

static inline void made_end(struct made *m, struct value *y, const char *name)
{
	const struct dim dims[PORT_RANK_MAX] = { { .param = "n" } };

	graph_output(m->graph, y, name, dims, 1);
	assert_int_equal(m->graph->error, 0);
}

/* The bytes of the file; those of ranges are 0. */
static inline void plan_bytes(const struct plan *plan, struct str *out)
{
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];

		for (uint64_t at = 0; at < segment->len; at++) {
			char byte =
				segment->kind == SEGMENT_BYTES
					? (char)plan->bytes[segment->src + at]
					: '\0';

			assert_int_equal(str_append(out, &byte, 1), 0);
		}
	}
}

/* name = Op(input, input), a node a line. */
static inline void node_say(struct str *out, const struct wire_field *node)
{
	static const char *const between[] = { "", "", " = ", "(", "" };
	const char *comma = "(";
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, node);
	while (wire_next(&wire, &field)) {
		if (field.number > 3)
			continue;
		assert_int_equal(
			str_append_text(out, field.number == 3
						     ? comma
						     : between[field.number]),
			0);
		if (field.number == 3)
			comma = ", ";
		assert_int_equal(str_append(out, field.bytes, field.len), 0);
	}
	assert_int_equal(str_append_text(out, *comma == '(' ? "\n" : ")\n"), 0);
	assert_false(wire.bad);
}

static inline void graph_say(struct str *out, const struct str *file)
{
	struct wire_field field;
	struct wire wire;

	wire_init(&wire, file->bytes, file->len);
	while (wire_next(&wire, &field))
		if (field.number == 1)
			node_say(out, &field);
	assert_false(wire.bad);
}

#endif
