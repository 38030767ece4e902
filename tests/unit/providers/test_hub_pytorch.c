/* SPDX-License-Identifier: MIT */
#include "tests/unit/providers/hub_world.h"

#include "base/json.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define OID SHA "0123456789abcdef01234567"
#define BODY "PK\x03\x04 weights"
#define INFO(id) "/api/models/" id "/revision/main"
#define TREE_OF(id) "/api/models/" id "/tree/" SHA "?recursive=true"
#define MODEL(id) "{\"id\":\"" id "\",\"sha\":\"" SHA "\",\"private\":false}"
#define FILE_JSON(path, size)                                           \
	"{\"type\":\"file\",\"path\":\"" path "\",\"size\":1,\"lfs\":{" \
	"\"size\":" size ",\"oid\":\"" OID "\"}}"
#define TIMM "timm/resnet50.a1_in1k"
#define NEW "timm/resnet50.next_in1k"
#define DEIT "/deit/deit_tiny_patch16_224-a1311bcf.pth"

/* clang-format off */
static const struct fake_file table[] = {
	{ "/models/resnet50-0676ba61.pth", BODY, "ETag: \"v1\"\r\n", 0 },
	{ "/models/resnet50-11ad3fa6.pth", BODY, "ETag: \"v2\"\r\n", 0 },
	{ INFO(TIMM), MODEL(TIMM), NULL, 200 },
	{ TREE_OF(TIMM),
	  "[" FILE_JSON("README.md", "5") "," FILE_JSON("config.json", "6") ","
	  FILE_JSON("model.safetensors", "12") ","
	  FILE_JSON("pytorch_model.bin", "14") ","
	  FILE_JSON("onnx/model.onnx", "13") "]", NULL, 200 },
	{ "/timm/resnet50.a1_in1k/resolve/" SHA "/model.safetensors", BODY,
	  NULL, 0 },
	{ INFO(NEW), MODEL(NEW), NULL, 200 },
	{ TREE_OF(NEW), "[" FILE_JSON("pytorch_model.bin", "11") "]", NULL,
	  200 },
	{ DEIT, BODY, "ETag: \"d\"\r\n", 0 },
	{ "/mar_files/squeezenet1_1.mar", BODY,
	  "ETag: \"s\"\r\n"
	  "Content-Type: application/x-www-form-urlencoded\r\n", 0 },
	{ NULL, NULL, NULL, 0 },
};
/* clang-format on */

static struct hub_world world;

static int set_up(void **state)
{
	(void)state;
	return world_start(&world, table) < 0 ||
			       world_mount(&world, hub_pytorch_new) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_stop(&world);
	return 0;
}

/* Of the facts of @repo, the text at "a/b"; "" where there is none. */
static void assert_fact(const struct repo *repo, const char *name,
			const char *want)
{
	auto_json struct json_doc *doc = NULL;
	const char *text;

	assert_int_equal(json_parse(repo->facts, strlen(repo->facts),
				    CONFIG_BYTES_MAX, &doc),
			 0);
	text = json_string(json_get(json_root(doc), name));
	if (want)
		assert_string_equal(text, want);
	else
		assert_null(text);
}

static void directories(void **state)
{
	auto_hub_listing struct hub_listing top = { 0 }, vision = { 0 };
	auto_hub_listing struct hub_listing resnet = { 0 }, timm = { 0 };
	auto_hub_listing struct hub_listing serve = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, "", &top), 0);
	assert_int_equal(world_entry(&top, "torchvision")->kind, HUB_DIR);
	assert_int_equal(world_entry(&top, "timm")->kind, HUB_DIR);
	assert_int_equal(world_list(&world, "torchvision", &vision), 0);
	assert_int_equal(vision.count, 121);
	assert_int_equal(world_entry(&vision, "vgg16")->kind, HUB_DIR);
	assert_int_equal(world_list(&world, "torchvision/resnet50", &resnet),
			 0);
	assert_int_equal(resnet.count, 3);
	assert_int_equal(resnet.entries[0].kind, HUB_LINK);
	assert_string_equal(resnet.entries[0].target, "IMAGENET1K_V2");
	assert_int_equal(resnet.entries[1].kind, HUB_REPO);
	assert_int_equal(world_list(&world, "timm", &timm), 0);
	assert_int_equal(timm.count, 1827);
	assert_non_null(world_entry(&timm, "resnet50.a1_in1k"));
	assert_null(world_entry(&timm, "nf_resnet26"));
	assert_int_equal(world_list(&world, "torchserve", &serve), 0);
	assert_int_equal(serve.count, 69);
	assert_int_equal(world_entry(&serve, "resnet-18")->kind, HUB_REPO);
	assert_int_equal(world_requests(&world), 0);
}

