/* SPDX-License-Identifier: MIT */
#include "tests/unit/providers/hub_world.h"

#include "base/json.h"
#include "providers/onnx_manifest.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define OID SHA "0123456789abcdef01234567"
#define HF "/onnxmodelzoo"
#define LEGACY HF "/legacy_models"
#define INFO(id) "/api/models" id "/revision/main"
#define TREE_OF(id) "/api/models" id "/tree/" SHA "?recursive=true"
#define MODEL(id) "{\"id\":\"" id "\",\"sha\":\"" SHA "\",\"private\":false}"
#define FILE_JSON(path, size)                                           \
	"{\"type\":\"file\",\"path\":\"" path "\",\"size\":1,\"lfs\":{" \
	"\"size\":" size ",\"oid\":\"" OID "\"}}"
#define TINY "validated/vision/tiny/model/tiny-12"
#define BODY "\x08\x07 a tiny model"
#define ARCHIVE "\x1f\x8b a tiny archive"
#define POINTER "version https://git-lfs.github.com/spec/v1\n"

/* clang-format off */
#define VISION "Computer_Vision/"
#define ZOO_TREE                                                         \
	"[" FILE_JSON("README.md", "5") ","                              \
	FILE_JSON(VISION "a_Opset16_timm/a_Opset16.onnx", "15") ","      \
	FILE_JSON(VISION "a_Opset16_timm/x.yaml", "7") ","               \
	FILE_JSON(VISION "a_Opset16_timm/more/y.txt", "7") ","           \
	FILE_JSON(VISION "skip/b_Opset16_timm/b_Opset16.onnx", "8") ","  \
	FILE_JSON("Computer_Vision-2/c.tar.gz", "9") "]"
/* clang-format on */

static const struct fake_file table[] = {
	{ LEGACY "/resolve/main/" TINY ".onnx", BODY, NULL, 0 },
	{ LEGACY "/resolve/main/" TINY ".tar.gz", POINTER, NULL, 200 },
	{ "/media/onnx/models/main/" TINY ".tar.gz", ARCHIVE, NULL, 0 },
	{ INFO(LEGACY), MODEL("onnxmodelzoo/legacy_models"), NULL, 200 },
	{ TREE_OF(LEGACY), ZOO_TREE, NULL, 200 },
	{ LEGACY "/resolve/" SHA
		 "/Computer_Vision/a_Opset16_timm/a_Opset16.onnx",
	  BODY, NULL, 0 },
	{ INFO(HF "/other_Opset17"), MODEL("onnxmodelzoo/other_Opset17"), NULL,
	  200 },
	{ TREE_OF(HF "/other_Opset17"),
	  "[" FILE_JSON("other_Opset17.onnx", "15") "]", NULL, 200 },
	{ NULL, NULL, NULL, 0 },
};

static struct hub_world world;
static char share[] = "/tmp/omnihub-share-XXXXXX";

/* A manifest of small models, whose sums are true. */
static void manifest_write(void)
{
	uint8_t model[SHA256_BYTES], archive[SHA256_BYTES];
	char model_hex[65], archive_hex[65];
	auto_free char *dir = mem_printf("%s/catalogues", share);
	auto_free char *text = NULL;

	assert_int_equal(sha256(BODY, strlen(BODY), model), 0);
	assert_int_equal(sha256(ARCHIVE, strlen(ARCHIVE), archive), 0);
	hex_encode(model, SHA256_BYTES, model_hex);
	hex_encode(archive, SHA256_BYTES, archive_hex);
	text = mem_printf("name\topset\tmodel\tpath\tsha256\tbytes\ttar_path\t"
			  "tar_sha256\ttar_bytes\ttags\tinputs\toutputs\t"
			  "onnx_version\n"
			  "Tiny_Net\t12\tTiny Net\t" TINY
			  ".onnx\t%s\t%zu\t" TINY
			  ".tar.gz\t%s\t%zu\tvision,tiny\t"
			  "x|tensor(float)|1x3;y|z|tensor(int64)|N\t\t1.9\n",
			  model_hex, strlen(BODY), archive_hex,
			  strlen(ARCHIVE));
	mkdir(dir, 0700);
	world_write(dir, "onnx.tsv", text);
}

static int set_up(void **state)
{
	(void)state;
	setenv("OMNIHUB_SHARE", share, 1);
	return world_start(&world, table) < 0 ||
			       world_mount(&world, hub_onnx_new) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_stop(&world);
	return 0;
}

