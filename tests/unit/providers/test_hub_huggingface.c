/* SPDX-License-Identifier: MIT */
#include "providers/hubs.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/annot.h"
#include "base/clock.h"
#include "tests/fake/fake_hub.h"
#include "tests/fake/fake_memo.h"
#include "tests/unit/unit.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define SHA_2 "2222222222abcdef0123456789abcdef01234567"
#define OID SHA "0123456789abcdef01234567" /* SHA-256 */
#define WALL 1800000000
#define TOKEN "hf_abcdefghijklmnop"

#define MODEL(id, sha)                                                   \
	"{\"id\":\"" id "\",\"sha\":\"" sha "\",\"private\":false,"      \
	"\"gated\":false,\"lastModified\":\"2024-01-01T00:00:00.000Z\"," \
	"\"pipeline_tag\":\"fill-mask\",\"tags\":[\"license:mit\"]}"
#define PRIVATE_MODEL(id, sha) \
	"{\"id\":\"" id "\",\"sha\":\"" sha "\",\"private\":true}"
#define FILE_JSON(path, size)                                     \
	"{\"type\":\"file\",\"path\":\"" path "\",\"size\":" size \
	",\"oid\":\"" SHA "\"}"
#define INFO(id, rev) "/api/models/" id "/revision/" rev
#define TREE(id, sha) "/api/models/" id "/tree/" sha "?recursive=true"
#define AUTHOR(org) "/api/models?author=" org "&limit=1000&expand=lastModified"
#define TOP "/api/models?sort=downloads&limit=100"

