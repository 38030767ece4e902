/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/mem.h"
#include "staging/weights/torch_names.h"

#define FILE_BYTES ((uint64_t)1 << 20)

/* As the libraries wrote them: the name in the file, and torch's. */
static const struct {
	enum weight_names names;
	const char *name;
	uint64_t dims[5]; /* until a 0 */
	const char *torch;
	uint64_t torch_dims[5];
	enum tensor_order order;
} cases[] = {
	{ NAMES_TORCH, "a.kernel", { 2, 3 }, "a.kernel", { 2, 3 }, ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "bert/tf_bert_model/bert/embeddings/word_embeddings/weight:0",
	  { 120, 48 },
	  "bert.embeddings.word_embeddings.weight",
	  { 120, 48 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "bert/tf_bert_model/bert/encoder/layer_._0/intermediate/dense/"
	  "kernel:0",
	  { 48, 96 },
	  "bert.encoder.layer.0.intermediate.dense.weight",
	  { 96, 48 },
	  ORDER_REVERSED },
	{ NAMES_TF_LAYERS,
	  "bert/tf_bert_model/bert/encoder/layer_._11/output/LayerNorm/gamma:0",
	  { 48 },
	  "bert.encoder.layer.11.output.LayerNorm.weight",
	  { 48 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "mlm___cls/tf_bert_for_masked_lm/mlm___cls/predictions/transform/"
	  "LayerNorm/beta:0",
	  { 48 },
	  "cls.predictions.transform.LayerNorm.bias",
	  { 48 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "shared/shared/shared/embeddings:0",
	  { 100, 32 },
	  "shared.weight",
	  { 100, 32 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "model/model.shared/model.shared/embeddings:0",
	  { 100, 32 },
	  "model.shared.weight",
	  { 100, 32 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "final_logits_bias/final_logits_bias:0",
	  { 1, 100 },
	  "final_logits_bias",
	  { 1, 100 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "transformer/tfgpt2lm_head_model/transformer/h_._0/mlp/c_fc/bias:0",
	  { 1, 128 },
	  "transformer.h.0.mlp.c_fc.bias",
	  { 128 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "transformer/tfgpt2lm_head_model/transformer/h_._0/mlp/c_fc/weight:0",
	  { 32, 128 },
	  "transformer.h.0.mlp.c_fc.weight",
	  { 32, 128 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "clip/tfclip_model/clip/logit_scale:0",
	  { 1 },
	  "logit_scale",
	  { 0 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "vit/tf_vi_t_model/vit/embeddings/patch_embeddings/projection/"
	  "kernel:0",
	  { 4, 5, 3, 32 },
	  "vit.embeddings.patch_embeddings.projection.weight",
	  { 32, 3, 4, 5 },
	  ORDER_HWIO },
	{ NAMES_TF_LAYERS,
	  "model/tf_whisper_model/model/encoder/conv1/kernel:0",
	  { 3, 8, 32 },
	  "model.encoder.conv1.weight",
	  { 32, 8, 3 },
	  ORDER_REVERSED },
	{ NAMES_TF_LAYERS,
	  "resnet/tf_res_net_model/resnet/encoder/stages.0/layers.1/layer.0/"
	  "normalization/moving_variance:0",
	  { 8 },
	  "resnet.encoder.stages.0.layers.1.layer.0.normalization.running_var",
	  { 8 },
	  ORDER_ROWS },
	{ NAMES_TF_LAYERS,
	  "hubert/tf_hubert_model/hubert/encoder/pos_conv_embed/conv/"
	  "weight_g:0",
	  { 16, 1, 1 },
	  "hubert.encoder.pos_conv_embed.conv.weight_g",
	  { 1, 1, 16 },
	  ORDER_ROWS },
	{ NAMES_TF_SHORT,
	  "bert/pooler/dense/kernel:0",
	  { 2, 3 },
	  "bert.pooler.dense.weight",
	  { 3, 2 },
	  ORDER_REVERSED },
	{ NAMES_TF_SHORT,
	  "model.shared/model.shared/embeddings:0",
	  { 2, 3 },
	  "model.shared.weight",
	  { 2, 3 },
	  ORDER_ROWS },
	{ NAMES_TF_FULL,
	  "tf_bert_model/bert/pooler/dense/bias:0",
	  { 3 },
	  "bert.pooler.dense.bias",
	  { 3 },
	  ORDER_ROWS },
	{ NAMES_FLAX,
	  "encoder/layer/0/attention/self/query/kernel",
	  { 48, 24 },
	  "encoder.layer.0.attention.self.query.weight",
	  { 24, 48 },
	  ORDER_REVERSED },
	{ NAMES_FLAX,
	  "bert.embeddings.LayerNorm.scale",
	  { 48 },
	  "bert.embeddings.LayerNorm.weight",
	  { 48 },
	  ORDER_ROWS },
	{ NAMES_FLAX,
	  "shared/embedding",
	  { 10, 4 },
	  "shared.weight",
	  { 10, 4 },
	  ORDER_ROWS },
	{ NAMES_FLAX,
	  "params/resnet/embedder/embedder/convolution/kernel",
	  { 7, 6, 3, 8 },
	  "resnet.embedder.embedder.convolution.weight",
	  { 8, 3, 7, 6 },
	  ORDER_HWIO },
	{ NAMES_FLAX,
	  "batch_stats/resnet/embedder/embedder/normalization/mean",
	  { 8 },
	  "resnet.embedder.embedder.normalization.running_mean",
	  { 8 },
	  ORDER_ROWS },
	{ NAMES_FLAX,
	  "vision_model/embeddings/class_embedding",
	  { 32 },
	  "vision_model.embeddings.class_embedding",
	  { 32 },
	  ORDER_ROWS },
	{ NAMES_FLAX, "logit_scale", { 0 }, "logit_scale", { 0 }, ORDER_ROWS },
};

static unsigned int rank_of(const uint64_t *dims)
{
	unsigned int rank = 0;

	while (rank < 5 && dims[rank])
		rank++;
	return rank;
}

static struct weights *new_weights(enum weight_names names)
{
	struct weights *weights;
	unsigned int file;

	assert_int_equal(weights_new("hdf5", &weights), 0);
	assert_int_equal(weights_add_file(weights, "w", 0, FILE_BYTES, &file),
			 0);
	weights->files[file].names = names;
	return weights;
}

static void add(struct weights *weights, const char *name, const uint64_t *dims,
		uint64_t off)
{
	struct tensor tensor = { .name = (char *)name,
				 .rank = rank_of(dims),
				 .off = off };

	memcpy(tensor.dims, dims, tensor.rank * sizeof(*dims));
	assert_int_equal(weights_add(weights, &tensor), 0);
}

static void tensors_are_those_of_torch(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_weights struct weights *weights =
			new_weights(cases[i].names);
		unsigned int rank = rank_of(cases[i].torch_dims);
		const struct tensor *tensor;

		add(weights, cases[i].name, cases[i].dims, 8);
		assert_int_equal(weights_to_torch(weights, NULL), 0);
		assert_int_equal(weights_finish(weights), 0);
		tensor = &weights->tensors[0];
		assert_string_equal(tensor->name, cases[i].torch);
		assert_int_equal(tensor->order, cases[i].order);
		assert_int_equal(tensor->rank, rank);
		for (unsigned int j = 0; j < rank; j++)
			assert_int_equal(tensor->dims[j],
					 cases[i].torch_dims[j]);
		assert_int_equal(tensor->off, 8);
		assert_ptr_equal(weights_find(weights, cases[i].torch), tensor);
	}
}

static const struct {
	enum weight_names names;
	const char *name;
	uint64_t dims[5];
} unknown[] = {
	{ NAMES_TF_LAYERS, "a/m/a/kernel:0", { 3 } },
	{ NAMES_TF_LAYERS, "a/m/a/kernel:0", { 1, 2, 3, 4, 5 } },
	{ NAMES_TF_LAYERS, "a/m/conv/depthwise_kernel:0", { 2, 2, 3, 1 } },
	{ NAMES_TF_LAYERS, "a/m/conv/pointwise_kernel:0", { 1, 2, 3 } },
	{ NAMES_TF_LAYERS, "a/:0", { 2 } },
	{ NAMES_TF_SHORT, "/", { 2 } },
	{ NAMES_FLAX, "a/kernel", { 3 } },
	{ NAMES_FLAX, "//", { 3 } },
};

static void what_is_not_known_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		auto_weights struct weights *weights =
			new_weights(unknown[i].names);
		auto_refusal struct refusal why = { 0 };

		add(weights, unknown[i].name, unknown[i].dims, 0);
		assert_int_equal(weights_to_torch(weights, &why), -EBADMSG);
		assert_string_equal(why.code, "tensor-name");
	}
}

/* A masked language model's head names the embeddings again. */
static void a_variable_of_two_layers_is_one_tensor(void **state)
{
	static const uint64_t dims[] = { 4, 3, 0 }, others[] = { 3, 4, 0 };
	static const char *const names[] = { "bert/m/bert/x/weight:0",
					     "mlm___cls/m/bert/y/weight:0",
					     "mlm___cls/m/bert/x/weight:0" };

	(void)state;
	for (int same = 1; same >= 0; same--) {
		auto_weights struct weights *weights =
			new_weights(NAMES_TF_LAYERS);

		add(weights, names[0], dims, 0);
		add(weights, names[1], dims, 100);
		add(weights, names[2], same ? dims : others, 200);
		assert_int_equal(weights_to_torch(weights, NULL), 0);
		assert_int_equal(weights_finish(weights), same ? 0 : -EBADMSG);
		if (!same)
			continue;
		assert_int_equal(weights->count, 2);
		assert_int_equal(weights_find(weights, "bert.x.weight")->off,
				 0);
		assert_int_equal(weights_find(weights, "bert.y.weight")->off,
				 100);
	}
}

/* Nowhere else are two tensors of one name one. */
static void flax_has_no_name_twice(void **state)
{
	static const uint64_t dims[] = { 4, 3, 0 };
	auto_weights struct weights *weights = new_weights(NAMES_FLAX);

	(void)state;
	add(weights, "a/scale", dims, 0);
	add(weights, "a/embedding", dims, 100);
	assert_int_equal(weights_to_torch(weights, NULL), 0);
	assert_int_equal(weights_finish(weights), -EBADMSG);
}

static void names_have_bounds(void **state)
{
	char *deep = mem_alloc(4 * NAME_PARTS_MAX);
	char *name;

	(void)state;
	assert_non_null(deep);
	for (size_t i = 0; i <= NAME_PARTS_MAX; i++)
		memcpy(deep + 2 * i, "a/", 3);
	assert_int_equal(torch_name(NAMES_FLAX, deep, &name), -EBADMSG);
	deep[(2 * NAME_PARTS_MAX) - 1] = '\0';
	assert_int_equal(torch_name(NAMES_FLAX, deep, &name), 0);
	free(name);
	free(deep);
}

static int translate_two_layers(void)
{
	static char names[][32] = { "bert/m/bert/x/kernel:0",
				    "bert/m/bert/y/gamma:0",
				    "mlm___cls/m/bert/x/kernel:0" };
	auto_weights struct weights *weights = NULL;
	struct tensor tensor = { .rank = 2, .dims = { 4, 3 } };
	int r = weights_new("hdf5", &weights);

	if (r == 0)
		r = weights_add_file(weights, "w", 0, FILE_BYTES, &tensor.file);
	if (r == 0)
		weights->files[tensor.file].names = NAMES_TF_LAYERS;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		tensor.name = names[i];
		r = weights_add(weights, &tensor);
	}
	if (r == 0)
		r = weights_to_torch(weights, NULL);
	return r < 0 ? r : weights_finish(weights);
}

static void faults_of_memory_do_not_leak(void **state)
{
	(void)state;
	run_with_faults(translate_two_layers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_are_those_of_torch),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(a_variable_of_two_layers_is_one_tensor),
		cmocka_unit_test(flax_has_no_name_twice),
		cmocka_unit_test(names_have_bounds),
		cmocka_unit_test(faults_of_memory_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
