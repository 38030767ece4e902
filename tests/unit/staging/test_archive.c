/* SPDX-License-Identifier: MIT */
/* Archives with the real worker and a real cache. */
#include "staging/archive/archive.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "staging/archive/job.h"
#include "tests/fake/fake_memo.h"
#include "tests/unit/cache/cache_fixture.h"
#include "tests/unit/staging/archive_make.h"

/* An archive whose bytes come when the test says so. */
struct gated {
	struct blob blob;
	const uint8_t *bytes;
	struct lock lock;
	struct cond changed;
	uint64_t open_to; /* lock: what may be read */
	unsigned int fetches;
	int fail; /* lock */
};

static struct gated gated;

static int gated_fetch(struct blob *blob, uint64_t off, size_t len, void *to,
		       uint64_t deadline_ns)
{
	int r;

	(void)blob;
	(void)deadline_ns;
	lock_take(&gated.lock);
	gated.fetches++;
	cond_wake_all(&gated.changed);
	while (off + len > gated.open_to && !gated.fail)
		cond_wait(&gated.changed, &gated.lock);
	r = gated.fail;
	lock_drop(&gated.lock);
	if (r == 0 && len > 0)
		memcpy(to, gated.bytes + off, len);
	return r;
}

static int gated_read(struct blob *blob, uint64_t off, size_t len, void *to)
{
	return gated_fetch(blob, off, len, to, 0);
}

static void gated_free(struct blob *blob)
{
	(void)blob;
}

static void gate_open(uint64_t to, int fail)
{
	lock_take(&gated.lock);
	gated.open_to = to;
	gated.fail = fail;
	cond_wake_all(&gated.changed);
	lock_drop(&gated.lock);
}

static unsigned int gated_fetches(void)
{
	unsigned int fetches;

	lock_take(&gated.lock);
	fetches = gated.fetches;
	lock_drop(&gated.lock);
	return fetches;
}

/* The world of one test. */
static struct {
	struct cache *cache;
	struct jobs *jobs;
	struct fake_memo memo;
	struct stage_repo repo;
	struct stage_file file;
	struct str made; /* the archive */
} world;

static int world_keep(void *arg, struct source *source, struct blob **out)
{
	assert_ptr_equal(arg, &world);
	return cache_blob(world.cache, source, out);
}

static int world_open(void *arg, size_t index, struct blob **out)
{
	assert_ptr_equal(arg, &world);
	assert_int_equal(index, 0);
	*out = blob_ref(&gated.blob);
	return 0;
}

static void jobs_begin(void)
{
	struct jobs_options options = { folder, OMNIHUB_UNPACK };

	assert_int_equal(jobs_new(&options, &world.jobs), 0);
	world.repo.jobs = world.jobs;
}

static int world_make(void **state)
{
	(void)state;
	log_quiet();
	memset(&world, 0, sizeof(world));
	world.cache = cache_usual();
	fake_memo_init(&world.memo);
	str_init(&world.made, MADE_BYTES_MAX);
	world.repo = (struct stage_repo){
		.id = "org/model",
		.files = &world.file,
		.file_count = 1,
		.open = world_open,
		.arg = &world,
		.keep = world_keep,
		.keep_arg = &world,
		.memo = &world.memo.memo,
		.deadline_ns = CLOCK_NEVER,
	};
	jobs_begin();
	return 0;
}

static int world_end(void **state)
{
	gate_open(UINT64_MAX, 0); /* a test that failed may have left it shut */
	jobs_free(world.jobs);
	cache_close(world.cache);
	fake_memo_release(&world.memo);
	str_release(&world.made);
	cond_release(&gated.changed);
	lock_release(&gated.lock);
	return folder_empty(state);
}

/* world.made is the archive from now on, under this name. */
static void serve(const char *path)
{
	struct digest digest = { .kind = DIGEST_SHA256 };
	struct content_key key;

	assert_int_equal(sha256(world.made.bytes, world.made.len, digest.bytes),
			 0);
	assert_int_equal(content_key_make(&digest, NULL, &key), 0);
	static const struct blob_ops ops = { gated_read, gated_fetch,
					     gated_free };

	memset(&gated, 0, sizeof(gated));
	blob_init(&gated.blob, &ops, world.made.len, &key, &digest);
	gated.bytes = (const uint8_t *)world.made.bytes;
	gated.open_to = UINT64_MAX;
	lock_init(&gated.lock);
	cond_init(&gated.changed);
	world.file = (struct stage_file){ path, world.made.len };
}

