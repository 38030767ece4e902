/* SPDX-License-Identifier: MIT */
#include "providers/web_repo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/annot.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/fake/fake_files.h"
#include "tests/fake/fake_memo.h"
#include "tests/unit/unit.h"

#define WALL 1800000000
#define BODY "\x89HDF the weights of a model"
#define OTHER "\x89HDF the weights of others!"
#define MD5_OF_BODY "md5:b58f1e29c8aa970a1ccf457c9c33fa8c"
#define HOST "http://files.example.org"
#define ETAG "ETag: \"one\"\r\n"

static const struct fake_file table[] = {
	{ "/good", BODY, ETAG, 0 },
	{ "/goog", BODY,
	  "x-goog-hash: crc32c=n03x6A==\r\n"
	  "x-goog-hash: md5=tY8eKciqlwocz0V8nDP6jA==\r\n" ETAG,
	  0 },
	{ "/dated", BODY, "Last-Modified: Tue, 01 Jan 2019 00:00:00 GMT\r\n",
	  0 },
	{ "/unpinned", BODY, NULL, 0 },
	{ "/whole", BODY, ETAG, 200 },
	{ "/pointer", "version https://git-lfs.github.com/spec/v1\n", ETAG, 0 },
	{ "/page", "<!DOCTYPE html><html></html>", ETAG, 200 },
	{ "/forbidden", "<Error/>", NULL, 403 },
	{ "/broken", "", NULL, 501 },
	{ NULL, NULL, NULL, 0 },
};
static const struct fake_file changed[] = {
	{ "/good", OTHER, "ETag: \"two\"\r\n", 0 },
	{ NULL, NULL, NULL, 0 },
};
static const struct fake_file nothing[] = { { NULL, NULL, NULL, 0 } };

static struct fake_files server;
static struct fake_memo memo;
static struct fetcher *fetcher;
static struct provider_env env;
static const char *endpoint; /* of the host */
static char folder[] = "/tmp/omnihub-web-XXXXXX";

static const char *endpoint_of(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "files.example.org") ? NULL : endpoint;
}

static int set_up(void **state)
{
	(void)state;
	clock_set(1000 * NS_PER_S, WALL);
	fake_memo_init(&memo);
	if (!fake_files_start(&server, table) || fetcher_new(5, &fetcher) < 0)
		return -1;
	endpoint = server.base;
	env = (struct provider_env){ .fetcher = fetcher,
				     .memo = &memo.memo,
				     .endpoint = endpoint_of };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fetcher_free(fetcher);
	fake_stop(&server.http);
	fake_memo_release(&memo);
	clock_set(0, 0);
	return 0;
}

static struct web_file file_of(const char *const *urls, size_t count)
{
	return (struct web_file){
		.path = "weights.h5",
		.urls = urls,
		.url_count = count,
		.size = WEB_SIZE_UNKNOWN,
	};
}

static int64_t until;

static int open_files(const struct web_file *files, size_t count, bool ask,
		      uint64_t deadline_ns, struct repo **out)
{
	struct web_repo_spec spec = {
		.env = &env,
		.hub = "keras",
		.id = "ResNet50",
		.url = "https://keras.io",
		.facts = "{}",
		.kind = "keras",
		.files_dir = "",
		.files = files,
		.file_count = count,
	};

	return web_repo_open(&spec, ask, deadline_ns, out, &until);
}

static int open_file(const struct web_file *file, struct repo **out)
{
	return open_files(file, 1, false, clock_after_ns(3 * NS_PER_S), out);
}

static int read_start(struct repo *repo, char *to, size_t len)
{
	auto_source struct source *source = NULL;
	int r = repo_source(repo, 0, &source);

	return r < 0 ? r : fake_read_range(source, 0, len, to);
}

/* Candidates; what comes of them, in how many requests. */
static const struct {
	const char *urls[3];
	int want;
	unsigned int requests;
} probes[] = {
	{ { HOST "/good" }, 0, 1 },
	{ { HOST "/goog" }, 0, 1 },
	{ { HOST "/dated" }, 0, 1 },
	{ { HOST "/whole" }, 0, 1 },
	{ { HOST "/unpinned" }, -EIO, 1 },
	{ { HOST "/pointer" }, -EIO, 1 },
	{ { HOST "/page" }, -EIO, 1 },
	{ { HOST "/gone" }, -ENOENT, 1 },
	{ { HOST "/forbidden" }, -EACCES, 1 },
	{ { HOST "/broken" }, -EIO, 1 },
	/* the first that has it */
	{ { HOST "/gone", HOST "/pointer", HOST "/good" }, 0, 3 },
	{ { HOST "/good", HOST "/goog" }, 0, 1 },
	/* the most telling refusal */
	{ { HOST "/gone", HOST "/pointer" }, -EIO, 2 },
	{ { HOST "/forbidden", HOST "/pointer", HOST "/gone" }, -EIO, 3 },
};

