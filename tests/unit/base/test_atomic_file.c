/* SPDX-License-Identifier: MIT */
#include "base/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char dir_path[] = "/tmp/omnihub-test-XXXXXX";
static int dir_fd;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir_path))
		return -1;
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0;
}

static size_t count_entries(bool remove)
{
	DIR *dir = opendir(dir_path);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		if (remove && unlinkat(dir_fd, entry->d_name, 0) < 0)
			unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
	return count;
}

static int tear_down(void **state)
{
	(void)state;
	count_entries(true);
	close(dir_fd);
	return rmdir(dir_path);
}

static int clean(void **state)
{
	(void)state;
	count_entries(true);
	return 0;
}

static void assert_holds(const char *name, const char *want)
{
	auto_str struct str text;

	str_init(&text, 1000);
	assert_int_equal(file_read_all(dir_fd, name, &text), 0);
	assert_string_equal(str_text(&text), want);
}

static void written_and_replaced(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(atomic_file_write(dir_fd, "a", "one", 3), 0);
	assert_holds("a", "one");
	assert_int_equal(atomic_file_write(dir_fd, "a", "second", 6), 0);
	assert_holds("a", "second");
	assert_int_equal(atomic_file_write(dir_fd, "empty", NULL, 0), 0);
	assert_holds("empty", "");
	assert_int_equal(count_entries(false), 2);
	assert_int_equal(fstatat(dir_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_failure_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir_fd, "dir", 0700), 0);
	assert_int_equal(atomic_file_write(dir_fd, "dir", "x", 1), -EISDIR);
	assert_int_equal(count_entries(false), 1);
	assert_int_equal(atomic_file_write(-1, "a", "x", 1), -EBADF);
}

static void an_o_path_folder_is_enough(void **state)
{
	auto_close int fd = open(dir_path, O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(atomic_file_write(fd, "a", "x", 1), 0);
	assert_holds("a", "x");
}

static void reading_is_bounded_and_appends(void **state)
{
	auto_str struct str text;

	(void)state;
	str_init(&text, 8);
	assert_int_equal(atomic_file_write(dir_fd, "a", "12345", 5), 0);
	assert_int_equal(file_read_all(dir_fd, "a", &text), 0);
	assert_int_equal(file_read_all(dir_fd, "a", &text), -EFBIG);
	assert_string_equal(str_text(&text), "12345");
}

static void only_regular_files_are_read(void **state)
{
	auto_str struct str text;

	(void)state;
	str_init(&text, 8);
	assert_int_equal(mkdirat(dir_fd, "dir", 0700), 0);
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_int_equal(file_read_all(dir_fd, "dir", &text), -EISDIR);
	assert_int_equal(file_read_all(dir_fd, "fifo", &text), -EINVAL);
	assert_int_equal(file_read_all(dir_fd, "none", &text), -ENOENT);
}

static void ranges_are_whole_or_fail(void **state)
{
	auto_close int fd = openat(dir_fd, "f", O_RDWR | O_CREAT, 0600);
	char bytes[4];

	(void)state;
	assert_int_equal(file_pwrite(fd, 2, 4, "abcd"), 0);
	assert_int_equal(file_pread(fd, 2, 4, bytes), 0);
	assert_memory_equal(bytes, "abcd", 4);
	assert_int_equal(file_pread(fd, 3, 4, bytes), -EIO);
	assert_int_equal(file_pread(fd, 6, 0, bytes), 0);
	assert_int_equal(file_pread(-1, 0, 1, bytes), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(written_and_replaced, clean),
		cmocka_unit_test_teardown(a_failure_leaves_nothing, clean),
		cmocka_unit_test_teardown(an_o_path_folder_is_enough, clean),
		cmocka_unit_test_teardown(reading_is_bounded_and_appends,
					  clean),
		cmocka_unit_test_teardown(only_regular_files_are_read, clean),
		cmocka_unit_test_teardown(ranges_are_whole_or_fail, clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
