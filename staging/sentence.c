/* SPDX-License-Identifier: MIT */
#include "staging/sentence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "staging/stage_repo.h"
#include "staging/weights/weights_open.h"

#define MODULES_NAME "modules.json"

/* The two generations of keys of a pooling's config.json. */
static const struct {
	const char *flag; /* true or false each */
	const char *mode; /* one of these, or a list of them */
} poolings[POOLING_COUNT] = {
	[POOLING_CLS] = { "pooling_mode_cls_token", "cls" },
	[POOLING_MAX] = { "pooling_mode_max_tokens", "max" },
	[POOLING_MEAN] = { "pooling_mode_mean_tokens", "mean" },
	[POOLING_MEAN_SQRT] = { "pooling_mode_mean_sqrt_len_tokens",
				"mean_sqrt_len_tokens" },
	[POOLING_WEIGHTED] = { "pooling_mode_weightedmean_tokens",
			       "weightedmean" },
	[POOLING_LAST] = { "pooling_mode_lasttoken", "lasttoken" },
};

static const struct {
	const char *class; /* end of the name in torch.nn */
	const char *activation;
} activations[] = {
	{ ".Identity", "linear" }, { ".Tanh", "tanh" },
	{ ".GELU", "gelu" },	   { ".ReLU", "relu" },
	{ ".Sigmoid", "sigmoid" }, { ".SiLU", "silu" },
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool mode_add(struct sentence *sentence, const char *mode)
{
	for (size_t i = 0; mode && i < POOLING_COUNT; i++)
		if (strcmp(poolings[i].mode, mode) == 0) {
			sentence->poolings[i] = true;
			return true;
		}
	return false;
}

/* -EBADMSG: refused. */
static int read_poolings(const struct json *config, struct sentence *sentence)
{
	const struct json *mode = json_get(config, "pooling_mode");
	bool some = false, known = true;

	for (size_t i = 0; i < POOLING_COUNT; i++)
		sentence->poolings[i] =
			json_bool(json_get(config, poolings[i].flag), false);
	if (json_kind(mode) == JSON_STRING)
		known = mode_add(sentence, json_string(mode));
	for (const struct json *at = json_first(mode); at; at = json_next(at))
		known = known && mode_add(sentence, json_string(at));
	for (size_t i = 0; i < POOLING_COUNT; i++)
		some = some || sentence->poolings[i];
	if (some && known)
		return 0;
	return refuse(&sentence->why, "unsupported-pooling", "pooling_mode",
		      "the pooling of tokens is none that is known");
}

static int module_config(const struct stage_repo *repo, const char *path,
			 struct sentence *sentence, struct json_doc **out)
{
	char name[SENTENCE_PATH_MAX + 32];
	int r;

	snprintf(name, sizeof(name), "%s/config.json", path);
	r = stage_repo_json(repo, name, out);
	if (r == -ENOENT || r == -EBADMSG)
		return refuse(&sentence->why, "config", path,
			      "the configuration of the module %s is missing, "
			      "or not valid JSON",
			      path);
	return r;
}

static int add_pooling(const struct stage_repo *repo, const char *path,
		       struct sentence *sentence)
{
	auto_json struct json_doc *config = NULL;
	int r = module_config(repo, path, sentence, &config);

	return r < 0 ? r : read_poolings(json_root(config), sentence);
}

static int read_dense(const struct json *config, const char *path,
		      struct sentence *sentence, struct sentence_step *step)
{
	const char *class =
		json_string(json_get(config, "activation_function"));

	step->has_bias = json_bool(json_get(config, "bias"), true);
	if (!class)
		step->activation = "tanh";
	for (size_t i = 0; class && i < ARRAY_LEN(activations); i++)
		if (ends_with(class, activations[i].class))
			step->activation = activations[i].activation;
	if (step->activation)
		return 0;
	return refuse(&sentence->why, "unsupported-activation", class,
		      "the activation of the module %s is not known", path);
}

/* The weights of @path, found by the names that are usual there. */
static int dense_weights(const struct stage_repo *repo, const char *path,
			 struct sentence *sentence, struct weights **out)
{
	static const char *const names[] = { "model.safetensors",
					     "pytorch_model.bin" };
	char name[SENTENCE_PATH_MAX + 32];
	size_t index;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof(name), "%s/%s", path, names[i]);
		if (stage_repo_find(repo, name, &index))
			return weights_open_file(repo, index, out,
						 &sentence->why);
	}
	return refuse(&sentence->why, "missing-weights", path,
		      "the module %s has no weights", path);
}

