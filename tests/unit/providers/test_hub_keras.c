/* SPDX-License-Identifier: MIT */
#include "tests/unit/providers/hub_world.h"

#include "base/json.h"

#define GCS "/tensorflow/keras-applications"
#define BODY "\x89HDF weights"
#define MOBILE(size, tail)   \
	GCS "/mobilenet_v2/" \
	    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_" size tail ".h5"

static const struct fake_file table[] = {
	{ GCS "/xception/"
	      "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
	  BODY, "ETag: \"x\"\r\n", 0 },
	{ MOBILE("1.0_224", ""), BODY, "ETag: \"m\"\r\n", 0 },
	{ MOBILE("0.75_192", "_no_top"), BODY, "ETag: \"n\"\r\n", 0 },
	{ NULL, NULL, NULL, 0 },
};

static struct hub_world world;

static int set_up(void **state)
{
	(void)state;
	return world_start(&world, table) < 0 ||
			       world_mount(&world, hub_keras_new) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_stop(&world);
	return 0;
}

static void applications_and_variants(void **state)
{
	auto_hub_listing struct hub_listing top = { 0 }, resnet = { 0 };
	auto_hub_listing struct hub_listing mobile = { 0 }, none = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, "", &top), 0);
	assert_int_equal(top.count, 40 + 1);
	assert_int_equal(world_entry(&top, "ResNet50")->kind, HUB_REPO);
	assert_int_equal(world_entry(&top, "hub")->kind, HUB_DIR);
	assert_null(world_entry(&top, "ResNeXt50"));
	assert_int_equal(world_list(&world, "ResNet50", &resnet), 0);
	assert_int_equal(resnet.count, 1);
	assert_string_equal(resnet.entries[0].name, "notop");
	assert_int_equal(resnet.entries[0].kind, HUB_REPO);
	assert_int_equal(world_list(&world, "MobileNetV2", &mobile), 0);
	assert_int_equal(mobile.count, 44 + 1);
	assert_non_null(world_entry(&mobile, "0.75_192_notop"));
	assert_non_null(world_entry(&mobile, "1.0_224"));
	assert_int_equal(world_list(&world, "ResNet50/notop", &none), -ENOENT);
	assert_int_equal(world_list(&world, "ResNet", &none), -ENOENT);
	assert_int_equal(world_requests(&world), 0);
}

static void presets_are_links(void **state)
{
	auto_hub_listing struct hub_listing presets = { 0 };
	auto_hub_entry struct hub_entry entry = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, "hub", &presets), 0);
	assert_int_equal(presets.count, 385);
	assert_string_equal(
		world_entry(&presets, "bert_tiny_en_uncased")->target,
		"../../huggingface/keras/bert_tiny_en_uncased");
	assert_int_equal(
		world_lookup(&world, "hub/bert_tiny_en_uncased", &entry), 0);
	assert_int_equal(entry.kind, HUB_LINK);
	assert_string_equal(entry.target,
			    "../../huggingface/keras/bert_tiny_en_uncased");
}

/* A path, and what lookup() says: an errno, a kind, a target. */
static const struct {
	const char *path;
	int want;
	enum hub_entry_kind kind;
	const char *target;
} names[] = {
	{ "ResNet50", 0, HUB_REPO, NULL },
	{ "resnet50", 0, HUB_LINK, "ResNet50" },
	{ "ResNet50/notop", 0, HUB_REPO, NULL },
	{ "MobileNetV2/0.35_96_notop", 0, HUB_REPO, NULL },
	{ "hub", 0, HUB_DIR, NULL },
	{ "ResNet50/", -ENOENT, HUB_DIR, NULL },
	{ "ResNet50/top", -ENOENT, HUB_DIR, NULL },
	{ "ResNet50/notop/x", -ENOENT, HUB_DIR, NULL },
	{ "ResNet51", -ENOENT, HUB_DIR, NULL },
	{ "hub/gemma_2b_en", -ENOENT, HUB_DIR, NULL },
	{ "hub/nothing", -ENOENT, HUB_DIR, NULL },
	{ "hub/", -ENOENT, HUB_DIR, NULL },
};

