/* SPDX-License-Identifier: MIT */
#include "tests/unit/providers/hub_world.h"

#include "providers/github.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define OLD "1123456789abcdef0123456789abcdef01234567"
#define OID "2123456789abcdef0123456789abcdef01234567"
#define CODE "dependencies = ['torch']\n"
#define COMMIT(repo, ref) "/repos/" repo "/commits/" ref "?per_page=1"
#define TREE_OF(repo, sha) "/repos/" repo "/git/trees/" sha "?recursive=1"
#define IS(sha) "{\"sha\":\"" sha "\"}"
#define FILE_OF(path, size)                                    \
	"{\"path\":\"" path "\",\"mode\":\"100644\",\"type\":" \
	"\"blob\",\"sha\":\"" OID "\",\"size\":" size "}"
#define TREE                                                              \
	"{\"tree\":[" FILE_OF("hubconf.py", "25") "," FILE_OF("a b/c.py", \
							      "3") "]}"
#define GHOST "huawei-noah/ghostnet"

/* clang-format off */
static const struct fake_file table[] = {
	{ COMMIT("pytorch/vision", "main"), IS(SHA), NULL, 200 },
	{ TREE_OF("pytorch/vision", SHA), TREE, NULL, 200 },
	{ TREE_OF("pytorch/vision", OLD), TREE, NULL, 200 },
	{ "/pytorch/vision/" SHA "/hubconf.py", CODE, NULL, 0 },
	{ "/pytorch/vision/" SHA "/a%20b/c.py", "abc", NULL, 0 },
	{ COMMIT("o/r", "feature%2Fx"), IS(SHA), NULL, 200 },
	{ TREE_OF("o/r", SHA), TREE, NULL, 200 },
	{ COMMIT("o/r", "strange"), "{\"message\":\"No commit found\"}", NULL,
	  422 },
	{ COMMIT("o/r", "much"), IS(OLD), NULL, 200 },
	{ TREE_OF("o/r", OLD), "{\"tree\":[],\"truncated\":true}", NULL, 200 },
	{ COMMIT(GHOST, "master"), IS(SHA), NULL, 200 },
	{ TREE_OF(GHOST, SHA), TREE, NULL, 200 },
	{ NULL, NULL, NULL, 0 },
};

/* Later: the branch has moved, and who asks too often is refused. */
static const struct fake_file moved[] = {
	{ COMMIT("pytorch/vision", "main"), IS(OLD), NULL, 200 },
	{ TREE_OF("pytorch/vision", OLD), TREE, NULL, 200 },
	{ NULL, NULL, NULL, 0 },
};
static const struct fake_file refused[] = {
	{ COMMIT("pytorch/vision", "main"), "{}", NULL, 403 },
	{ NULL, NULL, NULL, 0 },
};
/* clang-format on */

static struct hub_world world;

static int set_up(void **state)
{
	(void)state;
	return world_start(&world, table) < 0 ||
			       world_mount(&world, hub_torchhub_new) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_stop(&world);
	return 0;
}

static void known_repositories(void **state)
{
	auto_hub_listing struct hub_listing owners = { 0 }, repos = { 0 };
	auto_hub_listing struct hub_listing refs = { 0 }, none = { 0 };
	auto_hub_listing struct hub_listing vision = { 0 }, models = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, "", &owners), 0);
	assert_non_null(world_entry(&owners, "ultralytics"));
	assert_int_equal(world_list(&world, "pytorch", &repos), 0);
	assert_int_equal(repos.count, 2);
	assert_string_equal(repos.entries[1].name, "vision");
	assert_int_equal(world_list(&world, "nobody", &none), 0);
	assert_int_equal(none.count, 0);
	assert_int_equal(world_list(&world, "pytorch/vision", &refs), 0);
	assert_int_equal(refs.count, 2);
	assert_int_equal(refs.entries[0].kind, HUB_REPO);
	assert_int_equal(world_list(&world, "pytorch/vision/main", &vision), 0);
	assert_int_equal(vision.count, 1);
	assert_int_equal(vision.entries[0].kind, HUB_DIR);
	assert_int_equal(
		world_list(&world, "pytorch/vision/main/models", &models), 0);
	assert_int_equal(models.count, 121);
	assert_string_equal(world_entry(&models, "resnet50")->target,
			    "../../../../../torchvision/resnet50");
	assert_int_equal(world_list(&world, "o/r/main", &none), -ENOENT);
	assert_int_equal(world_requests(&world), 0);
}