static void a_model_of_the_manifest(void **state)
{
	auto_repo struct repo *repo = NULL;
	char text[DIGEST_TEXT];

	(void)state;
	assert_int_equal(world.provider->ops->open(world.provider,
						   "Tiny_Net/12", DEADLINE_NOW,
						   &repo),
			 0);
	assert_int_equal(world_requests(&world), 0);
	assert_string_equal(repo->id, "Tiny_Net/12");
	assert_string_equal(repo->kind, "onnx-zoo");
	assert_string_equal(repo->files_dir, "repo");
	assert_int_equal(repo->file_count, 2);
	assert_string_equal(repo->files[0].path, "tiny-12.onnx");
	digest_text(&repo->files[0].digest, text);
	assert_int_equal(strncmp(text, "sha256:", 7), 0);
	assert_int_equal(world_read(repo, "tiny-12.onnx", BODY), 0);
	assert_int_equal(world_requests(&world), 1);
	/* a pointer in two tries, two repositories that are not, GitHub */
	assert_int_equal(world_read(repo, "tiny-12.tar.gz", ARCHIVE), 0);
	assert_int_equal(world_requests(&world), 1 + 2 + 2 + 1);
}

static void facts_of_the_manifest(void **state)
{
	auto_repo struct repo *repo = NULL;
	auto_json struct json_doc *doc = NULL;
	const struct json *facts, *port;

	(void)state;
	assert_int_equal(world_open(&world, "Tiny_Net/12", &repo), 0);
	assert_int_equal(json_parse(repo->facts, strlen(repo->facts),
				    CONFIG_BYTES_MAX, &doc),
			 0);
	facts = json_root(doc);
	assert_string_equal(json_string(json_get(facts, "model")), "Tiny Net");
	assert_int_equal(json_count(json_get(facts, "tags")), 2);
	assert_int_equal(json_count(json_get(facts, "inputs")), 2);
	port = json_first(json_get(facts, "inputs"));
	assert_string_equal(json_string(json_get(port, "shape")), "1x3");
	port = json_next(port);
	assert_string_equal(json_string(json_get(port, "name")), "y|z");
	assert_string_equal(json_string(json_get(port, "type")),
			    "tensor(int64)");
	assert_int_equal(json_kind(json_get(facts, "outputs")), JSON_MISSING);
}

/* A path; what lookup() says, and in how many requests. */
static const struct {
	const char *path;
	int want;
	enum hub_entry_kind kind;
	const char *target;
	unsigned int requests;
} names[] = {
	{ "Tiny_Net", 0, HUB_DIR, NULL, 0 },
	{ "tiny_net", 0, HUB_LINK, "Tiny_Net", 0 },
	{ "TINY NET", 0, HUB_LINK, "Tiny_Net", 0 },
	{ "Tiny_Net/12", 0, HUB_REPO, NULL, 0 },
	{ "Tiny_Net/7", -ENOENT, HUB_DIR, NULL, 0 },
	{ "Tiny_Net/12/x", -ENOENT, HUB_DIR, NULL, 0 },
	{ "tree", 0, HUB_DIR, NULL, 0 },
	{ ".hidden", -ENOENT, HUB_DIR, NULL, 0 },
	{ "no_Opset17", -ENOENT, HUB_DIR, NULL, 1 },
	{ "no_Opset17", -ENOENT, HUB_DIR, NULL, 0 },
	{ "other_Opset17", 0, HUB_REPO, NULL, 2 },
	{ "tree/Computer_Vision", 0, HUB_DIR, NULL, 2 },
	{ "tree/Computer_Vision/a_Opset16_timm", 0, HUB_REPO, NULL, 0 },
	{ "tree/Computer_Vision/skip", 0, HUB_DIR, NULL, 0 },
	{ "tree/Computer_Vision-2", 0, HUB_REPO, NULL, 0 },
	{ "tree/Computer", -ENOENT, HUB_DIR, NULL, 0 },
	{ "tree/README.md", -ENOENT, HUB_DIR, NULL, 0 },
	{ "tree/", -ENOENT, HUB_DIR, NULL, 0 },
};

static void names_are_looked_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_hub_entry struct hub_entry entry = { 0 };
		unsigned int before = world_requests(&world);

		assert_int_equal(world_lookup(&world, names[i].path, &entry),
				 names[i].want);
		assert_int_equal(world_requests(&world) - before,
				 names[i].requests);
		if (names[i].want < 0)
			continue;
		assert_int_equal(entry.kind, names[i].kind);
		if (names[i].target)
			assert_string_equal(entry.target, names[i].target);
	}
}

