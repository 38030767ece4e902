/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

/* A slug is what a path of that one part would be. */
static bool slug_ok(const char *text)
{
	auto_kaggle_name struct kaggle_name name = { 0 };

	return text && !strchr(text, '/') &&
	       kaggle_path_parse(text, &name) == 0;
}

/* *@out: a copy, or NULL where there is no such text.  -ENOMEM. */
static int copy_string(const struct json *value, char **out)
{
	const char *text = json_string(value);

	if (!text || !*text)
		return 0;
	*out = mem_strdup(text);
	return *out ? 0 : -ENOMEM;
}

/* JSON's numbers, and those that protobuf writes as texts. */
static bool number_of(const struct json *value, uint64_t max, uint64_t *out)
{
	const char *text = json_string(value);

	if (text)
		return parse_u64(text, strlen(text), max, out) == 0;
	return json_u64(value, out) && *out <= max;
}

static const char *framework_of(const struct json *instance)
{
	const char *text = json_string(json_get(instance, "framework"));

	return text ? kaggle_framework(text, strlen(text)) : NULL;
}

/* ---- variations ---- */

void kaggle_instances_release(struct kaggle_instances *instances)
{
	for (size_t i = 0; i < instances->count; i++) {
		free(instances->list[i].variation);
		free(instances->list[i].licence);
		free(instances->list[i].url);
	}
	free(instances->list);
	*instances = (struct kaggle_instances){ 0 };
}

static int instance_fill(const struct json *json, const char *slug,
			 struct kaggle_instance *out)
{
	const struct json *tunable = json_get(json, "fineTunable");

	out->framework = framework_of(json);
	out->has_fine_tunable = json_kind(tunable) == JSON_BOOL;
	out->fine_tunable = json_bool(tunable, false);
	if (!number_of(json_get(json, "versionNumber"), KAGGLE_VERSION_MAX,
		       &out->version))
		out->version = 0;
	out->variation = mem_strdup(slug);
	if (!out->variation ||
	    copy_string(json_get(json, "licenseName"), &out->licence) < 0 ||
	    copy_string(json_get(json, "url"), &out->url) < 0)
		return -ENOMEM;
	return 0;
}

/* Adds it, where it is one of ours. */
static int instance_add(const struct json *json, struct kaggle_instances *out)
{
	const char *slug = json_string(json_get(json, "slug"));
	struct kaggle_instance *list;

	if (!framework_of(json) || !slug_ok(slug))
		return 0;
	if (out->count == HUB_ENTRIES_MAX)
		return -EFBIG;
	list = mem_resize(out->list, out->count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	out->list = list;
	list[out->count] = (struct kaggle_instance){ 0 };
	return instance_fill(json, slug, &list[out->count++]);
}

int kaggle_instances_parse(const void *bytes, size_t len,
			   struct kaggle_instances *out)
{
	auto_kaggle_instances struct kaggle_instances found = { 0 };
	auto_json struct json_doc *doc = NULL;
	const struct json *root, *list;
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);

	*out = found;
	if (r < 0)
		return r;
	root = json_root(doc);
	list = json_get(root, "instances");
	if (json_kind(root) != JSON_OBJECT)
		return -EBADMSG;
	if (json_kind(list) != JSON_ARRAY)
		r = instance_add(root, &found);
	else
		for (list = json_first(list); list && r == 0;
		     list = json_next(list))
			r = instance_add(list, &found);
	if (r < 0)
		return r;
	*out = found;
	found = (struct kaggle_instances){ 0 };
	return 0;
}

static int put_member(struct str *out, const char *name, const char *text)
{
	int r;

	if (!text)
		return 0;
	r = str_printf(out, ",\"%s\":", name);
	return r < 0 ? r : str_append_json(out, text, strlen(text));
}

static int instance_encode(const struct kaggle_instance *instance,
			   struct str *out)
{
	int r = str_printf(out,
			   "{\"framework\":\"%s\",\"slug\":\"%s\","
			   "\"versionNumber\":%" PRIu64,
			   instance->framework, instance->variation,
			   instance->version);