static void the_usual_ref(void **state)
{
	auto_hub_listing struct hub_listing refs = { 0 }, again = { 0 };
	auto_hub_listing struct hub_listing none = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, GHOST, &refs), 0);
	assert_int_equal(refs.count, 1);
	assert_string_equal(refs.entries[0].name, "master");
	assert_int_equal(world_requests(&world), 3);
	assert_int_equal(world_list(&world, GHOST, &again), 0);
	assert_int_equal(world_requests(&world), 3);
	assert_int_equal(world_list(&world, "o/nothing", &none), -ENOENT);
}

/* A path, and what lookup() says without a request. */
static const struct {
	const char *path;
	int want;
	enum hub_entry_kind kind;
} names[] = {
	{ "pytorch", 0, HUB_DIR },
	{ "anyone/anything", 0, HUB_DIR },
	{ "pytorch/vision/main", 0, HUB_REPO },
	{ "pytorch/vision/v0.10.0", 0, HUB_REPO },
	{ "pytorch/vision/main/models", 0, HUB_DIR },
	{ "pytorch/vision/main/models/resnet50", 0, HUB_LINK },
	{ "pytorch/vision/main/models/resnet51", -ENOENT, HUB_DIR },
	{ "pytorch/vision/main/models/resnet50/x", -ENOENT, HUB_DIR },
	{ "pytorch/vision/main/else", -ENOENT, HUB_DIR },
	{ "o/r/main/models", -ENOENT, HUB_DIR },
	{ "pytorch/", -ENOENT, HUB_DIR },
	{ "pytorch//vision", -ENOENT, HUB_DIR },
	{ "..", -ENOENT, HUB_DIR },
	{ "o/..", -ENOENT, HUB_DIR },
	{ "o p/r", -ENOENT, HUB_DIR },
	{ "o/r/..", -ENOENT, HUB_DIR },
	{ "o/r/a%00", -ENOENT, HUB_DIR },
	{ "o/r/a%2F..%2Fb", -ENOENT, HUB_DIR },
};

static void names_are_looked_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_hub_entry struct hub_entry entry = { 0 };

		assert_int_equal(world_lookup(&world, names[i].path, &entry),
				 names[i].want);
		if (names[i].want == 0)
			assert_int_equal(entry.kind, names[i].kind);
	}
	assert_int_equal(world_requests(&world), 0);
}

static void a_repository(void **state)
{
	auto_repo struct repo *repo = NULL;
	auto_hub_entry struct hub_entry entry = { 0 };
	char text[DIGEST_TEXT];

	(void)state;
	assert_int_equal(world_open(&world, "pytorch/vision/main", &repo), 0);
	assert_int_equal(world_requests(&world), 2);
	assert_string_equal(repo->id, "hub/pytorch/vision");
	assert_string_equal(repo->revision, SHA);
	assert_string_equal(repo->kind, "torch-hub");
	assert_string_equal(repo->files_dir, "repo");
	assert_string_equal(repo->url,
			    "https://github.com/pytorch/vision/tree/" SHA);
	assert_non_null(strstr(repo->facts, "\"ref\":\"main\""));
	assert_int_equal(repo->file_count, 2);
	digest_text(&repo->files[1].digest, text);
	assert_string_equal(text, "sha1:" OID);
	assert_int_equal(world_read(repo, "hubconf.py", CODE), 0);
	assert_int_equal(world_read(repo, "a b/c.py", "abc"), 0);
	assert_int_equal(world_lookup(&world, "o/r/feature%2Fx", &entry), 0);
	assert_int_equal(entry.kind, HUB_REPO);
}

static void a_commit_is_not_asked_for(void **state)
{
	auto_repo struct repo *repo = NULL;

	(void)state;
	assert_int_equal(world_open(&world, "pytorch/vision/" OLD, &repo), 0);
	assert_string_equal(repo->revision, OLD);
	assert_int_equal(world_requests(&world), 1);
}

