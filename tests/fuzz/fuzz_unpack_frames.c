/* SPDX-License-Identifier: MIT */
/*
 * What a worker that was taken over could send: frames, and the table that
 * they make through the memo and back.  The first byte cuts the stream.
 */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/archive/archive_name.h"
#include "staging/archive/archive_table.h"
#include "staging/archive/unpack_frames.h"

struct run {
	struct archive_table table;
	uint64_t left; /* of the member */
};

static int run_member(void *arg, const char *path, size_t len, uint64_t size)
{
	struct run *run = arg;
	struct archive_member *member;
	size_t clean_len;

	assert(run->left == 0 && len > 0 && len <= PATH_BYTES_MAX);
	run->left = size;
	if (archive_name_clean(path, len, &clean_len) != path ||
	    size > ARCHIVE_MEMBER_BYTES_MAX)
		return -1;
	if (table_add(&run->table, path, len, &member) < 0)
		return -1;
	member->size = size;
	return 0;
}

static int run_data(void *arg, const void *bytes, size_t len)
{
	struct run *run = arg;

	(void)bytes;
	assert(len > 0 && len <= run->left);
	run->left -= len;
	return 0;
}

static int run_left(void *arg, const char *path, size_t len)
{
	struct run *run = arg;
	size_t clean_len;

	if (len > 0 && archive_name_clean(path, len, &clean_len) != path)
		return -1;
	return table_leave(&run->table, len ? path : NULL, len);
}

static const struct frame_taker_ops ops = { run_member, run_data, run_left };

/* What was kept comes back as it was. */
static void check_memo(struct archive_table *table)
{
	auto_table struct archive_table back;
	auto_str struct str bytes;

	table_init(&back);
	str_init(&bytes, ARCHIVE_TABLE_BYTES_MAX + 64);
	table_close(table);
	assert(table_encode(table, &bytes) == 0);
	assert(table_decode(bytes.bytes, bytes.len, &back) == 0);
	assert(back.count == table->count && back.left_out == table->left_out);
	for (size_t i = 0; i < back.count; i++) {
		assert(strcmp(back.members[i].path, table->members[i].path) ==
		       0);
		assert(table_find(&back, table->members[i].path) ==
		       &back.members[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_table struct archive_table decoded;
	struct frame_reader reader;
	struct run run = { 0 };
	int r = 0;

	table_init(&decoded);
	if (len == 0)
		return 0;
	table_init(&run.table);
	frame_reader_init(&reader, &ops, &run);
	for (size_t at = 1; r == 0 && at < len; at += data[0] + 1u)
		r = frame_reader_feed(&reader, data + at,
				      (size_t)u64_min(data[0] + 1u, len - at));
	if (r == 0 && reader.ended)
		assert(run.left == 0 || reader.reason != UNPACK_FINE);
	check_memo(&run.table);
	table_release(&run.table);
	if (table_decode(data + 1, len - 1, &decoded) == 0)
		assert(decoded.count <= ARCHIVE_MEMBERS_MAX);
	return 0;
}