static void candidates_are_probed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		auto_repo struct repo *repo = NULL;
		struct web_file file;
		char bytes[sizeof(BODY)] = "";
		size_t count = 0;
		unsigned int before = fake_files_requests(&server);

		while (count < 3 && probes[i].urls[count])
			count++;
		file = file_of(probes[i].urls, count);
		fake_memo_release(&memo);
		fake_memo_init(&memo);
		assert_int_equal(open_file(&file, &repo), probes[i].want);
		assert_int_equal(fake_files_requests(&server) - before,
				 probes[i].requests);
		if (probes[i].want < 0)
			continue;
		assert_int_equal(repo->files[0].size, strlen(BODY));
		assert_int_equal(read_start(repo, bytes, strlen(BODY)), 0);
		assert_string_equal(bytes, BODY);
	}
}

static const char *const good[] = { HOST "/good" };

static void a_second_opening_asks_nothing(void **state)
{
	struct web_file file = file_of(good, 1);
	auto_repo struct repo *first = NULL, *second = NULL;

	(void)state;
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &first),
			 -EINPROGRESS);
	assert_int_equal(fake_files_requests(&server), 0);
	assert_int_equal(open_file(&file, &first), 0);
	assert_int_equal(until, WALL + WEB_TTL_S);
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &second), 0);
	assert_int_equal(fake_files_requests(&server), 1);
	assert_string_equal(first->revision, second->revision);
	assert_string_equal(first->kind, "keras");
	assert_string_equal(first->files_dir, "");
	assert_string_equal(first->facts, "{}");
	env.offline = true;
	repo_unref(take_ptr(second));
	assert_int_equal(open_file(&file, &second), 0);
	clock_set(2000 * NS_PER_S, WALL + 2 * WEB_TTL_S);
	repo_unref(take_ptr(second));
	assert_int_equal(open_file(&file, &second), 0); /* old, but all */
	assert_int_equal(fake_files_requests(&server), 1);
}

static void what_is_missing_is_remembered_a_while(void **state)
{
	static const char *const urls[] = { HOST "/gone" };
	struct web_file file = file_of(urls, 1);
	struct repo *repo = NULL;

	(void)state;
	assert_int_equal(open_file(&file, &repo), -ENOENT);
	assert_int_equal(open_file(&file, &repo), -ENOENT);
	assert_int_equal(fake_files_requests(&server), 1);
	clock_set(2000 * NS_PER_S, WALL + HUB_MISSING_TTL_S);
	assert_int_equal(open_file(&file, &repo), -ENOENT);
	assert_int_equal(fake_files_requests(&server), 2);
	env.offline = true;
	clock_set(3000 * NS_PER_S, WALL + 10 * HUB_MISSING_TTL_S);
	assert_int_equal(open_file(&file, &repo), -ENETUNREACH);
}

/* Another version is another revision, and never read as the old one. */
static void a_file_that_changed(void **state)
{
	struct web_file file = file_of(good, 1);
	auto_repo struct repo *old = NULL, *new = NULL;
	char bytes[8];

	(void)state;
	assert_int_equal(open_file(&file, &old), 0);
	server.table = changed;
	assert_int_equal(read_start(old, bytes, 4), -ESTALE);
	assert_int_equal(open_file(&file, &new), 0); /* believed still */
	assert_string_equal(old->revision, new->revision);
	repo_unref(take_ptr(new));
	assert_int_equal(open_files(&file, 1, true,
				    clock_after_ns(3 * NS_PER_S), &new),
			 0);
	assert_string_not_equal(old->revision, new->revision);
	assert_int_equal(read_start(new, bytes, 4), 0);
	/* gone: what was known serves */
	server.table = nothing;
	repo_unref(take_ptr(old));
	assert_int_equal(open_files(&file, 1, true,
				    clock_after_ns(3 * NS_PER_S), &old),
			 0);
	assert_string_equal(old->revision, new->revision);
}

/* Size and digest of the table: no request, and the first range chooses. */
static void what_the_table_knows_is_not_asked(void **state)
{
	static const char *const urls[] = { HOST "/gone", HOST "/pointer",
					    HOST "/good" };
	struct web_file file = file_of(urls, 3);
	auto_repo struct repo *repo = NULL;
	char bytes[sizeof(BODY)] = "";

	(void)state;
	file.size = strlen(BODY);
	file.digest.kind = DIGEST_SHA256;
	assert_int_equal(sha256(BODY, strlen(BODY), file.digest.bytes), 0);
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &repo), 0);
	assert_int_equal(until, INT64_MAX);
	assert_int_equal(fake_files_requests(&server), 0);
	assert_int_equal(repo->files[0].digest.kind, DIGEST_SHA256);
	assert_int_equal(read_start(repo, bytes, strlen(BODY)), 0);
	assert_string_equal(bytes, BODY);
	/* missing, then an untrue size, told twice */
	assert_int_equal(fake_files_requests(&server), 4);
}