static void what_is_missing_or_too_much(void **state)
{
	struct repo *repo = NULL;
	unsigned int asked;

	(void)state;
	assert_int_equal(world_open(&world, "o/r/none", &repo), -ENOENT);
	assert_int_equal(world_open(&world, "o/r/strange", &repo), -ENOENT);
	assert_int_equal(world_open(&world, "o/r/much", &repo), -EIO);
	assert_int_equal(world_open(&world, "o/r", &repo), -ENOENT);
	asked = world_requests(&world);
	assert_int_equal(world_open(&world, "o/r/none", &repo), -ENOENT);
	assert_int_equal(world_open(&world, "o/r/strange", &repo), -ENOENT);
	assert_int_equal(world_requests(&world), asked);
}

static void open_sha(const char *path, const char *want)
{
	auto_repo struct repo *repo = NULL;

	assert_int_equal(world_open(&world, path, &repo), 0);
	assert_string_equal(repo->revision, want);
}

static void a_second_mount_asks_nothing(void **state)
{
	auto_repo struct repo *repo = NULL;

	(void)state;
	open_sha("pytorch/vision/main", SHA);
	assert_int_equal(world_requests(&world), 2);
	assert_int_equal(world_mount(&world, hub_torchhub_new), 0);
	open_sha("pytorch/vision/main", SHA);
	world.offline = true;
	assert_int_equal(world_mount(&world, hub_torchhub_new), 0);
	clock_set(1000 * NS_PER_S, WALL + 86400);
	assert_int_equal(world_open(&world, "pytorch/vision/main", &repo), 0);
	assert_int_equal(world_read(repo, "hubconf.py", CODE), -ENETUNREACH);
	assert_int_equal(world_requests(&world), 2);
}

static void a_branch_moves(void **state)
{
	(void)state;
	open_sha("pytorch/vision/main", SHA);
	world.server.table = moved;
	clock_set(1000 * NS_PER_S, WALL + 599);
	open_sha("pytorch/vision/main", SHA);
	assert_int_equal(world_requests(&world), 2);
	clock_set(1000 * NS_PER_S, WALL + 601);
	open_sha("pytorch/vision/main", OLD);
	assert_int_equal(world_requests(&world), 4);
	world.server.table = refused;
	clock_set(1000 * NS_PER_S, WALL + 2000);
	open_sha("pytorch/vision/main", OLD);
	world.server.table = table;
	world.provider->ops->refresh(world.provider, "pytorch/vision/main");
	open_sha("pytorch/vision/main", SHA);
}

/* A mirror is not GitHub: it is not told the token. */
static void a_token_stays_at_home(void **state)
{
	struct provider_env env = { 0 };
	struct github github;

	(void)state;
	setenv("GITHUB_TOKEN", "ghp_secret", 1);
	assert_int_equal(world_mount(&world, hub_torchhub_new), 0);
	open_sha("pytorch/vision/main", SHA);
	assert_int_equal(world.server.http.with_token, 0);
	assert_int_equal(github_init(&github, &env), 0);
	assert_string_equal(github.auth.token, "ghp_secret");
	assert_string_equal(github.auth.origin, "https://api.github.com");
	github_release(&github);
	setenv("GITHUB_TOKEN", "two words", 1);
	assert_int_equal(github_init(&github, &env), -EINVAL);
	github_release(&github);
	unsetenv("GITHUB_TOKEN");
	/* what a token saw is not believed of everyone */
	assert_int_equal(world_mount(&world, hub_torchhub_new), 0);
	open_sha("pytorch/vision/main", SHA);
	assert_int_equal(world_requests(&world), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_repositories),
		TEST(the_usual_ref),
		TEST(names_are_looked_up),
		TEST(a_repository),
		TEST(a_commit_is_not_asked_for),
		TEST(what_is_missing_or_too_much),
		TEST(a_second_mount_asks_nothing),
		TEST(a_branch_moves),
		TEST(a_token_stays_at_home),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	unsetenv("OMNIHUB_SHARE");
	unsetenv("GITHUB_TOKEN");
	log_open(2, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
