/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_bind.h"

#include <stdlib.h>

#include "base/mem.h"
#include "staging/wire_read.h"
#include "tests/unit/staging/skeleton_make.h"

/* What the staged file says of one initializer, and where its bytes are. */
struct seen {
	char name[32];
	uint64_t dims[4];
	unsigned int rank;
	uint64_t type;
	const struct segment *raw; /* NULL: generated */
	size_t raw_len;
};

/* The staged file's structure, read back. */
struct staged {
	uint8_t *bytes; /* owned; ranges are zeros */
	const struct plan *plan;
	struct seen initializers[8];
	size_t initializer_count;
	char nodes[8][2][32]; /* operator and output */
	size_t node_count;
	char output[64]; /* the name, and the last size */
};

static void text_of(const struct wire_field *field, char *to)
{
	assert_in_range(field->len, 0, 31);
	memcpy(to, field->bytes, field->len);
	to[field->len] = '\0';
}

static void see_initializer(struct staged *staged,
			    const struct wire_field *field)
{
	struct seen *seen = &staged->initializers[staged->initializer_count++];
	struct wire_field inner;
	struct wire wire;

	wire_enter(&wire, field);
	while (wire_next(&wire, &inner)) {
		if (inner.number == 1)
			seen->dims[seen->rank++] = inner.value;
		if (inner.number == 2)
			seen->type = inner.value;
		if (inner.number == 8)
			text_of(&inner, seen->name);
		if (inner.number != 9)
			continue;
		seen->raw = plan_find(staged->plan,
				      (uint64_t)(inner.bytes - staged->bytes));
		if (seen->raw->kind == SEGMENT_BYTES)
			seen->raw = NULL;
		seen->raw_len = inner.len;
	}
	assert_false(wire.bad);
}

static void see_node(struct staged *staged, const struct wire_field *field)
{
	struct wire_field inner;
	struct wire wire;

	wire_enter(&wire, field);
	while (wire_next(&wire, &inner)) {
		if (inner.number == 4)
			text_of(&inner, staged->nodes[staged->node_count][0]);
		if (inner.number == 2)
			text_of(&inner, staged->nodes[staged->node_count][1]);
	}
	staged->node_count++;
}

static void see_graph(struct staged *staged, const struct wire_field *graph)
{
	struct wire_field field;
	struct wire wire;

	wire_enter(&wire, graph);
	while (wire_next(&wire, &field)) {
		if (field.number == MADE_NODE)
			see_node(staged, &field);
		if (field.number == MADE_INITIALIZER)
			see_initializer(staged, &field);
	}
	assert_false(wire.bad);
}

static void see(struct staged *staged, const struct plan *plan)
{
	struct wire_field field;
	struct wire wire;

	*staged = (struct staged){ .plan = plan };
	staged->bytes = mem_zalloc(plan->size);
	assert_non_null(staged->bytes);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];

		if (segment->kind == SEGMENT_BYTES)
			memcpy(staged->bytes + segment->out,
			       plan->bytes + segment->src, segment->len);
	}
	wire_init(&wire, staged->bytes, plan->size);
	while (wire_next(&wire, &field))
		if (field.number == MADE_GRAPH)
			see_graph(staged, &field);
	assert_false(wire.bad);
}

static void staged_release(struct staged *staged)
{
	free(staged->bytes);
}
DEFINE_AUTO(staged, struct staged, staged_release)

/* The classifier bound to @given, and what became of it. */
static struct staged_model *bound(const struct given *given,
				  enum stage_form form, struct staged *staged)
{
	auto_of(made) struct made made;
	auto_weights struct weights *weights = weights_of(given);
	auto_skeleton struct skeleton *skeleton = NULL;
	struct staged_model *model = NULL;

	made_classifier(&made);
	skeleton = skeleton_of(&made);
	assert_int_equal(skeleton_bind(skeleton, weights, form, &model, NULL),
			 0);
	see(staged, model->onnx);
	return model;
}

