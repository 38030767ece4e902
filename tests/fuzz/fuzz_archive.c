/* SPDX-License-Identifier: MIT */
/*
 * All that the worker does, in memory: the archive is unpacked, and what
 * comes of it read as the daemon reads it.  The first byte chooses the way.
 */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/archive/archive_name.h"
#include "staging/archive/archive_table.h"
#include "staging/archive/worker/unpack.h"

/* More is a matter of time only. */
#define BYTES_MAX ((uint64_t)4 << 20)

struct run {
	struct cursor in;
	size_t piece; /* bytes given at a time */
	struct frame_reader reader;
	struct archive_table table;
	uint64_t declared;
	uint64_t came;
};

static ssize_t run_read(void *arg, void *to, size_t len)
{
	struct run *run = arg;
	size_t part = (size_t)u64_min(u64_min(len, run->piece),
				      cursor_left(&run->in));

	memcpy(to, cursor_take(&run->in, part), part);
	return (ssize_t)part;
}

/* The worker keeps to the format, whatever it reads. */
static int run_write(void *arg, const void *bytes, size_t len)
{
	struct run *run = arg;

	assert(frame_reader_feed(&run->reader, bytes, len) == 0);
	return 0;
}

static int run_member(void *arg, const char *path, size_t len, uint64_t size)
{
	struct run *run = arg;
	struct archive_member *member;
	size_t clean_len;

	assert(archive_name_clean(path, len, &clean_len) == path);
	assert(size <= BYTES_MAX - run->declared);
	run->declared += size;
	assert(table_add(&run->table, path, len, &member) == 0);
	return 0;
}

static int run_data(void *arg, const void *bytes, size_t len)
{
	struct run *run = arg;

	(void)bytes;
	run->came += len;
	return 0;
}

static int run_left(void *arg, const char *path, size_t len)
{
	struct run *run = arg;

	assert(table_leave(&run->table, len ? path : NULL, len) == 0);
	return 0;
}

static const struct frame_taker_ops ops = { run_member, run_data, run_left };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct run run = { .piece = 1000 };
	struct unpack_io io = { run_read, run_write, &run };
	int r;

	if (len == 0)
		return 0;
	run.in = cursor_of(data + 1, len - 1);
	frame_reader_init(&run.reader, &ops, &run);
	table_init(&run.table);
	if (data[0] == 'd')
		r = unpack_deflated(&io, len * 4);
	else
		r = unpack_tar(&io, BYTES_MAX);
	assert(r == 0 && run.reader.ended);
	if (run.reader.reason == UNPACK_FINE)
		assert(run.came == run.declared);
	table_close(&run.table);
	table_release(&run.table);
	return 0;
}
