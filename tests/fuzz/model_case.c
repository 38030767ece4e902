/* SPDX-License-Identifier: MIT */
#undef NDEBUG

#include "tests/fuzz/model_case.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "staging/models.h"
#include "tests/fuzz/fitting_weights.h"

/* So many tensors may lack; most of a layer, and those of MODEL_LAYERS_MAX. */
#define SPARE_MIN 64
#define SPARE_MAX 4096

#define PLACES_APART 64

static uint64_t processor_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static const struct json *element(const struct json *list, size_t number)
{
	const struct json *at = json_first(list);

	while (at && number-- > 0)
		at = json_next(at);
	return at;
}

/* What is not right is left out. */
static int add_tensor(struct weights *weights, const struct json *entry)
{
	const char *name = json_string(element(entry, 0));
	const char *dtype = json_string(element(entry, 1));
	const struct json *at = json_first(element(entry, 2));
	struct tensor tensor = {
		.name = (char *)name,
		.off = PLACES_APART * weights->count,
	};
	int r;

	if (!name || !dtype)
		return 0;
	tensor.dtype = dtype_parse(dtype);
	for (; at && tensor.rank < TENSOR_RANK_MAX; at = json_next(at))
		if (!json_u64(at, &tensor.dims[tensor.rank++]))
			return 0;
	r = weights_add(weights, &tensor);
	return r == -ENOMEM ? r : 0;
}

static int add_spare(struct weights *weights, size_t count)
{
	char name[32];
	struct tensor tensor = { .name = name, .dtype = DTYPE_I64 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		snprintf(name, sizeof(name), SPARE_TENSOR "%u", (unsigned)i);
		r = weights_add(weights, &tensor);
	}
	return r;
}

static int weights_of(const struct json *tensors, size_t spare,
		      struct weights **out)
{
	auto_weights struct weights *weights = NULL;
	unsigned int file;
	int r = weights_new("case", &weights);

	if (r == 0)
		r = weights_add_file(weights, "model.bin", 0, FILE_BYTES_MAX,
				     &file);
	for (const struct json *at = json_first(tensors); r == 0 && at;
	     at = json_next(at))
		r = add_tensor(weights, at);
	if (r == 0)
		r = add_spare(weights, spare);
	if (r == 0)
		r = weights_finish(weights);
	if (r < 0)
		return r;
	*out = take_ptr(weights);
	return 0;
}

static void check_plan(const struct plan *plan)
{
	auto_str struct str text;
	auto_plan struct plan *again = NULL;

	str_init(&text, PLAN_ENCODED_MAX);
	assert(plan->size > 0);
	assert(plan_encode(plan, &text) == 0);
	assert(plan_decode(str_text(&text), text.len, &again) == 0);
	assert(strcmp(plan->digest, again->digest) == 0);
}

static void check_model(const struct staged_model *model)
{
	assert(model->node_count > 0 && model->node_count <= GRAPH_NODES_MAX);
	assert(model->input_count > 0 && model->output_count > 0);
	check_plan(model->onnx);
	if (model->data)
		check_plan(model->data);
}

static void stage(const struct model_request *request,
		  struct model_case *result)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	uint64_t took = processor_ns();
	int r = models_stage(request, &model, &why);

	took = processor_ns() - took;
	if (took > result->slowest_ns)
		result->slowest_ns = took;
	if (r == 0)
		check_model(model);
	else if (r == -EBADMSG)
		assert(why.code && why.reason && why.reason[0]);
	else
		assert(r == -EFBIG || r == -ENOMEM);
	result->staged += r == 0;
	result->refused += r == -EBADMSG;
	result->too_big += r == -EFBIG;
	result->no_memory += r == -ENOMEM;
}

/* Weights for which the profiles differ. */
static bool has_others(const struct weights *weights)
{
	for (size_t i = 0; i < weights->count; i++)
		if (dtype_is_float(weights->tensors[i].dtype) &&
		    weights->tensors[i].dtype != DTYPE_F32)
			return true;
	return false;
}

/* The forms, profiles and formats of one task and part. */
static void stage_forms(struct model_request request, struct model_case *result)
{
	static const struct way {
		enum stage_form form;
		enum stage_profile profile;
		enum model_format format;
	} ways[] = {
		{ STAGE_FORM_PLAIN, STAGE_PROFILE_PORTABLE, MODEL_ONNX },
		{ STAGE_FORM_PLAIN, STAGE_PROFILE_NATIVE, MODEL_ONNX },
		{ STAGE_FORM_DL4J, STAGE_PROFILE_PORTABLE, MODEL_ONNX },
		{ STAGE_FORM_PLAIN, STAGE_PROFILE_PORTABLE, MODEL_GRAPHDEF },
		{ STAGE_FORM_DL4J, STAGE_PROFILE_PORTABLE, MODEL_GRAPHDEF },
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (ways[i].profile == STAGE_PROFILE_NATIVE &&
		    !has_others(request.weights))
			continue;
		request.form = ways[i].form;
		request.profile = ways[i].profile;
		request.format = ways[i].format;
		if (request.format == MODEL_ONNX || request.part == PART_WHOLE)
			stage(&request, result);
	}
}

static void stage_all(const struct json *config, const struct weights *weights,
		      struct model_case *result)
{
	/* As many dense layers as there can be. */
	const struct sentence sentence = {
		.poolings = { true, true, true, true, true, true },
		.steps = { { SENTENCE_DENSE, "1_Dense/", "tanh", true },
			   { SENTENCE_DENSE, "2_Dense/", "gelu", true },
			   { SENTENCE_DENSE, "3_Dense/", "relu", false },
			   { SENTENCE_DENSE, "4_Dense/", "linear", false } },
		.step_count = 4,
	};
	unsigned int tasks = models_tasks(config, weights, &sentence);
	struct model_request request = {
		.config = config,
		.weights = weights,
		.sentence = &sentence,
	};

	tasks |= 1U << TASK_FEATURES;
	models_know_code(config);
	for (unsigned int i = 0; i < TASK_COUNT; i++) {
		request.task = (enum model_task)i;
		if (!(tasks & 1U << i))
			continue;
		request.part = PART_WHOLE;
		stage_forms(request, result);
		if (!models_has_parts(config, request.task))
			continue;
		request.part = PART_ENCODER;
		stage_forms(request, result);
		request.part = PART_DECODER;
		stage_forms(request, result);
	}
}

/* False: more spare tensors are wanted. */
static bool run(const struct json *root, struct weights *weights, bool fits,
		struct model_case *result)
{
	fitting_begin(fits ? weights : NULL);
	stage_all(json_get(root, "config"), weights, result);
	return fitting_end();
}

int model_case_run(const void *bytes, size_t len, struct model_case *result)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *root;
	size_t spare = SPARE_MIN;
	bool fits, is_done = false;
	int r = json_parse(bytes, len, CONFIG_BYTES_MAX, &doc);

	if (r < 0)
		return r;
	root = json_root(doc);
	fits = json_bool(json_get(root, "fits"), false);
	while (r == 0 && !is_done) {
		auto_weights struct weights *weights = NULL;

		r = weights_of(json_get(root, "tensors"), fits ? spare : 0,
			       &weights);
		if (r == 0)
			is_done = run(root, weights, fits, result) ||
				  spare > SPARE_MAX;
		spare *= 8;
	}
	return r;
}