/* Whatever mirror it comes from, and none of one with other bytes. */
static void digests_of_the_table_name_the_bytes(void **state)
{
	static const char *const goog[] = { HOST "/goog" };
	static const char *const many[] = { HOST "/goog", HOST "/good" };
	struct web_file file = file_of(goog, 1);
	auto_repo struct repo *here = NULL, *there = NULL, *other = NULL;
	char text[DIGEST_TEXT];

	(void)state;
	assert_int_equal(open_file(&file, &there), 0);
	file.digest = there->files[0].digest;
	digest_text(&file.digest, text);
	assert_string_equal(text, MD5_OF_BODY);
	assert_int_equal(open_file(&file, &here), 0);
	file.digest.bytes[0] ^= 1;
	file.urls = many;
	file.url_count = 2;
	assert_int_equal(open_file(&file, &other), 0);
	assert_string_not_equal(here->revision, other->revision);
	file.url_count = 1;
	repo_unref(take_ptr(other));
	fake_memo_release(&memo);
	fake_memo_init(&memo);
	assert_int_equal(open_file(&file, &other), -EIO);
	file.digest.kind = DIGEST_NONE;
	file.size = 5;
	file.urls = good;
	assert_int_equal(open_file(&file, &other), -EIO);
	/* --verify off: it may be other files, under known names */
	env.unverified = true;
	assert_int_equal(open_file(&file, &other), 0);
	assert_int_equal(other->files[0].size, strlen(BODY));
	assert_int_equal(other->files[0].digest.kind, DIGEST_NONE);
}

static void write_file(const char *name, const char *text)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "we");

	fputs(text, f);
	fclose(f);
}

static void a_folder_in_place_of_the_host(void **state)
{
	struct web_file file = file_of(good, 1);
	auto_free char *at = realpath(folder, NULL);
	auto_repo struct repo *repo = NULL, *other = NULL;
	auto_source struct source *source = NULL;
	auto_close int fd = -1;

	(void)state;
	endpoint = at;
	env.fetcher = NULL;
	assert_int_equal(open_file(&file, &repo), -ENOENT);
	write_file("good", BODY);
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &repo), 0);
	assert_int_equal(repo->files[0].size, strlen(BODY));
	assert_int_equal(repo_source(repo, 0, &source), 0);
	assert_non_null(source->ops->open_local);
	fd = source->ops->open_local(source);
	assert_true(fd >= 0);
	file.size = 5; /* the table's word */
	file.digest.kind = DIGEST_MD5;
	assert_int_equal(open_file(&file, &other), -EIO);
	env.unverified = true;
	assert_int_equal(open_file(&file, &other), 0);
	write_file("good", "<html>");
	repo_unref(take_ptr(other));
	assert_int_equal(open_file(&file, &other), -EIO);
}

/*
 * A hub that sends us to a signed URL: its word on size and digest counts,
 * and is looked at again with each range; a stranger's is not.
 */
static void a_redirect_to_another_host(void **state)
{
	static const char *const hub[] = { "https://huggingface.co/o/m" };
	static const char *const stranger[] = { HOST "/o/m" };
	static char headers[256];
	static struct fake_file rows[] = { { "/o/m", "moved", headers, 302 },
					   { "/blob", BODY, ETAG, 0 },
					   { NULL, NULL, NULL, 0 } };
	struct web_file file = file_of(hub, 1);
	auto_repo struct repo *repo = NULL, *other = NULL;
	char bytes[sizeof(BODY)] = "";

	(void)state;
	snprintf(headers, sizeof(headers),
		 "Location: http://localhost:%u/blob\r\n"
		 "X-Linked-ETag: \"%064d\"\r\nX-Linked-Size: %zu\r\n",
		 server.http.port, 7, strlen(BODY));
	server.table = rows;
	setenv("HF_ENDPOINT", server.base, 1);
	assert_int_equal(open_file(&file, &repo), 0);
	unsetenv("HF_ENDPOINT");
	assert_int_equal(repo->files[0].size, strlen(BODY));
	assert_int_equal(repo->files[0].digest.kind, DIGEST_SHA256);
	assert_int_equal(read_start(repo, bytes, strlen(BODY)), 0);
	assert_string_equal(bytes, BODY);
	file.urls = stranger;
	assert_int_equal(open_file(&file, &other), 0);
	assert_int_equal(other->files[0].digest.kind, DIGEST_NONE);
	*strstr(headers, "7\"") = '8';
	assert_int_equal(read_start(other, bytes, 4), -ESTALE);
}

