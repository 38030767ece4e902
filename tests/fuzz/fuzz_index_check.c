/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/index.h"
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

static int see(void *arg, const struct content_key *key,
	       const struct blob_record *record, uint64_t blocks)
{
	struct index *index = arg;
	struct blob_record same;

	(void)record;
	(void)blocks;
	(void)!index_get_blob(index, key, &same);
	return 0;
}

static int change(struct index *index, uint8_t round)
{
	struct content_key key = { { round } };
	struct blob_record blob = { .size = round };
	struct group_record group = { { round }, { round } };
	char value[5000] = "";
	struct index_batch *batch;
	int r = index_begin(index, &batch);

	if (r < 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < 4; i++)
		r = index_put_group(batch, &key, i, &group);
	if (r == 0)
		r = index_put_blob(batch, &key, &blob);
	if (r == 0)
		r = index_put_memo(batch, "plan", 1, value,
				   (size_t)round * 700 % sizeof(value));
	if (r == 0 && round % 2)
		r = index_delete_blob(batch, &key);
	if (r == 0)
		return index_commit(batch);
	index_abort(batch);
	return r;
}

/* What it lets pass LMDB can read, change and write. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_str struct str value;
	struct index *index;

	str_init(&value, 1 << 20);
	if (!folder)
		folder_make();
	file_make(data, len);
	if (index_check(folder) < 0 || index_open(folder, &index) < 0)
		return 0;
	(void)!index_walk(index, see, index);
	(void)!index_get_memo(index, "plan", &value, NULL);
	for (uint8_t round = 0; round < 4; round++)
		(void)!change(index, round);
	(void)!index_walk(index, see, index);
	index_close(index);
	return 0;
}
