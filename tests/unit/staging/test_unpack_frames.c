/* SPDX-License-Identifier: MIT */
#include "staging/archive/unpack_frames.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* What came, as text. */
static struct {
	char text[512];
	size_t at;
} seen;

static int see(const char *kind, const void *bytes, size_t len, uint64_t size)
{
	seen.at += (size_t)snprintf(seen.text + seen.at,
				    sizeof(seen.text) - seen.at, "%s%.*s:%u ",
				    kind, (int)len, (const char *)bytes,
				    (unsigned int)size);
	return 0;
}

static int see_member(void *arg, const char *path, size_t len, uint64_t size)
{
	(void)arg;
	return see("M", path, len, size);
}

/* Joined: how the bytes are cut is no matter. */
static int see_data(void *arg, const void *bytes, size_t len)
{
	(void)arg;
	memcpy(seen.text + seen.at, bytes, len);
	seen.at += len;
	return 0;
}

static int see_left(void *arg, const char *path, size_t len)
{
	(void)arg;
	return see("L", path, len, 0);
}

static const struct frame_taker_ops ops = { see_member, see_data, see_left };

/* Frames written by hand: kind, length, then the rest; all u32 below 256. */
static const struct {
	const char *name;
	struct {
		unsigned int kind, len;
		const char *rest;
		size_t rest_len;
	} frames[5];
	int result;
	const char *seen;
} cases[] = {
	{ "a member and the end",
	  { { FRAME_MEMBER, 9, "\3\0\0\0\0\0\0\0a", 9 },
	    { FRAME_DATA, 2, "xy", 2 },
	    { FRAME_DATA, 1, "z", 1 },
	    { FRAME_END, 0, "", 0 } },
	  0,
	  "Ma:3 xyz" },
	{ "an empty one, and one left out",
	  { { FRAME_MEMBER, 9, "\0\0\0\0\0\0\0\0a", 9 },
	    { FRAME_LEFT, 1, "b", 1 },
	    { FRAME_LEFT, 0, "", 0 },
	    { FRAME_END, 0, "", 0 } },
	  0,
	  "Ma:0 Lb:0 L:0 " },
	{ "refused in the middle",
	  { { FRAME_MEMBER, 9, "\3\0\0\0\0\0\0\0a", 9 },
	    { FRAME_DATA, 1, "x", 1 },
	    { FRAME_REFUSED, 7, "\2\0\0\0\x1b[m", 7 } },
	  0,
	  "Ma:3 x" },
	{ "no such kind", { { 6, 0, "", 0 } }, -EPROTO, "" },
	{ "kind 0", { { 0, 0, "", 0 } }, -EPROTO, "" },
	{ "data of no member", { { FRAME_DATA, 1, "x", 1 } }, -EPROTO, "" },
	{ "more data than the member has",
	  { { FRAME_MEMBER, 9, "\1\0\0\0\0\0\0\0a", 9 },
	    { FRAME_DATA, 2, "xy", 2 } },
	  -EPROTO,
	  "Ma:1 " },
	{ "no data in a data frame",
	  { { FRAME_MEMBER, 9, "\1\0\0\0\0\0\0\0a", 9 },
	    { FRAME_DATA, 0, "", 0 } },
	  -EPROTO,
	  "Ma:1 " },
	{ "a member within a member",
	  { { FRAME_MEMBER, 9, "\1\0\0\0\0\0\0\0a", 9 },
	    { FRAME_MEMBER, 9, "\1\0\0\0\0\0\0\0b", 9 } },
	  -EPROTO,
	  "Ma:1 " },
	{ "the end within a member",
	  { { FRAME_MEMBER, 9, "\1\0\0\0\0\0\0\0a", 9 },
	    { FRAME_END, 0, "", 0 } },
	  -EPROTO,
	  "Ma:1 " },
	{ "something after the end",
	  { { FRAME_END, 0, "", 0 }, { FRAME_END, 0, "", 0 } },
	  -EPROTO,
	  "" },
	{ "a member without a name",
	  { { FRAME_MEMBER, 8, "\1\0\0\0\0\0\0\0", 8 } },
	  -EPROTO,
	  "" },
	{ "an end with a length", { { FRAME_END, 1, "x", 1 } }, -EPROTO, "" },
	{ "refused for no reason",
	  { { FRAME_REFUSED, 4, "\0\0\0\0", 4 } },
	  -EPROTO,
	  "" },
	{ "refused for a reason there is not",
	  { { FRAME_REFUSED, 4, "\5\0\0\0", 4 } },
	  -EPROTO,
	  "" },
};

static void write_case(size_t i, struct str *out)
{
	str_init(out, 4096);
	for (size_t f = 0; f < 5 && (f == 0 || cases[i].frames[f].kind); f++) {
		uint8_t head[FRAME_HEAD_BYTES];

		frame_head_put(head, cases[i].frames[f].kind,
			       cases[i].frames[f].len);
		assert_int_equal(str_append(out, head, sizeof(head)), 0);
		assert_int_equal(str_append(out, cases[i].frames[f].rest,
					    cases[i].frames[f].rest_len),
				 0);
	}
}

/* In pieces of @piece bytes. */
static int feed(struct frame_reader *reader, const struct str *bytes,
		size_t piece)
{
	int r = 0;

	memset(&seen, 0, sizeof(seen));
	frame_reader_init(reader, &ops, NULL);
	for (size_t at = 0; r == 0 && at < bytes->len; at += piece)
		r = frame_reader_feed(reader, bytes->bytes + at,
				      (size_t)u64_min(piece, bytes->len - at));
	return r;
}

static void streams_are_read_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str bytes;

		print_message("%s\n", cases[i].name);
		write_case(i, &bytes);
		for (size_t piece = 1; piece <= bytes.len; piece++) {
			struct frame_reader reader;

			assert_int_equal(feed(&reader, &bytes, piece),
					 cases[i].result);
			assert_string_equal(seen.text, cases[i].seen);
			assert_int_equal(reader.ended || cases[i].result, 1);
		}
	}
}

static void words_are_printable(void **state)
{
	auto_str struct str bytes;
	struct frame_reader reader;

	(void)state;
	write_case(2, &bytes);
	assert_int_equal(feed(&reader, &bytes, 7), 0);
	assert_int_equal(reader.reason, UNPACK_TOO_BIG);
	assert_string_equal(reader.words, "?[m");
}

static const struct {
	enum frame_kind kind;
	size_t len_max;
} bounds[] = {
	{ FRAME_MEMBER, 8 + PATH_BYTES_MAX },
	{ FRAME_LEFT, PATH_BYTES_MAX },
	{ FRAME_REFUSED, 4 + FRAME_WORDS_MAX },
};

static void lengths_are_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		struct frame_reader reader;
		uint8_t head[FRAME_HEAD_BYTES];

		frame_head_put(head, bounds[i].kind, bounds[i].len_max);
		frame_reader_init(&reader, &ops, NULL);
		assert_int_equal(frame_reader_feed(&reader, head, 8), 0);
		frame_head_put(head, bounds[i].kind, bounds[i].len_max + 1);
		frame_reader_init(&reader, &ops, NULL);
		assert_int_equal(frame_reader_feed(&reader, head, 8), -EPROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_read_however_they_are_cut),
		cmocka_unit_test(words_are_printable),
		cmocka_unit_test(lengths_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
