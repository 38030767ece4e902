/* SPDX-License-Identifier: MIT */
#include "staging/checkpoint.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "staging/models.h"
#include "staging/stage_repo.h"
#include "staging/weights/weights_open.h"

#define CONFIG_NAME "config.json"
#define ADAPTER_NAME "adapter_config.json"
#define PICKLED_FORMAT "torch-zip"

static bool has_file(const struct stage_repo *repo, const char *path)
{
	size_t index;

	return stage_repo_find(repo, path, &index);
}

bool checkpoint_exists(const struct stage_repo *repo, enum framework framework)
{
	size_t index;

	if (weights_pick(repo, framework, &index))
		return has_file(repo, CONFIG_NAME);
	return framework == FRAMEWORK_PYTORCH && has_file(repo, ADAPTER_NAME);
}

static bool has_safetensors(const struct stage_repo *repo)
{
	static const char suffix[] = ".safetensors";

	for (size_t i = 0; i < repo->file_count; i++) {
		const char *path = repo->files[i].path;
		size_t len = strlen(path);

		if (!strchr(path, '/') && len >= strlen(suffix) &&
		    strcmp(path + len - strlen(suffix), suffix) == 0)
			return true;
	}
	return false;
}

bool checkpoint_is_pickled(const struct stage_repo *repo)
{
	size_t index;
	const struct weights_kind *kind = weights_pick(repo, FRAMEWORK_PYTORCH,
						       &index);

	return kind && strcmp(kind->format, PICKLED_FORMAT) == 0 &&
	       !has_safetensors(repo);
}

static int read_config(const struct stage_repo *repo, struct json_doc **out,
		       struct refusal *why)
{
	int r = stage_repo_json(repo, CONFIG_NAME, out);

	if (r == -EBADMSG || r == -ENOENT)
		return refuse(why, "config", CONFIG_NAME,
			      "config.json is missing, or not valid JSON");
	return r;
}

/* What no known graph computes, whatever the architecture. */
static int check_config(const struct json *config, struct refusal *why)
{
	const struct json *quantization = json_get(config,
						   "quantization_config");

	if (!models_know_code(config))
		return refuse(why, "remote-code", "auto_map",
			      "the model needs Python code of its repository");
	if (json_kind(quantization) == JSON_OBJECT)
		return refuse(why, "quantized", "quantization_config",
			      "the weights are quantized");
	return 0;
}

int checkpoint_open_weights(const struct stage_repo *repo,
			    enum framework framework, struct checkpoint *out,
			    struct refusal *why)
{
	size_t index;
	const struct weights_kind *kind = weights_pick(repo, framework, &index);

	if (!kind)
		return refuse(why, "adapter", ADAPTER_NAME,
			      "the repository holds an adapter, not the "
			      "weights of a model");
	return weights_open(repo, kind, index, &out->weights, why);
}

static int open_sentence(const struct stage_repo *repo, struct checkpoint *out)
{
	int r = sentence_open(repo, out->weights, &out->sentence);

	return r == -ENOENT ? 0 : r;
}

int checkpoint_open(const struct stage_repo *repo, enum framework framework,
		    struct checkpoint *out, struct refusal *why)
{
	size_t index;
	int r = 0;

	if (weights_pick(repo, framework, &index))
		r = read_config(repo, &out->config, why);
	if (r == 0 && out->config)
		r = check_config(json_root(out->config), why);
	if (r == 0)
		r = checkpoint_open_weights(repo, framework, out, why);
	return r < 0 ? r : open_sentence(repo, out);
}

void checkpoint_release(struct checkpoint *checkpoint)
{
	json_free(checkpoint->config);
	weights_free(checkpoint->weights);
	sentence_free(checkpoint->sentence);
}

const char *checkpoint_model_type(const struct checkpoint *checkpoint)
{
	if (!checkpoint->config)
		return NULL;
	return json_string(
		json_get(json_root(checkpoint->config), "model_type"));
}
