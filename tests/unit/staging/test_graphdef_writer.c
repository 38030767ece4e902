/* SPDX-License-Identifier: MIT */
/* What operators become in a GraphDef, and what is refused. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "base/limits.h"
#include "staging/graph/graphdef_writer.h"
#include "staging/segment.h"
#include "staging/wire_read.h"
#include "tests/unit/staging/synthetic.h"

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

static struct value *cast(struct made *m, struct value *x, int64_t type)
{
	return OPA("Cast", INPUTS(x), attr_int("to", type));
}

static struct weights *two_weights(enum dtype dtype)
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

static void made_start(struct made *m, const struct weights *weights)
{
	const struct dim dims[] = { { .param = "n" }, { .size = 4 } };

	m->weights = weights;
	assert_int_equal(graph_new(NULL, &m->graph), 0);
	m->x = graph_input(m->graph, "x", ONNX_INT64, dims, 2);
	m->f = cast(m, m->x, ONNX_FLOAT);
}

static void made_end(struct made *m, struct value *y, const char *name)
{
	const struct dim dims[PORT_RANK_MAX] = { { .param = "n" } };

	graph_output(m->graph, y, name, dims, 1);
	assert_int_equal(m->graph->error, 0);
}

/* The bytes of the file; those of ranges are 0. */
static void plan_bytes(const struct plan *plan, struct str *out)
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
static void node_say(struct str *out, const struct wire_field *node)
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

static void graph_say(struct str *out, const struct str *file)
{
	struct wire_field field;
	struct wire wire;

	wire_init(&wire, file->bytes, file->len);
	while (wire_next(&wire, &field))
		if (field.number == 1)
			node_say(out, &field);
	assert_false(wire.bad);
}

/* ---- what nodes there are */

static struct value *linear(struct made *m)
{
	return OPA("Gemm", INPUTS(m->f, W(1), W(0)), attr_float("alpha", 1),
		   attr_float("beta", 1), attr_int("transA", 0),
		   attr_int("transB", 1));
}

static struct value *named_like_the_output(struct made *m)
{
	return OP("Neg", OP("Neg", m->f));
}

static struct value *one_constant_for_both(struct made *m)
{
	struct value *sum = OPA("ReduceMean", INPUTS(m->f),
				attr_ints("axes", 1), attr_int("keepdims", 1));

	return OPA("ReduceMean", INPUTS(sum), attr_ints("axes", -1),
		   attr_int("keepdims", 1));
}

static struct value *shape_with_zero(struct made *m)
{
	struct value *y = OP("Reshape", m->f, INTS(m->graph, 0, 2, -1));

	y->rank = 3;
	return y;
}

static struct value *of_length(struct made *m)
{
	struct value *shape = OP("Shape", m->x), *end;

	shape->rank = 1;
	end = OPA("Gather", INPUTS(shape, INTS(m->graph, 0)),
		  attr_int("axis", 0));
	return OP("Slice", m->f, INTS(m->graph, 0), end, INTS(m->graph, 0));
}

/* A vector, and a matrix of numbers that picks from it. */
static struct value *picks(struct made *m)
{
	struct value *y = OPA("Gather", INPUTS(W(0), m->x),
			      attr_int("axis", 0));

	y->rank = 2;
	return y;
}

#define INPUT                        \
	"x = Placeholder\n"          \
	"x/Identity = Identity(x)\n" \
	"x/Cast = Cast(x/Identity)\n"
#define FLOATS INPUT "Cast_1 = Cast(x/Cast)\n"

