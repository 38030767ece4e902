/* SPDX-License-Identifier: MIT */
#include "fs/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define MOUNTPOINT_DEFAULT "/mnt/omnihub"

void config_init(struct config *config)
{
	*config = (struct config){
		.timeout_s = REQUEST_DEADLINE_S,
		.log_level = LOG_LEVEL_INFO,
		.keep_free_bytes = CACHE_FREE_MIN,
	};
}

void config_release(struct config *config)
{
	for (size_t i = 0; i < config->endpoint_count; i++) {
		free(config->endpoints[i].name);
		free(config->endpoints[i].value);
	}
	free(config->mountpoint);
	free(config->cache_dir);
	free(config->log_file);
	free(config->skeletons);
	free(config->converter);
	config_init(config);
}

static int set_string(char **field, const char *value)
{
	char *copy = mem_strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* A word of a fixed list to its number. */
static int set_word(const char *const *words, const char *value,
		    unsigned int *out)
{
	for (unsigned int i = 0; words[i]; i++) {
		if (strcmp(words[i], value) == 0) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_switch(bool *field, const char *value)
{
	static const char *const words[] = { "no", "yes", "false", "true", "0",
					     "1",  "off", "on",	   NULL };
	unsigned int word = 1;
	int r = value && *value ? set_word(words, value, &word) : 0;

	if (r == 0)
		*field = word & 1;
	return r;
}

static int set_endpoint(struct config *config, const char *name,
			const char *value)
{
	struct config_endpoint *endpoint;

	for (size_t i = 0; i < config->endpoint_count; i++)
		if (strcmp(config->endpoints[i].name, name) == 0)
			return set_string(&config->endpoints[i].value, value);
	if (config->endpoint_count == CONFIG_ENDPOINTS_MAX)
		return -EINVAL;
	endpoint = &config->endpoints[config->endpoint_count];
	endpoint->name = mem_strdup(name);
	endpoint->value = mem_strdup(value);
	config->endpoint_count++;
	return endpoint->name && endpoint->value ? 0 : -ENOMEM;
}

/* "huggingface=http://localhost:8000" */
static int set_endpoint_pair(struct config *config, const char *value)
{
	const char *equals = strchr(value, '=');
	auto_free char *name = NULL;

	if (!equals || equals == value || !equals[1])
		return -EINVAL;
	name = mem_strndup(value, (size_t)(equals - value));
	if (!name)
		return -ENOMEM;
	return set_endpoint(config, name, equals + 1);
}

static int set_seconds(unsigned int *field, const char *value)
{
	uint64_t seconds;
	int r = parse_u64(value, strlen(value), 24 * 3600, &seconds);

	if (r < 0 || seconds == 0)
		return -EINVAL;
	*field = (unsigned int)seconds;
	return 0;
}

static int set_size(uint64_t *field, const char *value, uint64_t at_least)
{
	uint64_t bytes;
	int r = parse_size(value, &bytes);

	if (r < 0 || bytes < at_least)
		return -EINVAL;
	*field = bytes;
	return 0;
}

/* -EINVAL here says what a command must be; the caller says it again. */
static int set_command(char **field, const char *value, struct str *why)
{
	int r = converter_check(value, why);

	return r ?: set_string(field, value);
}

static int set_choice(struct config *config, const char *name,
		      const char *value)
{
	static const char *const verify[] = { "complete", "full", "off", NULL };
	static const char *const forms[] = { "plain", "dl4j", NULL };
	static const char *const boxes[] = { "auto", "namespaces", "landlock",
					     "off", NULL };
	static const char *const profiles[] = { "portable", "native", NULL };
	static const char *const levels[] = { "error", "warn", "info", "debug",
					      NULL };
	unsigned int word;
	int r;

	if (strcmp(name, "verify") == 0) {
		r = set_word(verify, value, &word);
		if (r == 0)
			config->verify = (enum cache_verify)word;
	} else if (strcmp(name, "form") == 0) {
		r = set_word(forms, value, &word);
		if (r == 0)
			config->form = (enum stage_form)word;
	} else if (strcmp(name, "converter-sandbox") == 0) {
		r = set_word(boxes, value, &word);
		if (r == 0)
			config->converter_sandbox =
				(enum converter_sandbox)word;
	} else if (strcmp(name, "profile") == 0) {
		r = set_word(profiles, value, &word);
		if (r == 0)
			config->profile = (enum stage_profile)word;
	} else {
		r = set_word(levels, value, &word);
		if (r == 0)
			config->log_level = (enum log_level)word;
	}
	return r;
}

/* The settings, what they take, and what is said of a value that is wrong. */
enum setting_kind {
	TEXT,
	SIZE,
	SIZE_OR_NONE,
	SWITCH,
	CHOICE,
	ENDPOINT,
	SECONDS,
	COMMAND
};

static const struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	const char *takes;
} settings[] = {
	{ "cache", TEXT, offsetof(struct config, cache_dir), "a folder" },
	{ "cache-size", SIZE, offsetof(struct config, cache_bytes),
	  "a size such as 20G" },
	{ "keep-free", SIZE_OR_NONE, offsetof(struct config, keep_free_bytes),
	  "a size such as 10G" },
	{ "endpoint", ENDPOINT, 0, "NAME=URL or NAME=FOLDER" },
	{ "verify", CHOICE, 0, "complete, full or off" },
	{ "form", CHOICE, 0, "plain or dl4j" },
	{ "profile", CHOICE, 0, "portable or native" },
	{ "offline", SWITCH, offsetof(struct config, offline), "yes or no" },
	{ "allow-other", SWITCH, offsetof(struct config, allow_other),
	  "yes or no" },
	{ "foreground", SWITCH, offsetof(struct config, foreground),
	  "yes or no" },
	{ "timeout", SECONDS, offsetof(struct config, timeout_s),
	  "seconds, 1 to 86400" },
	{ "log", TEXT, offsetof(struct config, log_file), "a file" },
	{ "log-level", CHOICE, 0, "error, warn, info or debug" },
	{ "skeletons", TEXT, offsetof(struct config, skeletons), "a folder" },
	{ "converter", COMMAND, offsetof(struct config, converter),
	  "a command with {snapshot} and {out}, or none" },
	{ "converter-sandbox", CHOICE, 0, "auto, namespaces, landlock or off" },
	{ "converter-memory", SIZE, offsetof(struct config, converter_memory),
	  "a size such as 8G" },
	{ "converter-timeout", SECONDS,
	  offsetof(struct config, converter_timeout_s), "seconds, 1 to 86400" },
	{ "mountpoint", TEXT, offsetof(struct config, mountpoint), "a folder" },
};

static int setting_apply(struct config *config, const struct setting *setting,
			 const char *value, struct str *why)
{
	void *field = (char *)config + setting->offset;

	if (setting->kind == SWITCH)
		return set_switch(field, value);
	if (!value || !*value)
		return -EINVAL;
	switch (setting->kind) {
	case TEXT:
		return set_string(field, value);
	case SIZE:
		return set_size(field, value, 1);
	case SIZE_OR_NONE:
		return set_size(field, value, 0);
	case ENDPOINT:
		return set_endpoint_pair(config, value);
	case SECONDS:
		return set_seconds(field, value);
	case COMMAND:
		return set_command(field, value, why);
	default:
		return set_choice(config, setting->name, value);
	}
}

int config_set(struct config *config, const char *name, const char *value,
	       struct str *why)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		int r;

		if (strcmp(settings[i].name, name) != 0)
			continue;
		r = setting_apply(config, &settings[i], value, why);
		if (r == 0 || r == -ENOMEM)
			return r;
		return str_explain(why, -EINVAL, "%s%s takes %s, not \"%s\"",
				   why->len ? ": " : "", name,
				   settings[i].takes, value ? value : "");
	}
	return str_explain(why, -EINVAL, "there is no setting \"%s\"", name);
}

