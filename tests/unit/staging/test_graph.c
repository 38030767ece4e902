/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "staging/graph/blocks.h"
#include "staging/graph/form.h"

static char tensor_name[] = "t";

static struct graph *new_graph(struct refusal *why)
{
	struct graph *graph;

	assert_int_equal(graph_new(why, &graph), 0);
	return graph;
}

static void constants_are_made_once(void **state)
{
	auto_graph struct graph *graph = new_graph(NULL);

	(void)state;
	assert_ptr_equal(INTS(graph, 1, -1), INTS(graph, 1, -1));
	assert_ptr_not_equal(INTS(graph, 1, -1), INTS(graph, 1, 1));
	assert_ptr_not_equal(INTS(graph, 1), graph_int(graph, 1));
	assert_ptr_equal(graph_float(graph, 0.5f), graph_float(graph, 0.5f));
	assert_int_equal(graph->initializer_count, 5);
	assert_int_equal(graph_int(graph, 7)->rank, 0);
	assert_int_equal(INTS(graph, 7)->rank, 1);
}

static void floats_that_differ_have_names_that_differ(void **state)
{
	auto_graph struct graph *graph = new_graph(NULL);
	const float next = 0x1.000002p0f;

	(void)state;
	assert_string_not_equal(graph_float(graph, 1)->name,
				graph_float(graph, next)->name);
}

static void nodes_take_the_shape_of_their_input(void **state)
{
	const struct dim dims[] = { { .param = "n" }, { .size = 3 } };
	auto_graph struct graph *graph = new_graph(NULL);
	struct value *x = graph_input(graph, "x", ONNX_INT64, dims, 2);
	struct value *y = graph_node(graph, "Abs", INPUTS(x), NO_ATTRS);
	struct value *z = graph_node(graph, "Abs", INPUTS(y), NO_ATTRS);

	(void)state;
	assert_int_equal(y->rank, 2);
	assert_string_not_equal(y->name, z->name);
	assert_ptr_equal(graph->nodes->output, y);
	assert_ptr_equal(graph->nodes->next->output, z);
	assert_int_equal(graph->node_count, 2);
}

/* What a configuration of 1e308 makes of an epsilon. */
static void numbers_are_finite(void **state)
{
	const float numbers[] = { INFINITY, -INFINITY, NAN };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		auto_refusal struct refusal why = { 0 };
		auto_graph struct graph *a = new_graph(&why);
		auto_graph struct graph *b = new_graph(NULL);
		struct value *x = graph_float(b, 1);

		graph_float(a, numbers[i]);
		assert_int_equal(a->error, -EBADMSG);
		assert_string_equal(why.code, "unsupported-config");
		graph_node(b, "Elu", INPUTS(x),
			   ATTRS(attr_float("alpha", numbers[i])));
		assert_int_equal(b->error, -EBADMSG);
	}
}

static void the_first_failure_stays(void **state)
{
	auto_refusal struct refusal why = { 0 };
	auto_graph struct graph *graph = new_graph(&why);
	struct sheet sheet = { .graph = graph, .form = &form_plain };
	struct value *x = graph_refuse(graph, "first", NULL, "one");

	(void)state;
	graph_refuse(graph, "second", NULL, "two");
	graph_fail(graph, -ENOMEM);
	x = block_layer_norm(&sheet, block_add(&sheet, x, x), x, x, 1e-5);
	assert_ptr_equal(x, &graph->nowhere);
	assert_int_equal(graph->error, -EBADMSG);
	assert_string_equal(why.code, "first");
	assert_int_equal(graph->node_count, 0);
	assert_int_equal(graph->initializer_count, 0);
}

