/* SPDX-License-Identifier: MIT */
#include "tests/unit/providers/hub_world.h"

#include <ctype.h>

#include "base/json.h"

#define API "/api/v1/models/"
#define YAMNET "google/yamnet/tensorFlow2/yamnet"
#define PB "\x08\x01SavedModel and its graph"
#define INDEX "an index"
#define DATA "the weights"
#define PACK "\x1f\x8b\x08 all in one"
#define ZIP "PK\3\4 in a zip"

/* What the API says: a path, and what is answered there. */
struct answer {
	const char *path; /* NULL ends a table */
	const char *body;
	int status; /* 0: 200 */
	const char *headers;
};

static const struct answer api[] = {
	{ API YAMNET "/1/files?page_size=25",
	  "{\"files\":[{\"name\":\"saved_model.pb\",\"size\":26},"
	  "{\"name\":\"variables/variables.index\",\"size\":8}],"
	  "\"nextPageToken\":\"p 2\"}",
	  0, NULL },
	{ API YAMNET "/1/files?page_size=25&page_token=p%202",
	  "{\"files\":[{\"name\":\"variables/variables.data-00000-of-00001\","
	  "\"size\":11},{\"name\":\"../out\",\"size\":1}],"
	  "\"nextPageToken\":\"\"}",
	  0, NULL },
	{ API YAMNET "/get",
	  "{\"slug\":\"yamnet\",\"framework\":\"tensorFlow2\","
	  "\"versionNumber\":3,\"fineTunable\":true,"
	  "\"licenseName\":\"Apache 2.0\"}",
	  0, NULL },
	{ API "google/yamnet/get",
	  "{\"ref\":\"google/yamnet\",\"instances\":["
	  "{\"slug\":\"yamnet\",\"framework\":\"TENSOR_FLOW_2\","
	  "\"versionNumber\":3},"
	  "{\"slug\":\"old\",\"framework\":\"tensorFlow1\","
	  "\"versionNumber\":2,\"licenseName\":\"MIT\"},"
	  "{\"slug\":\"both\",\"framework\":\"tensorFlow1\","
	  "\"versionNumber\":1},"
	  "{\"slug\":\"both\",\"framework\":\"tensorFlow2\","
	  "\"versionNumber\":4},"
	  "{\"slug\":\"lite\",\"framework\":\"tfLite\","
	  "\"versionNumber\":1}]}",
	  0, NULL },
	{ API "list?owner=google&pageSize=100",
	  "{\"models\":[{\"ref\":\"google/novel\"},{\"ref\":\"evil/other\"},"
	  "{\"ref\":\"google/jaxen\",\"instances\":[{\"framework\":\"jax\"}]}],"
	  "\"nextPageToken\":\"2\"}",
	  0, NULL },
	{ API "list?owner=google&pageSize=100&pageToken=2",
	  "{\"models\":[{\"ref\":\"google/second\"}]}", 0, NULL },
	{ API "list?owner=someone&pageSize=100",
	  "{\"models\":[{\"slug\":\"thing\"}]}", 0, NULL },
	{ API "list?owner=shy&pageSize=100", "{\"code\":401}", 401, NULL },
	{ API "google/yamnet/tensorFlow1/old/2/files?page_size=25",
	  "{\"files\":[{\"name\":\"saved_model.pb\",\"size\":26}]}", 0, NULL },
	{ API "google/yamnet/tensorFlow1/both/1/files?page_size=25",
	  "{\"files\":[]}", 0, NULL },
	{ API "google/yamnet/tensorFlow2/both/4/files?page_size=25",
	  "{\"files\":[{\"name\":\"saved_model.pb\",\"size\":26}]}", 0, NULL },
	{ API "google/elmo/tensorFlow1/elmo/3/files?page_size=25",
	  "{\"files\":[{\"name\":\"model.tar.gz\",\"size\":14}]}", 0, NULL },
	{ API "google/delf/tensorFlow1/delf/1/files?page_size=25",
	  "{\"code\":403,\"message\":\"User has not consented\"}", 403, NULL },
	{ API "google/film/tensorFlow2/film/1/files?page_size=25",
	  "<html>Sorry</html>", 0, NULL },
	{ API "google/spice/tensorFlow1/spice/2/files?page_size=25",
	  "{\"code\":401,\"message\":\"Unauthorized\"}", 401, NULL },
	{ "/google/yamnet/1?tf-hub-format=compressed", "moved", 302,
	  "Location: https://www.kaggle.com/models/google/yamnet/tensorFlow2/"
	  "yamnet/1?tfhub-redirect=true\r\n" },
	{ "/google/imagenet/net/classification/5?tf-hub-format=compressed",
	  "moved", 302,
	  "Location: https://www.kaggle.com/models/google/yamnet/frameworks/"
	  "TensorFlow1/variations/both/versions/1\r\n" },
	{ "/google/gone/1?tf-hub-format=compressed", "<html>Models</html>", 0,
	  NULL },
	{ "/google/gone/2?tf-hub-format=compressed", "moved", 301,
	  "Location: https://www.kaggle.com/models?tfhub-redirect=true\r\n" },
	{ "/google/lite/1?tf-hub-format=compressed", "moved", 302,
	  "Location: https://www.kaggle.com/models/google/yamnet/tfLite/"
	  "lite/1\r\n" },
	{ NULL, NULL, 0, NULL },
};