static void directories(void **state)
{
	auto_hub_listing struct hub_listing top = { 0 }, opsets = { 0 };
	auto_hub_listing struct hub_listing tree = { 0 }, vision = { 0 };
	auto_hub_listing struct hub_listing leaf = { 0 }, none = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, "", &top), 0);
	assert_int_equal(top.count, 2);
	assert_string_equal(top.entries[0].name, "Tiny_Net");
	assert_int_equal(world_list(&world, "Tiny_Net", &opsets), 0);
	assert_int_equal(opsets.count, 1);
	assert_int_equal(opsets.entries[0].kind, HUB_REPO);
	assert_int_equal(world_requests(&world), 0);
	assert_int_equal(world_list(&world, "tree", &tree), 0);
	assert_int_equal(tree.count, 2);
	assert_int_equal(world_entry(&tree, "Computer_Vision")->kind, HUB_DIR);
	assert_int_equal(world_entry(&tree, "Computer_Vision-2")->kind,
			 HUB_REPO);
	assert_int_equal(world_list(&world, "tree/Computer_Vision", &vision),
			 0);
	assert_int_equal(vision.count, 2);
	assert_int_equal(world_entry(&vision, "a_Opset16_timm")->kind,
			 HUB_REPO);
	assert_int_equal(world_entry(&vision, "skip")->kind, HUB_DIR);
	assert_int_equal(world_list(&world,
				    "tree/Computer_Vision/a_Opset16_timm",
				    &leaf),
			 0);
	assert_int_equal(leaf.count, 1);
	assert_string_equal(leaf.entries[0].name, "more");
	assert_int_equal(leaf.entries[0].kind, HUB_DIR);
	assert_int_equal(world_list(&world, "tree/nothing", &none), -ENOENT);
	assert_int_equal(world_list(&world, "Tiny_Net/12", &none), -ENOENT);
	assert_int_equal(world_requests(&world), 2);
}

static void models_outside_the_manifest(void **state)
{
	auto_repo struct repo *exported = NULL, *other = NULL, *none = NULL;

	(void)state;
	assert_int_equal(world_open(&world,
				    "tree/Computer_Vision/a_Opset16_timm",
				    &exported),
			 0);
	assert_string_equal(exported->id,
			    "tree/Computer_Vision/a_Opset16_timm");
	assert_string_equal(exported->revision, SHA);
	assert_string_equal(exported->kind, "onnx-zoo");
	assert_int_equal(exported->file_count, 2);
	assert_int_equal(world_read(exported, "a_Opset16.onnx", BODY), 0);
	assert_int_equal(world_open(&world, "other_Opset17", &other), 0);
	assert_string_equal(other->files[0].path, "other_Opset17.onnx");
	assert_string_equal(other->id, "other_Opset17");
	assert_string_equal(other->kind, "onnx-zoo");
	assert_int_equal(world_open(&world, "tree/Computer_Vision", &none),
			 -ENOENT);
	assert_int_equal(world_open(&world, "tree", &none), -ENOENT);
	assert_int_equal(world_open(&world, "Tiny_Net", &none), -ENOENT);
	assert_int_equal(world_open(&world, "Tiny_Net/7", &none), -ENOENT);
}

static void a_second_mount_asks_nothing(void **state)
{
	static const char *const paths[] = {
		"Tiny_Net/12", "other_Opset17",
		"tree/Computer_Vision/a_Opset16_timm"
	};
	unsigned int before;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
	}
	before = world_requests(&world);
	assert_int_equal(world_mount(&world, hub_onnx_new), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
	}
	assert_int_equal(world_requests(&world), before);
}

/* The zoo's tree in a folder, or on a mirror. */
static void an_endpoint_of_its_own(void **state)
{
	static const struct fake_file mirror[] = {
		{ "/zoo/" TINY ".onnx", BODY, NULL, 0 },
		{ NULL, NULL, NULL, 0 },
	};
	auto_free char *url = mem_printf("%s/zoo/", world.server.base);
	auto_repo struct repo *repo = NULL, *none = NULL;

	(void)state;
	world.server.table = mirror;
	world.name = "onnx";
	world.folder = url;
	assert_int_equal(world_mount(&world, hub_onnx_new), 0);
	assert_int_equal(world_open(&world, "Tiny_Net/12", &repo), 0);
	assert_int_equal(world_read(repo, "tiny-12.onnx", BODY), 0);
	assert_int_equal(world_requests(&world), 1);
	repo_unref(take_ptr(repo));
	world.folder = "/nowhere";
	assert_int_equal(world_mount(&world, hub_onnx_new), 0);
	assert_int_equal(world_open(&world, "Tiny_Net/12", &none), -ENOENT);
}

