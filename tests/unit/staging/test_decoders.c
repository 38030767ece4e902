/* SPDX-License-Identifier: MIT */
/* Decoders of text: what their tasks take, what of rotary positions is not. */
#include "tests/unit/unit.h"

#include "staging/models.h"
#include "tests/unit/staging/synthetic.h"

#define LLAMA(more)                                                           \
	"{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"]," \
	"\"hidden_size\":8,\"num_attention_heads\":2,"                        \
	"\"num_key_value_heads\":1,\"num_hidden_layers\":2,"                  \
	"\"intermediate_size\":12,\"max_position_embeddings\":100" more "}"
#define ROPE(type, more) \
	LLAMA(",\"rope_scaling\":{\"rope_type\":\"" type "\"" more "}")

struct made {
	struct json_doc *config;
	struct weights *weights;
};

static void made_release(struct made *made)
{
	weights_free(made->weights);
	json_free(made->config);
}
DEFINE_AUTO(made, struct made, made_release)

static void fill(struct synthetic *made)
{
	static const struct synthetic_part parts[] = {
		{ "self_attn.q_proj.weight", HIDDEN, HIDDEN },
		{ "self_attn.k_proj.weight", HIDDEN / 2, HIDDEN },
		{ "self_attn.v_proj.weight", HIDDEN / 2, HIDDEN },
		{ "self_attn.o_proj.weight", HIDDEN, HIDDEN },
		{ "self_attn.rotary_emb.inv_freq", HIDDEN / 4, 0 },
		{ "mlp.gate_proj.weight", INNER, HIDDEN },
		{ "mlp.up_proj.weight", INNER, HIDDEN },
		{ "mlp.down_proj.weight", HIDDEN, INNER },
		{ "input_layernorm.weight", HIDDEN, 0 },
		{ "post_attention_layernorm.weight", HIDDEN, 0 },
	};
	char name[TENSOR_NAME_MAX / 4];

	synthetic_tensor(made, "model.embed_tokens.weight", WORDS, HIDDEN);
	for (unsigned int i = 0; i < LAYERS; i++)
		for (size_t j = 0; j < ARRAY_LEN(parts); j++) {
			snprintf(name, sizeof(name), "model.layers.%u.%s", i,
				 parts[j].name);
			synthetic_tensor(made, name, parts[j].rows,
					 parts[j].columns);
		}
	synthetic_tensor(made, "model.norm.weight", HIDDEN, 0);
	synthetic_tensor(made, "lm_head.weight", WORDS, HIDDEN);
}

static struct made make(const char *config)
{
	struct synthetic synthetic;
	struct made made = { 0 };

	assert_int_equal(json_parse(config, strlen(config), CONFIG_BYTES_MAX,
				    &made.config),
			 0);
	synthetic_start(&synthetic, "");
	fill(&synthetic);
	assert_int_equal(synthetic.error, 0);
	made.weights = synthetic.weights;
	assert_int_equal(weights_finish(made.weights), 0);
	return made;
}

static int stage(const struct made *made, enum model_task task,
		 enum stage_form form, struct staged_model **model,
		 struct refusal *why)
{
	const struct model_request request = {
		.config = json_root(made->config),
		.weights = made->weights,
		.task = task,
		.form = form,
	};

	return models_stage(&request, model, why);
}

static const struct {
	const char *name;
	const char *config;
	uint64_t max_length;
} staged[] = {
	{ "default", LLAMA(""), 0 },
	{ "linear", ROPE("linear", ",\"factor\":2"), 0 },
	{ "dynamic: to the length of training",
	  ROPE("dynamic", ",\"factor\":2"), 100 },
	{ "llama3",
	  ROPE("llama3", ",\"factor\":8,\"low_freq_factor\":1,"
			 "\"high_freq_factor\":4"),
	  0 },
	{ "yarn, its factor by the lengths",
	  ROPE("yarn", ",\"factor\":null,"
		       "\"original_max_position_embeddings\":50"),
	  0 },
	{ "longrope",
	  ROPE("longrope", ",\"short_factor\":[1,2],\"long_factor\":[3,4]"),
	  0 },
	{ "no dictionary", LLAMA(",\"rope_scaling\":{}"), 0 },
	{ "no layer slides",
	  LLAMA(",\"layer_types\":[\"full_attention\",\"attention\"]"), 0 },
};

