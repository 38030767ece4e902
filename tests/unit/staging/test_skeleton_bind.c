/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_bind.h"

#include "tests/unit/staging/skeleton_make.h"

static const struct {
	const char *name;
	struct given given[7];
	const char *code; /* NULL: it is staged */
	const char *detail;
	size_t ignored;
} checkpoints[] = {
	{ "as it is", { WEIGHT, BIAS, COUNT }, NULL, NULL, 0 },
	{ "halves",
	  { OTHER("fc.weight", F16, 4, 3), OTHER("fc.bias", BF16, 4), COUNT },
	  NULL,
	  NULL,
	  0 },
	{ "doubles",
	  { OTHER("fc.weight", F64, 4, 3), BIAS, COUNT },
	  NULL,
	  NULL,
	  0 },
	{ "other classes",
	  { F32("fc.weight", 7, 3), F32("fc.bias", 7), COUNT },
	  NULL,
	  NULL,
	  0 },
	{ "classes that disagree",
	  { F32("fc.weight", 7, 3), BIAS, COUNT },
	  "shape-mismatch",
	  "fc.bias",
	  0 },
	{ "another width",
	  { F32("fc.weight", 4, 5), BIAS, COUNT },
	  "shape-mismatch",
	  "fc.weight",
	  0 },
	{ "another rank",
	  { F32("fc.weight", 4, 3, 1), BIAS, COUNT },
	  "shape-mismatch",
	  "fc.weight",
	  0 },
	{ "another number of whole numbers",
	  { WEIGHT, BIAS, OTHER("layer.count", I64, 3) },
	  "shape-mismatch",
	  "layer.count",
	  0 },
	{ "no bias", { WEIGHT, COUNT }, "missing-tensor", "fc.bias", 0 },
	{ "more than there should be",
	  { WEIGHT, BIAS, COUNT, F32("fc2.weight", 4) },
	  "unknown-tensor",
	  "fc2.weight",
	  0 },
	{ "halves more",
	  { WEIGHT, BIAS, COUNT, OTHER("fc2.weight", F16, 4) },
	  "unknown-tensor",
	  "fc2.weight",
	  0 },
	{ "whole numbers more",
	  { WEIGHT, BIAS, COUNT, OTHER("ids", I64, 4) },
	  NULL,
	  NULL,
	  1 },
	{ "batches counted, in floats",
	  { WEIGHT, BIAS, COUNT, F32("bn.num_batches_tracked", 1) },
	  NULL,
	  NULL,
	  1 },
	{ "what is known to be unused",
	  { WEIGHT, BIAS, COUNT, F32("aux.weight", 9), F32("old.a.b", 1) },
	  NULL,
	  NULL,
	  2 },
	{ "the beginning of what is known",
	  { WEIGHT, BIAS, COUNT, F32("aux.weight.v", 9) },
	  "unknown-tensor",
	  "aux.weight.v",
	  0 },
	{ "the prefix of DataParallel",
	  { F32("module.fc.weight", 4, 3), F32("module.fc.bias", 4),
	    OTHER("module.layer.count", I64, 2), F32("module.aux.weight", 9) },
	  NULL,
	  NULL,
	  1 },
	{ "a name with and without it",
	  { WEIGHT, BIAS, COUNT, F32("module.fc.bias", 4) },
	  "unknown-tensor",
	  "module.fc.bias",
	  0 },
	{ "whole numbers for floats",
	  { OTHER("fc.weight", I64, 4, 3), BIAS, COUNT },
	  "unsupported-dtype",
	  "fc.weight",
	  0 },
	{ "bytes for floats",
	  { OTHER("fc.weight", I8, 4, 3), BIAS, COUNT },
	  "unsupported-dtype",
	  "fc.weight",
	  0 },
	{ "floats for whole numbers",
	  { WEIGHT, BIAS, F32("layer.count", 2) },
	  "unsupported-dtype",
	  "layer.count",
	  0 },
	{ "other whole numbers",
	  { WEIGHT, BIAS, OTHER("layer.count", I32, 2) },
	  "unsupported-dtype",
	  "layer.count",
	  0 },
	{ "column by column",
	  { { "fc.weight", DTYPE_F32, { 4, 3 }, true, false }, BIAS, COUNT },
	  NULL,
	  NULL,
	  0 },
	{ "a view that skips",
	  { { "fc.weight", DTYPE_F32, { 4, 3 }, false, true }, BIAS, COUNT },
	  "unsupported-layout",
	  "fc.weight",
	  0 },
};

