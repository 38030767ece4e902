/* SPDX-License-Identifier: MIT */
#include "base/blob.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static char path[] = "/tmp/omnihub-test-XXXXXX";

static int set_up(void **state)
{
	auto_close int fd = mkstemp(path);

	(void)state;
	return fd < 0 || write(fd, "0123456789", 10) != 10;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void files_are_read_in_place(void **state)
{
	auto_blob struct blob *blob = NULL;
	char bytes[10];

	(void)state;
	assert_int_equal(blob_open_file(path, &blob), 0);
	assert_int_equal(blob->size, 10);
	assert_int_equal(blob->digest.kind, DIGEST_NONE);
	assert_int_equal(blob_read(blob, 3, 4, bytes), 0);
	assert_memory_equal(bytes, "3456", 4);
	assert_int_equal(blob_fetch(blob, 0, 10, bytes, CLOCK_NEVER), 0);
	assert_memory_equal(bytes, "0123456789", 10);
	assert_int_equal(blob_read(blob, 10, 0, bytes), 0);
}

static void ranges_are_checked(void **state)
{
	auto_blob struct blob *blob = NULL;
	char bytes[16];

	(void)state;
	assert_int_equal(blob_open_file(path, &blob), 0);
	assert_int_equal(blob_read(blob, 0, 11, bytes), -EINVAL);
	assert_int_equal(blob_read(blob, 11, 0, bytes), -EINVAL);
	assert_int_equal(blob_read(blob, UINT64_MAX, 2, bytes), -EINVAL);
	assert_int_equal(blob_fetch(blob, 9, 2, bytes, CLOCK_NEVER), -EINVAL);
}

static void keys_follow_the_file(void **state)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	auto_blob struct blob *a = NULL;
	auto_blob struct blob *b = NULL;
	auto_blob struct blob *c = NULL;

	(void)state;
	assert_int_equal(blob_open_file(path, &a), 0);
	assert_int_equal(blob_open_file(path, &b), 0);
	assert_true(content_key_equal(&a->key, &b->key));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(blob_open_file(path, &c), 0);
	assert_false(content_key_equal(&a->key, &c->key));
}

static void written_files_are_stale(void **state)
{
	auto_blob struct blob *blob = NULL;
	auto_close int fd = open(path, O_WRONLY);
	char bytes[10];

	(void)state;
	assert_int_equal(blob_open_file(path, &blob), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(blob_read(blob, 0, 10, bytes), -ESTALE);
	assert_int_equal(pwrite(fd, "0", 1, 0), 1);
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_int_equal(blob_read(blob, 0, 10, bytes), -ESTALE);
	assert_int_equal(pwrite(fd, "56789", 5, 5), 5);
}

static void given_names_are_kept(void **state)
{
	struct digest digest = { .kind = DIGEST_SHA256, .bytes = { 1 } };
	struct content_key key = { .bytes = { 2 } };
	auto_blob struct blob *named = NULL;
	auto_blob struct blob *digested = NULL;

	(void)state;
	assert_int_equal(
		blob_of_fd(open(path, O_RDONLY), &key, &digest, &named), 0);
	assert_true(content_key_equal(&named->key, &key));
	assert_true(digest_equal(&named->digest, &digest));
	assert_int_equal(
		blob_of_fd(open(path, O_RDONLY), NULL, &digest, &digested), 0);
	assert_memory_equal(digested->key.bytes, digest.bytes, SHA256_BYTES);
}

static void only_regular_files_are_blobs(void **state)
{
	struct blob *blob = NULL;
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(blob_open_file("/", &blob), -EINVAL);
	assert_int_equal(blob_open_file("/nonexistent", &blob), -ENOENT);
	assert_int_equal(blob_of_fd(fd, NULL, NULL, &blob), -EINVAL);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken on failure too */
	assert_null(blob);
}

static void bytes_are_blobs(void **state)
{
	struct blob *blob = NULL, *again;
	auto_blob struct blob *empty = NULL;
	uint8_t sha[SHA256_BYTES];
	char bytes[3];

	(void)state;
	assert_int_equal(blob_of_bytes(mem_dup("abc", 3), 3, &blob), 0);
	assert_int_equal(sha256("abc", 3, sha), 0);
	assert_memory_equal(blob->key.bytes, sha, SHA256_BYTES);
	assert_memory_equal(blob->digest.bytes, sha, SHA256_BYTES);
	again = blob_ref(blob);
	blob_unref(blob);
	assert_int_equal(blob_read(again, 1, 2, bytes), 0);
	assert_memory_equal(bytes, "bc", 2);
	assert_int_equal(blob_fetch(again, 0, 3, bytes, 0), 0);
	assert_int_equal(blob_read(again, 1, 3, bytes), -EINVAL);
	blob_unref(again);
	assert_int_equal(blob_of_bytes(NULL, 0, &empty), 0);
	assert_int_equal(blob_read(empty, 0, 0, bytes), 0);
}

static int make_both(void)
{
	auto_blob struct blob *file = NULL;
	auto_blob struct blob *bytes = NULL;
	int r = blob_open_file(path, &file);

	return r < 0 ? r : blob_of_bytes(strdup("abc"), 3, &bytes);
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(make_both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_in_place),
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(keys_follow_the_file),
		cmocka_unit_test(written_files_are_stale),
		cmocka_unit_test(given_names_are_kept),
		cmocka_unit_test(only_regular_files_are_blobs),
		cmocka_unit_test(bytes_are_blobs),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