static const struct {
	const char *name;
	struct value *(*make)(struct made *m);
	enum stage_form form;
	const char *nodes;
} graphs[] = {
	{ "weights first, as they lie", linear, STAGE_FORM_PLAIN,
	  "a_b = Const\n"
	  "late = Const\n" FLOATS "y_1 = MatMul(Cast_1, a_b)\n"
	  "y/AddV2 = AddV2(y_1, late)\n"
	  "y = Identity(y/AddV2)\n" },
	{ "only the output has its name", named_like_the_output,
	  STAGE_FORM_PLAIN,
	  FLOATS "Neg_2 = Neg(Cast_1)\n"
		 "y_1 = Neg(Neg_2)\n"
		 "y = Identity(y_1)\n" },
	{ "equal constants once", one_constant_for_both, STAGE_FORM_PLAIN,
	  FLOATS "const/i32v_1 = Const\n"
		 "ReduceMean_2 = Mean(Cast_1, const/i32v_1)\n"
		 "y_1 = Mean(ReduceMean_2, const/i32v_1)\n"
		 "y = Identity(y_1)\n" },
	{ "0: as it was", shape_with_zero, STAGE_FORM_PLAIN,
	  FLOATS "y_1 = Shape(Cast_1)\n"
		 "const/i32v_0 = Const\n"
		 "const/i32v_1 = Const\n"
		 "y/StridedSlice = StridedSlice(y_1, const/i32v_0, "
		 "const/i32v_1, const/i32v_1)\n"
		 "const/i64v_2 = Const\n"
		 "const/i64v_-1 = Const\n"
		 "const/i32_0 = Const\n"
		 "y/ConcatV2 = ConcatV2(y/StridedSlice, const/i64v_2, "
		 "const/i64v_-1, const/i32_0)\n"
		 "y/Reshape = Reshape(Cast_1, y/ConcatV2)\n"
		 "y = Identity(y/Reshape)\n" },
	{ "an end that a run tells", of_length, STAGE_FORM_PLAIN,
	  "ints_0 = Const\n" FLOATS "Shape_2 = Shape(x/Cast)\n"
	  "const/i32_0 = Const\n"
	  "Gather_3 = GatherV2(Shape_2, ints_0, const/i32_0)\n"
	  "const/i64v_0 = Const\n"
	  "const/i64v_1 = Const\n"
	  "y_1 = StridedSlice(Cast_1, const/i64v_0, Gather_3, "
	  "const/i64v_1)\n"
	  "y = Identity(y_1)\n" },
	{ "a matrix picks from a vector", picks, STAGE_FORM_PLAIN,
	  "late = Const\n" FLOATS "const/i32_0 = Const\n"
	  "y_1 = GatherV2(late, x/Cast, const/i32_0)\n"
	  "y = Identity(y_1)\n" },
	{ "and in Deeplearning4j in a row", picks, STAGE_FORM_DL4J,
	  "late = Const\n" FLOATS "const/i64v_-1 = Const\n"
	  "y_1 = Reshape(x/Cast, const/i64v_-1)\n"
	  "y/Shape = Shape(x/Cast)\n"
	  "const/i32_0 = Const\n"
	  "y/GatherV2 = GatherV2(late, y_1, const/i32_0)\n"
	  "y/Reshape = Reshape(y/GatherV2, y/Shape)\n"
	  "y = Identity(y/Reshape)\n" },
};

static void operators_become_nodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(graphs); i++) {
		auto_weights struct weights *weights = two_weights(DTYPE_F32);
		auto_plan struct plan *plan = NULL;
		auto_str struct str file, said;
		struct made m;
		size_t nodes;

		str_init(&file, 1 << 20);
		str_init(&said, 1 << 20);
		made_start(&m, weights);
		made_end(&m, graphs[i].make(&m), "y");
		assert_int_equal(graphdef_write(m.graph, weights,
						graphs[i].form, &plan, &nodes,
						NULL),
				 0);
		graph_free(m.graph);
		plan_bytes(plan, &file);
		graph_say(&said, &file);
		assert_string_equal(str_text(&said), graphs[i].nodes);
	}
}

/* ---- where the bytes are */