static struct archive *open_it(void)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive = NULL;
	int r = archive_open(&world.repo, 0, &archive, &why);

	if (r < 0)
		print_message("%s: %s\n", strerror(-r),
			      why.reason ? why.reason : "no reason");
	assert_int_equal(r, 0);
	return archive;
}

static void refused_as(const char *code)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive = NULL;
	int r = archive_open(&world.repo, 0, &archive, &why);

	assert_int_equal(r, -EBADMSG);
	assert_string_equal(why.code, code);
	assert_non_null(why.reason);
}

/* The whole of a member by the cache; -errno. */
static int read_member(struct archive *archive, const char *path, char *to,
		       size_t len)
{
	auto_blob struct blob *blob = NULL;
	size_t member;
	int r;

	assert_true(archive_find(archive, path, &member));
	assert_int_equal(archive->members[member].size, len);
	r = archive_member_blob(archive, member, &blob);
	return r ?: blob_fetch(blob, 0, len, to, soon_ns());
}

static void member_is(struct archive *archive, const char *path,
		      const char *text)
{
	char bytes[4096];
	size_t len = strlen(text);

	print_message("%s\n", path);
	assert_int_equal(read_member(archive, path, bytes, len), 0);
	assert_memory_equal(bytes, text, len);
}

/* Until no job runs, without an allocation. */
static void await_no_job(void)
{
	size_t count;

	do {
		lock_take(&world.jobs->lock);
		count = world.jobs->running.count;
		lock_drop(&world.jobs->lock);
		usleep(1000);
	} while (count > 0);
}

/* Until no job runs. */
static void await_quiet(void)
{
	struct jobs_status status;
	bool quiet = false;

	while (!quiet) {
		assert_int_equal(jobs_status(world.jobs, &status), 0);
		quiet = status.count == 0;
		jobs_status_release(&status);
		if (!quiet)
			usleep(1000);
	}
}

/* Members of various sizes; "big" is of @big bytes. */
static void make_tar(size_t big)
{
	uint8_t *bytes = malloc(big + 1);

	fake_source_bytes(bytes, big, 7);
	tar_file(&world.made, "./model/a.txt", "first");
	tar_entry(&world.made, "model/", '5', NULL, "", 0);
	tar_entry(&world.made, "model/big", '0', NULL, bytes, big);
	tar_file(&world.made, "model/empty", "");
	tar_file(&world.made, "model/z.txt", "last");
	tar_end(&world.made);
	free(bytes);
}

static void big_is_right(struct archive *archive, size_t big)
{
	char *got = malloc(big + 1);
	uint8_t *want = malloc(big + 1);

	fake_source_bytes(want, big, 7);
	assert_int_equal(read_member(archive, "model/big", got, big), 0);
	assert_memory_equal(got, want, big);
	free(got);
	free(want);
}

static void a_tar_gz_is_its_members(void **state)
{
	auto_archive struct archive *archive = NULL;

	(void)state;
	make_tar(3000000);
	gzip(&world.made);
	serve("saved_model.tar.gz");
	archive = open_it();
	assert_int_equal(archive->count, 4);
	assert_int_equal(archive->left_out, 0);
	assert_string_equal(archive->members[0].path, "model/a.txt");
	assert_false(archive->members[0].stored);
	member_is(archive, "model/a.txt", "first");
	member_is(archive, "model/empty", "");
	member_is(archive, "model/z.txt", "last");
	big_is_right(archive, 3000000);
	await_quiet();
}

/* Plain and by its first bytes alone. */
static void a_tar_is_known_by_its_bytes(void **state)
{
	auto_archive struct archive *archive = NULL;

	(void)state;
	make_tar(100000);
	serve("download");
	archive = open_it();
	big_is_right(archive, 100000);
	await_quiet();
}

