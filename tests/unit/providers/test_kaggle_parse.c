/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "tests/unit/unit.h"

/* A text, and its parts with "|" between and "-" for one it lacks; "": no. */
struct name_case {
	const char *text;
	const char *parts;
};

static const struct name_case paths[] = {
	{ "google", "google|-|-|-|-" },
	{ "google/yamnet", "google|yamnet|-|-|-" },
	{ "a/b/c", "a|b|-|c|-" },
	{ "a/b/c@tensorFlow1", "a|b|tensorFlow1|c|-" },
	{ "a/b/c@tensorFlow2/7", "a|b|tensorFlow2|c|7" },
	{ "a/qwen2.5/0.5b_x/latest", "a|qwen2.5|-|0.5b_x|latest" },
	{ "a/b/c/999999999", "a|b|-|c|999999999" },
	{ "a/b/c/1000000000", "" },
	{ "a/b/c/0", "" },
	{ "a/b/c/01", "" },
	{ "a/b/c/newest", "" },
	{ "a/b/c/1/d", "" },
	{ "a/b/c@tfLite", "" },
	{ "a/b/c@TENSOR_FLOW_1", "" },
	{ "a/b/c@", "" },
	{ "a/b/@tensorFlow1", "" },
	{ "", "" },
	{ "/a", "" },
	{ "a/", "" },
	{ "a//b", "" },
	{ "..", "" },
	{ "-a", "" },
	{ "a b", "" },
	{ "a%2fb", "" },
	{ "a/b?c", "" },
	{ "\xc3\xa9", "" },
};

static const struct name_case handles[] = {
	{ "a/b/tensorFlow2/c/1", "a|b|tensorFlow2|c|1" },
	{ "a/b/TensorFlow1/c/1", "a|b|tensorFlow1|c|1" },
	{ "a/b/tfLite/c/1", "" },
	{ "a/b/tensorFlow2/c", "" },
	{ "a/b/tensorFlow2/c/latest", "" },
	{ "a/b/tensorFlow2/c/1/d", "" },
	{ "a/b/tensorFlow2/../1", "" },
};

#define SITE "https://www.kaggle.com"
static const struct name_case pages[] = {
	{ SITE "/models/a/b/tensorFlow1/400/1?tfhub-redirect=true",
	  "a|b|tensorFlow1|400|1" },
	{ SITE "/models/a/b/frameworks/TensorFlow2/variations/v/versions/3",
	  "a|b|tensorFlow2|v|3" },
	{ "/models/a/b/tensorFlow2/v/3#files", "a|b|tensorFlow2|v|3" },
	{ SITE "/models?tfhub-redirect=true", "" },
	{ SITE "/models/a/b", "" },
	{ SITE "/models/a/b/tfJs/v/1/model.json", "" },
	{ SITE "/models/a/b/tensorFlow2/v/1/more", "" },
	{ SITE "/models/a/b/framework/TensorFlow2/variations/v/versions/3",
	  "" },
	{ "https://tfhub.dev/google/yamnet/1", "" },
};

static void expect_names(const struct name_case *cases, size_t count,
			 int (*parse)(const char *text,
				      struct kaggle_name *out))
{
	for (size_t i = 0; i < count; i++) {
		auto_kaggle_name struct kaggle_name name = { 0 };
		char got[512] = "";
		int r = parse(cases[i].text, &name);

		if (r == 0)
			snprintf(got, sizeof(got), "%s|%s|%s|%s|%s", name.owner,
				 name.model ? name.model : "-",
				 name.framework ? name.framework : "-",
				 name.variation ? name.variation : "-",
				 name.version ? name.version : "-");
		else
			assert_int_equal(r, -ENOENT);
		if (strcmp(got, cases[i].parts) != 0)
			fail_msg("%s: %s", cases[i].text, got);
	}
}

static void names(void **state)
{
	(void)state;
	expect_names(paths, ARRAY_LEN(paths), kaggle_path_parse);
	expect_names(handles, ARRAY_LEN(handles), kaggle_handle_parse);
	expect_names(pages, ARRAY_LEN(pages), kaggle_page_parse);
}

