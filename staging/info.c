/* SPDX-License-Identifier: MIT */
#include "staging/info.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "staging/json_write.h"
#include "staging/preprocessing.h"
#include "staging/stage_repo.h"
#include "staging/view_onnx.h"

const char *form_name(enum stage_form form)
{
	return form == STAGE_FORM_DL4J ? "dl4j" : "plain";
}

const char *profile_name(enum stage_profile profile)
{
	return profile == STAGE_PROFILE_NATIVE ? "native" : "portable";
}

void info_write_whose(struct json_write *json, const struct stage_repo *repo)
{
	json_write_text(json, "id", repo->id);
	json_write_text(json, "revision", repo->revision);
	json_write_text(json, "url", repo->url);
	json_write_text(json, "licence", repo->licence);
	if (repo->pipeline_tag || !repo->facts)
		json_write_text(json, "pipeline_tag", repo->pipeline_tag);
}

static void write_origin(struct json_write *json, const struct stage_repo *repo)
{
	info_write_whose(json, repo);
	json_write_text(json, "converter", "omnihub " OMNIHUB_VERSION);
}

static void write_values(struct json_write *json, const char *key,
			 const struct staged_value *values, size_t count)
{
	json_write_open(json, key, '[');
	for (size_t i = 0; i < count; i++) {
		json_write_open(json, NULL, '{');
		json_write_text(json, "name", values[i].name);
		json_write_text(json, "dtype", values[i].dtype);
		json_write_raw(json, "shape", values[i].shape);
		json_write_close(json, '}');
	}
	json_write_close(json, ']');
}

/* Files that turn data into the inputs; where to find them from a view. */
void info_write_preprocessing_files(struct json_write *json,
				    const struct stage_repo *repo)
{
	static const char *const names[] = {
		"tokenizer.json",
		"tokenizer_config.json",
		"vocab.txt",
		"vocab.json",
		"merges.txt",
		"sentencepiece.bpe.model",
		"spiece.model",
		"source.spm",
		"target.spm",
		"special_tokens_map.json",
		"added_tokens.json",
		"preprocessor_config.json",
		"sentence_bert_config.json",
		"modules.json",
		"1_Pooling/config.json",
	};
	char path[NAME_BYTES_MAX];
	size_t index;

	json_write_open(json, "preprocessing_files", '[');
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!stage_repo_find(repo, names[i], &index))
			continue;
		snprintf(path, sizeof(path), "repo/%s", names[i]);
		json_write_text(json, NULL, path);
	}
	json_write_close(json, ']');
}

/* What is done to an image, where the repository says it. */
static int write_preprocessing(struct json_write *json,
			       const struct stage_repo *repo)
{
	auto_json struct json_doc *doc = NULL;
	int r = stage_repo_json(repo, "preprocessor_config.json", &doc);

	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r == 0)
		preprocessing_of_processor(json, json_root(doc));
	return r;
}

static void write_labels(struct json_write *json, const struct json *config)
{
	const struct json *labels = json_get(config, "id2label");

	if (json_kind(labels) != JSON_OBJECT)
		return;
	json_write_open(json, "labels", '{');
	for (const struct json *label = json_first(labels); label;
	     label = json_next(label))
		if (json_string(label))
			json_write_text(json, json_key(label),
					json_string(label));
	json_write_close(json, '}');
}

/* @digest has DIGEST_TEXT bytes; "" where the hub gives none. */
static int source_digest(const struct stage_repo *repo, const char *path,
			 char *digest)
{
	auto_blob struct blob *blob = NULL;
	int r = stage_repo_open_path(repo, path, &blob);

	digest[0] = '\0';
	if (r == 0)
		digest_text(&blob->digest, digest);
	return r == -ENOENT ? 0 : r;
}

static void write_source(struct json_write *json, const char *path,
			 uint64_t size, const char *digest)
{
	json_write_open(json, NULL, '{');
	json_write_text(json, "path", path);
	json_write_u64(json, "size", size);
	if (digest[0])
		json_write_text(json, "digest", digest);
	json_write_close(json, '}');
}

