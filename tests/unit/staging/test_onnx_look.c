/* SPDX-License-Identifier: MIT */
/* Is it an ONNX model; what does it take; which files does it need? */
#include <string.h>

#include "base/limits.h"
#include "staging/external/onnx_look.h"
#include "staging/external/plain_name.h"
#include "staging/graph/wire.h"
#include "tests/unit/unit.h"

/* Numbers of fields, as onnx.proto has them. */
enum {
	MODEL_IR = 1,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8,
	MODEL_FUNCTIONS = 25,
	GRAPH_NODE = 1,
	GRAPH_INITIALIZER = 5,
	GRAPH_OUTPUT = 12,
	GRAPH_SPARSE = 15,
	NODE_ATTRIBUTE = 5,
	ATTRIBUTE_TENSOR = 5,
	ATTRIBUTE_GRAPH = 6,
	TENSOR_EXTERNAL = 13,
	TENSOR_LOCATION = 14,
};

/* What a model is made of; NULL and 0: it lacks that. */
struct made {
	const char *location; /* of external data */
	const char *offset, *length;
	int path[4]; /* fields from the model down to the tensor; 0 ends */
	bool no_ir, no_opset, no_output, no_graph, two_graphs;
};

static void must(int r)
{
	assert_int_equal(r, 0);
}

static void put(struct str *out, unsigned int field, struct str *message)
{
	must(wire_message(out, field, message));
	str_release(message);
}

static void put_pair(struct str *out, const char *key, const char *value)
{
	struct str pair;

	if (!value)
		return;
	str_init(&pair, 1 << 20);
	must(wire_text(&pair, 1, key));
	must(wire_text(&pair, 2, value));
	put(out, TENSOR_EXTERNAL, &pair);
}

static void make_tensor(const struct made *made, struct str *out)
{
	str_init(out, 1 << 20);
	must(wire_int(out, 1, 3));
	put_pair(out, "location", made->location);
	put_pair(out, "offset", made->offset);
	put_pair(out, "length", made->length);
	must(wire_int(out, TENSOR_LOCATION, 1));
}

/* The tensor in what leads to it, but for the first field of the path. */
static void make_way(const struct made *made, struct str *out)
{
	int depth = 0;

	while (depth < 4 && made->path[depth])
		depth++;
	make_tensor(made, out);
	for (int i = depth - 1; i > 0; i--) {
		struct str outer;

		str_init(&outer, 1 << 20);
		put(&outer, (unsigned int)made->path[i], out);
		*out = outer;
	}
}

/* float16 ["batch", 5, ?] as the type of @value. */
static void put_type(struct str *value)
{
	struct str shape, tensor, type, dimension;

	str_init(&shape, 1 << 20);
	str_init(&tensor, 1 << 20);
	str_init(&type, 1 << 20);
	str_init(&dimension, 1 << 20);
	must(wire_text(&dimension, 2, "batch"));
	put(&shape, 1, &dimension);
	must(wire_int(&dimension, 1, 5));
	put(&shape, 1, &dimension);
	put(&shape, 1, &dimension);
	must(wire_int(&tensor, 1, 10));
	put(&tensor, 2, &shape);
	put(&type, 1, &tensor);
	put(value, 2, &type);
}

static void make_graph(const struct made *made, struct str *out)
{
	struct str node, output;

	str_init(out, 1 << 20);
	str_init(&node, 1 << 20);
	must(wire_text(&node, 4, "Relu"));
	put(out, GRAPH_NODE, &node);
	if (made->no_output)
		return;
	str_init(&output, 1 << 20);
	must(wire_text(&output, 1, "y"));
	put_type(&output);
	put(out, GRAPH_OUTPUT, &output);
}

static void make_model(const struct made *made, struct str *out)
{
	struct str graph, opset, way;

	str_init(out, 1 << 20);
	if (!made->no_ir)
		must(wire_int(out, MODEL_IR, 7));
	str_init(&opset, 64);
	must(wire_int(&opset, 2, 13));
	if (!made->no_opset)
		put(out, MODEL_OPSET, &opset);
	str_release(&opset);
	make_graph(made, &graph);
	if (made->path[0]) {
		make_way(made, &way);
		if (made->path[0] == MODEL_FUNCTIONS)
			put(out, MODEL_FUNCTIONS, &way);
		else
			put(&graph, (unsigned int)made->path[0], &way);
	}
	if (made->two_graphs)
		must(wire_message(out, MODEL_GRAPH, &graph));
	if (!made->no_graph)
		put(out, MODEL_GRAPH, &graph);
	str_release(&graph);
}

#define DATA(where, from, bytes, a, b, c, d)                                  \
	{                                                                     \
		.location = where, .offset = from, .length = bytes, .path = { \
			a,                                                    \
			b,                                                    \
			c,                                                    \
			d                                                     \
		}                                                             \
	}
#define WEIGHT(where, from, bytes) \
	DATA(where, from, bytes, GRAPH_INITIALIZER, 0, 0, 0)