static void what_must_not_be_a_member_is_left_out(void **state)
{
	auto_archive struct archive *archive = NULL;
	char name[301];

	(void)state;
	memset(name, 'n', 300);
	name[300] = '\0';
	tar_file(&world.made, "good", "one");
	tar_file(&world.made, "../up", "x");
	tar_file(&world.made, "/absolute", "x");
	tar_file(&world.made, "a/../../b", "x");
	tar_file(&world.made, "a//b", "x");
	tar_file(&world.made, name, "x");
	tar_entry(&world.made, "symlink", '2', "/etc/passwd", "", 0);
	tar_entry(&world.made, "hardlink", '1', "/etc/passwd", "", 0);
	tar_entry(&world.made, "pax", 'x', NULL, "14 comment=ab\n", 14);
	tar_entry(&world.made, "hardlink with bytes", '1', "good", "x", 1);
	tar_entry(&world.made, "device", '3', NULL, "", 0);
	tar_entry(&world.made, "fifo", '6', NULL, "", 0);
	tar_file(&world.made, "twice", "first");
	tar_file(&world.made, "shadowed", "x");
	tar_file(&world.made, "shadowed/below", "below");
	tar_file(&world.made, "twice", "second");
	tar_file(&world.made, "replaced", "x");
	tar_entry(&world.made, "replaced", '2', "good", "", 0);
	tar_file(&world.made, "caf\xe9", "latin");
	tar_end(&world.made);
	serve("hostile.tar");
	archive = open_it();
	member_is(archive, "good", "one");
	member_is(archive, "twice", "second");
	member_is(archive, "shadowed/below", "below");
	member_is(archive, "caf\xe9", "latin");
	assert_int_equal(archive->count, 4);
	assert_int_equal(archive->left_out, 14);
	await_quiet();
}

/* ---- what is refused */

static void make_cut(void)
{
	make_tar(50000);
	gzip(&world.made);
	str_truncate(&world.made, world.made.len - 9);
}

static void make_cut_between(void)
{
	tar_file(&world.made, "a", "x");
	tar_header(&world.made, "b", '0', NULL, 0);
}

static void make_trailed(void)
{
	make_tar(50000);
	gzip(&world.made);
	add(&world.made, "garbage", 7);
}

static void make_bad_crc(void)
{
	make_tar(50000);
	gzip(&world.made);
	world.made.bytes[world.made.len - 6] ^= 1;
}

static void make_html(void)
{
	add(&world.made, "\n<!DOCTYPE html><html></html>", 29);
}

static void make_pointer(void)
{
	const char *text = "version https://git-lfs.github.com/spec/v1\noid";

	add(&world.made, text, strlen(text));
}

static void make_noise(void)
{
	add(&world.made, "noise is no archive", 19);
}

static void make_gzip_noise(void)
{
	add(&world.made, "noise in a gzip is no tar", 25);
	gzip(&world.made);
}

static void make_nested(void)
{
	make_tar(1000);
	gzip(&world.made);
	gzip(&world.made);
}

/* 10 MiB that become 10 GiB: @begin, then zeros. */
static void make_bomb(const struct str *begin)
{
	const size_t zeros_len = (size_t)64 << 20;
	char *zeros = calloc(1, zeros_len);
	struct str piece;

	str_init(&piece, MADE_BYTES_MAX);
	pack(&piece, zeros, zeros_len, 31, 9);
	pack(&world.made, begin->bytes, begin->len, 31, 9);
	for (int i = 0; i < 160; i++)
		add(&world.made, piece.bytes, piece.len);
	assert_in_range(world.made.len, 9 << 20, 11 << 20);
	str_release(&piece);
	free(zeros);
}

static void make_bomb_of_a_member(void)
{
	struct str begin;

	str_init(&begin, MADE_BYTES_MAX);
	tar_header(&begin, "zeros", '0', NULL, (uint64_t)10 << 30);
	make_bomb(&begin);
	str_release(&begin);
}

static void make_bomb_behind(void)
{
	struct str begin;

	str_init(&begin, MADE_BYTES_MAX);
	tar_file(&begin, "small", "x");
	make_bomb(&begin);
	str_release(&begin);
}

static void make_crowd(void)
{
	for (size_t i = 0; i <= ARCHIVE_MEMBERS_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%zu", i);
		tar_header(&world.made, name, '0', NULL, 0);
	}
	tar_end(&world.made);
	gzip(&world.made);
}