	if (r == 0 && instance->has_fine_tunable)
		r = str_printf(out, ",\"fineTunable\":%s",
			       instance->fine_tunable ? "true" : "false");
	if (r == 0)
		r = put_member(out, "licenseName", instance->licence);
	if (r == 0)
		r = put_member(out, "url", instance->url);
	return r < 0 ? r : str_append_char(out, '}');
}

int kaggle_instances_encode(const struct kaggle_instances *instances,
			    struct str *out)
{
	int r = str_append_text(out, "{\"instances\":[");

	for (size_t i = 0; r == 0 && i < instances->count; i++) {
		if (i > 0)
			r = str_append_char(out, ',');
		if (r == 0)
			r = instance_encode(&instances->list[i], out);
	}
	return r < 0 ? r : str_append_text(out, "]}");
}

const struct kaggle_instance *kaggle_instance_find(
	const struct kaggle_instances *instances, const char *framework,
	const char *variation)
{
	for (size_t i = 0; i < instances->count; i++)
		if (!strcmp(instances->list[i].framework, framework) &&
		    !strcmp(instances->list[i].variation, variation))
			return &instances->list[i];
	return NULL;
}

/* ---- pages ---- */

/* The document of a page whose list @name is *@list. */
static int page_open(const void *bytes, size_t len, const char *name,
		     struct json_doc **doc, const struct json **list)
{
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, doc);

	if (r < 0)
		return r;
	*list = json_get(json_root(*doc), name);
	if (json_kind(*list) == JSON_ARRAY)
		return 0;
	/* an empty list may be left out */
	return json_kind(json_root(*doc)) == JSON_OBJECT &&
			       (json_kind(*list) == JSON_MISSING ||
				json_kind(*list) == JSON_NULL)
		       ? 0
		       : -EBADMSG;
}

static int next_of(const struct json_doc *doc, char **next)
{
	return copy_string(json_get(json_root(doc), "nextPageToken"), next);
}

static int file_add(const struct json *json, struct repo_files *files)
{
	static const struct digest none = { .kind = DIGEST_NONE };
	const char *name = json_string(json_get(json, "name"));
	auto_free char *path = NULL;
	uint64_t size;

	if (!name ||
	    !number_of(json_get(json, "size"), FILE_BYTES_MAX, &size)) {
		files->hidden++;
		return 0;
	}
	path = mem_printf(KAGGLE_FOLDER "%s", name);
	return path ? repo_files_add(files, path, strlen(path), size, &none)
		    : -ENOMEM;
}

int kaggle_files_parse(const void *bytes, size_t len, struct repo_files *files,
		       char **next)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *list = NULL;
	int r;

	*next = NULL;
	r = page_open(bytes, len, "files", &doc, &list);
	if (r < 0)
		return r;
	for (const struct json *f = json_first(list); f && r == 0;
	     f = json_next(f))
		r = file_add(f, files);
	return r < 0 ? r : next_of(doc, next);
}

/* Where its variations are not told, it may be. */
static bool may_be_ours(const struct json *model)
{
	const struct json *list = json_get(model, "instances");

	if (json_count(list) == 0)
		return true;
	for (list = json_first(list); list; list = json_next(list))
		if (framework_of(list))
			return true;
	return false;
}

/* Of "<owner>/<model>", or alone; NULL: of another owner, or no name. */
static const char *model_of(const struct json *json, const char *owner)
{
	const char *ref = json_string(json_get(json, "ref"));
	size_t len = strlen(owner);

	if (!ref)
		ref = json_string(json_get(json, "slug"));
	else if (strncmp(ref, owner, len) != 0 || ref[len] != '/')
		return NULL;
	else
		ref += len + 1;
	return slug_ok(ref) ? ref : NULL;
}

int kaggle_models_parse(const void *bytes, size_t len, const char *owner,
			int (*each)(void *arg, const char *model), void *arg,
			char **next)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *list = NULL;
	int r;

	*next = NULL;
	r = page_open(bytes, len, "models", &doc, &list);
	if (r < 0)
		return r;
	for (const struct json *m = json_first(list); m && r == 0;
	     m = json_next(m)) {
		const char *model = model_of(m, owner);

		if (model && may_be_ours(m))
			r = each(arg, model);
	}
	return r < 0 ? r : next_of(doc, next);
}
