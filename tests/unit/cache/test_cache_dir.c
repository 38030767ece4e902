/* SPDX-License-Identifier: MIT */
#include "cache/cache_dir.h"

#include <sys/wait.h>

#include "tests/unit/cache/cache_fixture.h"

static void make_file(const char *name)
{
	auto_free char *path = mem_printf("%s/%s", cache_path, name);
	auto_close int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static int open_and_close(const char *path, bool clean)
{
	struct cache_dir dir;
	int r = cache_dir_open(path, &dir);

	if (r == 0)
		cache_dir_close(&dir, clean);
	return r;
}

static void made_for_us_alone(void **state)
{
	auto_free char *deep = mem_printf("%s/a/b/c", folder);
	auto_free char *above = mem_printf("%s/a/b", folder);
	auto_free char *slashes = mem_printf("%s/d//", folder);
	auto_free char *d = mem_printf("%s/d", folder);

	(void)state;
	assert_int_equal(open_and_close(deep, true), 0);
	assert_int_equal(mode_of(deep), 0700);
	assert_int_equal(mode_of(above) & 0700, 0700);
	assert_int_equal(open_and_close(slashes, true), 0);
	assert_int_equal(mode_of(d), 0700);
	assert_int_equal(open_and_close("", true), -ENOENT);
}

static void not_closed_is_suspect(void **state)
{
	struct cache_dir dir;

	(void)state;
	assert_int_equal(cache_dir_open(cache_path, &dir), 0);
	assert_false(dir.suspect);
	cache_dir_close(&dir, false);
	assert_int_equal(cache_dir_open(cache_path, &dir), 0);
	assert_true(dir.suspect);
	cache_dir_close(&dir, true);
	assert_int_equal(cache_dir_open(cache_path, &dir), 0);
	assert_false(dir.suspect);
	cache_dir_close(&dir, true);
}

static void one_process_at_a_time(void **state)
{
	struct cache_dir dir;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(cache_dir_open(cache_path, &dir), 0);
	pid = fork();
	if (pid == 0)
		_exit(open_and_close(cache_path, true) == -EBUSY ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Who was refused has changed nothing. */
	cache_dir_close(&dir, false);
	assert_int_equal(cache_dir_open(cache_path, &dir), 0);
	assert_true(dir.suspect);
	cache_dir_close(&dir, true);
}

static void others_must_not_write_to_it(void **state)
{
	static const struct {
		mode_t mode;
		int result;
	} cases[] = { { 0700, 0 },	 { 0755, 0 },	    { 0750, 0 },
		      { 0770, -EACCES }, { 0702, -EACCES }, { 0777, -EACCES } };

	(void)state;
	log_quiet();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(mkdir(cache_path, 0700), 0);
		assert_int_equal(chmod(cache_path, cases[i].mode), 0);
		assert_int_equal(open_and_close(cache_path, true),
				 cases[i].result);
		folder_empty(state);
	}
}

static void it_is_a_folder(void **state)
{
	auto_free char *link = mem_printf("%s/link", folder);
	auto_free char *file = mem_printf("%s/file", folder);
	auto_close int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(mkdir(cache_path, 0700), 0);
	assert_int_equal(symlink(cache_path, link), 0);
	assert_int_equal(open_and_close(link, true), -ENOTDIR);
	assert_int_equal(open_and_close(file, true), -ENOTDIR);
}

/* What is in it, that is not a cache: is it taken for one? */
static void other_folders_are_left_alone(void **state)
{
	static const struct {
		const char *name;
		int result;
	} cases[] = {
		{ ".stale", 0 },      { "lost+found", 0 },
		{ "omnihub.log", 0 }, { "lock", 0 },
		{ "index", -EINVAL }, { "README", -EINVAL },
		{ "blobs", -EINVAL },
	};

	(void)state;
	log_quiet();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(mkdir(cache_path, 0700), 0);
		make_file(cases[i].name);
		assert_int_equal(open_and_close(cache_path, true),
				 cases[i].result);
		if (cases[i].result == 0) {
			make_file("README"); /* ours now */
			assert_int_equal(open_and_close(cache_path, true), 0);
		}
		folder_empty(state);
	}
}

static void blobs_is_a_folder_of_ours(void **state)
{
	auto_free char *blobs = mem_printf("%s/blobs", cache_path);

	(void)state;
	assert_int_equal(open_and_close(cache_path, true), 0);
	assert_int_equal(mode_of(blobs), 0700);
	assert_int_equal(rmdir(blobs), 0);
	assert_int_equal(symlink("/tmp", blobs), 0);
	assert_int_equal(open_and_close(cache_path, true), -ENOTDIR);
}

/* What cleans up old files may take the lock's: it is a cache all the same. */
static void a_lost_lock_is_made_anew(void **state)
{
	auto_free char *lock = mem_printf("%s/lock", cache_path);

	(void)state;
	assert_int_equal(open_and_close(cache_path, true), 0);
	make_file("README");
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(open_and_close(cache_path, true), 0);
}

static int open_it(void)
{
	return open_and_close(cache_path, true);
}

static void faults(void **state)
{
	(void)state;
	run_with_faults(open_it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, folder_empty)
		TEST(made_for_us_alone),
		TEST(not_closed_is_suspect),
		TEST(one_process_at_a_time),
		TEST(others_must_not_write_to_it),
		TEST(it_is_a_folder),
		TEST(other_folders_are_left_alone),
		TEST(blobs_is_a_folder_of_ours),
		TEST(a_lost_lock_is_made_anew),
		TEST(faults),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