/* What the store has below a version, "" the bundle. */
static const struct {
	const char *version, *file, *body;
} stored[] = {
	{ YAMNET "/1", "/saved_model.pb", PB },
	{ YAMNET "/1", "/variables/variables.index", INDEX },
	{ YAMNET "/1", "/variables/variables.data-00000-of-00001", DATA },
	{ "google/yamnet/tensorFlow1/old/2", "/saved_model.pb", ZIP },
	{ "google/yamnet/tensorFlow1/old/2", "", PACK },
	{ "google/yamnet/tensorFlow1/both/1", "", PACK },
	{ "google/yamnet/tensorFlow2/both/4", "/saved_model.pb", PB },
	{ "google/elmo/tensorFlow1/elmo/3", "/model.tar.gz", PACK },
};

static struct hub_world world;
static atomic_uint signature; /* the one that is good */
static atomic_uint asked, tokens_away, storage_refused, busy;
static atomic_bool gated_bytes, html, no_length, storage_broken;
static char token[128]; /* what the API was last told */

/* ---- the server ---- */

static const char *stored_body(const char *path, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
		char want[512];
		int n = snprintf(want, sizeof(want), "%s/download%s",
				 stored[i].version, stored[i].file);

		if ((size_t)n == len && !memcmp(want, path, len))
			return stored[i].body;
	}
	return NULL;
}

static void answer_api(const struct fake_request *req, int fd)
{
	const struct answer *answer = api;

	while (answer->path && strcmp(answer->path, req->path) != 0)
		answer++;
	if (busy) {
		busy--;
		fake_status(fd, 429, "Retry-After: 1\r\n");
	} else if (!answer->path) {
		fake_status(fd, 404, "");
	} else {
		fake_printf(fd,
			    "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s",
			    answer->status ? answer->status : 200,
			    answer->headers ? answer->headers : "",
			    strlen(answer->body), answer->body);
	}
}

static void answer_download(const struct fake_request *req, int fd)
{
	const char *path = req->path + strlen(API);
	char to[1024];

	if (!stored_body(path, strlen(path))) {
		fake_status(fd, 404, "");
	} else if (gated_bytes) {
		fake_status(fd, 403, "");
	} else {
		snprintf(to, sizeof(to),
			 "http://localhost:%u/store/%s?X-Goog-Expires=600&s=%u",
			 world.server.http.port, path, signature);
		fake_redirect(fd, to);
	}
}

static void answer_store(const struct fake_request *req, int fd)
{
	const char *path = req->path + strlen("/store/");
	size_t len = strcspn(path, "?");
	const char *body = stored_body(path, len);
	const char *sign = strstr(path, "&s=");
	unsigned long long last = req->last;

	if (html)
		body = "<html>Sign in</html>";
	if (req->token)
		tokens_away++;
	if (req->token || storage_broken || !sign ||
	    strtoul(sign + 3, NULL, 10) != signature) {
		storage_refused++;
		fake_status(fd, 403, "");
		return;
	}
	if (no_length) {
		fake_printf(fd,
			    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s",
			    body);
		shutdown(fd, SHUT_RDWR);
		return;
	}
	if (last >= strlen(body))
		last = strlen(body) - 1;
	fake_206(fd, body, strlen(body), req->first, last);
}

