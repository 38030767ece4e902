/* SPDX-License-Identifier: MIT */
#include "staging/external/convert_info.h"

#include "staging/info.h"
#include "staging/json_write.h"

static void write_dimensions(struct json_write *json, const struct json *shape)
{
	const struct json *dimension = json_first(shape);
	uint64_t size;

	json_write_open(json, "shape", '[');
	for (; dimension; dimension = json_next(dimension)) {
		if (json_u64(dimension, &size))
			json_write_u64(json, NULL, size);
		else
			json_write_text(json, NULL, json_string(dimension));
	}
	json_write_close(json, ']');
}

static void write_looked(struct json_write *json, const char *key,
			 const struct json *values)
{
	const struct json *value = json_first(values);

	json_write_open(json, key, '[');
	for (; value; value = json_next(value)) {
		json_write_open(json, NULL, '{');
		json_write_text(json, "name",
				json_string(json_get(value, "name")));
		json_write_text(json, "dtype",
				json_string(json_get(value, "dtype")));
		write_dimensions(json, json_get(value, "shape"));
		json_write_close(json, '}');
	}
	json_write_close(json, ']');
}

/* A model that was converted: the look at it, as it stands. */
static void write_looks(struct json_write *json, const struct json *files)
{
	const struct json *file = json_first(files);

	for (; file; file = json_next(file)) {
		const struct json *look = json_get(file, "look");

		if (json_kind(look) != JSON_OBJECT)
			continue;
		write_looked(json, "inputs", json_get(look, "inputs"));
		write_looked(json, "outputs", json_get(look, "outputs"));
		return;
	}
}

static void write_kept(struct json_write *json, const struct json *files)
{
	const struct json *file = json_first(files);

	json_write_open(json, "files", '[');
	for (; file; file = json_next(file)) {
		uint64_t size = 0;

		json_u64(json_get(file, "size"), &size);
		json_write_open(json, NULL, '{');
		json_write_text(json, "name",
				json_string(json_get(file, "name")));
		json_write_u64(json, "size", size);
		json_write_text(json, "sha256",
				json_string(json_get(file, "sha256")));
		json_write_close(json, '}');
	}
	json_write_close(json, ']');
}

int info_of_converted(const struct stage_repo *repo, const char *task,
		      const struct json *result, struct str *out)
{
	static const char *const told[] = { "command", "version", "sandbox" };
	const struct json *files = json_get(result, "files");
	struct json_write json;
	uint64_t seconds = 0;

	json_u64(json_get(result, "seconds"), &seconds);
	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	info_write_whose(&json, repo);
	json_write_open(&json, "converter", '{');
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		json_write_text(&json, told[i],
				json_string(json_get(result, told[i])));
	json_write_u64(&json, "seconds", seconds);
	json_write_close(&json, '}');
	json_write_text(&json, "task", task);
	json_write_text(&json, "form", "converted");
	write_looks(&json, files);
	write_kept(&json, files);
	info_write_preprocessing_files(&json, repo);
	json_write_close(&json, '}');
	json_write_newline(&json);
	return json_write_end(&json);
}
