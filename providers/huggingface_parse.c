/* SPDX-License-Identifier: MIT */
#include "providers/huggingface_parse.h"

#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/repo_name.h"

#define DAY_S 86400

/* *@out: a copy of the string, or NULL where there is none.  -ENOMEM. */
static int copy_string(const struct json *value, char **out)
{
	const char *text = json_string(value);

	if (!text)
		return 0;
	*out = mem_strdup(text);
	return *out ? 0 : -ENOMEM;
}

static bool take_number(const char **at, size_t digits, int *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (uint64_t)(**at - '0');
	}
	*out = (int)value;
	return true;
}

/* "YYYY-MM-DDThh:mm:ss" and what follows; 0: no such date. */
static int64_t date_parse(const char *text)
{
	static const struct {
		size_t digits;
		char then;
	} parts[] = { { 4, '-' }, { 2, '-' }, { 2, 'T' },
		      { 2, ':' }, { 2, ':' }, { 2, '\0' } };
	int field[ARRAY_LEN(parts)];
	struct tm tm = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!take_number(&text, parts[i].digits, &field[i]))
			return 0;
		if (parts[i].then && *text++ != parts[i].then)
			return 0;
	}
	if (field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31 ||
	    field[3] > 23 || field[4] > 59 || field[5] > 60)
		return 0;
	tm.tm_year = field[0] - 1900;
	tm.tm_mon = field[1] - 1;
	tm.tm_mday = field[2];
	tm.tm_hour = field[3];
	tm.tm_min = field[4];
	tm.tm_sec = field[5];
	return timegm(&tm);
}

static int64_t date_of(const struct json *value, int64_t now_wall_s)
{
	const char *text = json_string(value);
	int64_t date = text ? date_parse(text) : 0;

	if (date < 0)
		return 0;
	return date > now_wall_s + DAY_S ? now_wall_s + DAY_S : date;
}

/* cardData.license, else the tag "license:...". */
static int licence_of(const struct json *root, char **out)
{
	static const char prefix[] = "license:";
	const struct json *card = json_get(root, "cardData");
	const struct json *tags = json_get(root, "tags");
	int r = copy_string(json_get(card, "license"), out);

	if (r < 0 || *out || json_kind(tags) != JSON_ARRAY)
		return r;
	for (const struct json *t = json_first(tags); t; t = json_next(t)) {
		const char *tag = json_string(t);

		if (!tag || strncmp(tag, prefix, sizeof(prefix) - 1))
			continue;
		*out = mem_strdup(tag + sizeof(prefix) - 1);
		return *out ? 0 : -ENOMEM;
	}
	return 0;
}

/* "gated" is false, or a word: "auto", "manual". */
static bool gated_of(const struct json *value)
{
	return json_string(value) || json_bool(value, false);
}

static int model_fill(const struct json *root, int64_t now_wall_s,
		      struct hf_model *model)
{
	int r = copy_string(json_get(root, "id"), &model->id);

	if (r == 0)
		r = copy_string(json_get(root, "sha"), &model->sha);
	if (r == 0)
		r = copy_string(json_get(root, "pipeline_tag"),
				&model->pipeline_tag);
	if (r == 0)
		r = licence_of(root, &model->licence);
	model->modified_wall_s = date_of(json_get(root, "lastModified"),
					 now_wall_s);
	model->gated = gated_of(json_get(root, "gated"));
	model->private = json_bool(json_get(root, "private"), true);
	return r;
}

int hf_model_parse(const void *bytes, size_t len, int64_t now_wall_s,
		   struct hf_model *out)
{
	auto_hf_model struct hf_model model = { 0 };
	auto_json struct json_doc *doc = NULL;
	int r;

	*out = model;
	r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);
	if (r == 0)
		r = model_fill(json_root(doc), now_wall_s, &model);
	if (r < 0)
		return r;
	if (!model.id || !repo_id_ok(model.id, true) || !model.sha ||
	    !commit_ok(model.sha))
		return -EBADMSG;
	*out = model;
	model = (struct hf_model){ 0 };
	return 0;
}

void hf_model_release(struct hf_model *model)
{
	free(model->id);
	free(model->sha);
	free(model->licence);
	free(model->pipeline_tag);
	*model = (struct hf_model){ 0 };
}

