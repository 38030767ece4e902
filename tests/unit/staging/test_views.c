/* SPDX-License-Identifier: MIT */
/*
 * The views of a repository, with a family of models that stages any
 * checkpoint as its tensor "w" behind four bytes.
 */
#include "staging/models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memo.h"
#include "staging/stage_listing.h"
#include "staging/weights/safetensors.h"
#include "tests/unit/staging/repo_fake.h"

static unsigned int staged_models;

unsigned int models_tasks(const struct json *config,
			  const struct weights *weights,
			  const struct sentence *sentence)
{
	(void)weights;
	(void)sentence;
	return json_get(config, "has_head") ? 1u << TASK_FILL_MASK : 0;
}

static int fake_plan(const struct weights *weights, struct plan **out)
{
	const struct tensor *w = weights_find(weights, "w");
	const struct weight_file *file = &weights->files[w->file];
	auto_plan struct plan *plan = NULL;
	uint32_t source;

	assert_int_equal(plan_new(&plan), 0);
	assert_int_equal(plan_add_bytes(plan, "ONNX", 4), 0);
	assert_int_equal(plan_add_source(plan, file->path, file->size, &source),
			 0);
	assert_int_equal(
		plan_add_range(plan, SEGMENT_COPY, source, w->off, w->len), 0);
	assert_int_equal(plan_finish(plan), 0);
	*out = take_ptr(plan);
	return 0;
}

bool models_know_code(const struct json *config)
{
	return !json_get(config, "auto_map") || json_get(config, "own_code");
}

bool models_has_parts(const struct json *config, enum model_task task)
{
	(void)task;
	return json_get(config, "has_parts") != NULL;
}

int models_stage(const struct model_request *request, struct staged_model **out,
		 struct refusal *why)
{
	const struct json *config = request->config;

	if (json_get(config, "refuse"))
		return refuse(why, "unsupported", "refuse", "it says so");
	if (request->form == STAGE_FORM_DL4J && json_get(config, "refuse_dl4j"))
		return refuse(why, "unsupported", "dl4j", "it says so");
	*out = mem_zalloc(sizeof(**out));
	assert_non_null(*out);
	(*out)->family = "fake";
	staged_models++;
	return fake_plan(request->weights, &(*out)->onnx);
}

static void assert_lists(const struct stage_repo *repo, const char *dir,
			 const char *want)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	auto_str struct str names;

	str_init(&names, 4096);
	assert_int_equal(stage_list(repo, dir, &listing), 0);
	for (size_t i = 0; i < listing.count; i++) {
		const struct stage_entry *entry = &listing.entries[i];

		assert_int_equal(entry->kind == STAGE_DIR, !entry->content);
		assert_int_equal(str_printf(&names, "%s%s%s", i ? " " : "",
					    entry->name,
					    entry->content ? "" : "/"),
				 0);
	}
	assert_string_equal(str_text(&names), want);
}

static void assert_missing(const struct stage_repo *repo, const char *dir)
{
	auto_stage_listing struct stage_listing listing = { 0 };

	assert_int_equal(stage_list(repo, dir, &listing), -ENOENT);
}

/* The text of one file of a view; the caller frees it. */
static char *read_view(const struct stage_repo *repo, const char *dir,
		       const char *name)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	const struct stage_entry *entry;
	char *text;

	assert_int_equal(stage_list(repo, dir, &listing), 0);
	entry = stage_listing_find(&listing, name);
	assert_non_null(entry);
	text = mem_zalloc(entry->content->size + 1);
	assert_int_equal(
		content_copy(entry->content, 0, entry->content->size, text), 0);
	return text;
}

#define PICKLED                                        \
	{                                              \
		"pytorch_model.bin", NULL, "plain.bin" \
	}
#define CONFIG(text)                      \
	{                                 \
		"config.json", text, NULL \
	}
#define END                      \
	{                        \
		NULL, NULL, NULL \
	}

