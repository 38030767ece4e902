/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/index_check.h"

/* In memory where there is such a folder: each input is written and synced. */
static char in_memory[] = "/dev/shm/omnihub-fuzz-XXXXXX";
static char on_disk[] = "/tmp/omnihub-fuzz-XXXXXX";
static char *folder;

static void folder_remove(void)
{
	auto_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	unlinkat(fd, "data.mdb", 0);
	unlinkat(fd, "lock.mdb", 0);
	rmdir(folder);
}

static void folder_make(void)
{
	folder = mkdtemp(in_memory);
	if (!folder)
		folder = mkdtemp(on_disk);
	assert(folder);
	assert(atexit(folder_remove) == 0);
	log_open(STDERR_FILENO, LOG_LEVEL_ERROR);
}

static void file_make(const uint8_t *data, size_t len)
{
	auto_free char *path = mem_printf("%s/data.mdb", folder);
	auto_close int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC,
				 0600);

	assert(file_pwrite(fd, 0, len, data) == 0);
}

/*
 * The checker alone: it reads any bytes.  LMDB itself is not fuzzed here: made
 * up files that look right can still upset it, which damage by chance does
 * not come near (tests/faults/test_damaged_cache.py).
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int r;

	if (!folder)
		folder_make();
	file_make(data, len);
	r = index_check(folder);
	assert(r == 0 || r == -EBADMSG);
	return 0;
}
