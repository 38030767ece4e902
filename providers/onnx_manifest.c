/* SPDX-License-Identifier: MIT */
#include "providers/onnx_manifest.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/repo_facts.h"
#include "providers/url.h"

#define MIRROR "https://huggingface.co/onnxmodelzoo/"
#define TREE MIRROR "legacy_models/resolve/main/"
#define MEDIA "https://media.githubusercontent.com/media/onnx/models/main/"

static const char *const column_names[ONNX_COLUMNS] = {
	[ONNX_NAME] = "name",
	[ONNX_OPSET] = "opset",
	[ONNX_MODEL] = "model",
	[ONNX_PATH] = "path",
	[ONNX_SHA256] = "sha256",
	[ONNX_BYTES] = "bytes",
	[ONNX_TAR_PATH] = "tar_path",
	[ONNX_TAR_SHA256] = "tar_sha256",
	[ONNX_TAR_BYTES] = "tar_bytes",
	[ONNX_TAGS] = "tags",
	[ONNX_INPUTS] = "inputs",
	[ONNX_OUTPUTS] = "outputs",
	[ONNX_VERSION] = "onnx_version",
};

int onnx_manifest_load(struct onnx_manifest *manifest)
{
	int r = catalogue_load("onnx", &manifest->models);

	return r < 0 ? r
		     : catalogue_columns(manifest->models, column_names,
					 ONNX_COLUMNS, manifest->columns);
}

void onnx_manifest_release(struct onnx_manifest *manifest)
{
	catalogue_free(take_ptr(manifest->models));
}

const char *onnx_field(const struct onnx_manifest *manifest, size_t row,
		       enum onnx_column column)
{
	return catalogue_field(manifest->models, row,
			       manifest->columns[column]);
}

int onnx_find_row(const struct onnx_manifest *manifest, const char *path,
		  size_t *row)
{
	const char *slash = strchr(path, '/');
	auto_free char *name = NULL;
	struct catalogue_rows rows;

	if (!slash)
		return -ENOENT;
	name = mem_strndup(path, (size_t)(slash - path));
	if (!name)
		return -ENOMEM;
	rows = catalogue_find(manifest->models, name);
	for (size_t i = rows.first; i < rows.first + rows.count; i++) {
		if (strcmp(onnx_field(manifest, i, ONNX_OPSET), slash + 1) != 0)
			continue;
		*row = i;
		return 0;
	}
	return -ENOENT;
}

const char *onnx_safe_name(const struct onnx_manifest *manifest,
			   const char *name)
{
	size_t count = catalogue_all(manifest->models).count;

	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(onnx_field(manifest, i, ONNX_NAME), name) ||
		    !strcasecmp(onnx_field(manifest, i, ONNX_MODEL), name))
			return onnx_field(manifest, i, ONNX_NAME);
	return NULL;
}

void onnx_places_release(struct onnx_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->urls[i]);
	*places = (struct onnx_places){ 0 };
}

/* @url and @path, percent-encoded, as one more of @places. */
static int add_url(struct onnx_places *places, struct str *url,
		   const char *path)
{
	int r = url_append_path(url, path);

	if (r == 0)
		places->urls[places->count++] = str_take(url, NULL);
	return r;
}

static int add_place(struct onnx_places *places, const char *before,
		     const char *path)
{
	auto_str struct str url;
	int r;

	str_init(&url, URL_BYTES_MAX);
	r = str_append_text(&url, before);
	return r < 0 ? r : add_url(places, &url, path);
}

/* A repository of its own, named by @len bytes, with @file at its root. */
static int add_own_repo(struct onnx_places *places, const char *name,
			size_t len, const char *file)
{
	auto_free char *repo = mem_strndup(name, len);
	auto_str struct str url;
	int r;

	str_init(&url, URL_BYTES_MAX);
	if (!repo)
		return -ENOMEM;
	r = str_append_text(&url, MIRROR);
	if (r == 0)
		r = url_append_segment(&url, repo);
	if (r == 0)
		r = str_append_text(&url, "/resolve/main/");
	return r < 0 ? r : add_url(places, &url, file);
}

/* Without its ending. */
static size_t stem_of(const char *file)
{
	static const char *const endings[] = { ".onnx", ".tar.gz" };
	size_t len = strlen(file);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t ending = strlen(endings[i]);

		if (len > ending && !strcmp(file + len - ending, endings[i]))
			return len - ending;
	}
	return len;
}

/* The last folder of @path that is not called "model"; NULL: none. */
static const char *folder_of(const char *path, size_t *len)
{
	const char *end = strrchr(path, '/');

	while (end && end > path) {
		const char *at = memrchr(path, '/', (size_t)(end - path));
		const char *name = at ? at + 1 : path;

		*len = (size_t)(end - name);
		if (*len != 5 || memcmp(name, "model", 5) != 0)
			return name;
		end = at;
	}
	return NULL;
}

int onnx_places_of(const char *path, bool own, struct onnx_places *out)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t len = 0;
	const char *folder = folder_of(path, &len);
	int r;

	if (own)
		return add_place(out, "/", path);
	r = add_place(out, TREE, path);
	if (r == 0)
		r = add_own_repo(out, file, stem_of(file), file);
	if (r == 0 && folder)
		r = add_own_repo(out, folder, len, file);
	return r < 0 ? r : add_place(out, MEDIA, path);
}

int onnx_facts_of(const struct onnx_manifest *manifest, size_t row, char **out)
{
	static const struct {
		const char *name;
		enum onnx_column column;
	} texts[] = {
		{ "model", ONNX_MODEL },
		{ "onnx_version", ONNX_VERSION },
		{ "path", ONNX_PATH },
		{ "sha256", ONNX_SHA256 },
		{ "archive", ONNX_TAR_PATH },
		{ "archive_sha256", ONNX_TAR_SHA256 },
	};
	auto_repo_facts struct repo_facts facts;

	repo_facts_init(&facts);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		repo_facts_text(&facts, texts[i].name,
				onnx_field(manifest, row, texts[i].column));
	repo_facts_number(&facts, "opset",
			  onnx_field(manifest, row, ONNX_OPSET));
	repo_facts_list(&facts, "tags", onnx_field(manifest, row, ONNX_TAGS),
			",");
	repo_facts_ports(&facts, "inputs",
			 onnx_field(manifest, row, ONNX_INPUTS));
	repo_facts_ports(&facts, "outputs",
			 onnx_field(manifest, row, ONNX_OUTPUTS));
	return repo_facts_take(&facts, out);
}