static int write_sources(struct json_write *json, const struct stage_repo *repo,
			 const struct plan *plan)
{
	char digest[DIGEST_TEXT];
	int r;

	json_write_open(json, "sources", '[');
	for (size_t i = 0; i < plan->source_count; i++) {
		const struct plan_source *source = &plan->sources[i];

		r = source_digest(repo, source->path, digest);
		if (r < 0)
			return r;
		write_source(json, source->path, source->size, digest);
	}
	json_write_close(json, ']');
	return 0;
}

static void write_plan(struct json_write *json, const char *key,
		       const struct plan *plan)
{
	json_write_open(json, key, '{');
	if (plan->digest[0])
		json_write_text(json, "digest", plan->digest);
	json_write_u64(json, "size", plan->size);
	json_write_u64(json, "generated_bytes", plan->byte_count);
	json_write_close(json, '}');
}

static void write_ignored(struct json_write *json,
			  const struct staged_model *model)
{
	json_write_open(json, "ignored_tensors", '[');
	for (size_t i = 0; i < model->ignored_count; i++)
		json_write_text(json, NULL, model->ignored[i]);
	json_write_close(json, ']');
}

static bool has_labels(enum model_task task)
{
	switch (task) {
	case TASK_TEXT_CLASSIFICATION:
	case TASK_TOKEN_CLASSIFICATION:
	case TASK_AUDIO_CLASSIFICATION:
	case TASK_IMAGE_CLASSIFICATION:
	case TASK_IMAGE_SEGMENTATION:
		return true;
	default:
		return false;
	}
}

static void write_model(struct json_write *json, const struct json *config,
			const struct stage_view *view,
			const struct staged_model *model)
{
	enum model_task task = view->task;

	json_write_text(json, "task", task_name(task));
	json_write_text(json, "family", model->family);
	json_write_text(json, "format", model_format_name(view->format));
	json_write_text(json, "form", form_name(view->form));
	json_write_text(json, "profile", profile_name(view->profile));
	json_write_raw(json, "forms", "[\"plain\",\"dl4j\"]");
	write_values(json, "inputs", model->inputs, model->input_count);
	write_values(json, "outputs", model->outputs, model->output_count);
	if (model->max_length > 0)
		json_write_u64(json, "max_length", model->max_length);
	if (has_labels(task))
		write_labels(json, config);
	json_write_u64(json, "nodes", model->node_count);
	write_ignored(json, model);
	write_plan(json, "plan", model->onnx);
	if (model->data)
		write_plan(json, "data_plan", model->data);
}

/* The files beside staged.onnx that hold the same graph in two. */
static void write_parts(struct json_write *json,
			struct staged_model *const *models)
{
	if (!models[PART_ENCODER] && !models[PART_DECODER])
		return;
	json_write_open(json, "parts", '[');
	for (unsigned int i = PART_ENCODER; i < PART_COUNT; i++) {
		const struct staged_model *model = models[i];

		if (!model)
			continue;
		json_write_open(json, NULL, '{');
		json_write_text(json, "file", part_name(i));
		write_values(json, "inputs", model->inputs, model->input_count);
		write_values(json, "outputs", model->outputs,
			     model->output_count);
		json_write_u64(json, "nodes", model->node_count);
		write_plan(json, "plan", model->onnx);
		if (model->data)
			write_plan(json, "data_plan", model->data);
		json_write_close(json, '}');
	}
	json_write_close(json, ']');
}

/* Models that the repository has as ONNX already; where they are shown. */
static void write_shipped(struct json_write *json,
			  const struct stage_repo *repo)
{
	char path[PATH_BYTES_MAX];
	const char *name;
	size_t at = 0;

	if (!view_onnx_exists(repo))
		return;
	json_write_open(json, "shipped_onnx", '[');
	while ((name = view_onnx_next(repo, &at))) {
		snprintf(path, sizeof(path), "onnx/%s", name);
		json_write_text(json, NULL, path);
	}
	json_write_close(json, ']');
}