static const struct fake_route routes[] = {
	{ INFO("org/m", "main"), 200, NULL, MODEL("org/m", SHA), NULL },
	{ INFO("org/m", "refs%2Fpr%2F1"), 200, NULL, MODEL("org/m", SHA_2),
	  NULL },
	{ TREE("org/m", SHA), 200, NULL,
	  "[" FILE_JSON("b", "2") "," FILE_JSON(
		  "a/c", "3") ",{\"type\":"
			      "\"file\",\"path\":\"w\",\"size\":1,\"lfs\":{"
			      "\"size\":9,\"oid\":\"" OID "\"}}]",
	  NULL },
	{ TREE("org/m", SHA_2), 200, NULL, "[" FILE_JSON("pr", "1") "]", NULL },
	/* renamed, and of one part */
	{ INFO("old/m", "main"), 307, "Location: " INFO("org/m", "main") "\r\n",
	  "moved", NULL },
	{ INFO("m", "main"), 307, "Location: " INFO("org/m", "main") "\r\n",
	  "moved", NULL },
	/* pages */
	{ INFO("org/paged", "main"), 200, NULL, MODEL("org/paged", SHA), NULL },
	{ TREE("org/paged", SHA), 200,
	  "Link: <{base}/page?2>; rel=\"next\"\r\n",
	  "[" FILE_JSON("1", "1") "]", NULL },
	{ "/page?2", 200, "Link: <{base}/page?3>; rel=\"next\"\r\n",
	  "[" FILE_JSON("2", "1") "]", NULL },
	{ "/page?3", 200, NULL, "[" FILE_JSON("3", "1") "]", NULL },
	{ INFO("org/away", "main"), 200, NULL, MODEL("org/away", SHA), NULL },
	{ TREE("org/away", SHA), 200,
	  "Link: <{other}/page?3>; rel=\"next\"\r\n", "[]", NULL },
	{ INFO("org/loop", "main"), 200, NULL, MODEL("org/loop", SHA), NULL },
	{ TREE("org/loop", SHA), 200,
	  "Link: <{base}" TREE("org/loop", SHA) ">; rel=\"next\"\r\n", "[]",
	  NULL },
	/* refusals */
	{ INFO("org/gated", "main"), 403, "X-Error-Code: GatedRepo\r\n", "{}",
	  NULL },
	{ INFO("org/hidden", "main"), 401, NULL, "{}", NULL },
	{ INFO("org/badsha", "main"), 200, NULL, MODEL("org/badsha", "x"),
	  NULL },
	{ INFO("org/odd", SHA), 200, NULL, MODEL("org/odd", SHA_2), NULL },
	/* with a token only */
	{ INFO("org/own", "main"), 200, NULL, PRIVATE_MODEL("org/own", SHA),
	  TOKEN },
	{ TREE("org/own", SHA), 200, NULL, "[" FILE_JSON("s", "1") "]", TOKEN },
	/* lists */
	{ AUTHOR("org"), 200, NULL,
	  "[{\"id\":\"org/z\"},{\"id\":\"org/m\"},{\"id\":\"no/m\"}]", NULL },
	{ AUTHOR("m"), 200, NULL, "[]", NULL },
	{ AUTHOR("none"), 200, NULL, "[]", NULL },
	{ TOP, 200, NULL, "[{\"id\":\"top/x\"},{\"id\":\"org/m\"}]", NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

/* The branch has moved. */
static const struct fake_route later[] = {
	{ INFO("org/m", "main"), 200, NULL, MODEL("org/m", SHA_2), NULL },
	{ TREE("org/m", SHA_2), 200, NULL, "[" FILE_JSON("new", "1") "]",
	  NULL },
	{ NULL, 0, NULL, NULL, NULL },
};

struct world {
	struct fake_hub hub;
	bool stopped;
	struct fake_memo memo;
	struct fetcher *fetcher;
	struct provider *provider;
};

static int start_provider(struct world *world, bool offline)
{
	struct provider_env env = {
		.fetcher = world->fetcher,
		.memo = &world->memo.memo,
		.offline = offline,
	};

	provider_free(world->provider);
	world->provider = NULL;
	return hub_huggingface_new(&env, world->hub.base, &world->provider);
}

static int setup(void **state)
{
	struct world *world = mem_zalloc(sizeof(*world));

	clock_set(1000 * NS_PER_S, WALL);
	fake_memo_init(&world->memo);
	if (!fake_hub_start(&world->hub, routes) ||
	    fetcher_new(5, &world->fetcher) < 0 ||
	    start_provider(world, false) < 0)
		return -1;
	*state = world;
	return 0;
}

static void stop_hub(struct world *world)
{
	if (!world->stopped)
		fake_hub_stop(&world->hub);
	world->stopped = true;
}

static int teardown(void **state)
{
	struct world *world = *state;

	provider_free(world->provider);
	fetcher_free(world->fetcher);
	stop_hub(world);
	fake_memo_release(&world->memo);
	free(world);
	clock_set(0, 0);
	unsetenv("HF_TOKEN");
	return 0;
}

static uint64_t soon(void)
{
	return clock_after_ns(2 * NS_PER_S);
}

static void later_by(int64_t seconds)
{
	clock_set(clock_now_ns() + (uint64_t)seconds * NS_PER_S,
		  clock_wall_s() + seconds);
}

static int try_open(struct world *world, const char *path, struct repo **out)
{
	return world->provider->ops->open(world->provider, path, soon(), out);
}

static int open_result(struct world *world, const char *path)
{
	auto_repo struct repo *repo = NULL;

	return try_open(world, path, &repo);
}

/* @path opens at @sha, after exactly @requests. */
static void opens(struct world *world, const char *path, const char *sha,
		  unsigned int requests)
{
	unsigned int before = world->hub.requests;
	auto_repo struct repo *repo = NULL;
	int r = try_open(world, path, &repo);

	if (r < 0)
		fail_msg("%s: %d", path, r);
	assert_string_equal(repo->revision, sha);
	assert_int_equal(world->hub.requests - before, requests);
}

static void fails(struct world *world, const char *path, int want,
		  unsigned int requests)
{
	unsigned int before = world->hub.requests;
	int r = open_result(world, path);

	if (r != want)
		fail_msg("%s: %d", path, r);
	assert_int_equal(world->hub.requests - before, requests);
}

static void looks_up(struct world *world, const char *path, int want,
		     enum hub_entry_kind kind, const char *target)
{
	auto_hub_entry struct hub_entry entry;
	int r = world->provider->ops->lookup(world->provider, path, soon(),
					     &entry);

	if (r != want)
		fail_msg("%s: %d", path, r);
	if (r < 0)
		return;
	assert_int_equal(entry.kind, kind);
	if (target)
		assert_string_equal(entry.target, target);
	else
		assert_null(entry.target);
}

static void a_model_is_opened_with_two_requests(void **state)
{
	struct world *world = *state;
	auto_repo struct repo *repo = NULL;

	assert_int_equal(try_open(world, "org/m", &repo), 0);
	assert_int_equal(world->hub.requests, 2);
	assert_string_equal(repo->id, "org/m");
	assert_string_equal(repo->revision, SHA);
	assert_string_equal(repo->licence, "mit");
	assert_string_equal(repo->pipeline_tag, "fill-mask");
	assert_int_equal(repo->modified_wall_s, 1704067200);
	assert_int_equal(repo->file_count, 3);
	assert_string_equal(repo->files[0].path, "a/c");
	assert_int_equal(repo->files[2].size, 9);
	assert_int_equal(repo->files[2].digest.kind, DIGEST_SHA256);
}

static void what_was_used_is_not_asked_again(void **state)
{
	struct world *world = *state;

	opens(world, "org/m", SHA, 2);
	opens(world, "org/m", SHA, 0);
	assert_int_equal(start_provider(world, false), 0);
	opens(world, "org/m", SHA, 0);
	opens(world, "org/m@main", SHA, 0);
	opens(world, "org/m@" SHA, SHA, 0);
	opens(world, "org/m@refs%2Fpr%2F1", SHA_2, 2);
	looks_up(world, "org", 0, HUB_DIR, NULL);
	looks_up(world, "org/m", 0, HUB_REPO, NULL);
	assert_int_equal(world->hub.requests, 4);
}

static void a_branch_moves_after_its_time(void **state)
{
	struct world *world = *state;

	opens(world, "org/m", SHA, 2);
	world->hub.routes = later;
	later_by(world->provider->ttl_s - 10);
	opens(world, "org/m", SHA, 0);
	later_by(20);
	opens(world, "org/m", SHA_2, 2);
	opens(world, "org/m@" SHA, SHA, 0);
	later_by(20 + world->provider->ttl_s);
	opens(world, "org/m", SHA_2, 1); /* the tree is known */
}

static void refresh_asks_at_once(void **state)
{
	struct world *world = *state;

	opens(world, "org/m", SHA, 2);
	world->hub.routes = later;
	world->provider->ops->refresh(world->provider, "org/m");
	opens(world, "org/m", SHA_2, 2);
	opens(world, "org/m", SHA_2, 0);
}

/* The hub has removed it; what it said before is not believed again. */
static void what_is_gone_stays_gone(void **state)
{
	static const struct fake_route none = { 0 };
	struct world *world = *state;

	opens(world, "org/m", SHA, 2);
	world->hub.routes = &none;
	world->provider->ops->refresh(world->provider, "org/m");
	fails(world, "org/m", -ENOENT, 1);
	fails(world, "org/m", -ENOENT, 1); /* in the second of the refresh */
	later_by(1);
	fails(world, "org/m", -ENOENT, 1);
	fails(world, "org/m", -ENOENT, 0);
	opens(world, "org/m@" SHA, SHA, 0);
	later_by(40);
	fails(world, "org/m", -ENOENT, 1);
	world->hub.routes = routes;
	later_by(40);
	opens(world, "org/m", SHA, 1);
	opens(world, "org/m", SHA, 0);
}

static void a_dead_hub_does_not_matter(void **state)
{
	struct world *world = *state;

	opens(world, "org/m", SHA, 2);
	fails(world, "org/none", -ENOENT, 1);
	stop_hub(world);
	assert_int_equal(start_provider(world, false), 0);
	opens(world, "org/m", SHA, 0);
	later_by(world->provider->ttl_s + 5);
	opens(world, "org/m", SHA, 0);
	assert_int_equal(open_result(world, "org/none"), -ENOENT);
	later_by(3600);
	opens(world, "org/m", SHA, 0);
	assert_true(open_result(world, "org/other") < 0);
}

static void offline_knows_what_it_knows(void **state)
{
	struct world *world = *state;

	opens(world, "org/m", SHA, 2);
	assert_int_equal(start_provider(world, true), 0);
	later_by(7200);
	opens(world, "org/m", SHA, 0);
	fails(world, "org/paged", -ENETUNREACH, 0);
	looks_up(world, "bert-base", 0, HUB_LINK,
		 "google-bert/bert-base-uncased");
	looks_up(world, "nobody", -ENETUNREACH, HUB_DIR, NULL);
}

static void other_names_are_links(void **state)
{
	struct world *world = *state;

	looks_up(world, "old/m", 0, HUB_LINK, "../org/m");
	looks_up(world, "m", 0, HUB_LINK, "org/m");
	looks_up(world, "bert-base", 0, HUB_LINK,
		 "google-bert/bert-base-uncased");
	looks_up(world, "bert-base@v1", 0, HUB_LINK,
		 "google-bert/bert-base-uncased@v1");
	opens(world, "org/m", SHA, 0); /* learnt by the links */
}

static void pages_are_followed(void **state)
{
	struct world *world = *state;
	auto_repo struct repo *repo = NULL;

	assert_int_equal(try_open(world, "org/paged", &repo), 0);
	assert_int_equal(repo->file_count, 3);
	assert_int_equal(world->hub.requests, 4);
	fails(world, "org/away", -EIO, 2);
	fails(world, "org/loop", -EIO, 2);
}

static void refusals_are_told_apart(void **state)
{
	struct world *world = *state;

	fails(world, "org/gated", -EACCES, 1);
	fails(world, "org/hidden", -ENOENT, 1);
	fails(world, "org/none", -ENOENT, 1);
	fails(world, "org/badsha", -EIO, 1);
	fails(world, "org/odd@" SHA, -EIO, 1);
	/* N-18, N-19: nothing is asked */
	fails(world, "../x", -ENOENT, 0);
	fails(world, "org/m@refs%2F..%2Fx", -ENOENT, 0);
	fails(world, "org/m/x", -ENOENT, 0);
}

static void a_refusal_is_believed_for_a_while(void **state)
{
	struct world *world = *state;

	fails(world, "org/none", -ENOENT, 1);
	fails(world, "org/none", -ENOENT, 0);
	later_by(20);
	fails(world, "org/none", -ENOENT, 0);
	later_by(20);
	fails(world, "org/none", -ENOENT, 1);
	fails(world, "org/gated", -EACCES, 1);
	fails(world, "org/gated", -EACCES, 0);
}

static void private_models_stay_private(void **state)
{
	struct world *world = *state;

	fails(world, "org/own", -ENOENT, 1);
	setenv("HF_TOKEN", TOKEN, 1);
	assert_int_equal(start_provider(world, false), 0);
	opens(world, "org/own", SHA, 2);
	opens(world, "org/m", SHA, 2);
	unsetenv("HF_TOKEN");
	assert_int_equal(start_provider(world, true), 0);
	fails(world, "org/own", -ENOENT, 0);
	later_by(3600);
	fails(world, "org/own", -ENOENT, 0);
	fails(world, "org/own@" SHA, -ENETUNREACH, 0);
	opens(world, "org/m", SHA, 0);
}

static void listing_is(struct world *world, const char *path, int want,
		       const char *names)
{
	auto_hub_listing struct hub_listing listing = { 0 };
	auto_str struct str text;

	str_init(&text, 4096);
	assert_int_equal(world->provider->ops->list(world->provider, path,
						    soon(), &listing),
			 want);
	for (size_t i = 0; i < listing.count; i++)
		if (listing.entries[i].kind != HUB_LINK)
			assert_int_equal(str_printf(&text, "%s ",
						    listing.entries[i].name),
					 0);
	assert_string_equal(str_text(&text), names);
}

static void directories_are_listed(void **state)
{
	struct world *world = *state;

	listing_is(world, "", 0, "org top ");
	listing_is(world, "org", 0, "m z ");
	listing_is(world, "", 0, "org top ");
	assert_int_equal(world->hub.requests, 2);
	opens(world, "org/paged", SHA, 4);
	listing_is(world, "org", 0, "m paged z ");
	listing_is(world, "none", -ENOENT, "");
	listing_is(world, "a/b", -ENOENT, "");
	stop_hub(world);
	later_by(2 * 86400);
	listing_is(world, "", 0, "org top ");
	listing_is(world, "org", 0, "m paged z ");
}

static void keys_are_those_of_content(void **state)
{
	struct world *world = *state;
	auto_repo struct repo *repo = NULL;
	auto_source struct source *git = NULL, *lfs = NULL;
	struct content_key want;

	assert_int_equal(try_open(world, "org/m", &repo), 0);
	assert_int_equal(repo_source(repo, 1, &git), 0);
	assert_int_equal(repo_source(repo, 2, &lfs), 0);
	assert_int_equal(git->size, 2);
	assert_int_equal(lfs->size, 9);
	assert_int_equal(content_key_make(&repo->files[2].digest, "", &want),
			 0);
	assert_true(content_key_equal(&lfs->key, &want));
	assert_int_equal(content_key_make(&repo->files[1].digest,
					  "huggingface:org/m@" SHA
					  "/b:2:sha1:" SHA,
					  &want),
			 0);
	assert_true(content_key_equal(&git->key, &want));
}

static void *open_thread(void *world)
{
	return open_result(world, "org/m") == 0 ? world : NULL;
}

static void many_who_ask_ask_once(void **state)
{
	struct world *world = *state;
	pthread_t threads[8];

	world->hub.delay_ms = 50;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_thread,
						world),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *opened;

		pthread_join(threads[i], &opened);
		assert_non_null(opened);
	}
	assert_int_equal(world->hub.requests, 2);
}

