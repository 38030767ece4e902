/* SPDX-License-Identifier: MIT */
/* What a tar may be packed in, in memory; the rest is test_archive.c's. */
#include "staging/archive/worker/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include "tests/unit/staging/archive_make.h"

#define BIG 200000

struct run {
	struct cursor in;
	size_t piece; /* given at a time */
	struct frame_reader reader;
	size_t members;
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

static int run_write(void *arg, const void *bytes, size_t len)
{
	struct run *run = arg;

	assert_int_equal(frame_reader_feed(&run->reader, bytes, len), 0);
	return 0;
}

static int run_member(void *arg, const char *path, size_t len, uint64_t size)
{
	struct run *run = arg;

	(void)path;
	(void)len;
	(void)size;
	run->members++;
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
	return run_member(arg, path, len, 0);
}

static const struct frame_taker_ops ops = { run_member, run_data, run_left };

/* What came of it. */
static enum unpack_reason unpack(const struct str *bytes, size_t len,
				 size_t piece)
{
	struct run run = { .in = cursor_of(bytes->bytes, len), .piece = piece };
	struct unpack_io io = { run_read, run_write, &run };

	frame_reader_init(&run.reader, &ops, &run);
	assert_int_equal(unpack_tar(&io, (uint64_t)1 << 30), 0);
	assert_true(run.reader.ended);
	if (run.reader.reason == UNPACK_FINE) {
		assert_int_equal(run.members, 2);
		assert_int_equal(run.came, BIG + 4);
	}
	return run.reader.reason;
}

/* Appends @len bytes packed by one of libarchive's filters. */
static void pack_by(struct str *out, int filter, const void *bytes, size_t len)
{
	size_t room = len + (1 << 20), used = 0;
	char *packed = malloc(room);
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	assert_int_equal(archive_write_add_filter(writer, filter), 0);
	assert_int_equal(archive_write_set_format_raw(writer), 0);
	assert_int_equal(archive_write_set_bytes_in_last_block(writer, 1), 0);
	assert_int_equal(archive_write_open_memory(writer, packed, room, &used),
			 0);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(writer, entry), 0);
	assert_int_equal(archive_write_data(writer, bytes, len), len);
	assert_int_equal(archive_write_close(writer), 0);
	archive_entry_free(entry);
	archive_write_free(writer);
	add(out, packed, used);
	free(packed);
}

static const struct {
	const char *name;
	int filter;
} packings[] = {
	{ "plain", ARCHIVE_FILTER_NONE },  { "gzip", ARCHIVE_FILTER_GZIP },
	{ "bzip2", ARCHIVE_FILTER_BZIP2 }, { "xz", ARCHIVE_FILTER_XZ },
	{ "zstd", ARCHIVE_FILTER_ZSTD },
};

static void make_tar(struct str *tar)
{
	uint8_t *bytes = malloc(BIG);
	uint32_t x = 1;

	for (size_t i = 0; i < BIG; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	str_init(tar, MADE_BYTES_MAX);
	tar_entry(tar, "big", '0', NULL, bytes, BIG);
	tar_file(tar, "last", "last");
	tar_end(tar);
	free(bytes);
}

static void a_tar_may_be_packed_in_some_ways(void **state)
{
	auto_str struct str tar;

	(void)state;
	make_tar(&tar);
	for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
		auto_str struct str packed;
		size_t len;

		print_message("%s\n", packings[i].name);
		str_init(&packed, MADE_BYTES_MAX);
		pack_by(&packed, packings[i].filter, tar.bytes, tar.len);
		len = packed.len;
		assert_int_equal(unpack(&packed, len, 1 << 20), UNPACK_FINE);
		assert_int_equal(unpack(&packed, len, 1), UNPACK_FINE);
		/* Cut, or followed by something. */
		assert_int_equal(unpack(&packed, len - 513, 4096),
				 UNPACK_DAMAGED);
		add(&packed, "garbage of some length", 22);
		assert_int_equal(unpack(&packed, packed.len, 1 << 20),
				 UNPACK_DAMAGED);
		assert_int_equal(unpack(&packed, packed.len, 100),
				 UNPACK_DAMAGED);
		/* In two pieces, as parallel packers make them. */
		str_clear(&packed);
		pack_by(&packed, packings[i].filter, tar.bytes, 1000);
		pack_by(&packed, packings[i].filter, tar.bytes + 1000,
			tar.len - 1000);
		assert_int_equal(unpack(&packed, packed.len, 4096),
				 UNPACK_FINE);
	}
}

static void two_layers_are_refused(void **state)
{
	auto_str struct str tar;

	(void)state;
	make_tar(&tar);
	for (size_t i = 1; i < ARRAY_LEN(packings); i++) {
		auto_str struct str once, twice;
		enum unpack_reason reason;

		print_message("%s\n", packings[i].name);
		str_init(&once, MADE_BYTES_MAX);
		str_init(&twice, MADE_BYTES_MAX);
		pack_by(&once, ARCHIVE_FILTER_XZ, tar.bytes, tar.len);
		pack_by(&twice, packings[i].filter, once.bytes, once.len);
		reason = unpack(&twice, twice.len, 1 << 20);
		assert_true(reason == UNPACK_UNKNOWN ||
			    reason == UNPACK_DAMAGED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tar_may_be_packed_in_some_ways),
		cmocka_unit_test(two_layers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