/* Kind NONE where @value is no digest of @kind. */
static struct digest digest_of(const struct json *value, enum digest_kind kind)
{
	const char *hex = json_string(value);
	struct digest digest;

	if (!hex || digest_parse(hex, strlen(hex), &digest) < 0 ||
	    digest.kind != kind)
		return (struct digest){ .kind = DIGEST_NONE };
	return digest;
}

/*
 * @lfs_oid decides: where it is not missing, @oid is that of the pointer
 * and proves nothing of the content.
 */
static int file_add(struct repo_files *files, const char *path,
		    const struct json *size, const struct json *oid,
		    const struct json *lfs_oid)
{
	struct digest digest;
	uint64_t bytes;

	if (!path || !json_u64(size, &bytes)) {
		files->hidden++;
		return 0;
	}
	if (json_kind(lfs_oid) == JSON_STRING)
		digest = digest_of(lfs_oid, DIGEST_SHA256);
	else
		digest = digest_of(oid, DIGEST_GIT_SHA1);
	return repo_files_add(files, path, strlen(path), bytes, &digest);
}

static int tree_entry_add(struct repo_files *files, const struct json *entry)
{
	const char *type = json_string(json_get(entry, "type"));
	const struct json *lfs = json_get(entry, "lfs");
	const char *path = json_string(json_get(entry, "path"));

	if (!type || strcmp(type, "file") != 0)
		return 0;
	if (json_kind(lfs) == JSON_OBJECT)
		return file_add(files, path, json_get(lfs, "size"), NULL,
				json_get(lfs, "oid"));
	return file_add(files, path, json_get(entry, "size"),
			json_get(entry, "oid"), NULL);
}

int hf_tree_parse(const void *bytes, size_t len, struct repo_files *files)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *root;
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);

	if (r < 0)
		return r;
	root = json_root(doc);
	if (json_kind(root) != JSON_ARRAY)
		return -EBADMSG;
	for (const struct json *e = json_first(root); e && r == 0;
	     e = json_next(e))
		r = tree_entry_add(files, e);
	return r;
}

static int cached_entry_add(struct repo_files *files, const struct json *entry)
{
	const struct json *lfs_size = json_get(entry, "lfs_size");
	const struct json *size = json_get(entry, "size");

	if (json_kind(lfs_size) == JSON_NUMBER)
		size = lfs_size;
	return file_add(files, json_key(entry), size,
			json_get(entry, "blob_id"),
			json_get(entry, "lfs_sha256"));
}

int hf_cached_tree_parse(const void *bytes, size_t len,
			 struct repo_files *files)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *list;
	uint64_t version;
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);

	if (r < 0)
		return r;
	list = json_get(json_root(doc), "files");
	if (!json_u64(json_get(json_root(doc), "format_version"), &version) ||
	    version != 1 || json_kind(list) != JSON_OBJECT)
		return -EBADMSG;
	for (const struct json *e = json_first(list); e && r == 0;
	     e = json_next(e))
		r = cached_entry_add(files, e);
	return r;
}

int hf_list_parse(const void *bytes, size_t len,
		  int (*each)(void *arg, const char *id), void *arg)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *root;
	int r = json_parse(bytes, len, HUB_JSON_BYTES_MAX, &doc);

	if (r < 0)
		return r;
	root = json_root(doc);
	if (json_kind(root) != JSON_ARRAY)
		return -EBADMSG;
	for (const struct json *e = json_first(root); e && r == 0;
	     e = json_next(e)) {
		const char *id = json_string(json_get(e, "id"));

		if (id && repo_id_ok(id, false))
			r = each(arg, id);
	}
	return r;
}

int hf_errno(int r, long status, const char *code, const char *message)
{
	static const char invalid[] =
		"Invalid credentials in Authorization header";
	static const char *const missing[] = { "RepoNotFound",
					       "RevisionNotFound",
					       "EntryNotFound" };

	if (r >= 0)
		return r;
	if (code && !strcmp(code, "GatedRepo"))
		return -EACCES;
	for (size_t i = 0; code && i < ARRAY_LEN(missing); i++)
		if (!strcmp(code, missing[i]))
			return -ENOENT;
	switch (status) {
	case 401:
		return message && !strcmp(message, invalid) ? -EACCES : -ENOENT;
	case 403:
		return -EACCES;
	case 404:
	case 410:
		return -ENOENT;
	default:
		return r;
	}
}
