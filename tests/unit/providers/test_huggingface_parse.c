/* SPDX-License-Identifier: MIT */
#include "providers/huggingface_parse.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "providers/huggingface_alias.h"
#include "providers/repo_name.h"
#include "tests/unit/unit.h"

#define SHA1 "0123456789abcdef0123456789abcdef01234567"
#define SHA256 SHA1 "0123456789abcdef01234567"
#define NOW 1800000000 /* January 2027 */

static const char model_json[] =
	"{\"_id\":\"x\",\"id\":\"org/model\",\"modelId\":\"org/model\","
	"\"sha\":\"" SHA1 "\",\"lastModified\":\"2024-02-29T12:30:01.000Z\","
	"\"private\":false,\"gated\":\"auto\",\"tags\":[\"pytorch\",5,"
	"\"license:apache-2.0\"],\"pipeline_tag\":\"fill-mask\","
	"\"cardData\":{\"language\":\"en\"},\"siblings\":[{\"rfilename\":"
	"\"a\"}]}";

static int parse_model(const char *json, struct hf_model *model)
{
	return hf_model_parse(json, strlen(json), NOW, model);
}

static void a_model_is_read(void **state)
{
	auto_hf_model struct hf_model model;

	(void)state;
	assert_int_equal(parse_model(model_json, &model), 0);
	assert_string_equal(model.id, "org/model");
	assert_string_equal(model.sha, SHA1);
	assert_string_equal(model.licence, "apache-2.0");
	assert_string_equal(model.pipeline_tag, "fill-mask");
	assert_int_equal(model.modified_wall_s, 1709209801);
	assert_true(model.gated);
	assert_false(model.private);
}

#define MODEL(more) "{\"id\":\"o/m\",\"sha\":\"" SHA1 "\"" more "}"

static const struct {
	const char *json;
	int r;
	int64_t modified;
	bool gated, private;
	const char *licence;
} models[] = {
	{ MODEL(""), 0, 0, false, true, NULL },
	{ MODEL(",\"gated\":false,\"private\":true"), 0, 0, false, true, NULL },
	{ MODEL(",\"gated\":\"manual\",\"private\":false"), 0, 0, true, false,
	  NULL },
	{ MODEL(",\"cardData\":{\"license\":\"mit\"},"
		"\"tags\":[\"license:other\"]"),
	  0, 0, false, true, "mit" },
	{ MODEL(",\"cardData\":null,\"tags\":{\"a\":\"license:x\"}"), 0, 0,
	  false, true, NULL },
	/* N-17 */
	{ MODEL(",\"lastModified\":\"9999-01-01T00:00:00.000Z\""), 0,
	  NOW + 86400, false, true, NULL },
	{ MODEL(",\"lastModified\":\"1912-01-01T00:00:00.000Z\""), 0, 0, false,
	  true, NULL },
	{ MODEL(",\"lastModified\":\"2024-13-01T00:00:00Z\""), 0, 0, false,
	  true, NULL },
	{ MODEL(",\"lastModified\":\"soon\""), 0, 0, false, true, NULL },
	{ MODEL(",\"lastModified\":12"), 0, 0, false, true, NULL },
	/* Shapes */
	{ "", -EBADMSG, 0, false, false, NULL },
	{ "[]", -EBADMSG, 0, false, false, NULL },
	{ "{}", -EBADMSG, 0, false, false, NULL },
	{ "{\"id\":\"o/m\"}", -EBADMSG, 0, false, false, NULL },
	{ "{\"id\":\"o/m\",\"sha\":\"main\"}", -EBADMSG, 0, false, false,
	  NULL },
	{ "{\"id\":5,\"sha\":\"" SHA1 "\"}", -EBADMSG, 0, false, false, NULL },
	/* N-18 */
	{ "{\"id\":\"../x\",\"sha\":\"" SHA1 "\"}", -EBADMSG, 0, false, false,
	  NULL },
	{ "{\"id\":\"a/b/c\",\"sha\":\"" SHA1 "\"}", -EBADMSG, 0, false, false,
	  NULL },
	{ MODEL(",\"id\":\"o/n\""), -EBADMSG, 0, false, false,
	  NULL }, /* J-07 */
};

static void models_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		auto_hf_model struct hf_model model;
		int r = parse_model(models[i].json, &model);

		if (r != models[i].r)
			fail_msg("%s: %d", models[i].json, r);
		assert_int_equal(model.modified_wall_s, models[i].modified);
		assert_int_equal(model.gated, models[i].gated);
		assert_int_equal(model.private, models[i].private);
		if (models[i].licence)
			assert_string_equal(model.licence, models[i].licence);
		else
			assert_null(model.licence);
	}
}

/* J-11 */
static void every_cut_is_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(model_json) - 1; len++) {
		auto_hf_model struct hf_model model;

		assert_int_equal(hf_model_parse(model_json, len, NOW, &model),
				 -EBADMSG);
	}
}