static void ranges_end_their_constants(void **state)
{
	static const struct {
		enum dtype dtype;
		uint32_t kind;
		uint64_t bytes;
	} cases[] = {
		{ DTYPE_F32, SEGMENT_COPY, 48 },
		{ DTYPE_F16, SEGMENT_F16_F32, 48 },
		{ DTYPE_BF16, SEGMENT_BF16_F32, 48 },
		{ DTYPE_F64, SEGMENT_COPY, 96 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_weights struct weights *weights =
			two_weights(cases[i].dtype);
		auto_plan struct plan *plan = NULL;
		const struct segment *first;
		struct wire_field node;
		auto_str struct str file;
		struct made m;
		struct wire wire;
		size_t nodes;

		str_init(&file, 1 << 20);
		made_start(&m, weights);
		made_end(&m, linear(&m), "y");
		assert_int_equal(graphdef_write(m.graph, weights,
						STAGE_FORM_PLAIN, &plan, &nodes,
						NULL),
				 0);
		graph_free(m.graph);
		first = &plan->segments[1];
		assert_int_equal(first->kind, cases[i].kind);
		assert_int_equal(first->len, cases[i].bytes);
		assert_int_equal(first->src, weights->tensors[1].off);
		plan_bytes(plan, &file);
		wire_init(&wire, file.bytes, file.len);
		assert_true(wire_next(&wire, &node));
		assert_int_equal(node.bytes + node.len -
					 (const uint8_t *)file.bytes,
				 first->out + first->len);
	}
}

/* ---- what is refused */

static struct value *unknown(struct made *m)
{
	return OP("NonMaxSuppression", m->f, m->f);
}

static struct value *too_few(struct made *m)
{
	return OP("Add", m->f);
}

static struct value *mixed(struct made *m)
{
	return OP("Add", m->f, m->x);
}

static struct value *batches(struct made *m)
{
	struct value *y = OP("Unsqueeze", m->f, INTS(m->graph, 0));

	y->rank = 3;
	return OP("MatMul", y,
		  OPA("Transpose", INPUTS(y), attr_ints("perm", 0, 2, 1)));
}

static struct value *cube_softmax(struct made *m)
{
	struct value *y = OP("Unsqueeze", m->f, INTS(m->graph, 0));

	y->rank = 3;
	return OPA("Softmax", INPUTS(y), attr_int("axis", 2));
}

static struct value *where(struct made *m)
{
	return OP("Where", OP("Less", m->f, graph_float(m->graph, 0)), m->f,
		  m->f);
}

static struct value *from_the_end(struct made *m)
{
	return OPA("Gather", INPUTS(m->f, INTS(m->graph, -1)),
		   attr_int("axis", 0));
}

static struct value *axes_of_a_run(struct made *m)
{
	struct value *shape = OP("Shape", m->x);

	shape->rank = 1;
	return OPA("ReduceSum", INPUTS(m->f, shape), attr_int("keepdims", 1));
}

static struct value *wrong_axis(struct made *m)
{
	return OPA("Softmax", INPUTS(m->f), attr_int("axis", 2));
}

static struct value *empty_slice(struct made *m)
{
	return OP("Slice", m->f, INTS(m->graph, INT64_MAX),
		  INTS(m->graph, INT64_MAX), INTS(m->graph, 0));
}

static struct value *shape_of_a_run(struct made *m)
{
	return OP("Reshape", m->f, OP("Neg", INTS(m->graph, 4, -1)));
}

static struct value *last_of_equals(struct made *m)
{
	return OPA("ArgMax", INPUTS(m->f), attr_int("axis", 1),
		   attr_int("select_last_index", 1));
}

static struct value *odd_resize(struct made *m)
{
	struct value *y = OP("Reshape", m->f, INTS(m->graph, 1, 1, -1, 4));
	struct value *inputs[] = { y, NULL, NULL, INTS(m->graph, 1, 1, 8, 8) };

	y->rank = 4;
	return graph_node(m->graph, "Resize", inputs, 4,
			  ATTRS(attr_text("coordinate_transformation_mode",
					  "tf_crop_and_resize")));
}

static struct value *odd_window(struct made *m)
{
	struct value *y = OP("Reshape", m->f, INTS(m->graph, 1, 1, -1, 4));

	y->rank = 4;
	return OPA("MaxPool", INPUTS(y), attr_ints("kernel_shape", 2, 2),
		   attr_int("ceil_mode", 1));
}

static struct value *integers(struct made *m)
{
	return cast(m, OP("Sqrt", m->x), ONNX_FLOAT);
}

static struct value *not_floats(struct made *m)
{
	return OP("Neg", m->x);
}

static const struct {
	const char *name;
	struct value *(*make)(struct made *m);
	enum stage_form form;
	const char *code, *detail;
} refused[] = {
	{ "no such operator", unknown, STAGE_FORM_PLAIN, "unsupported-operator",
	  "NonMaxSuppression" },
	{ "an input too few", too_few, STAGE_FORM_PLAIN, "unsupported-operator",
	  "Add" },
	{ "two types", mixed, STAGE_FORM_PLAIN, "type-mismatch", NULL },
	{ "batches", batches, STAGE_FORM_DL4J, "unsupported-operator",
	  "MatMul" },
	{ "softmax of three axes", cube_softmax, STAGE_FORM_DL4J,
	  "unsupported-operator", "Softmax" },
	{ "a choice", where, STAGE_FORM_DL4J, "unsupported-operator", "Where" },
	{ "counted from the end", from_the_end, STAGE_FORM_PLAIN,
	  "unsupported-operator", "Gather" },
	{ "axes of a run", axes_of_a_run, STAGE_FORM_PLAIN,
	  "unsupported-operator", "ReduceSum" },
	{ "an axis that is not there", wrong_axis, STAGE_FORM_PLAIN,
	  "unsupported-operator", "Softmax" },
	{ "nothing left", empty_slice, STAGE_FORM_PLAIN, "unsupported-operator",
	  "Slice" },
	{ "a shape of a run", shape_of_a_run, STAGE_FORM_PLAIN,
	  "unsupported-operator", "Reshape" },
	{ "the last of equals", last_of_equals, STAGE_FORM_PLAIN,
	  "unsupported-operator", "ArgMax" },
	{ "an odd resize", odd_resize, STAGE_FORM_PLAIN, "unsupported-operator",
	  "Resize" },
	{ "a window rounded up", odd_window, STAGE_FORM_PLAIN,
	  "unsupported-operator", "MaxPool" },
	{ "a root of whole numbers", integers, STAGE_FORM_PLAIN,
	  "unsupported-operator", "Sqrt" },
	{ "an output of another type", not_floats, STAGE_FORM_PLAIN,
	  "type-mismatch", "y" },
};

static void what_is_not_the_same_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_weights struct weights *weights = two_weights(DTYPE_F32);
		auto_refusal struct refusal why = { 0 };
		auto_plan struct plan *plan = NULL;
		struct made m;
		size_t nodes;

		made_start(&m, weights);
		made_end(&m, refused[i].make(&m), "y");
		if (graphdef_write(m.graph, weights, refused[i].form, &plan,
				   &nodes, &why) != -EBADMSG)
			fail_msg("not refused: %s", refused[i].name);
		graph_free(m.graph);
		assert_null(plan);
		assert_string_equal(why.code, refused[i].code);
		if (refused[i].detail)
			assert_string_equal(why.detail, refused[i].detail);
	}
}