static bool answer_all(struct fake_http *http, const struct fake_request *req,
		       int fd)
{
	const char *auth = strcasestr(req->text, "\r\nAuthorization: ");

	(void)http;
	assert_int_equal(strncmp(req->text, "GET ", 4), 0);
	if (!strncmp(req->path, "/store/", 7)) {
		answer_store(req, fd);
		return true;
	}
	asked++;
	snprintf(token, sizeof(token), "%.*s",
		 auth ? (int)strcspn(auth + 17, "\r") : 0,
		 auth ? auth + 17 : "");
	if (strstr(req->path, "/download"))
		answer_download(req, fd);
	else
		answer_api(req, fd);
	return true;
}

static int set_up(void **state)
{
	static const struct fake_file nothing[] = { { NULL, NULL, NULL, 0 } };

	(void)state;
	asked = tokens_away = storage_refused = busy = 0;
	signature = 1;
	gated_bytes = html = no_length = storage_broken = false;
	if (world_start(&world, nothing) < 0)
		return -1;
	world.server.http.answer = answer_all;
	return world_mount(&world, hub_tensorflow_new);
}

static int tear_down(void **state)
{
	(void)state;
	unsetenv("KAGGLE_API_TOKEN");
	unsetenv("KAGGLE_USERNAME");
	unsetenv("KAGGLE_KEY");
	world_stop(&world);
	return 0;
}

/* ---- directories ---- */

static void the_table_is_listed_unasked(void **state)
{
	auto_hub_listing struct hub_listing top = { 0 }, old = { 0 };
	auto_hub_entry struct hub_entry entry = { 0 };

	(void)state;
	assert_int_equal(world_list(&world, "", &top), 0);
	assert_int_equal(world_entry(&top, "google")->kind, HUB_DIR);
	assert_int_equal(world_entry(&top, "tfhub.dev")->kind, HUB_DIR);
	assert_non_null(world_entry(&top, "deepmind"));
	assert_int_equal(top.count, 5);
	assert_int_equal(world_list(&world, "tfhub.dev", &old), 0);
	assert_int_equal(old.count, 0);
	assert_int_equal(world_lookup(&world, "google/elmo/elmo/3", &entry), 0);
	assert_int_equal(entry.kind, HUB_REPO);
	assert_int_equal(world_lookup(&world, "google/elmo", &entry), 0);
	assert_int_equal(entry.kind, HUB_DIR);
	assert_int_equal(asked, 0);
}

static void a_directory_is_asked_for_once(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		auto_hub_listing struct hub_listing models = { 0 };
		auto_hub_listing struct hub_listing both = { 0 };
		auto_hub_listing struct hub_listing versions = { 0 };

		assert_int_equal(world_list(&world, "google", &models), 0);
		assert_non_null(world_entry(&models, "yamnet"));
		assert_non_null(world_entry(&models, "novel"));
		assert_non_null(world_entry(&models, "second"));
		assert_null(world_entry(&models, "other"));
		assert_null(world_entry(&models, "jaxen"));
		assert_int_equal(world_list(&world, "google/yamnet", &both), 0);
		assert_int_equal(both.count, 4);
		assert_non_null(world_entry(&both, "yamnet"));
		assert_non_null(world_entry(&both, "old"));
		assert_non_null(world_entry(&both, "both"));
		assert_non_null(world_entry(&both, "both@tensorFlow1"));
		assert_int_equal(world_list(&world, "google/yamnet/yamnet",
					    &versions),
				 0);
		assert_int_equal(versions.count, 3);
		assert_int_equal(world_entry(&versions, "1")->kind, HUB_REPO);
		assert_int_equal(world_entry(&versions, "3")->kind, HUB_REPO);
		assert_string_equal(world_entry(&versions, "latest")->target,
				    "3");
		assert_int_equal(world_list(&world, "google/yamnet/yamnet/1",
					    &versions),
				 -ENOENT);
		assert_int_equal(asked, 4);
		assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
	}
	clock_set(1000 * NS_PER_S, WALL + 601);
	{
		auto_hub_listing struct hub_listing models = { 0 };

		assert_int_equal(world_list(&world, "google", &models), 0);
		assert_int_equal(asked, 6);
	}
}

