/* SPDX-License-Identifier: MIT */
#include "staging/models/config_read.h"

#include <string.h>

void config_refuse(struct emit *emit, const char *key)
{
	graph_refuse(emit->graph, "unsupported-config", key,
		     "the configuration's \"%s\" has a value that is not "
		     "supported",
		     key);
}

/* NULL: missing, or null. */
static const struct json *value_of(const struct emit *emit, const char *key)
{
	const struct json *value = json_get(emit->config, key);

	return json_kind(value) == JSON_NULL ? NULL : value;
}

static uint64_t ranged(struct emit *emit, const char *key, uint64_t otherwise,
		       uint64_t min, uint64_t max)
{
	const struct json *value = value_of(emit, key);
	uint64_t got;

	if (!value)
		return otherwise;
	if (json_u64(value, &got) && got >= min && got <= max)
		return got;
	config_refuse(emit, key);
	return otherwise;
}

uint64_t config_count(struct emit *emit, const char *key, uint64_t otherwise,
		      uint64_t max)
{
	return ranged(emit, key, otherwise, 1, max);
}

uint64_t config_index(struct emit *emit, const char *key, uint64_t otherwise,
		      uint64_t max)
{
	return ranged(emit, key, otherwise, 0, max);
}

double config_number(struct emit *emit, const char *key, double otherwise)
{
	const struct json *value = value_of(emit, key);
	double got;

	if (!value)
		return otherwise;
	if (json_double(value, &got))
		return got;
	config_refuse(emit, key);
	return otherwise;
}

double config_epsilon(struct emit *emit, const char *key, double otherwise)
{
	double got = config_number(emit, key, otherwise);

	if (got >= 0 && got <= 1)
		return got;
	config_refuse(emit, key);
	return otherwise;
}

const char *config_text(struct emit *emit, const char *key,
			const char *otherwise)
{
	const struct json *value = value_of(emit, key);

	if (!value)
		return otherwise;
	if (!json_string(value)) {
		config_refuse(emit, key);
		return otherwise;
	}
	return json_string(value);
}

bool config_flag(struct emit *emit, const char *key, bool otherwise)
{
	const struct json *value = value_of(emit, key);

	if (value && json_kind(value) != JSON_BOOL)
		config_refuse(emit, key);
	return json_bool(value, otherwise);
}

void config_list(struct emit *emit, const char *key, uint64_t max,
		 struct config_list *list)
{
	const struct json *value = value_of(emit, key), *at;
	size_t count = json_count(value);

	if (!value)
		return;
	if (json_kind(value) != JSON_ARRAY || count == 0 ||
	    count > MODEL_STAGES_MAX) {
		config_refuse(emit, key);
		return;
	}
	list->count = count;
	at = json_first(value);
	for (size_t i = 0; i < count; i++, at = json_next(at))
		if (!json_u64(at, &list->at[i]) || list->at[i] < 1 ||
		    list->at[i] > max) {
			list->at[i] = 1;
			config_refuse(emit, key);
		}
}

void config_pair(struct emit *emit, const char *key, uint64_t otherwise,
		 uint64_t max, uint64_t pair[2])
{
	struct config_list list = { 2, { otherwise, otherwise } };

	if (json_kind(json_get(emit->config, key)) == JSON_ARRAY) {
		config_list(emit, key, max, &list);
		if (list.count != 2)
			config_refuse(emit, key);
		pair[0] = list.at[0];
		pair[1] = list.at[1];
		return;
	}
	pair[0] = pair[1] = config_count(emit, key, otherwise, max);
}

/* Anything but null, false, 0, "" and what is empty. */
static bool is_set(const struct json *value)
{
	uint64_t number;

	switch (json_kind(value)) {
	case JSON_MISSING:
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return json_bool(value, true);
	case JSON_NUMBER:
		return !json_u64(value, &number) || number != 0;
	case JSON_STRING:
		return json_string(value)[0] != '\0';
	default:
		return json_count(value) > 0;
	}
}

void config_only_unset(struct emit *emit, const char *key)
{
	if (is_set(json_get(emit->config, key)))
		config_refuse(emit, key);
}

bool config_is_null(const struct emit *emit, const char *key)
{
	return json_kind(json_get(emit->config, key)) == JSON_NULL;
}

void config_only_number(struct emit *emit, const char *key, double value)
{
	if (config_number(emit, key, value) != value)
		config_refuse(emit, key);
}

void config_only_flag(struct emit *emit, const char *key, bool value)
{
	if (config_flag(emit, key, value) != value)
		config_refuse(emit, key);
}

void config_only_text(struct emit *emit, const char *key, const char *value)
{
	if (strcmp(config_text(emit, key, value), value) != 0)
		config_refuse(emit, key);
}

static bool is_in(const char *key, const char *const *keys)
{
	for (; keys && *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

void config_check(struct emit *emit, const char *const *computed)
{
	static const char *const unset[] = {
		"adapters",
		"adapter_fusion",
		"add_cross_attention",
		"cross_attention_hidden_size",
		"is_decoder",
		"is_encoder_decoder",
		"pruned_heads",
		"quantization_config",
	};
	const char *position;

	if (!family_knows_code(emit->config))
		config_refuse(emit, "auto_map");
	for (size_t i = 0; i < ARRAY_LEN(unset); i++)
		if (!is_in(unset[i], computed))
			config_only_unset(emit, unset[i]);
	if (is_in("position_embedding_type", computed))
		return;
	position = config_text(emit, "position_embedding_type", "absolute");
	if (strcmp(position, "absolute") != 0)
		config_refuse(emit, "position_embedding_type");
}