static void names_are_looked_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_hub_entry struct hub_entry entry = { 0 };

		assert_int_equal(world_lookup(&world, names[i].path, &entry),
				 names[i].want);
		if (names[i].want < 0)
			continue;
		assert_int_equal(entry.kind, names[i].kind);
		if (names[i].target)
			assert_string_equal(entry.target, names[i].target);
	}
	assert_int_equal(world_requests(&world), 0);
}

static void facts_of_the_table(void **state)
{
	auto_repo struct repo *repo = NULL;
	auto_json struct json_doc *doc = NULL;
	const struct json *facts;
	uint64_t number;
	int64_t offset;

	(void)state;
	assert_int_equal(
		world_open(&world, "MobileNetV2/0.75_192_notop", &repo), 0);
	assert_string_equal(repo->kind, "keras");
	assert_string_equal(repo->files_dir, "");
	assert_int_equal(json_parse(repo->facts, strlen(repo->facts),
				    CONFIG_BYTES_MAX, &doc),
			 0);
	facts = json_root(doc);
	assert_string_equal(json_string(json_get(facts, "config")),
			    "MobileNetV2_0.75_192/notop");
	assert_true(json_i64(
		json_get(json_get(facts, "preprocessing"), "offset"), &offset));
	assert_int_equal(offset, -1);
	assert_int_equal(json_count(json_get(facts, "input_size")), 3);
	assert_true(
		json_u64(json_first(json_get(facts, "input_size")), &number));
	assert_int_equal(number, 192);
	assert_int_equal(json_kind(json_get(facts, "classes")), JSON_MISSING);
	assert_int_equal(world_read(repo, "weights.h5", BODY), 0);
}

static void what_the_table_knows_is_not_asked(void **state)
{
	auto_repo struct repo *repo = NULL;
	char text[DIGEST_TEXT];

	(void)state;
	assert_int_equal(world.provider->ops->open(world.provider, "ResNet50",
						   DEADLINE_NOW, &repo),
			 0);
	assert_int_equal(repo->file_count, 1);
	assert_int_equal(repo->files[0].size, 102967424);
	digest_text(&repo->files[0].digest, text);
	assert_string_equal(text, "md5:2cb95161c43110f7111970584f804107");
	assert_int_equal(world_requests(&world), 0);
}

static void a_second_mount_asks_nothing(void **state)
{
	static const char *const paths[] = { "Xception/notop", "MobileNetV2",
					     "MobileNetV2/1.0_224" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *first = NULL, *second = NULL;

		assert_int_equal(world_open(&world, paths[i], &first), 0);
		assert_int_equal(world_open(&world, paths[i], &second), 0);
		assert_ptr_equal(first, second);
	}
	/* the same file under two names is asked for once */
	assert_int_equal(world_requests(&world), 2);
	world.offline = true;
	assert_int_equal(world_mount(&world, hub_keras_new), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
		assert_int_equal(repo->files[0].size, strlen(BODY));
		assert_int_equal(world_read(repo, "weights.h5", BODY),
				 -ENETUNREACH);
	}
	assert_int_equal(world_requests(&world), 2);
}

static void what_is_missing(void **state)
{
	struct repo *repo = NULL;

	(void)state;
	assert_int_equal(world_open(&world, "VGG16/notop", &repo), -ENOENT);
	assert_int_equal(world_open(&world, "VGG17", &repo), -ENOENT);
	assert_int_equal(world_open(&world, "VGG16/", &repo), -ENOENT);
	assert_int_equal(world_open(&world, "hub/bert_tiny_en_uncased", &repo),
			 -ENOENT);
	assert_int_equal(world_requests(&world), 1);
}

static void no_catalogue_no_hub(void **state)
{
	(void)state;
	setenv("OMNIHUB_SHARE", "/nowhere", 1);
	assert_int_equal(world_mount(&world, hub_keras_new), -ENOENT);
	unsetenv("OMNIHUB_SHARE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(applications_and_variants),
		TEST(presets_are_links),
		TEST(names_are_looked_up),
		TEST(facts_of_the_table),
		TEST(what_the_table_knows_is_not_asked),
		TEST(a_second_mount_asks_nothing),
		TEST(what_is_missing),
		TEST(no_catalogue_no_hub),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	unsetenv("OMNIHUB_SHARE");
	log_open(2, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