/* What cannot be asked for does not hide what is known. */
static void a_hub_that_is_down(void **state)
{
	auto_hub_listing struct hub_listing models = { 0 }, none = { 0 };
	struct hub_entry entry = { 0 };

	(void)state;
	world.offline = true;
	assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
	assert_int_equal(world_list(&world, "google", &models), 0);
	assert_non_null(world_entry(&models, "yamnet"));
	assert_int_equal(world_list(&world, "someone", &none), -ENETUNREACH);
	assert_int_equal(world_lookup(&world, "someone", &entry), -ENETUNREACH);
	assert_int_equal(asked, 0);
}

/* A path, what lookup() says, and how many requests that takes. */
static const struct {
	const char *path;
	int want;
	enum hub_entry_kind kind;
	const char *target;
	unsigned int requests;
} names[] = {
	{ "google", 0, HUB_DIR, NULL, 0 },
	{ "someone", 0, HUB_DIR, NULL, 1 },
	{ "shy", 0, HUB_DIR, NULL, 1 },
	{ "nobody", -ENOENT, HUB_DIR, NULL, 1 },
	{ "google/nothing", -ENOENT, HUB_DIR, NULL, 1 },
	{ "google/nothing", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/yamnet/yamnet", 0, HUB_DIR, NULL, 0 },
	{ "google/yamnet/yamnet@tensorFlow2", 0, HUB_LINK, "yamnet", 0 },
	{ "google/yamnet/yamnet@tensorFlow1", -ENOENT, HUB_DIR, NULL, 1 },
	{ "google/yamnet/both", 0, HUB_DIR, NULL, 0 },
	{ "google/yamnet/both@tensorFlow1", 0, HUB_DIR, NULL, 0 },
	{ "google/yamnet/both@tensorFlow2", 0, HUB_LINK, "both", 0 },
	{ "google/yamnet/both@TensorFlow2", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/yamnet/lite", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/yamnet/yamnet/latest", 0, HUB_LINK, "3", 1 },
	{ "google/yamnet/yamnet/latest", 0, HUB_LINK, "3", 0 },
	{ "google/yamnet/yamnet/9", -ENOENT, HUB_DIR, NULL, 1 },
	{ "google/yamnet/yamnet/0", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/yamnet/yamnet/01", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/yamnet/yamnet/1/x", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/../x", -ENOENT, HUB_DIR, NULL, 0 },
	{ "google/", -ENOENT, HUB_DIR, NULL, 0 },
	{ "tfhub.dev", 0, HUB_DIR, NULL, 0 },
	{ "tfhub.dev/", -ENOENT, HUB_DIR, NULL, 0 },
	{ "tfhub.dev/google/yamnet", 0, HUB_DIR, NULL, 0 },
	{ "tfhub.dev/google/yamnet/1", 0, HUB_LINK,
	  "../../../google/yamnet/yamnet/1", 1 },
	{ "tfhub.dev/google/imagenet/net/classification/5", 0, HUB_LINK,
	  "../../../../../google/yamnet/both@tensorFlow1/1", 1 },
	{ "tfhub.dev/google/gone/1", -ENOENT, HUB_DIR, NULL, 1 },
	{ "tfhub.dev/google/gone/2", -ENOENT, HUB_DIR, NULL, 1 },
	{ "tfhub.dev/google/gone/3", -ENOENT, HUB_DIR, NULL, 1 },
	{ "tfhub.dev/google/lite/1", -ENOENT, HUB_DIR, NULL, 1 },
	{ "tfhub.dev/google/yamnet/1", 0, HUB_LINK,
	  "../../../google/yamnet/yamnet/1", 0 },
};

static void names_are_looked_up(void **state)
{
	(void)state;
	log_open(2, LOG_LEVEL_ERROR);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_hub_entry struct hub_entry entry = { 0 };
		unsigned int before = asked;

		if (world_lookup(&world, names[i].path, &entry) !=
			    names[i].want ||
		    asked - before != names[i].requests)
			fail_msg("%s: %u requests", names[i].path,
				 asked - before);
		if (names[i].want < 0)
			continue;
		assert_int_equal(entry.kind, names[i].kind);
		if (names[i].target)
			assert_string_equal(entry.target, names[i].target);
	}
}

static void what_was_used_is_listed(void **state)
{
	auto_hub_listing struct hub_listing old = { 0 }, versions = { 0 };
	auto_hub_entry struct hub_entry entry = { 0 };
	auto_repo struct repo *repo = NULL;

	(void)state;
	assert_int_equal(
		world_lookup(&world, "tfhub.dev/google/yamnet/1", &entry), 0);
	assert_int_equal(world_open(&world, "google/yamnet/both/4", &repo), 0);
	world.offline = true;
	assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
	assert_int_equal(world_list(&world, "tfhub.dev/google/yamnet", &old),
			 0);
	assert_int_equal(old.count, 1);
	assert_string_equal(old.entries[0].target,
			    "../../../google/yamnet/yamnet/1");
	assert_int_equal(world_list(&world, "google/yamnet/both", &versions),
			 0);
	assert_int_equal(versions.count, 1);
	assert_string_equal(versions.entries[0].name, "4");
}

/* ---- repositories ---- */

static void files_by_ranges(void **state)
{
	auto_repo struct repo *repo = NULL;

	(void)state;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	assert_string_equal(repo->kind, "saved-model");
	assert_string_equal(repo->files_dir, "");
	assert_string_equal(repo->id, YAMNET);
	assert_string_equal(repo->revision, "1");
	assert_string_equal(repo->url,
			    "https://www.kaggle.com/models/" YAMNET "/1");
	assert_int_equal(repo->file_count, 3);
	assert_false(repo->gated);
	/* two pages, and a probe */
	assert_int_equal(asked, 3);
	assert_int_equal(world_read(repo, "saved_model/saved_model.pb", PB), 0);
	assert_int_equal(world_read(repo,
				    "saved_model/variables/"
				    "variables.data-00000-of-00001",
				    DATA),
			 0);
	assert_int_equal(tokens_away + storage_refused, 0);
}

static void a_second_mount_asks_nothing(void **state)
{
	static const char *const paths[] = { "google/yamnet/yamnet/1",
					     "google/yamnet/old/2",
					     "google/yamnet/both/4",
					     "google/elmo/elmo/3" };
	unsigned int before;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(world_open(&world, paths[i], &repo), 0);
	}
	before = world_requests(&world);
	clock_set(1000 * NS_PER_S, WALL + 100000000);
	for (int i = 0; i < 2; i++) {
		world.offline = i == 1;
		assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
		for (size_t j = 0; j < ARRAY_LEN(paths); j++) {
			auto_repo struct repo *repo = NULL;

			assert_int_equal(world_open(&world, paths[j], &repo),
					 0);
		}
	}
	assert_int_equal(world_requests(&world), before);
}