/* A path, and what lookup() says: an errno, a kind, a target. */
static const struct {
	const char *path;
	int want;
	enum hub_entry_kind kind;
	const char *target;
} names[] = {
	{ "torchvision", 0, HUB_DIR, NULL },
	{ "torchvision/resnet50", 0, HUB_DIR, NULL },
	{ "torchvision/ResNet50", 0, HUB_LINK, "resnet50" },
	{ "torchvision/resnet50/DEFAULT", 0, HUB_LINK, "IMAGENET1K_V2" },
	{ "torchvision/resnet50/IMAGENET1K_V1", 0, HUB_REPO, NULL },
	{ "torchvision/vgg16/IMAGENET1K_FEATURES", 0, HUB_REPO, NULL },
	{ "torchvision/quantized_resnet50/DEFAULT", 0, HUB_LINK,
	  "IMAGENET1K_FBGEMM_V2" },
	{ "timm/resnet50.a1_in1k", 0, HUB_REPO, NULL },
	{ "timm/resnet50.a1_in1k@v1", 0, HUB_REPO, NULL },
	{ "timm/resnet50", 0, HUB_LINK, "resnet50.a1_in1k" },
	{ "timm/vit_small_patch16_224", 0, HUB_LINK,
	  "vit_small_patch16_224.augreg_in21k_ft_in1k" },
	{ "torchserve/squeezenet1_1", 0, HUB_REPO, NULL },
	{ "torchserve/AlexNet", 0, HUB_LINK, "alexnet" },
	{ "torchvision/", -ENOENT, HUB_DIR, NULL },
	{ "torchaudio", -ENOENT, HUB_DIR, NULL },
	{ "torchvisio", -ENOENT, HUB_DIR, NULL },
	{ "torchvision/resnet50/", -ENOENT, HUB_DIR, NULL },
	{ "torchvision/resnet50/IMAGENET1K_V3", -ENOENT, HUB_DIR, NULL },
	{ "torchvision/resnet51", -ENOENT, HUB_DIR, NULL },
	{ "torchvision/resnet51/DEFAULT", -ENOENT, HUB_DIR, NULL },
	{ "timm/resnet50.a1_in1k/x", -ENOENT, HUB_DIR, NULL },
	{ "timm/@main", -ENOENT, HUB_DIR, NULL },
	{ "torchserve/alexnet/x", -ENOENT, HUB_DIR, NULL },
	{ "torchserve/does_not_exist", -ENOENT, HUB_DIR, NULL },
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
		else
			assert_null(entry.target);
	}
	assert_int_equal(world_requests(&world), 0);
}

static void weights_of_torchvision(void **state)
{
	auto_repo struct repo *repo = NULL;
	auto_json struct json_doc *doc = NULL;
	const struct json *facts, *resize;
	char text[DIGEST_TEXT];
	uint64_t side;

	(void)state;
	assert_int_equal(
		world_open(&world, "torchvision/resnet50/IMAGENET1K_V2", &repo),
		0);
	assert_int_equal(world_requests(&world), 1);
	assert_string_equal(repo->id, "torchvision/resnet50/IMAGENET1K_V2");
	assert_string_equal(repo->kind, "torchvision");
	assert_string_equal(repo->files_dir, "");
	digest_text(&repo->files[0].digest, text);
	assert_string_equal(text, "sha256-prefix:11ad3fa6");
	assert_int_equal(world_read(repo, "weights.pth", BODY), 0);
	assert_fact(repo, "skeleton", "torchvision/resnet50");
	assert_fact(repo, "weights", "weights.pth");
	assert_fact(repo, "url", NULL);
	assert_fact(repo, "labels", "imagenet1k");
	assert_int_equal(json_parse(repo->facts, strlen(repo->facts),
				    CONFIG_BYTES_MAX, &doc),
			 0);
	facts = json_root(doc);
	resize = json_get(json_get(facts, "preprocessing"), "resize");
	assert_true(json_u64(json_get(resize, "shortest_edge"), &side));
	assert_int_equal(side, 232);
	assert_int_equal(json_kind(json_get(facts, "metrics")), JSON_OBJECT);
}