static void make_size_lie(void)
{
	tar_header(&world.made, "lie", '0', NULL, (uint64_t)900 << 20);
	tar_end(&world.made);
	gzip(&world.made);
}

static void make_zip_of(uint16_t flags, uint16_t method)
{
	struct zip_file file = { .name = "a",
				 .bytes = "x",
				 .len = 1,
				 .method = method,
				 .flags = flags };

	make_zip(&world.made, &file, 1);
}

static void make_encrypted(void)
{
	make_zip_of(1, 0);
}

static void make_lzma_zip(void)
{
	make_zip_of(0, 14);
}

static void make_cut_zip(void)
{
	make_zip_of(0, 0);
	str_truncate(&world.made, world.made.len - 5);
}

static void make_trailed_zip(void)
{
	make_zip_of(0, 0);
	add(&world.made, "xyz", 3);
}

static const struct {
	const char *name;
	const char *path;
	void (*make)(void);
	const char *code;
	bool kept; /* by the memo: a job found it out */
} refused[] = {
	{ "cut", "a.tar.gz", make_cut, "archive-damaged", true },
	{ "cut between members", "a.tar", make_cut_between, "archive-damaged",
	  true },
	{ "Z-21 trailing garbage", "a.tgz", make_trailed, "archive-damaged",
	  true },
	{ "wrong CRC", "a.tar.gz", make_bad_crc, "archive-damaged", true },
	{ "a web page", "a.tar.gz", make_html, "archive-html", false },
	{ "a web page for a zip", "a.zip", make_html, "archive-html", false },
	{ "a pointer", "a.mar", make_pointer, "lfs-pointer", false },
	{ "noise", "a.tar", make_noise, "archive-unsupported", false },
	{ "noise in gzip", "a.tar.gz", make_gzip_noise, "archive-damaged",
	  false },
	{ "Z-18 gzip in gzip", "a.tar.gz", make_nested, "archive-damaged",
	  false },
	{ "Z-07 a bomb", "a.tar.gz", make_bomb_of_a_member, "archive-too-big",
	  true },
	{ "Z-07 behind the end", "a.tar.gz", make_bomb_behind,
	  "archive-too-big", true },
	{ "a crowd", "a.tar.gz", make_crowd, "archive-too-big", true },
	{ "Z-08 a size lies", "a.tar.gz", make_size_lie, "archive-damaged",
	  true },
	{ "Z-14 encrypted", "a.zip", make_encrypted, "archive-unsupported",
	  false },
	{ "Z-14 LZMA", "a.zip", make_lzma_zip, "archive-unsupported", false },
	{ "a cut zip", "a.zip", make_cut_zip, "archive-damaged", false },
	{ "Z-10 after a zip", "a.zip", make_trailed_zip, "archive-damaged",
	  false },
};

static void bad_archives_are_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		unsigned int fetches;

		print_message("%s\n", refused[i].name);
		refused[i].make();
		serve(refused[i].path);
		refused_as(refused[i].code);
		fetches = gated_fetches();
		refused_as(refused[i].code);
		if (refused[i].kept) /* not unpacked a second time */
			assert_int_equal(gated_fetches(), fetches);
		await_quiet();
		assert_int_equal(world_end(state), 0);
		assert_int_equal(world_make(state), 0);
	}
	make_noise();
	serve("last");
}

/* ---- zips */