static const struct {
	const char *path;
	bool own;
	const char *urls[ONNX_PLACES_MAX];
} places[] = {
	{ "validated/t/bert-squad/model/bertsquad-10.tar.gz",
	  false,
	  { "https://huggingface.co/onnxmodelzoo/legacy_models/resolve/main/"
	    "validated/t/bert-squad/model/bertsquad-10.tar.gz",
	    "https://huggingface.co/onnxmodelzoo/bertsquad-10/resolve/main/"
	    "bertsquad-10.tar.gz",
	    "https://huggingface.co/onnxmodelzoo/bert-squad/resolve/main/"
	    "bertsquad-10.tar.gz",
	    "https://media.githubusercontent.com/media/onnx/models/main/"
	    "validated/t/bert-squad/model/bertsquad-10.tar.gz" } },
	{ "a b/mobilenet-1.0.onnx",
	  false,
	  { "https://huggingface.co/onnxmodelzoo/legacy_models/resolve/main/"
	    "a%20b/mobilenet-1.0.onnx",
	    "https://huggingface.co/onnxmodelzoo/mobilenet-1.0/resolve/main/"
	    "mobilenet-1.0.onnx",
	    "https://huggingface.co/onnxmodelzoo/a%20b/resolve/main/"
	    "mobilenet-1.0.onnx",
	    "https://media.githubusercontent.com/media/onnx/models/main/"
	    "a%20b/mobilenet-1.0.onnx" } },
	{ "x.onnx",
	  false,
	  { "https://huggingface.co/onnxmodelzoo/legacy_models/resolve/main/"
	    "x.onnx",
	    "https://huggingface.co/onnxmodelzoo/x/resolve/main/x.onnx",
	    "https://media.githubusercontent.com/media/onnx/models/main/"
	    "x.onnx" } },
	{ "a b/x.onnx", true, { "/a%20b/x.onnx" } },
};

static void places_of_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		auto_onnx_places struct onnx_places found = { 0 };

		assert_int_equal(onnx_places_of(places[i].path, places[i].own,
						&found),
				 0);
		for (size_t k = 0; k < ONNX_PLACES_MAX; k++) {
			assert_int_equal(k < found.count,
					 places[i].urls[k] != NULL);
			if (k < found.count)
				assert_string_equal(found.urls[k],
						    places[i].urls[k]);
		}
	}
}

/* Every row of the manifest that is shipped opens, without a request. */
static void all_of_the_shipped_manifest(void **state)
{
	auto_hub_listing struct hub_listing top = { 0 };
	size_t rows = 0;

	(void)state;
	unsetenv("OMNIHUB_SHARE");
	assert_int_equal(world_mount(&world, hub_onnx_new), 0);
	assert_int_equal(world_list(&world, "", &top), 0);
	for (size_t i = 0; i < top.count; i++) {
		const char *name = top.entries[i].name;
		auto_hub_listing struct hub_listing opsets = { 0 };

		if (!strcmp(name, "tree"))
			continue;
		assert_int_equal(world_list(&world, name, &opsets), 0);
		for (size_t k = 0; k < opsets.count; k++, rows++) {
			auto_free char *path = mem_printf(
				"%s/%s", name, opsets.entries[k].name);
			auto_repo struct repo *repo = NULL;

			assert_int_equal(world_open(&world, path, &repo), 0);
			assert_int_equal(repo->file_count, 2);
		}
	}
	assert_int_equal(top.count, 116 + 1);
	assert_int_equal(rows, 184);
	assert_int_equal(world_requests(&world), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_of_the_manifest),
		TEST(facts_of_the_manifest),
		TEST(names_are_looked_up),
		TEST(directories),
		TEST(models_outside_the_manifest),
		TEST(a_second_mount_asks_nothing),
		TEST(an_endpoint_of_its_own),
		TEST(places_of_a_file),
		TEST(all_of_the_shipped_manifest),
	};
	auto_free char *file = NULL, *dir = NULL;
	int failed;

	setenv("no_proxy", "127.0.0.1", 1);
	setenv("HF_HOME", "/nowhere", 1);
	unsetenv("HF_TOKEN");
	log_open(2, LOG_LEVEL_ERROR);
	if (!mkdtemp(share))
		return 1;
	manifest_write();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	file = mem_printf("%s/catalogues/onnx.tsv", share);
	dir = mem_printf("%s/catalogues", share);
	unlink(file);
	rmdir(dir);
	rmdir(share);
	return failed;
}