static void checkpoints_fit_or_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checkpoints); i++) {
		auto_of(made) struct made made;
		auto_weights struct weights *weights =
			weights_of(checkpoints[i].given);
		auto_skeleton struct skeleton *skeleton = NULL;
		auto_staged_model struct staged_model *model = NULL;
		auto_refusal struct refusal why = { 0 };
		int r;

		print_message("%s\n", checkpoints[i].name);
		made_classifier(&made);
		skeleton = skeleton_of(&made);
		r = skeleton_bind(skeleton, weights, STAGE_FORM_PLAIN, &model,
				  &why);
		if (checkpoints[i].code) {
			assert_int_equal(r, -EBADMSG);
			assert_string_equal(why.code, checkpoints[i].code);
			assert_string_equal(why.detail, checkpoints[i].detail);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(model->ignored_count, checkpoints[i].ignored);
		assert_string_equal(model->source, "library 1.0 net");
		assert_null(model->data);
	}
}

/* One hole "w" of 2 at @location, and what the file is known not to use. */
static int bind_one(const char *location, const char *unused, const char *taken,
		    const struct given *given, struct refusal *why)
{
	auto_of(made) struct made made;
	auto_weights struct weights *weights = weights_of(given);
	auto_skeleton struct skeleton *skeleton = NULL;
	auto_staged_model struct staged_model *model = NULL;

	made_init(&made);
	made_head(&made);
	made_metadata(&made, "omnihub.unused", unused);
	made_port(&made, MADE_INPUT, taken ? taken : "x", NAMES("batch", "2"));
	made_hole(&made, "w", location, 1, DIMS(2));
	made_node(&made, "Relu", NAMES("w"), "y");
	made_port(&made, MADE_OUTPUT, "y", NAMES("2"));
	skeleton = skeleton_of(&made);
	return skeleton_bind(skeleton, weights, STAGE_FORM_PLAIN, &model, why);
}

#define OLD "features.denseblock1.denselayer12."

static const struct {
	const char *name, *location, *unused, *taken;
	struct given given[3];
	const char *code;
} single[] = {
	{ "the first in the file", "#0", "", NULL, { F32("a", 2) }, NULL },
	{ "the second, and one that is not used",
	  "#1",
	  "#0",
	  NULL,
	  { F32("a", 9), F32("b", 2) },
	  NULL },
	{ "one that is not used by name",
	  "#1",
	  "a",
	  NULL,
	  { F32("a", 9), F32("b", 2) },
	  NULL },
	{ "one more than there are places",
	  "#0",
	  "",
	  NULL,
	  { F32("a", 2), F32("b", 2) },
	  "unknown-tensor" },
	{ "whole numbers more than there are places",
	  "#0",
	  "",
	  NULL,
	  { F32("a", 2), OTHER("b", I64, 2) },
	  "unknown-tensor" },
	{ "one less",
	  "#2",
	  "#0\n#1",
	  NULL,
	  { F32("a", 2), F32("b", 2) },
	  "missing-tensor" },
	{ "no place, but a name", "#x", "", NULL, { F32("#x", 2) }, NULL },
	{ "an old norm of DenseNet",
	  OLD "norm1.weight",
	  "",
	  NULL,
	  { F32(OLD "norm.1.weight", 2) },
	  NULL },
	{ "an old convolution of DenseNet",
	  OLD "conv2.weight",
	  "",
	  NULL,
	  { F32("module." OLD "conv.2.weight", 2) },
	  NULL },
	{ "an old name elsewhere",
	  "block.norm1.weight",
	  "",
	  NULL,
	  { F32("block.norm.1.weight", 2) },
	  "missing-tensor" },
	{ "a third norm",
	  OLD "norm3.weight",
	  "",
	  NULL,
	  { F32(OLD "norm.3.weight", 2) },
	  "missing-tensor" },
	{ "a name that has to be made and is taken",
	  "a",
	  "",
	  "w_stored",
	  { OTHER("a", F64, 2) },
	  "skeleton" },
};

static void locations_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		auto_refusal struct refusal why = { 0 };
		int r = bind_one(single[i].location, single[i].unused,
				 single[i].taken, single[i].given, &why);

		print_message("%s\n", single[i].name);
		assert_int_equal(r, single[i].code ? -EBADMSG : 0);
		if (single[i].code)
			assert_string_equal(why.code, single[i].code);
	}
}

static const struct weights *fault_weights;
static const struct skeleton *fault_skeleton;

static int bind_with_faults(void)
{
	auto_staged_model struct staged_model *model = NULL;

	return skeleton_bind(fault_skeleton, fault_weights, STAGE_FORM_PLAIN,
			     &model, NULL);
}

static void memory_may_run_out(void **state)
{
	static const struct given given[] = {
		{ "fc.weight", DTYPE_F64, { 4, 3 }, true, false },
		BIAS,
		COUNT,
		F32("aux.weight", 9),
		NO_MORE
	};
	auto_of(made) struct made made;
	auto_weights struct weights *weights = weights_of(given);
	auto_skeleton struct skeleton *skeleton = NULL;

	(void)state;
	made_classifier(&made);
	skeleton = skeleton_of(&made);
	fault_weights = weights;
	fault_skeleton = skeleton;
	run_with_faults(bind_with_faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checkpoints_fit_or_are_refused),
		cmocka_unit_test(locations_are_found),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