static void a_refresh_asks_for_what_may_move(void **state)
{
	static const char version[] = "google/yamnet/yamnet/1";
	static const char latest[] = "google/yamnet/yamnet/latest";
	unsigned int before;

	(void)state;
	for (int i = 0; i < 3; i++) {
		auto_hub_entry struct hub_entry entry = { 0 };
		auto_repo struct repo *repo = NULL;

		before = asked;
		assert_int_equal(world_lookup(&world, latest, &entry), 0);
		assert_int_equal(world_open(&world, version, &repo), 0);
		assert_int_equal(asked - before, i == 0 ? 4 : i == 1);
		if (i > 0)
			continue;
		clock_set(1000 * NS_PER_S, WALL + 1);
		world.provider->ops->refresh(world.provider, version);
		clock_set(1000 * NS_PER_S, WALL + 2);
	}
}

static void facts_of_what_was_asked(void **state)
{
	auto_hub_entry struct hub_entry entry = { 0 };
	auto_repo struct repo *repo = NULL;
	auto_json struct json_doc *doc = NULL;
	const struct json *facts;
	uint64_t version;

	(void)state;
	assert_int_equal(
		world_lookup(&world, "google/yamnet/yamnet/latest", &entry), 0);
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	assert_string_equal(repo->licence, "Apache 2.0");
	assert_int_equal(json_parse(repo->facts, strlen(repo->facts),
				    CONFIG_BYTES_MAX, &doc),
			 0);
	facts = json_root(doc);
	assert_string_equal(json_string(json_get(facts, "handle")),
			    YAMNET "/1");
	assert_string_equal(json_string(json_get(facts, "publisher")),
			    "google");
	assert_string_equal(json_string(json_get(facts, "framework")),
			    "tensorFlow2");
	assert_true(json_bool(json_get(facts, "fine_tunable"), false));
	assert_true(json_u64(json_get(facts, "version"), &version));
	assert_int_equal(version, 1);
}