int info_of_model(const struct stage_repo *repo,
		  const struct checkpoint *checkpoint,
		  const struct stage_view *view,
		  struct staged_model *const *models, struct str *out)
{
	const struct staged_model *model = models[PART_WHOLE];
	const struct plan *weights = model->data ? model->data : model->onnx;
	struct json_write json;
	int r;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	write_origin(&json, repo);
	write_model(&json, json_root(checkpoint->config), view, model);
	write_parts(&json, models);
	write_shipped(&json, repo);
	info_write_preprocessing_files(&json, repo);
	r = write_preprocessing(&json, repo);
	if (r == 0)
		r = write_sources(&json, repo, weights);
	json_write_close(&json, '}');
	json_write_newline(&json);
	return r < 0 ? r : json_write_end(&json);
}

static void write_facts(struct json_write *json, const struct stage_repo *repo)
{
	if (repo->facts)
		json_write_members(json, repo->facts);
}

int info_of_staged(const struct stage_repo *repo, const char *how,
		   const char *form, const struct staged_model *model,
		   struct str *out)
{
	const struct plan *weights = model->data ? model->data : model->onnx;
	struct json_write json;
	int r;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	write_origin(&json, repo);
	write_facts(&json, repo);
	json_write_text(&json, "staged_by", how);
	if (form)
		json_write_text(&json, "form", form);
	write_values(&json, "inputs", model->inputs, model->input_count);
	write_values(&json, "outputs", model->outputs, model->output_count);
	if (model->node_count)
		json_write_u64(&json, "nodes", model->node_count);
	if (model->ignored_count)
		write_ignored(&json, model);
	write_plan(&json, "plan", model->onnx);
	if (model->data)
		write_plan(&json, "data_plan", model->data);
	r = write_sources(&json, repo, weights);
	json_write_close(&json, '}');
	json_write_newline(&json);
	return r < 0 ? r : json_write_end(&json);
}

int info_of_files(const struct stage_repo *repo, struct str *out)
{
	char digest[DIGEST_TEXT];
	struct json_write json;
	int r = 0;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	write_origin(&json, repo);
	write_facts(&json, repo);
	json_write_open(&json, "sources", '[');
	for (size_t i = 0; r == 0 && i < repo->file_count; i++) {
		r = source_digest(repo, repo->files[i].path, digest);
		write_source(&json, repo->files[i].path, repo->files[i].size,
			     digest);
	}
	json_write_close(&json, ']');
	json_write_close(&json, '}');
	json_write_newline(&json);
	return r < 0 ? r : json_write_end(&json);
}

static void write_aliases(struct json_write *json,
			  const struct safetensors_view *view)
{
	json_write_open(json, "dropped_aliases", '{');
	for (size_t i = 0; i < view->alias_count; i++)
		json_write_text(json, view->aliases[i].dropped->name,
				view->aliases[i].kept->name);
	json_write_close(json, '}');
}

int info_of_safetensors(const struct stage_repo *repo,
			const struct safetensors_view *view, struct str *out)
{
	struct json_write json;
	int r;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	write_origin(&json, repo);
	json_write_u64(&json, "tensors", view->tensor_count);
	write_aliases(&json, view);
	write_plan(&json, "plan", view->plan);
	r = write_sources(&json, repo, view->plan);
	json_write_close(&json, '}');
	json_write_newline(&json);
	return r < 0 ? r : json_write_end(&json);
}

int info_of_refusal(const struct refusal *why, const char *model_type,
		    const char *task, struct str *out)
{
	struct json_write json;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "state", "refused");
	json_write_text(&json, "code", why->code ? why->code : "refused");
	json_write_text(&json, "reason", why->reason);
	json_write_text(&json, "detail", why->detail);
	json_write_text(&json, "model_type", model_type);
	json_write_text(&json, "task", task);
	json_write_close(&json, '}');
	json_write_newline(&json);
	return json_write_end(&json);
}
