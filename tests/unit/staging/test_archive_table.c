/* SPDX-License-Identifier: MIT */
#include "staging/archive/archive_table.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

/* Entries in order: "+a" a member, "-a" one that is none, "-" without name. */
static const struct {
	const char *name;
	const char *entries[8];
	const char *members; /* paths with their place in .entries */
	unsigned int left_out;
} cases[] = {
	{ "sorted by path",
	  { "+b", "+a", "+a!",
	    "+a/"
	    "x" },
	  "a!=2 a/x=3 b=0 ",
	  1 },
	{ "the last of a path counts", { "+a", "+b", "+a" }, "a=2 b=1 ", 1 },
	{ "a link in its place is none", { "+a", "+b", "-a" }, "b=1 ", 2 },
	{ "a file in place of a link", { "-a", "+a" }, "a=1 ", 1 },
	{ "nothing known is dropped", { "-", "-x", "+a" }, "a=2 ", 2 },
	{ "a file that is a directory",
	  { "+a/b/c", "+a/b", "+a" },
	  "a/b/c=0 ",
	  2 },
	{ "a directory of a file that is gone",
	  { "+a", "+a/b", "-a/b" },
	  "a=0 ",
	  2 },
	{ "none", { NULL }, "", 0 },
};

static void build(struct archive_table *table, const char *const *entries)
{
	table_init(table);
	for (size_t i = 0; i < 8 && entries[i]; i++) {
		const char *path = entries[i] + 1;
		size_t len = strlen(path);
		struct archive_member *member;

		if (entries[i][0] == '-') {
			assert_int_equal(
				table_leave(table, len ? path : NULL, len), 0);
			continue;
		}
		assert_int_equal(table_add(table, path, len, &member), 0);
		member->size = i;
	}
	table_close(table);
}

static void entries_become_members(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_table struct archive_table table;
		char got[256] = "";
		size_t at = 0;

		print_message("%s\n", cases[i].name);
		build(&table, cases[i].entries);
		for (size_t m = 0; m < table.count; m++)
			at += (size_t)snprintf(got + at, sizeof(got) - at,
					       "%s=%d ", table.members[m].path,
					       (int)table.members[m].size);
		assert_string_equal(got, cases[i].members);
		assert_int_equal(table.left_out, cases[i].left_out);
	}
}

static void members_are_found(void **state)
{
	static const char *const entries[8] = { "+b", "+a/x", "+c" };
	auto_table struct archive_table table;

	(void)state;
	build(&table, entries);
	assert_int_equal(table_find(&table, "a/x")->size, 1);
	assert_int_equal(table_find(&table, "c")->size, 2);
	assert_null(table_find(&table, "a"));
	assert_null(table_find(&table, "d"));
}

static void a_table_is_kept(void **state)
{
	static const char *const entries[8] = { "+b", "+a/x", "+b", "-" };
	auto_table struct archive_table table, back;
	auto_str struct str bytes;

	(void)state;
	build(&table, entries);
	str_init(&bytes, 4096);
	table_init(&back);
	assert_int_equal(table_encode(&table, &bytes), 0);
	assert_int_equal(table_decode(bytes.bytes, bytes.len, &back), 0);
	assert_int_equal(back.count, 2);
	assert_int_equal(back.left_out, 2);
	assert_string_equal(back.members[0].path, "a/x");
	assert_int_equal(back.members[1].size, 2);
	for (size_t len = 0; len < bytes.len; len++) {
		auto_table struct archive_table cut;

		table_init(&cut);
		assert_int_equal(table_decode(bytes.bytes, len, &cut),
				 -EBADMSG);
	}
}

static const struct {
	const char *name;
	size_t at;
	char value;
} damages[] = {
	{ "another version", 0, 2 },
	{ "more members", 4, 3 },
	{ "fewer members", 4, 1 },
	{ "a size past all", 16 + 7, 1 },
	{ "a longer path", 16 + 8, 100 },
	{ "a path that leaves", 16 + 12, '/' },
	{ "a path twice", 16 + 12, 'b' },
};

static void damage_is_seen(void **state)
{
	static const char *const entries[8] = { "+b", "+a" };
	auto_table struct archive_table table;

	(void)state;
	build(&table, entries);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		auto_table struct archive_table back;
		auto_str struct str bytes;

		print_message("%s\n", damages[i].name);
		str_init(&bytes, 4096);
		table_init(&back);
		assert_int_equal(table_encode(&table, &bytes), 0);
		bytes.bytes[damages[i].at] = damages[i].value;
		assert_int_equal(table_decode(bytes.bytes, bytes.len, &back),
				 -EBADMSG);
	}
}

static void a_table_is_bounded(void **state)
{
	auto_table struct archive_table table;
	struct archive_member *member;
	char path[16];
	int r = 0;

	(void)state;
	table_init(&table);
	for (size_t i = 0; i < ARCHIVE_MEMBERS_MAX; i++) {
		snprintf(path, sizeof(path), "%zu", i);
		r |= table_add(&table, path, strlen(path), &member);
	}
	assert_int_equal(r, 0);
	assert_int_equal(table_add(&table, "x", 1, &member), -EFBIG);
	for (uint64_t i = 0; i < ARCHIVE_LEFT_MAX; i++)
		r |= table_leave(&table, NULL, 0);
	assert_int_equal(r, 0);
	assert_int_equal(table_leave(&table, NULL, 0), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_become_members),
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(a_table_is_kept),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(a_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