static void weights_that_cannot_be_ranged_over_are_refused(void **state)
{
	static const struct {
		struct tensor tensor;
		const char *code;
	} cases[] = {
		{ { .name = tensor_name,
		    .dtype = DTYPE_I8,
		    .rank = 1,
		    .len = 4 },
		  "unsupported-dtype" },
		{ { .name = tensor_name,
		    .dtype = DTYPE_OTHER,
		    .rank = 1,
		    .len = 4 },
		  "unsupported-dtype" },
		{ { .name = tensor_name, .rank = 1, .len = 4, .strided = true },
		  "unsupported-layout" },
		{ { .name = tensor_name, .rank = 1, .len = 0 },
		  "empty-tensor" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_refusal struct refusal why = { 0 };
		auto_graph struct graph *graph = new_graph(&why);

		graph_weight(graph, &cases[i].tensor);
		assert_int_equal(graph->error, -EBADMSG);
		assert_string_equal(why.code, cases[i].code);
	}
}

static void transposed_weights_keep_their_shape(void **state)
{
	const struct tensor tensor = { .name = tensor_name,
				       .rank = 2,
				       .dims = { 2, 3 },
				       .len = 24,
				       .order = ORDER_REVERSED };
	auto_graph struct graph *graph = new_graph(NULL);
	struct value *weight = graph_weight(graph, &tensor);

	(void)state;
	assert_int_equal(weight->rows, 2);
	assert_int_equal(weight->width, 3);
	assert_int_equal(graph->initializers->dims[0], 3);
	assert_int_equal(graph->initializers->dims[1], 2);
	weight = graph_straight(graph, weight);
	assert_false(weight->transposed);
	assert_string_equal(graph->nodes->op, "Transpose");
}

/* Kernels of torch [2, 3, 4, 5] and [2, 3, 4] as other libraries store them. */
static void kernels_are_put_in_order(void **state)
{
	static const struct {
		enum tensor_order order;
		unsigned int rank;
		uint64_t stored[4];
		int64_t perm[4];
	} cases[] = {
		{ ORDER_HWIO, 4, { 4, 5, 3, 2 }, { 3, 2, 0, 1 } },
		{ ORDER_REVERSED, 4, { 5, 4, 3, 2 }, { 3, 2, 1, 0 } },
		{ ORDER_REVERSED, 3, { 4, 3, 2 }, { 2, 1, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tensor tensor = { .name = tensor_name,
					       .rank = cases[i].rank,
					       .dims = { 2, 3, 4, 5 },
					       .len = 480,
					       .order = cases[i].order };
		auto_graph struct graph *graph = new_graph(NULL);
		struct value *weight = graph_weight(graph, &tensor);
		size_t rank = tensor.rank;

		assert_int_equal(graph->error, 0);
		assert_false(weight->transposed);
		assert_int_equal(weight->rows, 2);
		assert_memory_equal(graph->initializers->dims, cases[i].stored,
				    rank * sizeof(uint64_t));
		assert_int_equal(graph->node_count, 1);
		assert_string_equal(graph->nodes->op, "Transpose");
		assert_int_equal(graph->nodes->attrs->int_count, rank);
		assert_memory_equal(graph->nodes->attrs->ints, cases[i].perm,
				    rank * sizeof(int64_t));
		assert_ptr_equal(graph_weight(graph, &tensor), weight);
	}
}

/* Seen in another shape after the axes are in order, not before. */
static void a_kernel_in_another_shape_is_put_in_order_first(void **state)
{
	const struct tensor tensor = { .name = tensor_name,
				       .rank = 3,
				       .dims = { 2, 3, 4 },
				       .len = 96,
				       .order = ORDER_REVERSED };
	auto_graph struct graph *graph = new_graph(NULL);
	struct value *weight;

	(void)state;
	weight = graph_weight_shaped(graph, &tensor, SHAPE(2, 3, 1, 4));
	assert_int_equal(graph->error, 0);
	assert_int_equal(weight->rank, 4);
	assert_int_equal(weight->rows, 2);
	assert_int_equal(weight->width, 4);
	assert_string_equal(graph->nodes->op, "Transpose");
	assert_string_equal(graph->nodes->next->op, "Reshape");
	assert_ptr_equal(graph->nodes->next->inputs[0], graph->nodes->output);
}

static void doubles_are_cast_once(void **state)
{
	const struct tensor tensor = { .name = tensor_name,
				       .dtype = DTYPE_F64,
				       .rank = 1,
				       .dims = { 2 },
				       .len = 16 };
	auto_graph struct graph *graph = new_graph(NULL);
	struct value *weight = graph_weight(graph, &tensor);

	(void)state;
	assert_ptr_equal(graph_weight(graph, &tensor), weight);
	assert_int_equal(weight->rows, 2);
	assert_int_equal(graph->initializers->type, ONNX_DOUBLE);
	assert_string_equal(graph->nodes->op, "Cast");
	assert_int_equal(graph->node_count, 1);
}

static void activations_are_known_or_refused(void **state)
{
	static const char *const known[] = {
		"gelu",	      "gelu_new", "gelu_fast", "gelu_pytorch_tanh",
		"quick_gelu", "relu",	  "silu",      "swish",
		"gelu_10",    "tanh",
	};
	const struct dim dims[] = { { .size = 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		auto_graph struct graph *graph = new_graph(NULL);
		struct sheet sheet = { .graph = graph, .form = &form_dl4j };
		struct value *x = graph_input(graph, "x", ONNX_INT64, dims, 1);

		block_activation(&sheet, known[i], x);
		assert_int_equal(graph->error, 0);
		assert_true(graph->node_count > 0);
	}
	auto_refusal struct refusal why = { 0 };
	auto_graph struct graph *graph = new_graph(&why);
	struct sheet sheet = { .graph = graph, .form = &form_dl4j };

	block_activation(&sheet, "gelu_of_mine", graph_float(graph, 1));
	assert_int_equal(graph->error, -EBADMSG);
	assert_string_equal(why.detail, "gelu_of_mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_made_once),
		cmocka_unit_test(floats_that_differ_have_names_that_differ),
		cmocka_unit_test(nodes_take_the_shape_of_their_input),
		cmocka_unit_test(numbers_are_finite),
		cmocka_unit_test(the_first_failure_stays),
		cmocka_unit_test(
			weights_that_cannot_be_ranged_over_are_refused),
		cmocka_unit_test(transposed_weights_keep_their_shape),
		cmocka_unit_test(kernels_are_put_in_order),
		cmocka_unit_test(
			a_kernel_in_another_shape_is_put_in_order_first),
		cmocka_unit_test(doubles_are_cast_once),
		cmocka_unit_test(activations_are_known_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
