/* SPDX-License-Identifier: MIT */
#include "staging/models/family.h"

#include <string.h>

static const struct family *const families[] = {
	&family_albert,	     &family_bert,	 &family_camembert,
	&family_deberta,     &family_deberta_v2, &family_distilbert,
	&family_electra,     &family_gpt2,	 &family_gpt_neo,
	&family_mpnet,	     &family_opt,	 &family_roberta,
	&family_xlm_roberta,
};

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