static void expect_bundle(const char *path, unsigned int requests)
{
	auto_repo struct repo *repo = NULL;

	assert_int_equal(world_open(&world, path, &repo), 0);
	assert_int_equal(asked, requests);
	assert_int_equal(repo->file_count, 1);
	assert_string_equal(repo->files[0].path, "bundle.tar.gz");
	assert_int_equal(world_read(repo, "bundle.tar.gz", PACK), 0);
}

static void a_file_that_comes_zipped(void **state)
{
	(void)state;
	/* its model, its files, its first bytes, the bundle's */
	expect_bundle("google/yamnet/old/2", 4);
}

static void a_version_without_files(void **state)
{
	(void)state;
	expect_bundle("google/yamnet/both@tensorFlow1/1", 2);
}

static void a_version_that_is_an_archive(void **state)
{
	(void)state;
	expect_bundle("google/elmo/elmo/3", 2);
}

static void bundles_that_are_none(void **state)
{
	static const char path[] = "google/yamnet/both@tensorFlow1/1";
	struct repo *repo = NULL;

	(void)state;
	log_open(-1, LOG_LEVEL_ERROR);
	html = true;
	assert_int_equal(world_open(&world, path, &repo), -EIO);
	html = false;
	no_length = true;
	assert_int_equal(world_open(&world, path, &repo), -EIO);
	no_length = false;
	log_open(2, LOG_LEVEL_ERROR);
	assert_int_equal(world_open(&world, path, &repo), 0);
	repo_unref(repo);
}

/* Nor are there web pages among the files. */
static void files_that_are_none(void **state)
{
	struct repo *repo = NULL;

	(void)state;
	log_open(-1, LOG_LEVEL_ERROR);
	html = true;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 -EIO);
	html = false;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	html = true;
	assert_int_equal(world_read(repo, "saved_model/saved_model.pb", PB),
			 -EIO);
	log_open(2, LOG_LEVEL_ERROR);
	repo_unref(repo);
}

/* Where a host away refuses, nothing was said of the terms. */
static void a_store_that_refuses_is_not_a_gate(void **state)
{
	struct repo *repo = NULL;

	(void)state;
	storage_broken = true;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 -EIO);
	/* a new address was asked for, once */
	assert_int_equal(storage_refused, 2);
	storage_broken = false;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	repo_unref(repo);
}

static void terms_that_were_not_accepted(void **state)
{
	auto_repo struct repo *repo = NULL, *later = NULL;
	struct repo *none = NULL;

	(void)state;
	assert_int_equal(world_open(&world, "google/delf/delf/1", &none),
			 -EACCES);
	assert_int_equal(world_open(&world, "google/spice/spice/2", &none),
			 -EACCES);
	assert_int_equal(world_open(&world, "google/delf/delf/1", &none),
			 -EACCES);
	assert_int_equal(asked, 2);
	gated_bytes = true;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	assert_true(repo->gated);
	assert_int_equal(repo->file_count, 3);
	assert_int_equal(world_read(repo, "saved_model/saved_model.pb", PB),
			 -EACCES);
	gated_bytes = false;
	clock_set(1000 * NS_PER_S, WALL + 31);
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &later),
			 0);
	assert_false(later->gated);
}

static void answers_that_make_no_sense(void **state)
{
	struct repo *repo = NULL;

	(void)state;
	assert_int_equal(world_open(&world, "google/film/film/1", &repo), -EIO);
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/7", &repo),
			 -ENOENT);
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/latest",
				    &repo),
			 -ENOENT);
	assert_int_equal(world_open(&world, "google/yamnet/yamnet", &repo),
			 -ENOENT);
	assert_int_equal(world.provider->ops->open(world.provider,
						   "google/yamnet/yamnet/1",
						   DEADLINE_NOW, &repo),
			 -EINPROGRESS);
}

