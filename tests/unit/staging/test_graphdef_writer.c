/* SPDX-License-Identifier: MIT */
/* What operators become in a GraphDef, and where its bytes are. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "base/limits.h"
#include "staging/segment.h"
#include "tests/unit/staging/graphdef_made.h"

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

/* Deeplearning4j does not cut an end that is past the axis; so it is open. */
static void an_end_past_any_axis_is_open(void **state)
{
	static const struct {
		int64_t begin, end, step;
		bool is_open; /* no end written, and a mask in its place */
	} cases[] = {
		{ 1, 3, 1, false },
		{ 1, -1, 1, false },
		{ 1, INT32_MAX, 1, true },
		{ 1, INT64_MAX, 1, true },
		{ -1, INT64_MIN + 1, -1, true },
		{ 1, INT32_MAX - 1, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_weights struct weights *weights = two_weights(DTYPE_F32);
		auto_plan struct plan *plan = NULL;
		auto_str struct str file, said;
		struct made m;
		char end[64];
		size_t nodes;

		str_init(&file, 1 << 20);
		str_init(&said, 1 << 20);
		made_start(&m, weights);
		made_end(&m,
			 graph_node(m.graph, "Slice",
				    INPUTS(m.f, INTS(m.graph, cases[i].begin),
					   INTS(m.graph, cases[i].end),
					   INTS(m.graph, 0),
					   INTS(m.graph, cases[i].step)),
				    NO_ATTRS),
			 "y");
		assert_int_equal(graphdef_write(m.graph, weights,
						STAGE_FORM_DL4J, &plan, &nodes,
						NULL),
				 0);
		graph_free(m.graph);
		plan_bytes(plan, &file);
		graph_say(&said, &file);
		snprintf(end, sizeof(end), "const/i32v_%lld, const/i32v_%lld)",
			 cases[i].is_open ? 0 : (long long)cases[i].end,
			 (long long)cases[i].step);
		assert_non_null(strstr(str_text(&said), end));
	}
}

/* ---- want of memory */

static struct made lasting;
static enum stage_form lasting_form;

static int write_once(void)
{
	auto_plan struct plan *plan = NULL;
	size_t nodes;

	return graphdef_write(lasting.graph, lasting.weights, lasting_form,
			      &plan, &nodes, NULL);
}

static void want_of_memory_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(graphs); i++) {
		auto_weights struct weights *weights = two_weights(DTYPE_F32);

		made_start(&lasting, weights);
		made_end(&lasting, graphs[i].make(&lasting), "y");
		lasting_form = graphs[i].form;
		run_with_faults(write_once);
		graph_free(lasting.graph);
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
		cmocka_unit_test(an_end_past_any_axis_is_open),
		cmocka_unit_test(want_of_memory_is_told),
		cmocka_unit_test(ports_have_names_of_nodes),
		cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(alike_names_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
