/* SPDX-License-Identifier: MIT */
#include "staging/archive/spool.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "tests/fake/fake_disk.h"
#include "tests/unit/unit.h"

static const char *dir;

static int find_dir(void **state)
{
	(void)state;
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
	dir = getenv("TMPDIR");
	if (!dir)
		dir = "/tmp";
	return 0;
}

static void what_is_appended_is_read(void **state)
{
	auto_spool struct spool *spool = NULL;
	char bytes[8];

	(void)state;
	assert_int_equal(spool_new(dir, &spool), 0);
	assert_int_equal(spool_end(spool), 0);
	assert_int_equal(spool_append(spool, "first", 5), 0);
	assert_int_equal(spool_append(spool, "last", 4), 0);
	assert_int_equal(spool_end(spool), 9);
	assert_int_equal(spool_read(spool, 3, 6, bytes), 0);
	assert_memory_equal(bytes, "stlast", 6);
	assert_int_equal(spool_read(spool, 5, 5, bytes), -EIO);
}

static void a_spool_leaves_room_on_the_disk(void **state)
{
	auto_spool struct spool *spool = NULL;

	(void)state;
	assert_int_equal(spool_new(dir, &spool), 0);
	fake_disk.free_bytes = SPOOL_FREE_MIN;
	assert_int_equal(spool_append(spool, "x", 1), -ENOSPC);
	assert_int_equal(spool_end(spool), 0);
	fake_disk.free_bytes = 4 * SPOOL_FREE_MIN;
	assert_int_equal(spool_append(spool, "x", 1), 0);
	fake_disk.free_bytes = 0;
}

static void no_folder_is_an_error(void **state)
{
	struct spool *spool;

	(void)state;
	assert_int_equal(spool_new("/omnihub-no-such-folder", &spool), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_appended_is_read),
		cmocka_unit_test(a_spool_leaves_room_on_the_disk),
		cmocka_unit_test(no_folder_is_an_error),
	};

	return cmocka_run_group_tests(tests, find_dir, NULL);
}
