/* SPDX-License-Identifier: MIT */
/* Graphs that TensorFlow would compute otherwise. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/staging/graphdef_made.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_the_same_is_refused),
		cmocka_unit_test(only_the_other_form_refuses_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