static const struct {
	const char *name;
	struct made made;
	int want;
	const char *data; /* of the answer */
} cases[] = {
	{ "a model", { 0 }, 0, "\"data\":[]" },
	{ "its types",
	  { 0 },
	  0,
	  "[{\"name\":\"y\",\"dtype\":\"float16\","
	  "\"shape\":[\"batch\",5,\"?\"]}]" },
	{ "data beside it", WEIGHT("w.bin", "16", "4"), 0,
	  "\"data\":[{\"name\":\"w.bin\",\"size\":20}]" },
	{ "to the end of a file", WEIGHT("w.bin", "16", NULL), 0,
	  "\"size\":16}" },
	{ "in a sparse tensor", DATA("w.bin", NULL, "4", GRAPH_SPARSE, 1, 0, 0),
	  0, "w.bin" },
	{ "in an attribute",
	  DATA("w.bin", NULL, "4", GRAPH_NODE, NODE_ATTRIBUTE, ATTRIBUTE_TENSOR,
	       0),
	  0, "w.bin" },
	{ "in a graph in an attribute",
	  DATA("w.bin", NULL, "4", GRAPH_NODE, NODE_ATTRIBUTE, ATTRIBUTE_GRAPH,
	       GRAPH_INITIALIZER),
	  0, "w.bin" },
	{ "in a function",
	  DATA("w.bin", NULL, "4", MODEL_FUNCTIONS, 7, NODE_ATTRIBUTE,
	       ATTRIBUTE_TENSOR),
	  0, "w.bin" },
	{ "data nowhere", WEIGHT(NULL, "0", "4"), -EBADMSG, NULL },
	{ "a path", WEIGHT("a/w.bin", NULL, "4"), -EBADMSG, NULL },
	{ "above", WEIGHT("..", NULL, "4"), -EBADMSG, NULL },
	{ "absolute", WEIGHT("/etc/passwd", NULL, "4"), -EBADMSG, NULL },
	{ "no name", WEIGHT("", NULL, "4"), -EBADMSG, NULL },
	{ "hidden", WEIGHT(".w", NULL, "4"), -EBADMSG, NULL },
	{ "no number", WEIGHT("w", "-1", "4"), -EBADMSG, NULL },
	{ "past all files",
	  WEIGHT("w", "9223372036854775807", "9223372036854775808"), -EBADMSG,
	  NULL },
	{ "no version of the format", { .no_ir = true }, -EBADMSG, NULL },
	{ "no opset", { .no_opset = true }, -EBADMSG, NULL },
	{ "no output", { .no_output = true }, -EBADMSG, NULL },
	{ "no graph", { .no_graph = true }, -EBADMSG, NULL },
	{ "two graphs", { .two_graphs = true }, -EBADMSG, NULL },
};

static void models_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str model, told;
		int r;

		str_init(&told, CONVERT_LOOK_BYTES_MAX);
		make_model(&cases[i].made, &model);
		r = onnx_look(str_text(&model), model.len, &told);
		if (r != cases[i].want)
			fail_msg("%s: %d", cases[i].name, r);
		if (r == 0 && !strstr(str_text(&told), cases[i].data))
			fail_msg("%s: %s", cases[i].name, str_text(&told));
	}
}

/* Cut anywhere it is no whole model, or says so by what it lacks. */
static void what_is_cut_is_refused(void **state)
{
	static const struct made made = WEIGHT("w.bin", "16", "4");
	auto_str struct str model;

	(void)state;
	make_model(&made, &model);
	for (size_t len = 0; len < model.len; len++) {
		auto_str struct str told;

		str_init(&told, CONVERT_LOOK_BYTES_MAX);
		assert_int_equal(onnx_look(str_text(&model), len, &told),
				 -EBADMSG);
	}
}

static void depth_is_bounded(void **state)
{
	auto_str struct str told;
	struct str inner;
	struct made made = { 0 };

	(void)state;
	str_init(&told, CONVERT_LOOK_BYTES_MAX);
	make_graph(&made, &inner);
	for (int i = 0; i < ONNX_DEPTH_MAX / 3 * 3 + 3; i++) {
		static const unsigned int way[] = { ATTRIBUTE_GRAPH,
						    NODE_ATTRIBUTE,
						    GRAPH_NODE };
		struct str outer;

		str_init(&outer, 1 << 20);
		put(&outer, way[i % 3], &inner);
		inner = outer;
	}
	{
		auto_str struct str model;

		str_init(&model, 1 << 20);
		put(&model, MODEL_GRAPH, &inner);
		assert_int_equal(onnx_look(str_text(&model), model.len, &told),
				 -EFBIG);
	}
}

static int look(void)
{
	static const struct made made = WEIGHT("w.bin", "16", "4");
	static struct str model;
	auto_str struct str told;

	str_init(&told, CONVERT_LOOK_BYTES_MAX);
	if (!model.len) { /* once, before allocations fail */
		make_model(&made, &model);
		return 0;
	}
	return onnx_look(str_text(&model), model.len, &told);
}

static void memory_may_end(void **state)
{
	(void)state;
	assert_int_equal(look(), 0);
	run_with_faults(look);
}

static const struct {
	const char *name;
	bool plain;
} names[] = {
	{ "model.onnx_data", true },
	{ "w", true },
	{ "a b", true },
	{ "gr\xc3\xbc", true },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ ".x", false },
	{ "a/b", false },
	{ "a\\b", false },
	{ "a\nb", false },
	{ "\xff", false },
};

static void names_are_plain(void **state)
{
	char longer[NAME_BYTES_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(name_is_plain(names[i].name), names[i].plain);
	memset(longer, 'x', sizeof(longer));
	longer[NAME_BYTES_MAX + 1] = '\0';
	assert_false(name_is_plain(longer));
	longer[NAME_BYTES_MAX] = '\0';
	assert_true(name_is_plain(longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_known),
		cmocka_unit_test(what_is_cut_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(memory_may_end),
		cmocka_unit_test(names_are_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