/* A share folder whose table has one model, with the true digest of BODY. */
static void share_make(const char *home)
{
	auto_free char *text = NULL;
	uint8_t sum[SHA256_BYTES];
	char hex[9];

	assert_int_equal(sha256(BODY, strlen(BODY), sum), 0);
	hex_encode(sum, 4, hex);
	text = mem_printf(
		"builder\tweights\tis_default\ttask\turl\tdigest\tparams\t"
		"input_size\tmin_size\tpreprocess\tlabels\tclasses\tmetrics\t"
		"recipe\tbackend\tunquantized\tlicense\n"
		"tiny\tV1\t1\t\thttps://download.pytorch.org/models/"
		"resnet50-11ad3fa6.pth\tsha256-prefix:%s"
		"\t\t\t\t\t\t\t\t\t\t\t\n",
		hex);
	world_write(home, "catalogues/torchvision.tsv", text);
}

/* Made, in this order, below a home of torch.hub; a dot: a file. */
static const char *const home_tree[] = {
	"hub",
	"hub/checkpoints",
	"hub/checkpoints/resnet50-11ad3fa6.pth",
	"catalogues",
	"catalogues/torchvision.tsv",
};

static void home_make(const char *home, const char *body)
{
	for (size_t i = 0; i < ARRAY_LEN(home_tree); i++) {
		auto_free char *path = mem_printf("%s/%s", home, home_tree[i]);

		if (!strchr(home_tree[i], '.'))
			mkdir(path, 0700);
	}
	share_make(home);
	world_write(home, home_tree[2], body);
}

static void home_remove(const char *home)
{
	for (size_t i = ARRAY_LEN(home_tree); i-- > 0;) {
		auto_free char *path = mem_printf("%s/%s", home, home_tree[i]);

		remove(path);
	}
	assert_int_equal(rmdir(home), 0);
}

/* Whether the model is read in place where its download has @body. */
static bool is_read_in_place(const char *body)
{
	char home[] = "/tmp/omnihub-torch-XXXXXX";
	auto_repo struct repo *repo = NULL;
	auto_source struct source *source = NULL;

	assert_non_null(mkdtemp(home));
	home_make(home, body);
	setenv("TORCH_HOME", home, 1);
	setenv("OMNIHUB_SHARE", home, 1);
	assert_int_equal(world_mount(&world, hub_torchvision_new), 0);
	assert_int_equal(world_open(&world, "tiny/V1", &repo), 0);
	unsetenv("TORCH_HOME");
	unsetenv("OMNIHUB_SHARE");
	assert_int_equal(repo_source(repo, 0, &source), 0);
	home_remove(home);
	return source->ops->open_local != NULL;
}

static void a_download_of_torch_hub(void **state)
{
	(void)state;
	assert_true(is_read_in_place(BODY));
	/* of the right name and size, but other bytes */
	assert_false(is_read_in_place("PK\x03\x04 weightz"));
}

static void a_model_of_timm(void **state)
{
	auto_repo struct repo *repo = NULL;

	(void)state;
	assert_int_equal(world_open(&world, TIMM, &repo), 0);
	assert_int_equal(world_requests(&world), 2);
	assert_string_equal(repo->id, TIMM);
	assert_string_equal(repo->revision, SHA);
	assert_string_equal(repo->kind, "timm");
	assert_string_equal(repo->files_dir, "");
	assert_int_equal(repo->file_count, 4);
	assert_string_equal(repo->licence, "apache-2.0");
	assert_fact(repo, "licence", NULL);
	assert_fact(repo, "url", NULL);
	assert_fact(repo, "skeleton", "timm/resnet50");
	assert_fact(repo, "weights", "model.safetensors");
	assert_fact(repo, "labels", "imagenet1k");
	assert_int_equal(world_read(repo, "model.safetensors", BODY), 0);
}

