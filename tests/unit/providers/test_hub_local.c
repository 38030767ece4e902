/* SPDX-License-Identifier: MIT */
#include "providers/hubs.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/annot.h"
#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/str.h"
#include "providers/hf_cache_layout.h"
#include "providers/hf_source.h"
#include "tests/unit/unit.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER "89abcdef0123456789abcdef0123456789abcdef"
#define BLOB "ffffffffffffffffffffffffffffffffffffffff"
#define BIG BLOB "ffffffffffffffffffffffff"

static char top[64];	/* the temporary folder */
static char folder[80]; /* what is served, in it */

static char *below(const char *path)
{
	return mem_printf("%s/%s", folder, path);
}

/* Makes the folders above @path, which is absolute. */
static void make_parents(char *path)
{
	for (char *c = strchr(path + 1, '/'); c; c = strchr(c + 1, '/')) {
		*c = '\0';
		mkdir(path, 0700);
		*c = '/';
	}
}

static void put(const char *path, const char *text)
{
	auto_free char *full = below(path);
	auto_close int fd = -1;

	make_parents(full);
	fd = open(full, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(file_pwrite(fd, 0, strlen(text), text), 0);
}

static void put_link(const char *path, const char *target)
{
	auto_free char *full = below(path);

	make_parents(full);
	assert_int_equal(symlink(target, full), 0);
}

static int make_plain(void)
{
	put("google-bert/bert-base-uncased/config.json", "{}");
	put("google-bert/bert-base-uncased/sub/a.bin", "12345");
	put("google-bert/bert-base-uncased/.git/HEAD", "x");
	put("google-bert/other/README.md", "#");
	put("org/.hidden/x", "x");
	put("../secret", "secret");
	put_link("google-bert/other/out", "../../../secret");
	put_link("google-bert/other/abs", "/etc/passwd");
	put_link("google-bert/other/loop", "loop");
	put_link("google-bert/other/dir", "../bert-base-uncased");
	put_link("google-bert/other/in", "../bert-base-uncased/config.json");
	return 0;
}

static int make_cached(void)
{
#define MODEL "models--corp--net"
	put(MODEL "/refs/main", COMMIT "\n");
	put(MODEL "/refs/refs/pr/1", OTHER);
	put(MODEL "/refs/broken", "../../x");
	put(MODEL "/blobs/" BLOB, "{\"a\":1}");
	put(MODEL "/blobs/" BIG, "weights");
	put(MODEL "/blobs/" BIG ".01234567.incomplete", "we");
	put_link(MODEL "/snapshots/" COMMIT "/config.json",
		 "../../blobs/" BLOB);
	put_link(MODEL "/snapshots/" COMMIT "/sub/w.bin",
		 "../../../blobs/" BIG);
	put(MODEL "/snapshots/" OTHER "/plain.txt", "plain");
	put(MODEL "/trees/" OTHER ".json",
	    "{\"format_version\":1,\"files\":{"
	    "\"w.bin\":{\"size\":1,\"blob_id\":\"" BLOB "\",\"lfs_sha256\":"
	    "\"" BIG "\",\"lfs_size\":7},"
	    "\"short.bin\":{\"size\":9,\"blob_id\":\"" BLOB "\"},"
	    "\"absent.bin\":{\"size\":7,\"blob_id\":\"" COMMIT "\"}}}");
	put("models--gpt2/refs/main", COMMIT);
	put("models--gpt2/snapshots/" COMMIT "/a", "a");
	return 0;
}

static int setup(void **state)
{
	struct provider *hub;

	snprintf(top, sizeof(top), "/tmp/omnihub-local-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(folder, sizeof(folder), "%s/hub", top);
	make_plain();
	make_cached();
	if (hub_local_new("huggingface", folder, &hub) < 0)
		return -1;
	*state = hub;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *walk)
{
	(void)st;
	(void)flag;
	(void)walk;
	return remove(path);
}

static int teardown(void **state)
{
	provider_free(*state);
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct repo *open_repo(struct provider *hub, const char *path)
{
	struct repo *repo = NULL;

	if (hub->ops->open(hub, path, CLOCK_NEVER, &repo) < 0)
		fail_msg("cannot open %s", path);
	return repo;
}

static int open_result(struct provider *hub, const char *path)
{
	auto_repo struct repo *repo = NULL;

	return hub->ops->open(hub, path, CLOCK_NEVER, &repo);
}

static void listing_is(struct provider *hub, const char *path, const char *want)
{
	auto_hub_listing struct hub_listing listing = { 0 };
	auto_str struct str text;

	str_init(&text, 4096);
	assert_int_equal(hub->ops->list(hub, path, CLOCK_NEVER, &listing), 0);
	for (size_t i = 0; i < listing.count; i++) {
		const struct hub_entry *entry = &listing.entries[i];

		assert_int_equal(str_printf(&text, "%s%c ", entry->name,
					    "/@>"[entry->kind]),
				 0);
	}
	assert_string_equal(str_text(&text), want);
}

static void folders_are_listed(void **state)
{
	struct provider *hub = *state;
	auto_hub_listing struct hub_listing none = { 0 };

	listing_is(hub, "", "bert-base> corp/ google-bert/ gpt2@ org/ ");
	listing_is(hub, "google-bert", "bert-base-uncased@ other@ ");
	listing_is(hub, "corp", "net@ ");
	listing_is(hub, "org", "");
	assert_int_equal(hub->ops->list(hub, "no", CLOCK_NEVER, &none),
			 -ENOENT);
	assert_int_equal(hub->ops->list(hub, "..", CLOCK_NEVER, &none),
			 -ENOENT);
}

static const struct {
	const char *path;
	int r;
	enum hub_entry_kind kind;
	const char *target;
} lookups[] = {
	{ "bert-base", 0, HUB_LINK, "google-bert/bert-base-uncased" },
	{ "google-bert", 0, HUB_DIR, NULL },
	{ "corp", 0, HUB_DIR, NULL },
	{ "gpt2", 0, HUB_REPO, NULL },
	{ "google-bert/other", 0, HUB_REPO, NULL },
	{ "google-bert/other@main", 0, HUB_REPO, NULL },
	{ "google-bert/other@v2", -ENOENT, HUB_DIR, NULL },
	{ "corp/net", 0, HUB_REPO, NULL },
	{ "corp/net@" COMMIT, 0, HUB_REPO, NULL },
	{ "corp/net@refs%2Fpr%2F1", 0, HUB_REPO, NULL },
	{ "corp/net@broken", -ENOENT, HUB_DIR, NULL },
	{ "corp/net@" BLOB, -ENOENT, HUB_DIR, NULL },
	{ "corp/no", -ENOENT, HUB_DIR, NULL },
	{ "../hub", -ENOENT, HUB_DIR, NULL },
	{ "org/.hidden", -ENOENT, HUB_DIR, NULL },
	{ "nothing", -ENOENT, HUB_DIR, NULL },
};

static void names_are_looked_up(void **state)
{
	struct provider *hub = *state;

	for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
		auto_hub_entry struct hub_entry entry;
		int r = hub->ops->lookup(hub, lookups[i].path, CLOCK_NEVER,
					 &entry);

		if (r != lookups[i].r)
			fail_msg("%s: %d", lookups[i].path, r);
		if (r < 0)
			continue;
		assert_int_equal(entry.kind, lookups[i].kind);
		if (lookups[i].target)
			assert_string_equal(entry.target, lookups[i].target);
		else
			assert_null(entry.target);
	}
}

static void file_is(struct repo *repo, const char *path, const char *want)
{
	auto_source struct source *source = NULL;
	auto_close int fd = -1;
	char bytes[64] = "";
	size_t index;

	if (!repo_find(repo, path, &index))
		fail_msg("no %s", path);
	assert_int_equal(repo->files[index].size, strlen(want));
	assert_int_equal(repo_source(repo, index, &source), 0);
	assert_int_equal(source->size, strlen(want));
	fd = source->ops->open_local(source);
	assert_true(fd >= 0);
	assert_int_equal(file_pread(fd, 0, strlen(want), bytes), 0);
	assert_string_equal(bytes, want);
}

static void plain_models_are_read(void **state)
{
	auto_repo struct repo *repo =
		open_repo(*state, "google-bert/bert-base-uncased");

	assert_int_equal(repo->file_count, 2); /* no .git */
	file_is(repo, "config.json", "{}");
	file_is(repo, "sub/a.bin", "12345");
	assert_int_equal(repo->files[0].digest.kind, DIGEST_NONE);
}

/* N-12: no link leads out, none to a folder is walked. */
static void links_stay_inside(void **state)
{
	auto_repo struct repo *repo = open_repo(*state, "google-bert/other");

	assert_int_equal(repo->file_count, 2);
	file_is(repo, "README.md", "#");
	file_is(repo, "in", "{}");
}

static void cached_models_are_read(void **state)
{
	auto_repo struct repo *repo = open_repo(*state, "corp/net");
	auto_repo struct repo *pull = NULL;

	assert_string_equal(repo->revision, COMMIT);
	assert_string_equal(repo->id, "corp/net");
	assert_int_equal(repo->file_count, 2);
	file_is(repo, "config.json", "{\"a\":1}");
	file_is(repo, "sub/w.bin", "weights");
	assert_int_equal(repo->files[0].digest.kind, DIGEST_GIT_SHA1);
	assert_int_equal(repo->files[1].digest.kind, DIGEST_SHA256);

	/* A listing adds those files whose blobs are there, of that size. */
	pull = open_repo(*state, "corp/net@refs%2Fpr%2F1");
	assert_string_equal(pull->revision, OTHER);
	assert_int_equal(pull->file_count, 2);
	file_is(pull, "plain.txt", "plain");
	file_is(pull, "w.bin", "weights");
}

static void a_replaced_file_is_stale(void **state)
{
	struct provider *hub = *state;
	auto_repo struct repo *before = NULL, *after = NULL;
	auto_source struct source *source = NULL;
	auto_free char *pinned = NULL;

	put("org/m/a", "one");
	before = open_repo(hub, "org/m");
	pinned = mem_printf("org/m@%s", before->revision);
	assert_int_equal(open_result(hub, pinned), 0);
	assert_int_equal(repo_source(before, 0, &source), 0);
	put("org/m/a", "three");
	assert_int_equal(source->ops->open_local(source), -ESTALE);
	assert_int_equal(source->ops->fetch(source, 0, 3, SOURCE_WANTED,
					    CLOCK_NEVER, NULL),
			 -ESTALE);
	after = open_repo(hub, "org/m");
	assert_string_not_equal(before->revision, after->revision);
	assert_int_equal(open_result(hub, pinned), -ENOENT);
	file_is(after, "a", "three");
}

/* A download of old serves a hub's file; its size must be right. */
static void a_download_is_used(void **state)
{
	struct hf_source_spec spec = {
		.cache_root = folder,
		.id = "corp/net",
		.size = 7,
		.label = "corp/net/w.bin",
	};
	auto_source struct source *source = NULL, *other = NULL;
	auto_close int fd = -1;

	(void)state;
	assert_int_equal(digest_parse(BIG, 64, &spec.digest), 0);
	assert_int_equal(hf_source_new(&spec, NULL, &source), 0);
	fd = source->ops->open_local(source);
	assert_true(fd >= 0);
	spec.size = 8;
	assert_int_equal(hf_source_new(&spec, NULL, &other), 0);
	assert_null(other->ops->open_local);
	assert_int_equal(other->ops->fetch(other, 0, 8, SOURCE_WANTED,
					   CLOCK_NEVER, NULL),
			 -ENETUNREACH);
}

static void model_names_go_both_ways(void **state)
{
	static const char *const ids[] = { "org/model", "gpt2", "a/b-c_d.e" };
	char *id = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		auto_free char *name = hf_cache_model_name(ids[i]);
		auto_free char *back = NULL;

		assert_int_equal(hf_cache_model_id(name, &back), 0);
		assert_string_equal(back, ids[i]);
	}
	assert_int_equal(hf_cache_model_id("datasets--a--b", &id), -ENOENT);
	assert_int_equal(hf_cache_model_id("models--..--x", &id), -ENOENT);
	assert_int_equal(hf_cache_model_id("models--", &id), -ENOENT);
}

static void no_folder_is_said(void **state)
{
	struct provider *hub;

	(void)state;
	assert_int_equal(hub_local_new("huggingface", "/no/such", &hub),
			 -ENOENT);
	assert_int_equal(hub_local_new("huggingface", "/dev/null", &hub),
			 -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_listed),
		cmocka_unit_test(names_are_looked_up),
		cmocka_unit_test(plain_models_are_read),
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(cached_models_are_read),
		cmocka_unit_test(a_replaced_file_is_stale),
		cmocka_unit_test(a_download_is_used),
		cmocka_unit_test(model_names_go_both_ways),
		cmocka_unit_test(no_folder_is_said),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
