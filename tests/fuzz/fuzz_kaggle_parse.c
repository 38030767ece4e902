/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "providers/kaggle_parse.h"

/* A part of a name is a safe file name, and safe in a URL as it is. */
static void part_check(const char *part)
{
	assert(!part ||
	       (repo_path_ok(part, strlen(part)) && !strpbrk(part, "/?#%@ ")));
}

static void name_check(const char *text,
		       int (*parse)(const char *text, struct kaggle_name *out))
{
	auto_kaggle_name struct kaggle_name name = { 0 };

	if (parse(text, &name) < 0)
		return;
	assert(name.owner);
	part_check(name.owner);
	part_check(name.model);
	part_check(name.variation);
	part_check(name.version);
}

static void names_check(const uint8_t *data, size_t len)
{
	char text[1024];
	bool whole;

	if (len >= sizeof(text))
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	name_check(text, kaggle_path_parse);
	name_check(text, kaggle_handle_parse);
	name_check(text, kaggle_page_parse);
	if (kaggle_old_path_ok(text, &whole))
		assert(repo_path_ok(text, strlen(text)));
}

/* What was read is written as what reads the same. */
static void instances_check(const uint8_t *data, size_t len)
{
	auto_kaggle_instances struct kaggle_instances found = { 0 };
	auto_kaggle_instances struct kaggle_instances again = { 0 };
	auto_str struct str text;

	str_init(&text, HUB_JSON_BYTES_MAX);
	if (kaggle_instances_parse(data, len, &found) < 0 ||
	    kaggle_instances_encode(&found, &text) < 0)
		return;
	assert(kaggle_instances_parse(text.bytes, text.len, &again) == 0);
	assert(again.count == found.count);
	for (size_t i = 0; i < found.count; i++) {
		part_check(found.list[i].variation);
		assert(again.list[i].framework == found.list[i].framework);
		assert(again.list[i].version == found.list[i].version);
	}
}

static void files_check(const uint8_t *data, size_t len)
{
	static const char folder[] = KAGGLE_FOLDER;
	auto_repo_files struct repo_files files = { 0 };
	auto_free char *next = NULL;

	if (kaggle_files_parse(data, len, &files, &next) < 0)
		return;
	for (size_t i = 0; i < files.count; i++) {
		const char *path = files.list[i].path;

		assert(repo_path_ok(path, strlen(path)));
		assert(!strncmp(path, folder, sizeof(folder) - 1));
	}
}

static int model_check(void *arg, const char *model)
{
	(void)arg;
	part_check(model);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_free char *next = NULL;

	names_check(data, len);
	instances_check(data, len);
	files_check(data, len);
	(void)!kaggle_models_parse(data, len, "google", model_check, NULL,
				   &next);
	return 0;
}