static void what_timm_has_new(void **state)
{
	auto_hub_entry struct hub_entry entry = { 0 }, none = { 0 };
	auto_repo struct repo *repo = NULL;

	(void)state;
	assert_int_equal(world_lookup(&world, NEW, &entry), 0);
	assert_int_equal(entry.kind, HUB_REPO);
	assert_int_equal(world_open(&world, NEW, &repo), 0);
	assert_fact(repo, "skeleton", "timm/resnet50");
	assert_fact(repo, "weights", "pytorch_model.bin");
	assert_int_equal(world_lookup(&world, "timm/nothing", &none), -ENOENT);
}

/* Its repository at Hugging Face is not there; what it was made of is. */
static void where_a_model_was_first(void **state)
{
	auto_repo struct repo *repo = NULL, *none = NULL;

	(void)state;
	assert_int_equal(
		world_open(&world, "timm/deit_tiny_patch16_224.fb_in1k", &repo),
		0);
	assert_int_equal(repo->file_count, 1);
	assert_fact(repo, "weights", "deit_tiny_patch16_224-a1311bcf.pth");
	assert_fact(repo, "skeleton", "timm/deit_tiny_patch16_224");
	assert_int_equal(world_read(repo, "deit_tiny_patch16_224-a1311bcf.pth",
				    BODY),
			 0);
	assert_int_equal(world_open(&world,
				    "timm/deit_tiny_patch16_224.fb_in1k@v1",
				    &none),
			 -ENOENT);
}

static void an_archive_of_torchserve(void **state)
{
	auto_repo struct repo *repo = NULL, *none = NULL;

	(void)state;
	assert_int_equal(world_open(&world, "torchserve/squeezenet1_1", &repo),
			 0);
	assert_string_equal(repo->kind, "torchserve");
	assert_string_equal(repo->files_dir, "");
	assert_fact(repo, "skeleton", "torchvision/squeezenet1_1");
	assert_fact(repo, "mode", "eager");
	assert_int_equal(world_read(repo, "squeezenet1_1.mar", BODY), 0);
	assert_int_equal(world_open(&world, "torchserve/alexnet", &none),
			 -ENOENT);
}

static void a_second_mount_asks_nothing(void **state)
{
	static const char *const paths[] = {
		"torchvision/resnet50/IMAGENET1K_V1",
		TIMM,
		"torchserve/squeezenet1_1",
	};
	unsigned int asked;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
	}
	asked = world_requests(&world);
	assert_int_equal(asked, 1 + 2 + 1);
	assert_int_equal(world_mount(&world, hub_pytorch_new), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
	}
	world.offline = true;
	assert_int_equal(world_mount(&world, hub_pytorch_new), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
	}
	assert_int_equal(world_requests(&world), asked);
}

static void no_catalogue_no_hub(void **state)
{
	(void)state;
	setenv("OMNIHUB_SHARE", "/nowhere", 1);
	assert_int_equal(world_mount(&world, hub_pytorch_new), -ENOENT);
	unsetenv("OMNIHUB_SHARE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(directories),
		TEST(names_are_looked_up),
		TEST(weights_of_torchvision),
		TEST(a_download_of_torch_hub),
		TEST(a_model_of_timm),
		TEST(what_timm_has_new),
		TEST(where_a_model_was_first),
		TEST(an_archive_of_torchserve),
		TEST(a_second_mount_asks_nothing),
		TEST(no_catalogue_no_hub),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	setenv("HF_HUB_CACHE", "/nowhere", 1);
	unsetenv("TORCH_HOME");
	setenv("XDG_CACHE_HOME", "/nowhere", 1);
	unsetenv("OMNIHUB_SHARE");
	log_open(2, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