/* Used where it is proven, and hashed once; else as if it were not there. */
static void a_download_of_before(void **state)
{
	struct web_file file = file_of(good, 1);
	auto_free char *at = realpath(folder, NULL);
	auto_free char *path = mem_printf("%s/good", at);
	auto_repo struct repo *repo = NULL, *other = NULL;
	auto_source struct source *source = NULL, *again = NULL;
	const struct timespec long_ago[2] = { { .tv_sec = 1 },
					      { .tv_sec = 1 } };
	auto_close int fd = -1;
	char bytes[sizeof(BODY)] = "";

	(void)state;
	file.size = strlen(BODY);
	assert_int_equal(digest_of_text(MD5_OF_BODY, &file.digest), 0);
	file.download = path;
	write_file("good", BODY);
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &repo),
			 -EINPROGRESS);
	assert_int_equal(open_file(&file, &repo), 0);
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &other), 0);
	assert_int_equal(repo_source(repo, 0, &source), 0);
	fd = source->ops->open_local(source);
	assert_true(fd >= 0);
	write_file("good", OTHER);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	/* it changed: the network has it still */
	assert_int_equal(source->ops->open_local(source), -ESTALE);
	assert_int_equal(fake_read_range(source, 0, strlen(BODY), bytes), 0);
	assert_string_equal(bytes, BODY);
	repo_unref(take_ptr(other));
	assert_int_equal(open_file(&file, &other), 0);
	assert_int_equal(repo_source(other, 0, &again), 0);
	assert_null(again->ops->open_local);
	repo_unref(take_ptr(other)); /* nor is it hashed again */
	assert_int_equal(open_files(&file, 1, false, DEADLINE_NOW, &other), 0);
	assert_string_equal(other->revision, repo->revision);
}

static void several_files(void **state)
{
	static const char *const gone[] = { HOST "/gone" };
	struct web_file files[] = { file_of(good, 1), file_of(gone, 1) };
	auto_repo struct repo *repo = NULL;

	(void)state;
	files[0].path = "z";
	files[1].path = "a/b";
	assert_int_equal(open_files(files, 2, false,
				    clock_after_ns(3 * NS_PER_S), &repo),
			 -ENOENT);
	files[1].optional = true;
	assert_int_equal(open_files(files, 2, false, DEADLINE_NOW, &repo), 0);
	assert_int_equal(repo->file_count, 1);
	assert_string_equal(repo->files[0].path, "z");
	files[1].urls = good;
	repo_unref(take_ptr(repo));
	assert_int_equal(open_files(files, 2, false, DEADLINE_NOW, &repo), 0);
	assert_int_equal(repo->file_count, 2);
	assert_string_equal(repo->files[0].path, "a/b");
}

static void a_dead_host(void **state)
{
	struct web_file file = file_of(good, 1);
	struct repo *repo = NULL;

	(void)state;
	clock_set(0, 0);
	endpoint = "http://127.0.0.1:1";
	assert_int_equal(open_files(&file, 1, false,
				    clock_after_ns(NS_PER_S / 2), &repo),
			 -ETIMEDOUT);
}

static int open_known(void)
{
	static const char *const urls[] = { HOST "/good", HOST "/goog" };
	struct web_file file = file_of(urls, 2);
	auto_source struct source *source = NULL;
	auto_repo struct repo *repo = NULL;
	int r;

	file.size = 9;
	file.digest.kind = DIGEST_MD5;
	r = open_file(&file, &repo);
	return r < 0 ? r : repo_source(repo, 0, &source);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	run_with_faults(open_known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(candidates_are_probed),
		TEST(a_second_opening_asks_nothing),
		TEST(what_is_missing_is_remembered_a_while),
		TEST(a_file_that_changed),
		TEST(what_the_table_knows_is_not_asked),
		TEST(digests_of_the_table_name_the_bytes),
		TEST(a_folder_in_place_of_the_host),
		TEST(a_redirect_to_another_host),
		TEST(a_download_of_before),
		TEST(several_files),
		TEST(a_dead_host),
		TEST(memory_may_run_out),
	};
	auto_free char *path = NULL;
	int failed;

	setenv("no_proxy", "127.0.0.1,localhost", 1);
	if (!mkdtemp(folder))
		return 1;
	log_open(2, LOG_LEVEL_ERROR);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	path = mem_printf("%s/good", folder);
	unlink(path);
	rmdir(folder);
	return failed;
}