static int add_dense(const struct stage_repo *repo, const char *path,
		     struct sentence *sentence, struct sentence_step *step,
		     struct weights *weights)
{
	auto_json struct json_doc *config = NULL;
	auto_weights struct weights *own = NULL;
	int r = module_config(repo, path, sentence, &config);

	step->kind = SENTENCE_DENSE;
	snprintf(step->prefix, sizeof(step->prefix), "%s/", path);
	if (r == 0)
		r = read_dense(json_root(config), path, sentence, step);
	if (r == 0)
		r = dense_weights(repo, path, sentence, &own);
	return r < 0 ? r : weights_absorb(weights, own, step->prefix);
}

static int add_module(const struct stage_repo *repo, const struct json *module,
		      struct sentence *sentence, struct weights *weights)
{
	const char *type = json_string(json_get(module, "type"));
	const char *path = json_string(json_get(module, "path"));
	struct sentence_step *step = &sentence->steps[sentence->step_count];

	if (!type || !path || strlen(path) > SENTENCE_PATH_MAX)
		return refuse(&sentence->why, "config", MODULES_NAME,
			      "modules.json has a module without a type or a "
			      "path");
	if (ends_with(type, ".Pooling"))
		return add_pooling(repo, path, sentence);
	if (sentence->step_count < SENTENCE_STEPS_MAX &&
	    ends_with(type, ".Normalize")) {
		sentence->step_count++;
		step->kind = SENTENCE_NORMALIZE;
		return 0;
	}
	if (sentence->step_count < SENTENCE_STEPS_MAX &&
	    ends_with(type, ".Dense")) {
		sentence->step_count++;
		return add_dense(repo, path, sentence, step, weights);
	}
	return refuse(&sentence->why, "unsupported-module", type,
		      "the module %s is not supported", type);
}

/* The model, its pooling, and then what follows. */
static int add_modules(const struct stage_repo *repo, const struct json *list,
		       struct sentence *sentence, struct weights *weights)
{
	const struct json *module = json_first(list);
	const char *type = json_string(json_get(module, "type"));
	const char *path = json_string(json_get(module, "path"));
	const char *second = json_string(
		json_get(module ? json_next(module) : NULL, "type"));
	int r = 0;

	if (!type || !ends_with(type, ".Transformer") || !path || *path ||
	    !second || !ends_with(second, ".Pooling"))
		return refuse(&sentence->why, "unsupported-module",
			      MODULES_NAME,
			      "modules.json does not begin with a Transformer "
			      "at the root and its Pooling");
	while (r == 0 && (module = json_next(module)))
		r = add_module(repo, module, sentence, weights);
	return r;
}

int sentence_open(const struct stage_repo *repo, struct weights *weights,
		  struct sentence **out)
{
	auto_sentence struct sentence *sentence = NULL;
	auto_json struct json_doc *modules = NULL;
	int r = stage_repo_json_array(repo, MODULES_NAME, &modules);

	if (r < 0 && r != -EBADMSG)
		return r;
	sentence = mem_zalloc(sizeof(*sentence));
	if (!sentence)
		return -ENOMEM;
	if (r == -EBADMSG)
		r = refuse(&sentence->why, "config", MODULES_NAME,
			   "modules.json is not valid JSON");
	else
		r = add_modules(repo, json_root(modules), sentence, weights);
	if (r == -EBADMSG)
		r = refuse(&sentence->why, "config", MODULES_NAME,
			   "the modules of the sentence cannot be read");
	if (r < 0 && r != -EBADMSG)
		return r;
	*out = take_ptr(sentence);
	return 0;
}

void sentence_free(struct sentence *sentence)
{
	if (!sentence)
		return;
	refusal_release(&sentence->why);
	free(sentence);
}