static void weights_are_ranges_in_the_order_of_the_file(void **state)
{
	static const struct given given[] = { BIAS, WEIGHT, COUNT, NO_MORE };
	static const char *const order[] = { "one", "b", "w", "n" };
	auto_of(staged) struct staged staged;
	auto_staged_model struct staged_model *model =
		bound(given, STAGE_FORM_PLAIN, &staged);

	(void)state;
	assert_int_equal(staged.initializer_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(staged.initializers[i].name, order[i]);
	assert_null(staged.initializers[0].raw);
	assert_int_equal(staged.initializers[1].raw->src, 100);
	assert_int_equal(staged.initializers[2].raw->src, 200);
	assert_int_equal(staged.initializers[2].raw->kind, SEGMENT_COPY);
	assert_int_equal(staged.initializers[2].raw_len, 48);
	assert_int_equal(staged.initializers[3].type, ONNX_INT64);
	assert_int_equal(staged.node_count, 2);
	assert_string_equal(staged.nodes[0][0], "Gemm");
	assert_int_equal(model->node_count, 2);
	assert_int_equal(model->input_count, 1);
	assert_string_equal(model->inputs[0].shape, "[\"batch\",3]");
	assert_string_equal(model->inputs[0].dtype, "float32");
	assert_string_equal(model->outputs[0].shape, "[\"batch\",4]");
}

static void heads_of_other_sizes_are_said_so(void **state)
{
	static const struct given given[] = { F32("fc.weight", 7, 3),
					      F32("fc.bias", 7), COUNT,
					      NO_MORE };
	auto_of(staged) struct staged staged;
	auto_staged_model struct staged_model *model =
		bound(given, STAGE_FORM_DL4J, &staged);

	(void)state;
	assert_string_equal(model->outputs[0].shape, "[\"batch\",7]");
	assert_int_equal(staged.initializers[1].dims[0], 7);
	assert_int_equal(staged.initializers[1].raw_len, 84);
}

static void halves_are_widened(void **state)
{
	static const struct given given[] = { OTHER("fc.weight", F16, 4, 3),
					      OTHER("fc.bias", BF16, 4), COUNT,
					      NO_MORE };
	auto_of(staged) struct staged staged;
	auto_staged_model struct staged_model *model =
		bound(given, STAGE_FORM_PLAIN, &staged);

	(void)state;
	assert_int_equal(staged.initializers[1].raw->kind, SEGMENT_F16_F32);
	assert_int_equal(staged.initializers[1].raw_len, 48);
	assert_int_equal(staged.initializers[1].type, ONNX_FLOAT);
	assert_int_equal(staged.initializers[2].raw->kind, SEGMENT_BF16_F32);
	assert_int_equal(model->node_count, 2);
}

/* Bytes of a transposed double: stored, cast, turned; then it is the hole. */
static void what_lies_otherwise_is_turned_by_nodes(void **state)
{
	static const struct given given[] = {
		{ "fc.weight", DTYPE_F64, { 4, 3 }, true, false },
		BIAS,
		COUNT,
		NO_MORE
	};
	static const char *const nodes[][2] = { { "Cast", "w_cast" },
						{ "Transpose", "w" },
						{ "Gemm", "h" },
						{ "Mul", "y" } };
	auto_of(staged) struct staged staged;
	auto_staged_model struct staged_model *model =
		bound(given, STAGE_FORM_PLAIN, &staged);

	(void)state;
	assert_string_equal(staged.initializers[1].name, "w_stored");
	assert_int_equal(staged.initializers[1].type, ONNX_DOUBLE);
	assert_int_equal(staged.initializers[1].dims[0], 3);
	assert_int_equal(staged.initializers[1].dims[1], 4);
	assert_int_equal(staged.initializers[1].raw_len, 96);
	assert_int_equal(staged.node_count, ARRAY_LEN(nodes));
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		for (size_t k = 0; k < 2; k++)
			assert_string_equal(staged.nodes[i][k], nodes[i][k]);
	assert_int_equal(model->node_count, 4);
}

/* Two gigabytes and more go beside; the dl4j form is one file. */
static void large_models_have_a_second_file(void **state)
{
	auto_of(made) struct made made;
	auto_weights struct weights *weights = NULL;
	auto_skeleton struct skeleton *skeleton = NULL;
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	struct tensor tensor = { .name = (char *)"w",
				 .rank = 1,
				 .dims = { (uint64_t)1 << 30 } };

	(void)state;
	assert_int_equal(weights_new("safetensors", &weights), 0);
	assert_int_equal(weights_add_file(weights, "w", 0, (uint64_t)1 << 40,
					  &tensor.file),
			 0);
	assert_int_equal(weights_add(weights, &tensor), 0);
	assert_int_equal(weights_finish(weights), 0);
	made_init(&made);
	made_head(&made);
	made_port(&made, MADE_INPUT, "x", NAMES("batch"));
	made_hole(&made, "w", "w", 1, DIMS((uint64_t)1 << 30));
	made_node(&made, "Relu", NAMES("w"), "y");
	made_port(&made, MADE_OUTPUT, "y", NAMES("batch"));
	skeleton = skeleton_of(&made);
	assert_int_equal(skeleton_bind(skeleton, weights, STAGE_FORM_PLAIN,
				       &model, NULL),
			 0);
	assert_non_null(model->data);
	assert_int_equal(model->data->size, (uint64_t)4 << 30);
	staged_model_free(take_ptr(model));
	assert_int_equal(skeleton_bind(skeleton, weights, STAGE_FORM_DL4J,
				       &model, &why),
			 -EBADMSG);
	assert_string_equal(why.code, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_ranges_in_the_order_of_the_file),
		cmocka_unit_test(heads_of_other_sizes_are_said_so),
		cmocka_unit_test(halves_are_widened),
		cmocka_unit_test(what_lies_otherwise_is_turned_by_nodes),
		cmocka_unit_test(large_models_have_a_second_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
