/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "staging/models.h"
#include "tests/unit/staging/synthetic.h"

#define SIZES                                                          \
	"\"hidden_size\":8,\"num_attention_heads\":2,"                 \
	"\"num_hidden_layers\":2,\"intermediate_size\":12,"            \
	"\"embedding_size\":8,\"dim\":8,\"n_heads\":2,\"n_layers\":2," \
	"\"hidden_dim\":12"
#define CONFIG(type, class, more) \
	"{\"model_type\":\"" type \
	"\",\"architectures\":[\"" class "\"]," SIZES more "}"

static void make_bert(struct synthetic *made)
{
	synthetic_bert(made, 2);
	synthetic_layer(made, "pooler.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "classifier", 3, HIDDEN);
	synthetic_head(made, "qa_outputs", 2, HIDDEN);
	synthetic_head(made, "cls.predictions.transform.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "cls.predictions.transform.LayerNorm", HIDDEN, 0);
	synthetic_head(made, "cls.predictions.decoder", WORDS, HIDDEN);
}

static void make_electra(struct synthetic *made)
{
	synthetic_bert(made, 2);
	synthetic_head(made, "classifier.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "classifier.out_proj", 3, HIDDEN);
	synthetic_head(made, "discriminator_predictions.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "discriminator_predictions.dense_prediction", 1,
		       HIDDEN);
}

static void make_roberta(struct synthetic *made)
{
	synthetic_bert(made, 1);
	synthetic_head(made, "classifier.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "classifier.out_proj", 3, HIDDEN);
	synthetic_head(made, "lm_head.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "lm_head.layer_norm", HIDDEN, 0);
	synthetic_head(made, "lm_head.decoder", WORDS, HIDDEN);
}

static void make_distilbert(struct synthetic *made)
{
	static const struct synthetic_part parts[] = {
		{ "attention.q_lin", HIDDEN, HIDDEN },
		{ "attention.k_lin", HIDDEN, HIDDEN },
		{ "attention.v_lin", HIDDEN, HIDDEN },
		{ "attention.out_lin", HIDDEN, HIDDEN },
		{ "sa_layer_norm", HIDDEN, 0 },
		{ "ffn.lin1", INNER, HIDDEN },
		{ "ffn.lin2", HIDDEN, INNER },
		{ "output_layer_norm", HIDDEN, 0 },
		{ NULL, 0, 0 },
	};

	synthetic_embeddings(made, HIDDEN, 0);
	synthetic_layers(made, "transformer.layer.", LAYERS, parts);
	synthetic_head(made, "pre_classifier", HIDDEN, HIDDEN);
	synthetic_head(made, "classifier", 3, HIDDEN);
}

static void make_mpnet(struct synthetic *made)
{
	static const struct synthetic_part parts[] = {
		{ "attention.attn.q", HIDDEN, HIDDEN },
		{ "attention.attn.k", HIDDEN, HIDDEN },
		{ "attention.attn.v", HIDDEN, HIDDEN },
		{ "attention.attn.o", HIDDEN, HIDDEN },
		{ "attention.LayerNorm", HIDDEN, 0 },
		{ "intermediate.dense", INNER, HIDDEN },
		{ "output.dense", HIDDEN, INNER },
		{ "output.LayerNorm", HIDDEN, 0 },
		{ NULL, 0, 0 },
	};

	synthetic_embeddings(made, HIDDEN, 0);
	synthetic_layers(made, "encoder.layer.", LAYERS, parts);
	synthetic_tensor(made, "encoder.relative_attention_bias.weight", 32, 2);
	synthetic_head(made, "classifier.dense", HIDDEN, HIDDEN);
	synthetic_head(made, "classifier.out_proj", 3, HIDDEN);
}

static void make_albert(struct synthetic *made)
{
	static const struct synthetic_part parts[] = {
		{ "attention.query", HIDDEN, HIDDEN },
		{ "attention.key", HIDDEN, HIDDEN },
		{ "attention.value", HIDDEN, HIDDEN },
		{ "attention.dense", HIDDEN, HIDDEN },
		{ "attention.LayerNorm", HIDDEN, 0 },
		{ "ffn", INNER, HIDDEN },
		{ "ffn_output", HIDDEN, INNER },
		{ "full_layer_layer_norm", HIDDEN, 0 },
		{ NULL, 0, 0 },
	};

	synthetic_embeddings(made, HIDDEN, 2);
	synthetic_layer(made, "encoder.embedding_hidden_mapping_in", HIDDEN,
			HIDDEN);
	synthetic_layers(made, "encoder.albert_layer_groups.0.albert_layers.",
			 1, parts);
	synthetic_layer(made, "pooler", HIDDEN, HIDDEN);
	synthetic_head(made, "classifier", 3, HIDDEN);
}

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

static struct made make(const char *config, const char *prefix,
			void (*fill)(struct synthetic *), const char *skip)
{
	struct synthetic synthetic;
	struct made made = { 0 };

	assert_int_equal(json_parse(config, strlen(config), CONFIG_BYTES_MAX,
				    &made.config),
			 0);
	synthetic_start(&synthetic, prefix);
	synthetic.skip = skip;
	fill(&synthetic);
	assert_int_equal(synthetic.error, 0);
	made.weights = synthetic.weights;
	assert_int_equal(weights_finish(made.weights), 0);
	return made;
}

#define FEATURES (1U << TASK_FEATURES)
#define WORDS_TASK (1U << TASK_FILL_MASK)
#define CLASSES (1U << TASK_TEXT_CLASSIFICATION)
#define TOKENS (1U << TASK_TOKEN_CLASSIFICATION)
#define SPAN (1U << TASK_QUESTION_ANSWERING)
#define REPLACED (1U << TASK_PRETRAINING)

static const struct {
	const char *config;
	const char *prefix;
	void (*fill)(struct synthetic *made);
	unsigned int tasks;
	size_t inputs;
} families[] = {
	{ CONFIG("bert", "BertForSequenceClassification", ""), "bert.",
	  make_bert, WORDS_TASK | CLASSES | SPAN, 3 },
	{ CONFIG("bert", "BertForTokenClassification", ""), "", make_bert,
	  WORDS_TASK | TOKENS | SPAN, 3 },
	{ CONFIG("albert", "AlbertForSequenceClassification", ""), "albert.",
	  make_albert, CLASSES, 3 },
	{ CONFIG("electra", "ElectraForSequenceClassification", ""), "electra.",
	  make_electra, CLASSES | REPLACED, 3 },
	{ CONFIG("distilbert", "DistilBertForSequenceClassification", ""),
	  "distilbert.", make_distilbert, CLASSES, 2 },
	{ CONFIG("mpnet", "MPNetForSequenceClassification", ""), "mpnet.",
	  make_mpnet, CLASSES, 2 },
	{ CONFIG("roberta", "RobertaForSequenceClassification", ""), "roberta.",
	  make_roberta, WORDS_TASK | CLASSES, 2 },
	{ CONFIG("xlm-roberta", "XLMRobertaForMaskedLM", ""), "roberta.",
	  make_roberta, WORDS_TASK, 2 },
	{ CONFIG("camembert", "CamembertForMaskedLM", ""), "", make_roberta,
	  WORDS_TASK, 2 },
	{ "{\"architectures\":[\"BertForMaskedLM\"]," SIZES "}", "bert.",
	  make_bert, WORDS_TASK | SPAN, 3 },
};

/* Stages twice: the plans are the same. */
static void stages(const struct made *made, enum model_task task,
		   enum stage_form form, size_t inputs)
{
	auto_staged_model struct staged_model *model = NULL, *again = NULL;
	auto_refusal struct refusal why = { 0 };
	const struct model_request request = {
		.config = json_root(made->config),
		.weights = made->weights,
		.task = task,
		.form = form,
	};
	int r = models_stage(&request, &model, &why);

	if (r < 0)
		print_message("%s: %s\n", task_name(task), why.reason);
	assert_int_equal(r, 0);
	assert_int_equal(models_stage(&request, &again, &why), 0);
	assert_string_equal(model->onnx->digest, again->onnx->digest);
	assert_int_equal(model->input_count, inputs);
	assert_true(model->output_count > 0);
	assert_null(model->data);
	for (size_t i = 0; i < inputs; i++)
		assert_string_equal(
			model->inputs[i].shape,
			form == STAGE_FORM_DL4J
				? "[1,\"sequence_length\"]"
				: "[\"batch_size\",\"sequence_length\"]");
}

static void every_family_stages_each_of_its_tasks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		auto_of(made) struct made made = make(families[i].config,
						      families[i].prefix,
						      families[i].fill, NULL);
		unsigned int tasks = models_tasks(json_root(made.config),
						  made.weights, NULL);

		assert_int_equal(tasks, families[i].tasks);
		for (unsigned int task = 0; task < TASK_COUNT; task++) {
			if (!((tasks | FEATURES) & 1U << task))
				continue;
			stages(&made, task, STAGE_FORM_PLAIN,
			       families[i].inputs);
			stages(&made, task, STAGE_FORM_DL4J,
			       families[i].inputs);
		}
	}
}

#define BERT(more) CONFIG("bert", "BertModel", more)

static const struct {
	const char *name;
	const char *config;
	const char *skip;
	const char *code;
	const char *detail;
} refusals[] = {
	{ "activation", BERT(",\"hidden_act\":\"gelu_of_mine\""), NULL,
	  "unsupported-activation", "gelu_of_mine" },
	{ "positions", BERT(",\"position_embedding_type\":\"relative_key\""),
	  NULL, "unsupported-config", "position_embedding_type" },
	{ "decoder", BERT(",\"is_decoder\":true"), NULL, "unsupported-config",
	  "is_decoder" },
	{ "cross attention", BERT(",\"add_cross_attention\":true"), NULL,
	  "unsupported-config", "add_cross_attention" },
	{ "quantised", BERT(",\"quantization_config\":{\"bits\":4}"), NULL,
	  "unsupported-config", "quantization_config" },
	{ "remote code", BERT(",\"auto_map\":{\"AutoModel\":\"m.M\"}"), NULL,
	  "unsupported-config", "auto_map" },
	{ "pruned", BERT(",\"pruned_heads\":{\"0\":[1]}"), NULL,
	  "unsupported-config", "pruned_heads" },
	{ "epsilon of another kind", BERT(",\"layer_norm_eps\":\"small\""),
	  NULL, "unsupported-config", "layer_norm_eps" },
	{ "epsilon below zero", BERT(",\"layer_norm_eps\":-1e-5"), NULL,
	  "unsupported-config", "layer_norm_eps" },
	{ "missing", BERT(""), "encoder.layer.1.output.dense.bias",
	  "missing-tensor", "encoder.layer.1.output.dense.bias" },
	{ "half a pooler", BERT(""), "pooler.dense.bias", "missing-tensor",
	  "pooler.dense.bias" },
	{ "architecture", CONFIG("nobert", "NoBertModel", ""), NULL,
	  "unsupported-architecture", "nobert" },
	{ "heads",
	  "{\"model_type\":\"bert\",\"hidden_size\":8,"
	  "\"num_attention_heads\":3}",
	  NULL, "unsupported-config", "num_attention_heads" },
	{ "layers",
	  "{\"model_type\":\"bert\",\"num_hidden_layers\":1000000000}", NULL,
	  "unsupported-config", "num_hidden_layers" },
	{ "width",
	  "{\"model_type\":\"bert\",\"hidden_size\":16,"
	  "\"num_attention_heads\":2}",
	  NULL, "shape-mismatch", "embeddings.word_embeddings.weight" },
	{ "fewer layers than there are",
	  "{\"model_type\":\"bert\",\"hidden_size\":8,"
	  "\"num_attention_heads\":2,\"num_hidden_layers\":1,"
	  "\"intermediate_size\":12}",
	  NULL, "unknown-tensor",
	  "encoder.layer.1.attention.self.query.weight" },
};

static void what_is_not_exact_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		auto_of(made) struct made made = make(
			refusals[i].config, "", make_bert, refusals[i].skip);
		auto_refusal struct refusal why = { 0 };
		const struct model_request request = {
			.config = json_root(made.config),
			.weights = made.weights,
		};
		struct staged_model *model = NULL;

		assert_int_equal(models_stage(&request, &model, &why),
				 -EBADMSG);
		assert_null(model);
		if (strcmp(why.code, refusals[i].code) != 0)
			print_message("%s: %s\n", refusals[i].name, why.reason);
		assert_string_equal(why.code, refusals[i].code);
		assert_string_equal(why.detail, refusals[i].detail);
	}
}

static void harmless_keys_are_no_reason(void **state)
{
	auto_of(made) struct made made =
		make(BERT(",\"is_decoder\":false,\"pruned_heads\":{},"
			  "\"auto_map\":null,\"chunk_size_feed_forward\":4,"
			  "\"position_embedding_type\":\"absolute\","
			  "\"dtype\":\"float32\",\"use_cache\":true"),
		     "", make_bert, NULL);

	(void)state;
	stages(&made, TASK_FEATURES, STAGE_FORM_PLAIN, 3);
}

static struct made faulty;

static int stage_once(void)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	const struct model_request request = {
		.config = json_root(faulty.config),
		.weights = faulty.weights,
		.form = STAGE_FORM_DL4J,
	};

	return models_stage(&request, &model, &why);
}

static void no_memory_is_survived(void **state)
{
	(void)state;
	faulty = make(BERT(""), "", make_bert, NULL);
	run_with_faults(stage_once);
	made_release(&faulty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_family_stages_each_of_its_tasks),
		cmocka_unit_test(what_is_not_exact_is_refused),
		cmocka_unit_test(harmless_keys_are_no_reason),
		cmocka_unit_test(no_memory_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