static void a_zip_is_its_members(void **state)
{
	struct zip_file files[] = {
		{ .name = "dir/", .bytes = "", .len = 0 },
		{ .name = "dir/stored", .bytes = "as it is", .len = 8 },
		{ .name = "dir/extra",
		  .bytes = "as it is too",
		  .len = 12,
		  .extra = 28 },
		{ .name = "dir/deflated",
		  .method = 8,
		  .bytes = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  .len = 40 },
		{ .name = "dir/deflated too",
		  .method = 8,
		  .extra = 9,
		  .bytes = "bbbbbbbbbbbbbbbbbbbbbbbbb",
		  .len = 25 },
		{ .name = "../up", .bytes = "x", .len = 1 },
		{ .name = "link", .bytes = "/etc", .len = 4, .mode = 0120777 },
		{ .name = "twice", .bytes = "1", .len = 1 },
		{ .name = "twice", .bytes = "2", .len = 1 },
	};
	auto_archive struct archive *archive = NULL;
	size_t member;

	(void)state;
	make_zip(&world.made, files, ARRAY_LEN(files));
	serve("model.mar");
	archive = open_it();
	assert_int_equal(archive->count, 4);
	assert_int_equal(archive->left_out, 4);
	for (size_t i = 1; i < 5; i++) {
		assert_true(archive_find(archive, files[i].name, &member));
		assert_int_equal(archive->members[member].stored, i < 3);
		member_is(archive, files[i].name, files[i].bytes);
	}
	for (size_t i = 1; i < 3; i++) {
		const struct archive_member *it;

		assert_true(archive_find(archive, files[i].name, &member));
		it = &archive->members[member];
		assert_memory_equal(world.made.bytes + it->off, files[i].bytes,
				    files[i].len);
	}
	await_quiet();
}

/* Each is listed; reading it gives EIO, and the others are fine. */
static void false_members_are_not_given(void **state)
{
	struct zip_file files[] = {
		{ .name = "crc",
		  .method = 8,
		  .bytes = "12345",
		  .len = 5,
		  .crc_xor = 1 },
		{ .name = "crc stored",
		  .bytes = "12345",
		  .len = 5,
		  .crc_xor = 1 },
		{ .name = "header",
		  .method = 8,
		  .bytes = "12345",
		  .len = 5,
		  .local_method_xor = 8 },
		{ .name = "good", .method = 8, .bytes = "12345", .len = 5 },
	};
	auto_archive struct archive *archive = NULL;
	char bytes[5];

	(void)state;
	make_zip(&world.made, files, ARRAY_LEN(files));
	serve("model.zip");
	archive = open_it();
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(read_member(archive, files[i].name, bytes, 5),
				 -EIO);
	member_is(archive, "good", "12345");
	await_quiet();
}

/* ---- jobs */

#define BIG ((size_t)20 << 20) /* three pieces */

struct reader {
	pthread_t thread;
	struct archive *archive;
	int result;
	bool all; /* read all of the big member */
};

static void *reader_open(void *arg)
{
	struct reader *reader = arg;
	auto_refusal struct refusal why = { 0 };

	reader->result = archive_open(&world.repo, 0, &reader->archive, &why);
	if (reader->result == 0 && reader->all)
		big_is_right(reader->archive, BIG);
	else if (reader->result == 0)
		member_is(reader->archive, "model/z.txt", "last");
	return NULL;
}

/* The worker of ours that runs, or 0. */
static pid_t find_worker(void)
{
	auto_free char *path = NULL;
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (!found && (entry = readdir(dir))) {
		char line[512] = "";
		int parent = 0;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		FILE *stat;

		if (pid <= 0)
			continue;
		free(path);
		path = mem_printf("/proc/%d/stat", pid);
		stat = fopen(path, "re");
		if (!stat)
			continue;
		if (fgets(line, sizeof(line), stat) &&
		    strstr(line, "(omnihub-unpack) ") &&
		    sscanf(strstr(line, ") ") + 4, "%d", &parent) == 1 &&
		    parent == getpid())
			found = pid;
		fclose(stat);
	}
	closedir(dir);
	return found;
}

static pid_t await_worker(void)
{
	pid_t pid;

	while (!(pid = find_worker()))
		usleep(1000);
	return pid;
}

static void await_fetches(unsigned int count)
{
	lock_take(&gated.lock);
	while (gated.fetches < count)
		cond_wait(&gated.changed, &gated.lock);
	lock_drop(&gated.lock);
}

/* Until a job has begun and waits for its second piece. */
static void await_second_piece(void)
{
	await_fetches(3); /* the head and two */
}