static const struct {
	const char *name;
	struct fake_file files[4];
	const char *root, *pytorch, *dl4j;
} repositories[] = {
	{ "none known", { { "README.md", "x", NULL }, END }, "", NULL, NULL },
	{ "a configuration alone", { CONFIG("{}"), END }, "", NULL, NULL },
	{ "weights alone", { PICKLED, END }, "safetensors/", NULL, NULL },
	{ "a pickled model",
	  { CONFIG("{}"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "dl4j/ info.json native/ staged.onnx",
	  "info.json staged.onnx" },
	{ "with a head",
	  { CONFIG("{\"has_head\":1}"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "dl4j/ fill-mask/ info.json native/ staged.onnx",
	  "info.json staged.onnx" },
	{ "no dl4j form",
	  { CONFIG("{\"refuse_dl4j\":1}"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "dl4j/ info.json native/ staged.onnx",
	  "staged.status" },
	{ "refused",
	  { CONFIG("{\"refuse\":1}"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "staged.status",
	  NULL },
	{ "remote code",
	  { CONFIG("{\"auto_map\":{\"AutoModel\":\"m.M\"}}"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "staged.status",
	  NULL },
	{ "quantized",
	  { CONFIG("{\"quantization_config\":{\"b\":4}}"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "staged.status",
	  NULL },
	{ "an adapter",
	  { { "adapter_config.json", "{}", NULL }, END },
	  "pytorch/ tensorflow/",
	  "staged.status",
	  NULL },
	{ "a bad configuration",
	  { CONFIG("{"), PICKLED, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "staged.status",
	  NULL },
	{ "safetensors that are none",
	  { CONFIG("{}"), { "model.safetensors", "abc", NULL }, END },
	  "pytorch/ tensorflow/",
	  "staged.status",
	  NULL },
	{ "the old format",
	  { CONFIG("{}"), { "pytorch_model.bin", NULL, "legacy.bin" }, END },
	  "pytorch/ safetensors/ tensorflow/",
	  "dl4j/ info.json native/ staged.onnx",
	  "info.json staged.onnx" },
	{ "safetensors beside pickles",
	  { CONFIG("{}"), { "other.safetensors", "abc", NULL }, PICKLED, END },
	  "pytorch/ tensorflow/",
	  "dl4j/ info.json native/ staged.onnx",
	  "info.json staged.onnx" },
};

/* tensorflow/ has what pytorch/ has, in its own format; @want NULL: nothing. */
static void assert_same_as_graphdef(const struct stage_repo *repo,
				    const char *dir, const char *want)
{
	const char *onnx = want ? strstr(want, ".onnx") : NULL;
	char names[256];

	if (!want) {
		assert_missing(repo, dir);
		return;
	}
	snprintf(names, sizeof(names), "%.*s%s%s",
		 (int)(onnx ? (size_t)(onnx - want) : strlen(want)), want,
		 onnx ? ".pb" : "", onnx ? onnx + strlen(".onnx") : "");
	assert_lists(repo, dir, names);
}

static void views_are_those_that_are_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(repositories); i++) {
		struct fake_repo fake;

		print_message("%s\n", repositories[i].name);
		fake_repo_init(&fake, repositories[i].files);
		fake.opened = 0;
		assert_lists(&fake.repo, "", repositories[i].root);
		assert_int_equal(fake.opened, 0);
		if (repositories[i].pytorch)
			assert_lists(&fake.repo, "pytorch",
				     repositories[i].pytorch);
		else
			assert_missing(&fake.repo, "pytorch");
		if (repositories[i].dl4j)
			assert_lists(&fake.repo, "pytorch/dl4j",
				     repositories[i].dl4j);
		else
			assert_missing(&fake.repo, "pytorch/dl4j");
		assert_same_as_graphdef(&fake.repo, "tensorflow",
					repositories[i].pytorch);
		assert_same_as_graphdef(&fake.repo, "tensorflow/dl4j",
					repositories[i].dl4j);
	}
}

static const struct fake_file model[] = {
	CONFIG("{\"has_head\":1,\"model_type\":\"fake\",\"id2label\":"
	       "{\"0\":\"NO\"},\"max_position_embeddings\":512}"),
	PICKLED,
	{ "tokenizer.json", "{}", NULL },
	END,
};

/* {"w": two floats} */
#define FLAX                                                \
	{                                                   \
		"flax_model.msgpack",                       \
			"\x81\xa1w\xc7\x15\1\x93\x91\2\xa7" \
			"float32\xc4\x08"                   \
			"12345678",                         \
			NULL                                \
	}

/* jax/ is there for weights of Flax, and has the places of pytorch/. */
static void each_framework_has_its_folder(void **state)
{
	static const struct fake_file flax[] = { CONFIG("{\"has_head\":1}"),
						 FLAX, END };
	static const struct fake_file both[] = { CONFIG("{}"), FLAX, PICKLED,
						 END };
	struct fake_repo fake;

	(void)state;
	fake_repo_init(&fake, flax);
	assert_lists(&fake.repo, "", "jax/");
	assert_int_equal(fake.opened, 0);
	assert_lists(&fake.repo, "jax",
		     "dl4j/ fill-mask/ info.json staged.onnx");
	assert_lists(&fake.repo, "jax/dl4j", "info.json staged.onnx");
	assert_lists(&fake.repo, "jax/fill-mask",
		     "dl4j/ info.json staged.onnx");
	assert_missing(&fake.repo, "pytorch");
	assert_missing(&fake.repo, "jax/");
	assert_missing(&fake.repo, "jaxx");
	assert_missing(&fake.repo, "jax/x");
	fake_repo_init(&fake, both);
	assert_lists(&fake.repo, "", "jax/ pytorch/ safetensors/ tensorflow/");
	assert_lists(&fake.repo, "pytorch",
		     "dl4j/ info.json native/ staged.onnx");
}

static void only_directories_of_the_tree_are_there(void **state)
{
	static const char *const missing[] = {
		"pytorch/",
		"pytorch/feature-extraction",
		"pytorch/x",
		"pytorch/question-answering",
		"pytorch/fill-mask/x",
		"pytorch/dl4j/dl4j",
		"pytorch/fill-mask/dl4j/",
		"x",
		"onnx",
		"safetensors/x",
		"pytorch/fill-mask/",
		"tensorflow/",
		"tensorflow/x",
		"tensorflow/feature-extraction",
		"tensorflow/fill-mask/x",
		"tensorflowx",
		"pytorchx",
	};
	struct fake_repo fake;

	(void)state;
	fake_repo_init(&fake, model);
	for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
		print_message("%s\n", missing[i]);
		assert_missing(&fake.repo, missing[i]);
	}
	assert_lists(&fake.repo, "pytorch/fill-mask",
		     "dl4j/ info.json native/ staged.onnx");
	assert_lists(&fake.repo, "pytorch/fill-mask/dl4j",
		     "info.json staged.onnx");
}

static void a_staged_file_has_its_bytes(void **state)
{
	auto_free char *onnx = NULL, *info = NULL;
	auto_json struct json_doc *doc = NULL;
	struct fake_repo fake;
	const struct json *root;

	(void)state;
	fake_repo_init(&fake, model);
	onnx = read_view(&fake.repo, "pytorch", "staged.onnx");
	assert_memory_equal(onnx, "ONNX\0\0\x80\x3f", 8);
	info = read_view(&fake.repo, "pytorch", "info.json");
	assert_int_equal(json_parse(info, strlen(info), 1 << 20, &doc), 0);
	root = json_root(doc);
	assert_string_equal(json_string(json_get(root, "family")), "fake");
	assert_string_equal(json_string(json_get(root, "form")), "plain");
	assert_string_equal(
		json_string(json_first(json_get(root, "preprocessing_files"))),
		"repo/tokenizer.json");
	assert_int_equal(json_count(json_get(root, "sources")), 1);
}

static void a_refusal_says_why(void **state)
{
	static const struct fake_file files[] = {
		CONFIG("{\"refuse\":1,\"model_type\":\"odd\"}"), PICKLED, END
	};
	auto_free char *status = NULL;
	struct fake_repo fake;

	(void)state;
	fake_repo_init(&fake, files);
	status = read_view(&fake.repo, "pytorch", "staged.status");
	assert_string_equal(
		status,
		"{\"state\":\"refused\",\"code\":\"unsupported\","
		"\"reason\":\"it says so\",\"detail\":\"refuse\","
		"\"model_type\":\"odd\",\"task\":\"feature-extraction\"}\n");
}

/* What is composed of a pickle is a safetensors file, aliases dropped. */
static void safetensors_are_composed(void **state)
{
	auto_free char *bytes = NULL, *info = NULL;
	auto_weights struct weights *weights = NULL;
	auto_stage_listing struct stage_listing listing = { 0 };
	struct fake_repo fake;
	unsigned int file;
	size_t head;
	uint64_t size;

	(void)state;
	fake_repo_init(&fake, model);
	assert_int_equal(stage_list(&fake.repo, "safetensors", &listing), 0);
	size = stage_listing_find(&listing, "model.safetensors")->content->size;
	bytes = read_view(&fake.repo, "safetensors", "model.safetensors");
	assert_int_equal(safetensors_head_len(bytes, size, &head), 0);
	assert_int_equal(head % 8, 0);
	assert_int_equal(weights_new("safetensors", &weights), 0);
	assert_int_equal(weights_add_file(weights, "m", 0, size, &file), 0);
	assert_int_equal(safetensors_parse(weights, file, bytes, head), 0);
	assert_int_equal(weights_finish(weights), 0);
	assert_int_equal(weights->count, 4);
	assert_null(weights_find(weights, "w2"));
	assert_memory_equal(bytes + weights_find(weights, "s2")->off,
			    "\7\0\0\0\0\0\0\0\x08", 9);
	assert_memory_equal(bytes + weights_find(weights, "w")->off,
			    "\0\0\x80\x3f", 4);
	assert_non_null(strstr(bytes + 8, "\"w2\":\"w\""));
	info = read_view(&fake.repo, "safetensors", "info.json");
	assert_non_null(strstr(info, "\"dropped_aliases\":{\"w2\":\"w\"}"));
}

static void a_column_major_tensor_refuses_safetensors(void **state)
{
	static const struct fake_file files[] = {
		{ "pytorch_model.bin", NULL, "tiny.bin" }, END
	};
	struct fake_repo fake;

	(void)state;
	fake_repo_init(&fake, files);
	assert_lists(&fake.repo, "safetensors", "staged.status");
}

static void shipped_onnx_is_shown(void **state)
{
	static const struct fake_file own_folder[] = {
		{ "model.onnx", "root", NULL },
		{ "onnx/config.json", "{}", NULL },
		{ "onnx/model.onnx", "a", NULL },
		{ "onnx/model.onnx_data", "b", NULL },
		{ "onnx/sub/model.onnx", "c", NULL },
		END
	};
	static const struct fake_file root[] = { { "config.json", "{}", NULL },
						 { "model.onnx", "root", NULL },
						 { "model.onnx.data", "d",
						   NULL },
						 END };
	struct fake_repo fake;

	(void)state;
	fake_repo_init(&fake, own_folder);
	assert_lists(&fake.repo, "", "onnx/");
	assert_lists(&fake.repo, "onnx", "model.onnx model.onnx_data");
	fake_repo_init(&fake, root);
	assert_lists(&fake.repo, "onnx", "model.onnx model.onnx.data");
}

static void info_tells_of_shipped_onnx(void **state)
{
	static const struct fake_file files[] = {
		CONFIG("{}"),
		{ "onnx/model.onnx", "a", NULL },
		{ "onnx/model.onnx_data", "b", NULL },
		PICKLED,
		END
	};
	auto_free char *info = NULL;
	auto_json struct json_doc *doc = NULL;
	struct fake_repo fake;
	const struct json *shipped;

	(void)state;
	fake_repo_init(&fake, files);
	info = read_view(&fake.repo, "pytorch", "info.json");
	assert_int_equal(json_parse(info, strlen(info), 1 << 20, &doc), 0);
	shipped = json_get(json_root(doc), "shipped_onnx");
	assert_int_equal(json_count(shipped), 1);
	assert_string_equal(json_string(json_first(shipped)),
			    "onnx/model.onnx");
}

/* A memo of the last thing put. */
static struct str kept;
static char kept_key[256];

static int memo_fake_get(struct memo *memo, const char *key, struct str *value,
			 int64_t *stored_wall_s)
{
	(void)memo;
	(void)stored_wall_s;
	if (strcmp(key, kept_key) != 0)
		return -ENOENT;
	return str_append(value, kept.bytes, kept.len);
}

static void memo_fake_put(struct memo *memo, const char *key, const void *value,
			  size_t len)
{
	(void)memo;
	snprintf(kept_key, sizeof(kept_key), "%s", key);
	str_clear(&kept);
	assert_int_equal(str_append(&kept, value, len), 0);
}

static void a_second_mount_stages_nothing(void **state)
{
	static const struct memo_ops ops = { memo_fake_get, memo_fake_put };
	struct memo memo = { &ops };
	struct fake_repo fake;
	auto_free char *first = NULL, *second = NULL;

	(void)state;
	str_init(&kept, 1 << 20);
	fake_repo_init(&fake, model);
	fake.repo.memo = &memo;
	first = read_view(&fake.repo, "pytorch", "staged.onnx");
	assert_string_equal(kept_key, "stage/6/huggingface:org/model@0123/"
				      "plain,portable/pytorch");
	staged_models = 0;
	second = read_view(&fake.repo, "pytorch", "staged.onnx");
	assert_int_equal(staged_models, 0);
	assert_memory_equal(first, second, 8);
	assert_lists(&fake.repo, "pytorch",
		     "dl4j/ fill-mask/ info.json native/ staged.onnx");
	for (size_t i = 0; i < kept.len; i++) {
		auto_stage_listing struct stage_listing listing = { 0 };

		kept.bytes[i] ^= 1;
		assert_int_equal(listing_decode(&fake.repo, kept.bytes,
						kept.len, &listing),
				 -EBADMSG);
		kept.bytes[i] ^= 1;
	}
	str_release(&kept);
}

static int list_once(void)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	static struct fake_repo fake;

	if (!fake.repo.files)
		fake_repo_init(&fake, model);
	return stage_list(&fake.repo, "safetensors", &listing);
}

/* Want of memory is never taken for a reason to refuse. */
static void want_of_memory_is_told(void **state)
{
	(void)state;
	assert_int_equal(list_once(), 0);
	run_with_faults(list_once);
}

static void a_plan_is_told_as_json(void **state)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	auto_str struct str text;
	auto_json struct json_doc *doc = NULL;
	struct fake_repo fake;
	uint64_t size = 0;

	(void)state;
	str_init(&text, 1 << 16);
	fake_repo_init(&fake, model);
	assert_int_equal(stage_list(&fake.repo, "pytorch", &listing), 0);
	assert_int_equal(
		stage_plan_json(stage_listing_find(&listing, "staged.onnx"),
				CLOCK_NEVER, &text),
		0);
	assert_int_equal(json_parse(text.bytes, text.len, 1 << 16, &doc), 0);
	assert_true(json_u64(json_get(json_root(doc), "size"), &size));
	assert_int_equal(size, 28);
	assert_int_equal(json_count(json_get(json_root(doc), "segments")), 2);
	assert_int_equal(
		stage_plan_json(stage_listing_find(&listing, "info.json"),
				CLOCK_NEVER, &text),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_are_those_that_are_there),
		cmocka_unit_test(each_framework_has_its_folder),
		cmocka_unit_test(only_directories_of_the_tree_are_there),
		cmocka_unit_test(a_staged_file_has_its_bytes),
		cmocka_unit_test(a_refusal_says_why),
		cmocka_unit_test(safetensors_are_composed),
		cmocka_unit_test(a_column_major_tensor_refuses_safetensors),
		cmocka_unit_test(shipped_onnx_is_shown),
		cmocka_unit_test(info_tells_of_shipped_onnx),
		cmocka_unit_test(a_second_mount_stages_nothing),
		cmocka_unit_test(want_of_memory_is_told),
		cmocka_unit_test(a_plan_is_told_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