struct reading {
	struct config *config;
	struct str *why;
	int r;
};

/* inih's convention: 1 goes on, 0 is an error in this line. */
static int read_setting(void *user, const char *section, const char *name,
			const char *value)
{
	struct reading *reading = user;

	if (strcmp(section, "endpoints") == 0)
		reading->r = set_endpoint(reading->config, name, value);
	else if (*section)
		reading->r = str_explain(reading->why, -EINVAL,
					 "there is no section [%s]", section);
	else
		reading->r = config_set(reading->config, name, value,
					reading->why);
	return reading->r == 0;
}

int config_read(struct config *config, const char *path, struct str *why)
{
	struct reading reading = { config, why, 0 };
	int line = ini_parse(path, read_setting, &reading);

	if (line == 0)
		return 0;
	if (line < 0)
		return str_explain(why, -ENOENT, "cannot read %s", path);
	return str_explain(why, reading.r < 0 ? reading.r : -EINVAL,
			   " (%s, line %d)", path, line);
}

static int default_cache_dir(char **out)
{
	const char *cache_home = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (cache_home && *cache_home == '/')
		*out = mem_printf("%s/omnihub", cache_home);
	else if (home && *home == '/')
		*out = mem_printf("%s/.cache/omnihub", home);
	else
		*out = mem_strdup("/var/cache/omnihub");
	return *out ? 0 : -ENOMEM;
}

int config_complete(struct config *config, struct str *why)
{
	int r = 0;

	if (!config->mountpoint)
		r = set_string(&config->mountpoint, MOUNTPOINT_DEFAULT);
	if (r == 0 && !config->cache_dir)
		r = default_cache_dir(&config->cache_dir);
	if (r < 0 && str_append_text(why, "out of memory") < 0)
		return -ENOMEM;
	return r;
}

const char *config_endpoint(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->endpoint_count; i++)
		if (strcmp(config->endpoints[i].name, name) == 0)
			return config->endpoints[i].value;
	return NULL;
}