static void one_job_serves_all(void **state)
{
	struct reader readers[32] = { { .all = true }, { .all = true } };
	uint64_t done, total;

	(void)state;
	make_tar(BIG);
	serve("a.tar");
	gate_open(JOB_PIECE_BYTES, 0);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
						reader_open, &readers[i]),
				 0);
	while (gated_fetches() < ARRAY_LEN(readers) + 2)
		usleep(1000);
	assert_int_equal(archive_progress(world.jobs, &gated.blob.key, &done,
					  &total),
			 0);
	assert_in_range(done, 1, JOB_PIECE_BYTES);
	assert_int_equal(total, world.made.len);
	gate_open(UINT64_MAX, 0);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].result, 0);
		archive_unref(readers[i].archive);
	}
	/* A head each, and the three pieces once. */
	assert_in_range(gated_fetches(), 3 + 1, 3 + ARRAY_LEN(readers));
	await_quiet();
	assert_int_equal(archive_progress(world.jobs, &gated.blob.key, &done,
					  &total),
			 -ENOENT);
}

static bool status_has(pid_t pid, const char *line)
{
	auto_free char *path = mem_printf("/proc/%d/status", pid);
	char got[256];
	bool found = false;
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	while (fgets(got, sizeof(got), file))
		found |= strcmp(got, line) == 0;
	fclose(file);
	return found;
}