static const struct {
	const char *path;
	bool ok, whole;
} old_paths[] = {
	{ "google/yamnet/1", true, true },
	{ "google/imagenet/mobilenet_v2_100_224/classification/5", true, true },
	{ "tensorflow/small_bert/bert_en_uncased_L-2_H-128_A-2/1", true, true },
	{ "google/yamnet", true, false },
	{ "google/1", true, false },
	{ "google/yamnet/0", true, false },
	{ "a/b/c/d/e/f/g/8", true, true },
	{ "a/b/c/d/e/f/g/h/9", false, false },
	{ "google/../1", false, false },
	{ "google//1", false, false },
	{ "google/a?b/1", false, false },
};

static void addresses_of_old(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(old_paths); i++) {
		bool whole, ok = kaggle_old_path_ok(old_paths[i].path, &whole);

		if (ok != old_paths[i].ok || whole != old_paths[i].whole)
			fail_msg("%s", old_paths[i].path);
	}
}

static void frameworks(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "tensorFlow2", "tensorFlow2" },
		{ "TENSOR_FLOW_1", "tensorFlow1" },
		{ "MODEL_FRAMEWORK_TENSOR_FLOW_2", "tensorFlow2" },
		{ "TensorFlow 1", "tensorFlow1" },
		{ "tensorFlow", NULL },
		{ "tensorFlow22", NULL },
		{ "tfLite", NULL },
		{ "", NULL },
		{ "tensorFlow2tensorFlow2tensorFlow2tensorFlow2", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = kaggle_framework(cases[i].text,
						   strlen(cases[i].text));

		if (!got || !cases[i].want)
			assert_ptr_equal(got, cases[i].want);
		else
			assert_string_equal(got, cases[i].want);
	}
}

static const struct {
	const char *json;
	int want;
	size_t count;
	const char *next;
} listings[] = {
	{ "{\"files\":[{\"name\":\"saved_model.pb\",\"size\":3},"
	  "{\"name\":\"assets/v\",\"size\":\"4\"}],\"nextPageToken\":\"x\"}",
	  0, 2, "x" },
	{ "{\"files\":[{\"name\":\"a\",\"size\":0}],\"nextPageToken\":\"\"}", 0,
	  1, NULL },
	{ "{\"files\":[{\"name\":\"../a\",\"size\":1},{\"name\":\"b\"},"
	  "{\"size\":1},{\"name\":\"c\",\"size\":-1},"
	  "{\"name\":\"d\",\"size\":1.5},7]}",
	  0, 0, NULL },
	{ "{\"files\":[{\"name\":\"a\",\"size\":1},"
	  "{\"name\":\"a\",\"size\":2}]}",
	  0, 1, NULL },
	{ "{}", 0, 0, NULL },
	{ "{\"files\":null}", 0, 0, NULL },
	{ "{\"files\":7}", -EBADMSG, 0, NULL },
	{ "[]", -EBADMSG, 0, NULL },
	{ "<html>", -EBADMSG, 0, NULL },
	{ "", -EBADMSG, 0, NULL },
};

static void files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(listings); i++) {
		auto_repo_files struct repo_files list = { 0 };
		auto_free char *next = NULL;
		struct repo repo;
		int r = kaggle_files_parse(listings[i].json,
					   strlen(listings[i].json), &list,
					   &next);

		if (r != listings[i].want)
			fail_msg("%s: %d", listings[i].json, r);
		if (r < 0)
			continue;
		repo_init(&repo, NULL);
		assert_int_equal(repo_files_finish(&list, &repo), 0);
		if (repo.file_count != listings[i].count)
			fail_msg("%s: %zu", listings[i].json, repo.file_count);
		for (size_t f = 0; f < repo.file_count; f++)
			assert_memory_equal(repo.files[f].path, "saved_model/",
					    12);
		repo_fini(&repo);
		if (listings[i].next)
			assert_string_equal(next, listings[i].next);
		else
			assert_null(next);
	}
}