static const char tree_json[] =
	"[{\"type\":\"directory\",\"oid\":\"x\",\"size\":0,\"path\":\"sub\"},"
	"{\"type\":\"file\",\"oid\":\"" SHA1
	"\",\"size\":570,\"path\":\"sub/config.json\",\"new\":[]},"
	"{\"type\":\"file\",\"oid\":\"" SHA1
	"\",\"size\":134,\"path\":\"model.safetensors\",\"lfs\":{\"oid\":"
	"\"" SHA256 "\",\"size\":440449768,\"pointerSize\":134}},"
	"{\"type\":\"file\",\"oid\":\"short\",\"size\":0,\"path\":\"empty\"},"
	"{\"type\":\"file\",\"oid\":\"" SHA1
	"\",\"size\":9,\"path\":\"odd.bin\",\"lfs\":{\"oid\":\"bad\","
	"\"size\":1099511627776}}]";

static int parse_tree(const char *json, struct repo *repo, size_t *hidden)
{
	auto_repo_files struct repo_files files = { 0 };
	int r = hf_tree_parse(json, strlen(json), &files);

	repo_init(repo, NULL);
	if (r == 0)
		r = repo_files_finish(&files, repo);
	*hidden = files.hidden;
	return r;
}

static void a_tree_is_read(void **state)
{
	const struct repo_file *file;
	struct repo repo;
	size_t hidden;

	(void)state;
	assert_int_equal(parse_tree(tree_json, &repo, &hidden), 0);
	assert_int_equal(repo.file_count, 4);
	assert_int_equal(hidden, 0);
	file = repo_find(&repo, "sub/config.json", NULL);
	assert_int_equal(file->size, 570);
	assert_int_equal(file->digest.kind, DIGEST_GIT_SHA1);
	file = repo_find(&repo, "model.safetensors", NULL);
	assert_int_equal(file->size, 440449768);
	assert_int_equal(file->digest.kind, DIGEST_SHA256);
	/* The oid of an LFS entry is that of its pointer: never taken. */
	file = repo_find(&repo, "odd.bin", NULL);
	assert_int_equal(file->size, 1099511627776);
	assert_int_equal(file->digest.kind, DIGEST_NONE);
	assert_int_equal(repo_find(&repo, "empty", NULL)->digest.kind,
			 DIGEST_NONE);
	repo_fini(&repo);
}

#define ENTRY(path, size) \
	"[{\"type\":\"file\",\"path\":\"" path "\",\"size\":" size "}]"

/* The rows of names and sizes; what is hidden is counted. */
static const struct {
	const char *row, *json;
	int r;
	size_t files, hidden;
} trees[] = {
	{ "ok", ENTRY("a", "1"), 0, 1, 0 },
	{ "N-01 leading slash", ENTRY("/etc/passwd", "1"), 0, 0, 1 },
	{ "N-01 NUL", ENTRY("a\\u0000b", "1"), -EBADMSG, 0, 0 },
	{ "N-02 dots", ENTRY("a/../../b", "1"), 0, 0, 1 },
	{ "N-02 dot", ENTRY("./b", "1"), 0, 0, 1 },
	{ "N-03 empty", ENTRY("", "1"), 0, 0, 1 },
	{ "N-03 trailing slash", ENTRY("a/", "1"), 0, 0, 1 },
	{ "N-09 backslash", ENTRY("a\\\\b", "1"), 0, 1, 0 },
	{ "N-10 escape", ENTRY("\\u001b[2J\\n", "1"), 0, 1, 0 },
	{ "N-12 link, a file like any", ENTRY("link", "11"), 0, 1, 0 },
	{ "N-13 submodule",
	  "[{\"type\":\"commit\",\"path\":\"sub\",\"size\":0}]", 0, 0, 0 },
	{ "N-15 negative", ENTRY("a", "-1"), 0, 0, 1 },
	{ "N-15 2^63", ENTRY("a", "9223372036854775808"), 0, 0, 1 },
	{ "N-15 2^64", ENTRY("a", "18446744073709551616"), 0, 0, 1 },
	{ "N-15 half", ENTRY("a", "1.5"), 0, 0, 1 },
	{ "N-15 text", ENTRY("a", "\"12\""), 0, 0, 1 },
	{ "N-15 none", "[{\"type\":\"file\",\"path\":\"a\"}]", 0, 0, 1 },
	{ "N-15 LFS without size",
	  "[{\"type\":\"file\",\"path\":\"a\",\"size\":1,\"lfs\":{}}]", 0, 0,
	  1 },
	{ "J-10 no array", "{\"type\":\"file\"}", -EBADMSG, 0, 0 },
	{ "J-10 elements", "[1,null,[],\"a\",{\"type\":[]}]", 0, 0, 0 },
	{ "J-10 path", "[{\"type\":\"file\",\"path\":{},\"size\":1}]", 0, 0,
	  1 },
};

