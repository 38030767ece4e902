/* SPDX-License-Identifier: MIT */
#include "providers/repo_memo.h"

#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "providers/repo_files.h"
#include "tests/unit/unit.h"

static struct digest digest_filled(enum digest_kind kind, uint8_t byte)
{
	struct digest digest = { .kind = kind };
	size_t len = kind == DIGEST_SHA256     ? SHA256_BYTES
		     : kind == DIGEST_GIT_SHA1 ? SHA1_BYTES
					       : 0;

	memset(digest.bytes, byte, len);
	return digest;
}

static int repo_make(struct repo *repo)
{
	static const char *const paths[] = { "model.bin", "a/b.json", "x" };
	auto_repo_files struct repo_files files = { 0 };
	int r = 0;

	repo_init(repo, NULL);
	repo->id = mem_strdup("org/model");
	repo->revision = mem_strdup("0123");
	repo->licence = mem_strdup("");
	repo->modified_wall_s = -5;
	repo->gated = true;
	if (!repo->id || !repo->revision || !repo->licence)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < 3; i++) {
		struct digest digest = digest_filled((enum digest_kind)i, 7);

		r = repo_files_add(&files, paths[i], strlen(paths[i]), 1000 * i,
				   &digest);
	}
	return r < 0 ? r : repo_files_finish(&files, repo);
}

static int round_trip(struct repo *made, struct repo *got, struct str *bytes)
{
	int r;

	str_init(bytes, 1 << 16);
	repo_init(got, NULL);
	r = repo_make(made);
	if (r == 0)
		r = repo_memo_encode(made, bytes);
	if (r == 0)
		r = repo_memo_decode(bytes->bytes, bytes->len, got);
	return r;
}

static void what_goes_in_comes_out(void **state)
{
	struct repo made, got;
	auto_str struct str bytes;

	(void)state;
	assert_int_equal(round_trip(&made, &got, &bytes), 0);
	assert_string_equal(got.id, "org/model");
	assert_string_equal(got.revision, "0123");
	assert_string_equal(got.licence, "");
	assert_null(got.url);
	assert_null(got.pipeline_tag);
	assert_int_equal(got.modified_wall_s, -5);
	assert_true(got.gated);
	assert_int_equal(got.file_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(got.files[i].path, made.files[i].path);
		assert_int_equal(got.files[i].size, made.files[i].size);
		assert_true(digest_equal(&got.files[i].digest,
					 &made.files[i].digest));
	}
	repo_fini(&made);
	repo_fini(&got);
}

static int decode(const void *bytes, size_t len)
{
	struct repo repo;
	int r;

	repo_init(&repo, NULL);
	r = repo_memo_decode(bytes, len, &repo);
	repo_fini(&repo);
	return r;
}

static void damage_is_found(void **state)
{
	struct repo made, got;
	auto_str struct str bytes;

	(void)state;
	assert_int_equal(round_trip(&made, &got, &bytes), 0);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(decode(bytes.bytes, len), -EBADMSG);
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.bytes[i] ^= 1;
		assert_int_equal(decode(bytes.bytes, bytes.len), -EBADMSG);
		bytes.bytes[i] ^= 1;
	}
	assert_int_equal(decode(bytes.bytes, bytes.len), 0);
	repo_fini(&made);
	repo_fini(&got);
}

/* Wrong bytes with the right checksum: lengths and counts are bounded. */
static void lies_are_refused(void **state)
{
	struct repo made, got;
	auto_str struct str bytes;

	(void)state;
	assert_int_equal(round_trip(&made, &got, &bytes), 0);
	for (size_t i = 0; i + 8 < bytes.len; i++) {
		char saved = bytes.bytes[i];
		size_t body = bytes.len - 8;

		bytes.bytes[i] = (char)0xfe;
		put_le64(bytes.bytes + body, xxh3_64(bytes.bytes, body));
		assert_true(decode(bytes.bytes, bytes.len) <= 0);
		bytes.bytes[i] = saved;
	}
	repo_fini(&made);
	repo_fini(&got);
}

static int round_trip_once(void)
{
	struct repo made, got;
	auto_str struct str bytes;
	int r = round_trip(&made, &got, &bytes);

	repo_fini(&made);
	repo_fini(&got);
	return r;
}

static void no_memory_is_said(void **state)
{
	(void)state;
	run_with_faults(round_trip_once);
}

/* ---- the list that hubs fill ---- */

static const struct {
	const char *path;
	size_t len; /* 0: of the text */
	bool ok;
} paths[] = {
	{ "a", 0, true },
	{ "a/b/c.txt", 0, true },
	{ ".gitattributes", 0, true },
	{ "...", 0, true },
	{ "CON", 0, true },
	{ "a\\b", 0, true },
	{ "a\nb", 0, true },
	{ "\xff", 0, true },
	{ "", 0, false },
	{ "/a", 0, false },
	{ "a/", 0, false },
	{ "a//b", 0, false },
	{ ".", 0, false },
	{ "..", 0, false },
	{ "a/../../b", 0, false },
	{ "a/.", 0, false },
	{ "a\0b", 3, false },
};

static void paths_are_judged(void **state)
{
	char name[NAME_BYTES_MAX + 2], deep[PATH_DEPTH_MAX * 2 + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		size_t len = paths[i].len ? paths[i].len
					  : strlen(paths[i].path);

		if (repo_path_ok(paths[i].path, len) != paths[i].ok)
			fail_msg("%s", paths[i].path);
	}
	memset(name, 'n', sizeof(name)); /* N-04 */
	assert_true(repo_path_ok(name, NAME_BYTES_MAX));
	assert_false(repo_path_ok(name, NAME_BYTES_MAX + 1));
	for (size_t i = 0; i < sizeof(deep); i++) /* N-05 */
		deep[i] = i % 2 ? '/' : 'd';
	assert_true(repo_path_ok(deep, PATH_DEPTH_MAX * 2 - 1));
	assert_false(repo_path_ok(deep, PATH_DEPTH_MAX * 2 + 1));
}

static void add(struct repo_files *files, const char *path, uint64_t size)
{
	struct digest none = { .kind = DIGEST_NONE };

	assert_int_equal(repo_files_add(files, path, strlen(path), size, &none),
			 0);
}

/* N-06, N-07, N-08, N-15 */
static void twins_and_shadows_are_hidden(void **state)
{
	static const char *const want[] = { "A",      "a",	"blue-x",
					    "blue.y", "blue/x", "blue0" };
	struct repo_files files;
	struct repo repo;
	size_t index;

	(void)state;
	repo_init(&repo, NULL);
	repo_files_init(&files);
	add(&files, "blue", 1);
	add(&files, "blue0", 1);
	add(&files, "blue/x", 1);
	add(&files, "blue-x", 1);
	add(&files, "blue.y", 1);
	add(&files, "a", 5);
	add(&files, "A", 1);
	add(&files, "a", 6);
	add(&files, "huge", FILE_BYTES_MAX + 1);
	add(&files, "../a", 1);
	assert_int_equal(repo_files_finish(&files, &repo), 0);
	assert_int_equal(files.hidden, 4);
	assert_int_equal(repo.file_count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(repo.files[i].path, want[i]);
	assert_int_equal(repo_find(&repo, "a", &index)->size, 5);
	assert_int_equal(index, 1);
	assert_null(repo_find(&repo, "blue", NULL));
	assert_null(repo_find(&repo, "zz", NULL));
	repo_fini(&repo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(no_memory_is_said),
		cmocka_unit_test(paths_are_judged),
		cmocka_unit_test(twins_and_shadows_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