static void variations(void **state)
{
	static const char json[] =
		"{\"instances\":["
		"{\"slug\":\"v\",\"framework\":\"tensorFlow2\","
		"\"versionNumber\":4,\"fineTunable\":false,"
		"\"licenseName\":\"A \\\"B\\\"\",\"url\":\"/models/a\"},"
		"{\"slug\":\"v\",\"framework\":\"TENSOR_FLOW_1\"},"
		"{\"slug\":\"..\",\"framework\":\"tensorFlow2\"},"
		"{\"slug\":\"a/b\",\"framework\":\"tensorFlow2\"},"
		"{\"slug\":\"l\",\"framework\":\"tfLite\"},"
		"{\"framework\":\"tensorFlow2\"},9]}";
	auto_kaggle_instances struct kaggle_instances first = { 0 };
	auto_kaggle_instances struct kaggle_instances again = { 0 };
	const struct kaggle_instance *v;
	auto_str struct str text;

	(void)state;
	str_init(&text, 4096);
	assert_int_equal(kaggle_instances_parse(json, strlen(json), &first), 0);
	assert_int_equal(kaggle_instances_encode(&first, &text), 0);
	assert_int_equal(kaggle_instances_parse(text.bytes, text.len, &again),
			 0);
	assert_int_equal(again.count, 2);
	v = kaggle_instance_find(&again, "tensorFlow2", "v");
	assert_int_equal(v->version, 4);
	assert_true(v->has_fine_tunable && !v->fine_tunable);
	assert_string_equal(v->licence, "A \"B\"");
	assert_string_equal(v->url, "/models/a");
	v = kaggle_instance_find(&again, "tensorFlow1", "v");
	assert_int_equal(v->version, 0);
	assert_false(v->has_fine_tunable);
	assert_null(v->licence);
	assert_null(kaggle_instance_find(&again, "tensorFlow1", "l"));
}

static void one_variation(void **state)
{
	static const struct {
		const char *json;
		int want;
		size_t count;
	} cases[] = {
		{ "{\"slug\":\"v\",\"framework\":\"tensorFlow2\","
		  "\"versionNumber\":\"12\"}",
		  0, 1 },
		{ "{\"slug\":\"v\",\"framework\":\"jax\"}", 0, 0 },
		{ "{\"code\":404}", 0, 0 },
		{ "{\"instances\":[]}", 0, 0 },
		{ "[]", -EBADMSG, 0 },
		{ "<html>", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_kaggle_instances struct kaggle_instances found = { 0 };

		assert_int_equal(kaggle_instances_parse(cases[i].json,
							strlen(cases[i].json),
							&found),
				 cases[i].want);
		assert_int_equal(found.count, cases[i].count);
		if (found.count)
			assert_int_equal(found.list[0].version, 12);
	}
}

static int collect(void *arg, const char *model)
{
	return str_printf(arg, "%s ", model);
}

static void models(void **state)
{
	static const char json[] =
		"{\"models\":[{\"ref\":\"a/one\"},{\"slug\":\"two\"},"
		"{\"ref\":\"ab/three\"},{\"ref\":\"a/../four\"},"
		"{\"ref\":\"a/five\",\"instances\":[{\"framework\":\"jax\"}]},"
		"{\"ref\":\"a/six\",\"instances\":[{\"framework\":\"jax\"},"
		"{\"framework\":\"tensorFlow1\"}]},{}],"
		"\"nextPageToken\":\"more\"}";
	auto_free char *next = NULL;
	auto_str struct str found;

	(void)state;
	str_init(&found, 256);
	assert_int_equal(kaggle_models_parse(json, strlen(json), "a", collect,
					     &found, &next),
			 0);
	assert_string_equal(str_text(&found), "one two six ");
	assert_string_equal(next, "more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(addresses_of_old),
		cmocka_unit_test(frameworks),
		cmocka_unit_test(files),
		cmocka_unit_test(variations),
		cmocka_unit_test(one_variation),
		cmocka_unit_test(models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