/* Whichever allocation fails: no crash, no leak, and it works again. */
static void no_memory_is_survived(void **state)
{
	struct world *world = *state;
	bool failed = true;

	opens(world, "org/m", SHA, 2);
	for (unsigned int nth = 1; failed; nth++) {
		int r;

		assert_int_equal(start_provider(world, false), 0);
		mem_fail_nth(nth);
		r = open_result(world, "org/m");
		failed = mem_fail_done();
		assert_true(r == 0 || r == -ENOMEM);
		opens(world, "org/m", SHA, 0);
	}
}

static void put(const char *folder, const char *path, const char *text)
{
	auto_free char *full = mem_printf("%s/%s", folder, path);
	FILE *file;

	for (char *c = strchr(full + 1, '/'); c; c = strchr(c + 1, '/')) {
		*c = '\0';
		mkdir(full, 0700);
		*c = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *walk)
{
	(void)st;
	(void)flag;
	(void)walk;
	return remove(path);
}

/* What Hugging Face's own clients downloaded serves where the hub is gone. */
static void old_downloads_are_used(void **state)
{
	struct world *world = *state;
	char folder[] = "/tmp/omnihub-cache-XXXXXX";
	auto_repo struct repo *repo = NULL;
	auto_source struct source *source = NULL;
	int fd;

	assert_non_null(mkdtemp(folder));
	put(folder, "models--org--m/blobs/" OID, "weights!!");
	put(folder, "models--old--one/refs/main", SHA);
	put(folder, "models--old--one/snapshots/" SHA "/a", "a");
	setenv("HF_HUB_CACHE", folder, 1);
	assert_int_equal(start_provider(world, false), 0);
	unsetenv("HF_HUB_CACHE");
	assert_int_equal(try_open(world, "org/m", &repo), 0);
	assert_int_equal(repo_source(repo, 2, &source), 0);
	assert_non_null(source->ops->open_local);
	fd = source->ops->open_local(source);
	assert_true(fd >= 0);
	close(fd);
	stop_hub(world);
	opens(world, "old/one", SHA, 0);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *folder_endpoint(void *arg, const char *name)
{
	assert_string_equal(name, "huggingface");
	return arg;
}

static void an_endpoint_may_be_a_folder(void **state)
{
	static const char *const folders[] = { "/tmp", "file:///tmp", "." };
	struct provider_env env = { .endpoint = folder_endpoint };
	struct provider *provider;

	(void)state;
	assert_string_equal(provider_name(0), "huggingface");
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		env.endpoint_arg = (void *)folders[i];
		assert_int_equal(provider_new(0, &env, &provider), 0);
		assert_null(provider->ops->refresh);
		provider_free(provider);
	}
	env.endpoint_arg = (void *)"ftp://x";
	assert_int_equal(provider_new(0, &env, &provider), -EINVAL);
	env.endpoint_arg = (void *)"http://127.0.0.1:1/";
	assert_int_equal(provider_new(0, &env, &provider), 0);
	assert_non_null(provider->ops->refresh);
	provider_free(provider);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_model_is_opened_with_two_requests),
		WITH_WORLD(what_was_used_is_not_asked_again),
		WITH_WORLD(a_branch_moves_after_its_time),
		WITH_WORLD(refresh_asks_at_once),
		WITH_WORLD(what_is_gone_stays_gone),
		WITH_WORLD(a_dead_hub_does_not_matter),
		WITH_WORLD(offline_knows_what_it_knows),
		WITH_WORLD(other_names_are_links),
		WITH_WORLD(pages_are_followed),
		WITH_WORLD(refusals_are_told_apart),
		WITH_WORLD(a_refusal_is_believed_for_a_while),
		WITH_WORLD(private_models_stay_private),
		WITH_WORLD(directories_are_listed),
		WITH_WORLD(keys_are_those_of_content),
		WITH_WORLD(many_who_ask_ask_once),
		WITH_WORLD(no_memory_is_survived),
		WITH_WORLD(old_downloads_are_used),
		cmocka_unit_test(an_endpoint_may_be_a_folder),
	};

	setenv("HOME", "/nonexistent", 1);
	unsetenv("HF_HOME");
	unsetenv("HF_TOKEN");
	unsetenv("HF_TOKEN_PATH");
	unsetenv("HUGGING_FACE_HUB_TOKEN");
	unsetenv("HF_HUB_CACHE");
	unsetenv("HUGGINGFACE_HUB_CACHE");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HF_HUB_OFFLINE");
	unsetenv("TRANSFORMERS_OFFLINE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