static void too_many_requests(void **state)
{
	auto_repo struct repo *repo = NULL;

	(void)state;
	clock_set(0, 0);
	busy = 1;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	assert_int_equal(asked, 4);
}

static void an_address_that_expired(void **state)
{
	auto_source struct source *source = NULL;
	auto_repo struct repo *repo = NULL;
	char bytes[4];
	size_t index;

	(void)state;
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	assert_non_null(repo_find(repo, "saved_model/variables/variables.index",
				  &index));
	assert_int_equal(repo_source(repo, index, &source), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(fake_read_range(source, i, 4, bytes), 0);
		assert_memory_equal(bytes, &INDEX[i], 4);
		assert_int_equal(asked, 4 + (i == 2));
		signature += i == 1;
	}
	assert_int_equal(storage_refused, 1);
}

/* ---- credentials ---- */

static void the_token_stays_at_home(void **state)
{
	auto_repo struct repo *repo = NULL;

	(void)state;
	setenv("KAGGLE_API_TOKEN", "KGAT_secret", 1);
	assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
	assert_int_equal(world_open(&world, "google/yamnet/yamnet/1", &repo),
			 0);
	assert_string_equal(token, "Bearer KGAT_secret");
	assert_int_equal(world_read(repo, "saved_model/saved_model.pb", PB), 0);
	assert_int_equal(tokens_away, 0);
}

/* What was seen with a key is not shown without. */
static void what_a_key_showed(void **state)
{
	struct repo *repo = NULL;
	struct hub_entry entry = { 0 };

	(void)state;
	setenv("KAGGLE_USERNAME", "me", 1);
	setenv("KAGGLE_KEY", "0123456789", 1);
	assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
	assert_int_equal(world_open(&world, "google/yamnet/both/4", &repo), 0);
	repo_unref(repo);
	assert_string_equal(token, "Basic bWU6MDEyMzQ1Njc4OQ==");
	assert_int_equal(
		world_lookup(&world, "tfhub.dev/google/yamnet/1", &entry), 0);
	hub_entry_release(&entry);
	assert_string_equal(token, "");
	unsetenv("KAGGLE_USERNAME");
	world.offline = true;
	assert_int_equal(world_mount(&world, hub_tensorflow_new), 0);
	assert_int_equal(world_open(&world, "google/yamnet/both/4", &repo),
			 -ENETUNREACH);
}

static void a_host_cannot_be_a_folder(void **state)
{
	(void)state;
	world.name = "www.kaggle.com";
	world.folder = "/srv/models";
	assert_int_equal(world_mount(&world, hub_tensorflow_new), -EINVAL);
	world.name = NULL;
	setenv("OMNIHUB_SHARE", "/nowhere", 1);
	assert_int_equal(world_mount(&world, hub_tensorflow_new), -ENOENT);
	unsetenv("OMNIHUB_SHARE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_table_is_listed_unasked),
		TEST(a_directory_is_asked_for_once),
		TEST(a_hub_that_is_down),
		TEST(names_are_looked_up),
		TEST(what_was_used_is_listed),
		TEST(files_by_ranges),
		TEST(a_second_mount_asks_nothing),
		TEST(a_refresh_asks_for_what_may_move),
		TEST(facts_of_what_was_asked),
		TEST(a_file_that_comes_zipped),
		TEST(a_version_without_files),
		TEST(a_version_that_is_an_archive),
		TEST(bundles_that_are_none),
		TEST(files_that_are_none),
		TEST(a_store_that_refuses_is_not_a_gate),
		TEST(terms_that_were_not_accepted),
		TEST(answers_that_make_no_sense),
		TEST(too_many_requests),
		TEST(an_address_that_expired),
		TEST(the_token_stays_at_home),
		TEST(what_a_key_showed),
		TEST(a_host_cannot_be_a_folder),
	};

	setenv("no_proxy", "127.0.0.1,localhost", 1);
	setenv("HOME", "/nowhere", 1);
	unsetenv("OMNIHUB_SHARE");
	unsetenv("KAGGLE_CONFIG_DIR");
	log_open(2, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