static void trees_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct repo repo;
		size_t hidden;
		int r = parse_tree(trees[i].json, &repo, &hidden);

		if (r != trees[i].r || repo.file_count != trees[i].files ||
		    hidden != trees[i].hidden)
			fail_msg("%s: %d, %zu files, %zu hidden", trees[i].row,
				 r, repo.file_count, hidden);
		repo_fini(&repo);
	}
}

static void a_cached_tree_is_read(void **state)
{
	static const char json[] =
		"{\"format_version\":1,\"files\":{\"a.json\":{\"size\":3,"
		"\"blob_id\":\"" SHA1 "\"},\"m.bin\":{\"size\":1,\"blob_id\":"
		"\"" SHA1 "\",\"lfs_sha256\":\"" SHA256
		"\",\"lfs_size\":700},\"../x\":{\"size\":1}}}";
	static const char newer[] = "{\"format_version\":2,\"files\":{}}";
	auto_repo_files struct repo_files files = { 0 };

	(void)state;
	assert_int_equal(hf_cached_tree_parse(json, sizeof(json) - 1, &files),
			 0);
	assert_int_equal(files.count, 2);
	assert_int_equal(files.hidden, 1);
	assert_int_equal(files.list[0].digest.kind, DIGEST_GIT_SHA1);
	assert_int_equal(files.list[1].digest.kind, DIGEST_SHA256);
	assert_int_equal(files.list[1].size, 700);
	assert_int_equal(hf_cached_tree_parse(newer, sizeof(newer) - 1, &files),
			 -EBADMSG);
}

static int id_add(void *lines, const char *id)
{
	return str_printf(lines, "%s ", id);
}

static void a_list_is_read(void **state)
{
	static const char json[] =
		"[{\"id\":\"a/b\"},{\"id\":\"one-part\"},{\"id\":\"../c\"},"
		"{\"id\":5},7,{\"id\":\"d/e\",\"private\":false}]";
	auto_str struct str lines;

	(void)state;
	str_init(&lines, 100);
	assert_int_equal(hf_list_parse(json, sizeof(json) - 1, id_add, &lines),
			 0);
	assert_string_equal(str_text(&lines), "a/b d/e ");
	assert_int_equal(hf_list_parse("{}", 2, id_add, &lines), -EBADMSG);
}

static const struct {
	int r;
	long status;
	const char *code, *message;
	int want;
} errors[] = {
	{ 0, 200, NULL, NULL, 0 },
	{ -EIO, 404, "EntryNotFound", NULL, -ENOENT },
	{ -EIO, 404, "RevisionNotFound", "Invalid rev id: x", -ENOENT },
	{ -EIO, 404, "RepoNotFound", "Repository not found", -ENOENT },
	{ -EACCES, 401, NULL, "Invalid username or password.", -ENOENT },
	{ -EACCES, 401, NULL, NULL, -ENOENT },
	{ -EACCES, 401, NULL, "Invalid credentials in Authorization header",
	  -EACCES },
	{ -EACCES, 401, "GatedRepo", NULL, -EACCES },
	{ -EACCES, 401, "RepoNotFound", NULL, -ENOENT },
	{ -EACCES, 403, "GatedRepo", NULL, -EACCES },
	{ -EACCES, 403, NULL, "Access to this resource is disabled.", -EACCES },
	{ -ENOENT, 410, NULL, NULL, -ENOENT },
	{ -EIO, 500, NULL, NULL, -EIO },
	{ -ETIMEDOUT, 429, NULL, NULL, -ETIMEDOUT },
	{ -ETIMEDOUT, 0, NULL, NULL, -ETIMEDOUT },
};

static void errors_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		assert_int_equal(hf_errno(errors[i].r, errors[i].status,
					  errors[i].code, errors[i].message),
				 errors[i].want);
}

static void aliases_are_sorted_and_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < hf_alias_count(); i++) {
		const struct hf_alias *alias = hf_alias_at(i);

		assert_true(repo_part_ok(alias->name, strlen(alias->name)));
		assert_true(repo_id_ok(alias->id, false));
		assert_string_equal(hf_alias_find(alias->name), alias->id);
		if (i)
			assert_true(strcmp(hf_alias_at(i - 1)->name,
					   alias->name) < 0);
	}
	assert_string_equal(hf_alias_find("bert-base"),
			    "google-bert/bert-base-uncased");
	assert_null(hf_alias_find("no-such"));
}

static int parse_all(void)
{
	auto_repo_files struct repo_files files = { 0 };
	auto_hf_model struct hf_model model;
	int r = parse_model(model_json, &model);

	return r < 0 ? r
		     : hf_tree_parse(tree_json, sizeof(tree_json) - 1, &files);
}

static void no_memory_is_said(void **state)
{
	(void)state;
	run_with_faults(parse_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_is_read),
		cmocka_unit_test(models_are_judged),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(a_tree_is_read),
		cmocka_unit_test(trees_are_judged),
		cmocka_unit_test(a_cached_tree_is_read),
		cmocka_unit_test(a_list_is_read),
		cmocka_unit_test(errors_are_told_apart),
		cmocka_unit_test(aliases_are_sorted_and_good),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