/* In the plain form these three are said. */
static void only_the_other_form_refuses_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_weights struct weights *weights = two_weights(DTYPE_F32);
		auto_plan struct plan *plan = NULL;
		struct made m;
		size_t nodes;

		if (refused[i].form != STAGE_FORM_DL4J)
			continue;
		made_start(&m, weights);
		made_end(&m, refused[i].make(&m), "y");
		assert_int_equal(graphdef_write(m.graph, weights,
						STAGE_FORM_PLAIN, &plan, &nodes,
						NULL),
				 0);
		graph_free(m.graph);
	}
}

static void ports_have_names_of_nodes(void **state)
{
	static const struct {
		const char *output;
		bool is_refused;
	} cases[] = {
		{ "logits", false }, { "present.0.key", false },
		{ "x", true }, /* the input's */
		{ "a+b", true },     { "_y", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_weights struct weights *weights = two_weights(DTYPE_F32);
		auto_refusal struct refusal why = { 0 };
		auto_plan struct plan *plan = NULL;
		struct made m;
		size_t nodes;
		int r;

		made_start(&m, weights);
		made_end(&m, graph_node(m.graph, "Abs", INPUTS(m.f), NO_ATTRS),
			 cases[i].output);
		r = graphdef_write(m.graph, weights, STAGE_FORM_PLAIN, &plan,
				   &nodes, &why);
		graph_free(m.graph);
		assert_int_equal(r, cases[i].is_refused ? -EBADMSG : 0);
		if (cases[i].is_refused)
			assert_string_equal(why.code, "port-name");
	}
}

static void too_large_is_refused(void **state)
{
	auto_weights struct weights *weights = two_weights(DTYPE_F32);
	auto_refusal struct refusal why = { 0 };
	auto_plan struct plan *plan = NULL;
	struct made m;
	size_t nodes;

	(void)state;
	weights->files[0].size = 1ULL << 40;
	weights->tensors[1].dims[0] = 1 << 27;
	weights->tensors[1].len = 16ULL << 27;
	weights->tensors[0].off = 1ULL << 39;
	made_start(&m, weights);
	made_end(&m, linear(&m), "y");
	assert_int_equal(graphdef_write(m.graph, weights, STAGE_FORM_PLAIN,
					&plan, &nodes, &why),
			 -EBADMSG);
	graph_free(m.graph);
	assert_string_equal(why.code, "too-large");
}

/* Names that are alike, and would be the same with the characters allowed. */
static void alike_names_stay_apart(void **state)
{
	struct synthetic made;
	auto_weights struct weights *weights = NULL;
	auto_plan struct plan *plan = NULL;
	auto_str struct str file, said;
	struct made m;
	struct value *y;
	char name[32];
	size_t nodes;

	(void)state;
	synthetic_start(&made, "");
	for (unsigned int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "w%c%c", 128 + (int)(i & 7),
			 128 + (int)(i >> 3));
		synthetic_tensor(&made, name, 4, 0);
	}
	weights = made.weights;
	assert_int_equal(made.error, 0);
	assert_int_equal(weights_finish(weights), 0);
	made_start(&m, weights);
	y = m.f;
	for (size_t i = 0; i < weights->count; i++)
		y = graph_node(
			m.graph, "Add",
			INPUTS(y, graph_weight(m.graph, &weights->tensors[i])),
			NO_ATTRS);
	made_end(&m, y, "w__");
	assert_int_equal(graphdef_write(m.graph, weights, STAGE_FORM_PLAIN,
					&plan, &nodes, NULL),
			 0);
	graph_free(m.graph);
	str_init(&file, 1 << 20);
	str_init(&said, 1 << 20);
	plan_bytes(plan, &file);
	graph_say(&said, &file);
	assert_non_null(strstr(str_text(&said), "w___1 = Const\n"));
	assert_non_null(strstr(str_text(&said), "w__ = Identity("));
	assert_null(strstr(str_text(&said), "w__ = Const\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_become_nodes),
		cmocka_unit_test(ranges_end_their_constants),
		cmocka_unit_test(what_is_not_the_same_is_refused),
		cmocka_unit_test(only_the_other_form_refuses_them),
		cmocka_unit_test(ports_have_names_of_nodes),
		cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(alike_names_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