/* Only 0, 1 and 2 are open in it. */
static size_t fds_of(pid_t pid)
{
	auto_free char *path = mem_printf("/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void a_killed_worker_is_an_error_once(void **state)
{
	struct reader reader = { 0 };
	struct archive *archive;
	pid_t pid;

	(void)state;
	make_tar(BIG);
	serve("a.tar");
	gate_open(JOB_PIECE_BYTES, 0);
	pthread_create(&reader.thread, NULL, reader_open, &reader);
	await_second_piece();
	pid = await_worker();
#ifndef OMNIHUB_SANITIZED
	assert_true(status_has(pid, "Seccomp:\t2\n"));
	assert_true(status_has(pid, "NoNewPrivs:\t1\n"));
#else
	assert_false(status_has(pid, "NoNewPrivs:\t0\n"));
#endif
	if (geteuid() == 0)
		assert_int_equal(fds_of(pid), 3);
	assert_int_equal(kill(pid, SIGKILL), 0);
	gate_open(UINT64_MAX, 0);
	pthread_join(reader.thread, NULL);
	assert_int_equal(reader.result, -EIO);
	archive = open_it();
	big_is_right(archive, BIG);
	archive_unref(archive);
	await_quiet();
}

/* Z: a content that kills its worker again and again is left alone. */
static void a_crash_loop_ends(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive;
	struct reader reader = { 0 };

	(void)state;
	make_tar(BIG);
	serve("a.tar");
	for (int i = 0; i < JOB_TRIES_MAX; i++) {
		gated.fetches = 0;
		gate_open(JOB_PIECE_BYTES, 0);
		pthread_create(&reader.thread, NULL, reader_open, &reader);
		await_second_piece();
		kill(await_worker(), SIGKILL);
		gate_open(UINT64_MAX, 0);
		pthread_join(reader.thread, NULL);
		assert_int_equal(reader.result, -EIO);
	}
	assert_int_equal(archive_open(&world.repo, 0, &archive, &why), -EIO);
	clock_set(clock_now_ns() + (JOB_FORGIVE_S + 1) * NS_PER_S,
		  clock_wall_s());
	archive = open_it();
	archive_unref(archive);
	await_quiet();
}

static void a_second_mount_needs_no_job(void **state)
{
	struct archive *archive;
	unsigned int fetches;

	(void)state;
	make_tar(3000000);
	gzip(&world.made);
	serve("a.tar.gz");
	archive_unref(open_it());
	await_quiet(); /* the cache has it all, though nobody read it */
	jobs_free(world.jobs);
	jobs_begin();
	fetches = gated_fetches();
	world.repo.deadline_ns = DEADLINE_NOW;
	archive = open_it();
	big_is_right(archive, 3000000);
	member_is(archive, "model/z.txt", "last");
	archive_unref(archive);
	assert_int_equal(gated_fetches(), fetches);
}

static void what_was_evicted_is_unpacked_again(void **state)
{
	auto_blob struct blob *blob = NULL;
	struct archive *archive;
	unsigned int fetches;
	size_t member;

	(void)state;
	make_tar(3000000);
	serve("a.tar");
	archive = open_it();
	await_quiet();
	assert_true(archive_find(archive, "model/big", &member));
	assert_int_equal(archive_member_blob(archive, member, &blob), 0);
	assert_int_equal(cache_blob_drop(world.cache, blob), 0);
	fetches = gated_fetches();
	big_is_right(archive, 3000000);
	assert_int_equal(gated_fetches(), fetches + 1);
	archive_unref(archive);
	await_quiet();
}

static void nothing_is_waited_for_now(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive;

	(void)state;
	make_tar(1000);
	serve("a.tar");
	world.repo.deadline_ns = DEADLINE_NOW;
	assert_int_equal(archive_open(&world.repo, 0, &archive, &why),
			 -EINPROGRESS);
	assert_int_equal(gated_fetches(), 0);
}

static void a_job_outlives_who_waits_for_it(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive;

	(void)state;
	make_tar(BIG);
	serve("a.tar");
	gate_open(JOB_PIECE_BYTES, 0);
	world.repo.deadline_ns = clock_after_ns(50 * NS_PER_MS);
	assert_int_equal(archive_open(&world.repo, 0, &archive, &why),
			 -ETIMEDOUT);
	gate_open(UINT64_MAX, 0);
	await_quiet();
	world.repo.deadline_ns = DEADLINE_NOW;
	archive = open_it();
	archive_unref(archive);
}

static void a_stop_ends_who_waits(void **state)
{
	struct reader reader = { 0 };

	(void)state;
	make_tar(BIG);
	serve("a.tar");
	gate_open(JOB_PIECE_BYTES, 0);
	pthread_create(&reader.thread, NULL, reader_open, &reader);
	await_second_piece();
	gate_open(JOB_PIECE_BYTES, -ESHUTDOWN); /* as the transport does */
	jobs_stop(world.jobs);
	pthread_join(reader.thread, NULL);
	assert_int_equal(reader.result, -ESHUTDOWN);
	assert_int_equal(find_worker(), 0);
}

static void a_hub_s_error_is_told(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive;

	(void)state;
	make_tar(1000);
	serve("a.tar");
	gate_open(0, -EACCES);
	assert_int_equal(archive_open(&world.repo, 0, &archive, &why), -EACCES);
}

/* ---- workers that are not to be trusted */

/* Frames as printf(1) writes them: kind, length, the rest. */
#define F_MEMBER(len, size, name)                         \
	"\\001\\000\\000\\000" len "\\000\\000\\000" size \
	"\\000\\000\\000\\000\\000\\000\\000" name
#define F_DATA(len, bytes) "\\002\\000\\000\\000" len "\\000\\000\\000" bytes
#define F_END "\\004\\000\\000\\000\\000\\000\\000\\000"

static const struct {
	const char *name;
	const char *script;
	int result;
} liars[] = {
	{ "an honest one",
	  "printf '" F_MEMBER("\\011", "\\001", "a") F_DATA("\\001", "x") F_END
	  "'",
	  0 },
	{ "ends at once", "exit 0", -EIO },
	{ "fails at once", "exit 1", -EIO },
	{ "ends in the middle",
	  "printf '" F_MEMBER("\\011", "\\002", "a") F_DATA("\\001", "x") "'",
	  -EIO },
	{ "a name that leaves",
	  "printf '" F_MEMBER("\\014", "\\000", "../a") F_END "'", -EIO },
	{ "a name with a dot in front",
	  "printf '" F_MEMBER("\\013", "\\000", "./a") F_END "'", -EIO },
	{ "more than the member",
	  "printf '" F_MEMBER("\\011", "\\001", "a") F_DATA("\\002", "xy") F_END
	  "'",
	  -EIO },
	{ "noise", "printf 'Segmentation fault'", -EIO },
	{ "kills itself", "kill -SEGV $$", -EIO },
};

static char *script_make(const char *text)
{
	char *path = mem_printf("%s/worker.sh", folder);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", text);
	assert_int_equal(fchmod(fileno(file), 0700), 0);
	fclose(file);
	return path;
}

static void use_worker(const char *path)
{
	struct jobs_options options = { folder, path };

	jobs_free(world.jobs);
	assert_int_equal(jobs_new(&options, &world.jobs), 0);
	world.repo.jobs = world.jobs;
}

static void a_worker_is_not_believed(void **state)
{
	(void)state;
	make_tar(1000);
	serve("a.tar");
	for (size_t i = 0; i < ARRAY_LEN(liars); i++) {
		auto_free char *path = script_make(liars[i].script);
		auto_refusal struct refusal why = { 0 };
		struct archive *archive = NULL;

		print_message("%s\n", liars[i].name);
		gated.blob.key.bytes[0] = (uint8_t)i;
		use_worker(path);
		assert_int_equal(archive_open(&world.repo, 0, &archive, &why),
				 liars[i].result);
		archive_unref(archive);
		await_quiet();
	}
}

static void no_worker_is_an_error(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct archive *archive;

	(void)state;
	make_tar(1000);
	serve("a.tar");
	use_worker("/omnihub-no-such-worker");
	assert_int_equal(archive_open(&world.repo, 0, &archive, &why), -EIO);
}

/* Its children too: it is a group. */
static void a_worker_that_stands_still_is_killed(void **state)
{
	auto_free char *path = script_make("/bin/sleep 1000");
	struct reader reader = { 0 };

	(void)state;
	make_tar(BIG);
	serve("a.tar");
	use_worker(path);
	pthread_create(&reader.thread, NULL, reader_open, &reader);
	await_fetches(2);
	usleep(50000);
	clock_set(clock_now_ns() + (JOB_STALL_S + 1) * NS_PER_S,
		  clock_wall_s());
	pthread_join(reader.thread, NULL);
	assert_int_equal(reader.result, -EIO);
}

/* ---- without memory */

/* 0 or an error, and nothing is leaked or left behind. */
static void open_without_memory(const char *path, const char *member)
{
	bool failed = true;

	for (unsigned int nth = 1; failed; nth++) {
		auto_refusal struct refusal why = { 0 };
		struct archive *archive = NULL;
		char bytes[16];
		int r;

		memcpy(gated.blob.key.bytes, &nth, sizeof(nth));
		world.file.path = path;
		mem_fail_nth(nth);
		r = archive_open(&world.repo, 0, &archive, &why);
		if (r == 0)
			r = read_member(archive, member, bytes, 5);
		await_no_job();
		failed = mem_fail_done();
		if (!failed)
			assert_int_equal(r, 0);
		archive_unref(archive);
	}
}

static void memory_may_fail_anywhere(void **state)
{
	struct zip_file files[] = {
		{ .name = "good", .method = 8, .bytes = "12345", .len = 5 },
		{ .name = "also", .bytes = "12345", .len = 5, .extra = 9 },
	};

	(void)state;
	make_tar(10);
	serve("a.tar");
	open_without_memory("a.tar", "model/a.txt");
	str_clear(&world.made);
	make_zip(&world.made, files, ARRAY_LEN(files));
	gated.bytes = (const uint8_t *)world.made.bytes;
	gated.blob.size = world.file.size = world.made.len;
	open_without_memory("a.zip", "good");
}

static void without_jobs_archives_are_refused(void **state)
{
	(void)state;
	make_tar(1000);
	serve("a.tar");
	world.repo.jobs = NULL;
	refused_as("archive");
}

#define WORLD_TEST(test) \
	cmocka_unit_test_setup_teardown(test, world_make, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_tar_gz_is_its_members),
		WORLD_TEST(a_tar_is_known_by_its_bytes),
		WORLD_TEST(what_must_not_be_a_member_is_left_out),
		WORLD_TEST(bad_archives_are_refused),
		WORLD_TEST(a_zip_is_its_members),
		WORLD_TEST(false_members_are_not_given),
		WORLD_TEST(one_job_serves_all),
		WORLD_TEST(a_killed_worker_is_an_error_once),
		WORLD_TEST(a_crash_loop_ends),
		WORLD_TEST(a_second_mount_needs_no_job),
		WORLD_TEST(what_was_evicted_is_unpacked_again),
		WORLD_TEST(nothing_is_waited_for_now),
		WORLD_TEST(a_job_outlives_who_waits_for_it),
		WORLD_TEST(a_stop_ends_who_waits),
		WORLD_TEST(a_hub_s_error_is_told),
		WORLD_TEST(a_worker_is_not_believed),
		WORLD_TEST(no_worker_is_an_error),
		WORLD_TEST(a_worker_that_stands_still_is_killed),
		WORLD_TEST(memory_may_fail_anywhere),
		WORLD_TEST(without_jobs_archives_are_refused),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