static void every_task_in_both_forms(void **state)
{
	static const struct {
		enum model_task task;
		size_t inputs, outputs;
	} tasks[] = {
		{ TASK_FEATURES, 2, 1 },
		{ TASK_TEXT_GENERATION, 2, 1 },
		{ TASK_TEXT_GENERATION_WITH_PAST, 3 + 2 * LAYERS,
		  1 + 2 * LAYERS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(staged) * ARRAY_LEN(tasks); i++) {
		size_t at = i / ARRAY_LEN(tasks), task = i % ARRAY_LEN(tasks);
		auto_of(made) struct made made = make(staged[at].config);

		for (int form = STAGE_FORM_PLAIN; form <= STAGE_FORM_DL4J;
		     form++) {
			auto_staged_model struct staged_model *model = NULL;
			auto_refusal struct refusal why = { 0 };
			int r = stage(&made, tasks[task].task,
				      (enum stage_form)form, &model, &why);

			if (r < 0)
				print_message("%s: %s\n", staged[at].name,
					      why.reason);
			assert_int_equal(r, 0);
			assert_int_equal(model->input_count,
					 tasks[task].inputs);
			assert_int_equal(model->output_count,
					 tasks[task].outputs);
			assert_int_equal(model->max_length,
					 staged[at].max_length);
			assert_int_equal(model->ignored_count,
					 LAYERS + (tasks[task].task ==
						   TASK_FEATURES));
		}
	}
}

static const struct {
	const char *config;
	const char *detail;
} refusals[] = {
	{ ROPE("ntk", ""), "ntk" },
	{ ROPE("su", ""), "su" },
	{ ROPE("linear", ""), "factor" },
	{ ROPE("linear", ",\"factor\":0"), "factor" },
	{ ROPE("linear", ",\"factor\":\"2\""), "factor" },
	{ ROPE("linear", ",\"factor\":2,\"news\":1"), "news" },
	{ ROPE("default", ",\"rope_theta\":1"), "rope_theta" },
	{ LLAMA(",\"rope_theta\":-1"), "rope_theta" },
	{ ROPE("default", ",\"partial_rotary_factor\":0.5"),
	  "partial_rotary_factor" },
	{ ROPE("llama3", ",\"factor\":8,\"low_freq_factor\":4,"
			 "\"high_freq_factor\":4"),
	  "low_freq_factor" },
	{ ROPE("yarn", ",\"factor\":2,\"beta_slow\":-1"), "beta_fast" },
	{ ROPE("longrope", ",\"short_factor\":[1],\"long_factor\":[3,4]"),
	  "short_factor" },
	{ ROPE("longrope", ",\"short_factor\":[1,2],\"long_factor\":[0,4]"),
	  "long_factor" },
	{ ROPE("longrope", ",\"short_factor\":[1,2],\"long_factor\":{}"),
	  "long_factor" },
	{ LLAMA(",\"rope_scaling\":[1]"), "rope_scaling" },
	{ LLAMA(",\"rope_parameters\":{\"full_attention\":{}}"),
	  "full_attention" },
	{ LLAMA(",\"layer_types\":[\"full_attention\"]"), "layer_types" },
	{ LLAMA(",\"layer_types\":[\"full_attention\",1]"), "layer_types" },
	{ LLAMA(",\"head_dim\":65536"), "head_dim" },
	{ LLAMA(",\"logits_scaling\":2"), "logits_scaling" },
};

static void what_is_not_exact_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		auto_of(made) struct made made = make(refusals[i].config);
		auto_refusal struct refusal why = { 0 };
		struct staged_model *model = NULL;

		assert_int_equal(stage(&made, TASK_TEXT_GENERATION,
				       STAGE_FORM_PLAIN, &model, &why),
				 -EBADMSG);
		assert_null(model);
		assert_string_equal(why.code, "unsupported-config");
		assert_string_equal(why.detail, refusals[i].detail);
	}
}

static struct made faulty;

static int stage_once(void)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };

	return stage(&faulty, TASK_TEXT_GENERATION_WITH_PAST, STAGE_FORM_DL4J,
		     &model, &why);
}

static void no_memory_is_survived(void **state)
{
	(void)state;
	faulty = make(staged[2].config);
	run_with_faults(stage_once);
	made_release(&faulty);
	faulty = make(staged[5].config);
	run_with_faults(stage_once);
	made_release(&faulty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_task_in_both_forms),
		cmocka_unit_test(what_is_not_exact_is_refused),
		cmocka_unit_test(no_memory_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
