/* SPDX-License-Identifier: MIT */
#include "cache/block_file.h"

#include <dirent.h>
#include <pthread.h>

#include "tests/fake/fake_disk.h"
#include "tests/unit/cache/cache_fixture.h"

static struct block_files *files;
static int dir_fd;

static int set_up(void **state)
{
	auto_free char *path = mem_printf("%s/blobs", folder);

	(void)state;
	if (mkdir(path, 0700) < 0)
		return -1;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return block_files_new(dir_fd, &files);
}

static int tear_down(void **state)
{
	block_files_free(files);
	close(dir_fd);
	return folder_empty(state);
}

static struct block_name name_of(uint32_t number)
{
	struct content_key key;
	struct block_name name;

	if (sha256(&number, sizeof(number), key.bytes) < 0)
		abort();
	block_name_make(&key, &name);
	return name;
}

static void make(const struct block_name *name, uint64_t off, const char *text)
{
	assert_int_equal(block_file_make(files, name), 0);
	assert_int_equal(block_file_write(files, name, off, strlen(text), text),
			 0);
}

static void assert_holds(const struct block_name *name, uint64_t off,
			 const char *text)
{
	char got[64];

	assert_int_equal(block_file_read(files, name, off, strlen(text), got),
			 0);
	assert_memory_equal(got, text, strlen(text));
}

/* Descriptors of this process, one of them for the folder looked at. */
static unsigned int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void the_name_is_the_key(void **state)
{
	struct content_key key = { { 0xab, 0xcd, 0x01 } };
	struct block_name name;

	(void)state;
	block_name_make(&key, &name);
	assert_string_equal(name.path, "ab/abcd01000000000000000000000000"
				       "000000000000000000000000000000000"
				       "0");
}

