/* SPDX-License-Identifier: MIT */
/* data/make_frameworks.py made the files. */
#include "staging/weights/weights_open.h"

#include <stdio.h>

#include "tests/unit/staging/repo_fake.h"

#define DATA(name)                             \
	{                                      \
		name, NULL, "frameworks/" name \
	}

static const struct fake_file tf_whole[] = { DATA("tf_model.h5"), { 0 } };
static const struct fake_file tf_shards[] = {
	DATA("tf_model-00001-of-00002.h5"),
	DATA("tf_model-00002-of-00002.h5"),
	DATA("tf_model.h5.index.json"),
	{ 0 },
};
static const struct fake_file flax_whole[] = { DATA("flax_model.msgpack"),
					       { 0 } };
static const struct fake_file flax_shards[] = {
	DATA("flax_model-00001-of-00002.msgpack"),
	DATA("flax_model-00002-of-00002.msgpack"),
	DATA("flax_model.msgpack.index.json"),
	{ 0 },
};

static int open_files(struct fake_repo *fake, const struct fake_file *files,
		      enum framework framework, struct weights **out,
		      struct refusal *why)
{
	const struct weights_kind *kind;
	size_t index;

	fake_repo_init(fake, files);
	kind = weights_pick(&fake->repo, framework, &index);
	assert_non_null(kind);
	return weights_open(&fake->repo, kind, index, out, why);
}

/* What PyTorch's class has, in SIZES of make_frameworks.py. */
static const struct {
	const char *name;
	unsigned int rank;
	uint64_t dims[2];
	enum tensor_order order;
} tensors[] = {
	{ "embeddings.word_embeddings.weight", 2, { 5, 4 }, ORDER_ROWS },
	{ "embeddings.position_embeddings.weight", 2, { 3, 4 }, ORDER_ROWS },
	{ "embeddings.token_type_embeddings.weight", 2, { 2, 4 }, ORDER_ROWS },
	{ "embeddings.LayerNorm.weight", 1, { 4 }, ORDER_ROWS },
	{ "embeddings.LayerNorm.bias", 1, { 4 }, ORDER_ROWS },
	{ "encoder.layer.0.attention.self.query.weight",
	  2,
	  { 4, 4 },
	  ORDER_REVERSED },
	{ "encoder.layer.0.intermediate.dense.weight",
	  2,
	  { 6, 4 },
	  ORDER_REVERSED },
	{ "encoder.layer.0.intermediate.dense.bias", 1, { 6 }, ORDER_ROWS },
	{ "encoder.layer.0.output.dense.weight", 2, { 4, 6 }, ORDER_REVERSED },
	{ "encoder.layer.0.output.LayerNorm.bias", 1, { 4 }, ORDER_ROWS },
};

static void check_tensors(const struct weights *weights, const char *base)
{
	for (size_t i = 0; i < ARRAY_LEN(tensors); i++) {
		const struct tensor *tensor;
		char name[128];

		snprintf(name, sizeof(name), "%s%s", base, tensors[i].name);
		tensor = weights_find(weights, name);
		assert_non_null(tensor);
		assert_int_equal(tensor->dtype, DTYPE_F32);
		assert_int_equal(tensor->rank, tensors[i].rank);
		assert_memory_equal(tensor->dims, tensors[i].dims,
				    tensor->rank * sizeof(uint64_t));
		assert_int_equal(tensor->order, tensors[i].order);
	}
}

static void read_tensor(struct fake_repo *fake, const struct weights *weights,
			const struct tensor *tensor, uint8_t *bytes)
{
	auto_blob struct blob *blob = NULL;
	size_t index = weights->files[tensor->file].index;

	assert_int_equal(fake->repo.open(fake, index, &blob), 0);
	assert_int_equal(blob_read(blob, tensor->off, tensor->len, bytes), 0);
}

/* Whole and in shards: the same tensors of the same bytes. */
static void check_pair(const struct fake_file *whole,
		       const struct fake_file *shards, enum framework framework,
		       const char *base, size_t count)
{
	auto_weights struct weights *a = NULL, *b = NULL;
	struct fake_repo fake_a, fake_b;
	uint8_t bytes_a[128], bytes_b[128];

	assert_int_equal(open_files(&fake_a, whole, framework, &a, NULL), 0);
	assert_int_equal(open_files(&fake_b, shards, framework, &b, NULL), 0);
	check_tensors(a, base);
	check_tensors(b, base);
	assert_int_equal(a->count, count);
	assert_int_equal(b->count, count);
	for (size_t i = 0; i < count; i++) {
		const struct tensor *tensor = &a->tensors[i];
		const struct tensor *other = weights_find(b, tensor->name);

		assert_non_null(other);
		assert_int_equal(tensor->len, other->len);
		assert_int_equal(tensor->order, other->order);
		read_tensor(&fake_a, a, tensor, bytes_a);
		read_tensor(&fake_b, b, other, bytes_b);
		assert_memory_equal(bytes_a, bytes_b, tensor->len);
	}
}

static void tensorflow_in_one_file_and_in_shards(void **state)
{
	(void)state;
	check_pair(tf_whole, tf_shards, FRAMEWORK_TENSORFLOW, "bert.", 26);
}

static void flax_in_one_file_and_in_shards(void **state)
{
	(void)state;
	check_pair(flax_whole, flax_shards, FRAMEWORK_JAX, "", 23);
}

/* A file of one framework is none of another. */
static void kinds_are_those_of_the_framework(void **state)
{
	struct fake_repo fake;
	size_t index;

	(void)state;
	fake_repo_init(&fake, tf_whole);
	assert_null(weights_pick(&fake.repo, FRAMEWORK_PYTORCH, &index));
	assert_null(weights_pick(&fake.repo, FRAMEWORK_JAX, &index));
	fake_repo_init(&fake, flax_shards);
	assert_null(weights_pick(&fake.repo, FRAMEWORK_TENSORFLOW, &index));
	assert_non_null(weights_pick(&fake.repo, FRAMEWORK_JAX, &index));
}

#define ONE_OF_TWO(name)            \
	"{\"weight_map\": {\"" name \
	"\": \"flax_model-00001-of-00002.msgpack\"}}"

/* Maps that name what is not in the file, or what is in no file. */
static void an_index_that_lies_is_refused(void **state)
{
	static const char *const maps[] = {
		ONE_OF_TWO("pooler/dense/kernel"),
		ONE_OF_TWO("/"),
		"{\"weight_map\": {\"a\": \"missing.msgpack\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		const struct fake_file files[] = {
			DATA("flax_model-00001-of-00002.msgpack"),
			{ "flax_model.msgpack.index.json", maps[i], NULL },
			{ 0 },
		};
		auto_weights struct weights *weights = NULL;
		auto_refusal struct refusal why = { 0 };
		struct fake_repo fake;

		assert_int_equal(open_files(&fake, files, FRAMEWORK_JAX,
					    &weights, &why),
				 -EBADMSG);
		assert_string_equal(why.code, "shard-index");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensorflow_in_one_file_and_in_shards),
		cmocka_unit_test(flax_in_one_file_and_in_shards),
		cmocka_unit_test(kinds_are_those_of_the_framework),
		cmocka_unit_test(an_index_that_lies_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
