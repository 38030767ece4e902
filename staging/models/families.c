/* SPDX-License-Identifier: MIT */
#include "staging/models/family.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define FAMILY(name) &family_##name,

static const struct family *const families[] = {
#include "staging/models/families.def"
};

#undef FAMILY

/* "BertForMaskedLM", "BertModel", but not "BertGenerationDecoder". */
static bool is_of_class(const char *name, const char *class)
{
	size_t len = strlen(class);

	return strncmp(name, class, len) == 0 &&
	       (strncmp(name + len, "For", 3) == 0 ||
		strcmp(name + len, "Model") == 0);
}

static bool is_family(const struct json *config, const struct family *family)
{
	const char *type = json_string(json_get(config, "model_type"));
	const char *class;

	if (type)
		return strcmp(type, family->name) == 0;
	class = json_string(json_first(json_get(config, "architectures")));
	return class && is_of_class(class, family->class);
}

const struct family *family_find(const struct json *config)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (is_family(config, families[i]))
			return families[i];
	return NULL;
}

/* "microsoft/Phi-3-mini-4k-instruct--modeling_phi3.Phi3ForCausalLM" */
#define PUBLISHER "microsoft/"

static const char *without_repository(const char *class)
{
	const char *dashes = strstr(class, "--");

	if (!dashes || strncmp(class, PUBLISHER, strlen(PUBLISHER)) != 0)
		return class;
	return dashes + strlen("--");
}

/* What makes a model's inputs, and is no part of it. */
static bool is_preprocessing(const char *key)
{
	static const char *const keys[] = {
		"AutoFeatureExtractor", "AutoImageProcessor", "AutoProcessor",
		"AutoTokenizer",	"AutoVideoProcessor",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* AutoModelForCausalLM: "modeling_phi3.Phi3ForCausalLM" */
static bool is_own_class(const struct family *family, const struct json *entry)
{
	static const char model[] = "AutoModel";
	const char *key = json_key(entry), *class = json_string(entry);
	char want[NAME_BYTES_MAX];

	if (!family || !family->code || !class)
		return false;
	if (strcmp(key, "AutoConfig") == 0)
		snprintf(want, sizeof(want), "configuration_%s.%sConfig",
			 family->code, family->class);
	else if (strcmp(key, model) == 0)
		snprintf(want, sizeof(want), "modeling_%s.%sModel",
			 family->code, family->class);
	else if (strncmp(key, model, strlen(model)) == 0)
		snprintf(want, sizeof(want), "modeling_%s.%s%s", family->code,
			 family->class, key + strlen(model));
	else
		return false;
	return strcmp(without_repository(class), want) == 0;
}

bool family_knows_code(const struct json *config)
{
	const struct family *family = family_find(config);
	const struct json *map = json_get(config, "auto_map");

	if (json_kind(map) != JSON_OBJECT)
		return json_kind(map) <= JSON_NULL;
	for (const struct json *at = json_first(map); at; at = json_next(at))
		if (!is_preprocessing(json_key(at)) &&
		    !is_own_class(family, at))
			return false;
	return true;
}

bool family_is_class(const struct json *config, const char *end)
{
	const struct json *at = json_first(json_get(config, "architectures"));

	for (; at; at = json_next(at)) {
		const char *name = json_string(at);
		size_t len = name ? strlen(name) : 0;

		if (len >= strlen(end) &&
		    strcmp(name + len - strlen(end), end) == 0)
			return true;
	}
	return false;
}