static void written_is_read(void **state)
{
	struct block_name a = name_of(1);
	struct block_name b = name_of(2);
	struct stat st;
	char byte;

	(void)state;
	assert_int_equal(block_file_read(files, &a, 0, 1, &byte), -ENOENT);
	assert_int_equal(block_file_write(files, &a, 0, 1, "x"), -ENOENT);
	make(&a, 100000, "first");
	make(&b, 0, "second");
	make(&a, 5, "third");
	assert_holds(&a, 100000, "first");
	assert_holds(&a, 5, "third");
	assert_holds(&b, 0, "second");
	assert_int_equal(block_file_read(files, &b, 5, 2, &byte), -EIO);
	assert_int_equal(fstatat(dir_fd, a.path, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 100005);
	assert_true(st.st_blocks * 512 < 100000); /* it has holes */
	a.path[2] = '\0';
	assert_int_equal(fstatat(dir_fd, a.path, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void making_keeps_what_is_there(void **state)
{
	struct block_name a = name_of(1);

	(void)state;
	make(&a, 0, "text");
	assert_int_equal(block_file_make(files, &a), 0);
	assert_holds(&a, 0, "text");
	assert_int_equal(block_file_sync(files, &a), 0);
}

static void a_hole_frees_its_blocks(void **state)
{
	struct block_name a = name_of(1);
	auto_free uint8_t *bytes = malloc(4 * BLOCK);
	uint8_t got[8];
	struct stat full;
	struct stat st;

	(void)state;
	memset(bytes, 7, 4 * BLOCK);
	assert_int_equal(block_file_make(files, &a), 0);
	assert_int_equal(block_file_write(files, &a, 0, 4 * BLOCK, bytes), 0);
	assert_int_equal(block_file_sync(files, &a), 0);
	assert_int_equal(block_file_whole(files, &a, 4 * BLOCK), 0);
	assert_int_equal(fstatat(dir_fd, a.path, &full, 0), 0);
	assert_int_equal(block_file_punch(files, &a, BLOCK, 2 * BLOCK), 0);
	assert_int_equal(fstatat(dir_fd, a.path, &st, 0), 0);
	assert_int_equal(st.st_size, 4 * BLOCK);
	assert_int_equal((full.st_blocks - st.st_blocks) * 512, 2 * BLOCK);
	assert_int_equal(block_file_read(files, &a, 3 * BLOCK, 8, got), 0);
	assert_int_equal(got[0], 7);
	assert_int_equal(block_file_whole(files, &a, 4 * BLOCK), -ENOENT);
	/* What is not there has only holes. */
	a = name_of(2);
	assert_int_equal(block_file_punch(files, &a, 0, BLOCK), 0);
}

static void whole_is_size_and_no_hole(void **state)
{
	struct block_name a = name_of(1);

	(void)state;
	assert_int_equal(block_file_whole(files, &a, 4), -ENOENT);
	make(&a, 0, "four");
	assert_int_equal(block_file_whole(files, &a, 4), 0);
	assert_int_equal(block_file_whole(files, &a, 3), -ENOENT);
	assert_int_equal(block_file_whole(files, &a, 5), -ENOENT);
	make(&a, BLOCK, "more");
	assert_int_equal(block_file_whole(files, &a, BLOCK + 4), -ENOENT);
}

/* However many files, few descriptors; and which file is which stays. */
static void descriptors_are_few(void **state)
{
	unsigned int before = descriptors();
	char text[16];

	(void)state;
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 300; i++) {
			struct block_name name = name_of(i);

			snprintf(text, sizeof(text), "file %u", i);
			if (round == 0)
				make(&name, 10, text);
			assert_holds(&name, 10, text);
		}
	}
	assert_true(descriptors() <= before + 64);
	block_files_free(files);
	assert_int_equal(descriptors(), before);
	assert_int_equal(block_files_new(dir_fd, &files), 0);
}

static void removed_is_gone(void **state)
{
	struct block_name a = name_of(1);
	unsigned int before = descriptors();
	char byte;

	(void)state;
	make(&a, 0, "text");
	assert_int_equal(block_file_remove(files, &a), 0);
	assert_int_equal(descriptors(), before);
	assert_int_equal(block_file_read(files, &a, 0, 1, &byte), -ENOENT);
	assert_int_equal(block_file_remove(files, &a), 0);
	make(&a, 0, "new");
	assert_holds(&a, 0, "new");
}

static void remove_first(void)
{
	struct block_name a = name_of(1);

	fake_disk.before_write = NULL;
	assert_int_equal(block_file_remove(files, &a), 0);
}

/* Bytes that were on their way go with the file that had the name. */
static void removed_while_written(void **state)
{
	struct block_name a = name_of(1);
	unsigned int before = descriptors();
	char byte;

	(void)state;
	make(&a, 0, "text");
	fake_disk.before_write = remove_first;
	assert_int_equal(block_file_write(files, &a, 0, 4, "more"), 0);
	assert_int_equal(block_file_read(files, &a, 0, 1, &byte), -ENOENT);
	assert_int_equal(descriptors(), before);
}

static void *write_much(void *arg)
{
	const struct block_name *name = arg;

	for (int i = 0; i < 2000; i++) {
		int r = block_file_write(files, name, 0, 4, "text");

		if (r == -ENOENT)
			r = block_file_make(files, name);
		assert_int_equal(r, 0);
	}
	return NULL;
}

/* A name removed while its file is in use is not kept as that file. */
static void removed_in_use_is_gone(void **state)
{
	struct block_name a = name_of(1);
	unsigned int before = descriptors();
	pthread_t threads[2];
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_much, &a), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(block_file_remove(files, &a), 0);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(block_file_remove(files, &a), 0);
	assert_int_equal(fstatat(dir_fd, a.path, &st, 0), -1);
	assert_int_equal(descriptors(), before);
	make(&a, 0, "new");
	assert_int_equal(fstatat(dir_fd, a.path, &st, 0), 0);
	assert_holds(&a, 0, "new");
}

static void found(void *arg, const struct block_file_found *file)
{
	unsigned int *sum = arg;

	for (uint32_t i = 0; i < 8; i++) {
		struct block_name want = name_of(i);
		struct block_name name;

		block_name_make(&file->key, &name);
		if (strcmp(want.path, name.path) == 0)
			*sum += 1u << 4 * i;
	}
	assert_true(file->disk_bytes > 0 && file->disk_bytes < BLOCK);
	assert_true(clock_wall_s() - file->written_wall_s < 100);
}

static void only_our_files_are_found(void **state)
{
	struct block_name a = name_of(3);
	char wrong[sizeof(a.path)];
	unsigned int sum = 0;

	(void)state;
	assert_int_equal(block_files_walk(files, found, &sum), 0);
	assert_int_equal(sum, 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct block_name name = name_of(i);

		make(&name, 1 << 20, "text");
		assert_int_equal(block_file_sync(files, &name), 0);
	}
	/* A file in our folder that is none of ours, and other things. */
	memcpy(wrong, a.path, sizeof(wrong));
	wrong[10] = 'x';
	assert_int_equal(linkat(dir_fd, a.path, dir_fd, wrong, 0), 0);
	assert_int_equal(mkdirat(dir_fd, "zz", 0700), 0);
	memcpy(wrong, a.path, sizeof(wrong));
	wrong[0] = wrong[1] = 'z';
	assert_int_equal(linkat(dir_fd, a.path, dir_fd, wrong, 0), 0);
	assert_int_equal(symlinkat("zz", dir_fd, "yy"), 0);
	assert_int_equal(mkfifoat(dir_fd, "xx", 0600), 0);
	a = name_of(5);
	assert_int_equal(
		mkdirat(dir_fd, (char[]){ a.path[0], a.path[1], 0 }, 0700), 0);
	assert_int_equal(symlinkat("../x", dir_fd, a.path), 0);
	assert_int_equal(block_files_walk(files, found, &sum), 0);
	assert_int_equal(sum, 0x1111);
}

/* A link where a file should be leads out of the cache: it is not followed. */
static void links_are_not_followed(void **state)
{
	struct block_name a = name_of(1);
	char byte;

	(void)state;
	make(&a, 0, "text");
	assert_int_equal(block_file_remove(files, &a), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir_fd, a.path), 0);
	assert_int_equal(block_file_read(files, &a, 0, 1, &byte), -ELOOP);
	assert_int_equal(block_file_write(files, &a, 0, 1, "x"), -ELOOP);
	assert_int_equal(block_file_make(files, &a), -ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_name_is_the_key),
		TEST(written_is_read),
		TEST(making_keeps_what_is_there),
		TEST(a_hole_frees_its_blocks),
		TEST(whole_is_size_and_no_hole),
		TEST(descriptors_are_few),
		TEST(removed_is_gone),
		TEST(removed_while_written),
		TEST(removed_in_use_is_gone),
		TEST(only_our_files_are_found),
		TEST(links_are_not_followed),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
