/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/weights/pickle.h"
#include "tests/unit/unit.h"

static const struct pickle_global allowed[] = {
	{ "collections", "OrderedDict", 1, 0, PICKLE_MAKES_DICT },
	{ "torch", "FloatStorage", 2, 0, 0 },
	{ NULL, NULL, 0, 0, 0 },
};

static int parse(const void *bytes, size_t len)
{
	struct pickle *pickle = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = pickle_parse(bytes, len, allowed, &pickle, &why);

	if (r == 0)
		pickle_free(pickle);
	else if (r == -EBADMSG)
		assert_non_null(why.reason);
	return r;
}

#define CASE(name, text, result)                     \
	{                                            \
		name, text, sizeof(text) - 1, result \
	}

static const struct {
	const char *name, *bytes;
	size_t len;
	int result;
} cases[] = {
	CASE("none", "\x80\2N.", 0),
	CASE("a dict", "\x80\2}q\0(X\1\0\0\0aK\1u.", 0),
	CASE("an OrderedDict with attributes",
	     "\x80\2"
	     "ccollections\nOrderedDict\n)R}X\1\0\0\0aK\1sb.",
	     0),
	CASE("an OrderedDict of pairs (Python 2)",
	     "\x80\2"
	     "ccollections\nOrderedDict\n](U\1a\x85K\1\x85"
	     "e\x85R.",
	     -EBADMSG),
	CASE("an OrderedDict of pairs, well formed",
	     "\x80\2"
	     "ccollections\nOrderedDict\n](](U\1aK\1ee\x85R.",
	     0),
	CASE("a persistent id",
	     "\x80\2(X\7\0\0\0storagectorch\nFloatStorage\n"
	     "X\1\0\0\0"
	     "0X\3\0\0\0cpuK\4tQ.",
	     0),
	CASE("K-01 os.system",
	     "\x80\2"
	     "cos\nsystem\nU\2id\x85R.",
	     -EBADMSG),
	CASE("K-01 eval",
	     "\x80\2"
	     "c__builtin__\neval\nU\1"
	     "1\x85R.",
	     -EBADMSG),
	CASE("K-01 a part of a name",
	     "\x80\2"
	     "ctorch\nFloatStorage2\n.",
	     -EBADMSG),
	CASE("K-01 calling a list", "\x80\2])R.", -EBADMSG),
	CASE("K-01 BUILD of a call",
	     "\x80\2"
	     "ctorch\nFloatStorage\n)R}b.",
	     -EBADMSG),
	CASE("K-01 OBJ", "\x80\2(cos\nsystem\no.", -EBADMSG),
	CASE("K-02 STACK_GLOBAL", "\x80\2U\2osU\6system\x93.", -EBADMSG),
	CASE("K-02 a dotted name",
	     "\x80\2"
	     "ctorch\nFloatStorage.__class__\n.",
	     -EBADMSG),
	CASE("K-03 a zip", "PK\3\4", -EBADMSG),
	CASE("K-03 junk", "junk", -EBADMSG),
	CASE("K-03 protocol 4", "\x80\4N.", -EBADMSG),
	CASE("K-04 nothing", "", -EBADMSG),
	CASE("K-04 no STOP", "\x80\2N", -EBADMSG),
	CASE("K-04 STOP with nothing", "\x80\2.", -EBADMSG),
	CASE("K-04 two values left", "\x80\2NN.", -EBADMSG),
	CASE("K-04 a mark left", "\x80\2N(.", -EBADMSG),
	CASE("K-04 bytes after STOP", "\x80\2N.N", -EBADMSG),
	CASE("K-05 a memo number from nowhere", "\x80\2Nr\xff\xff\xff\x7f.",
	     -EBADMSG),
	CASE("K-05 what was never memoized", "\x80\2h\5.", -EBADMSG),
	CASE("K-05 a list in itself", "\x80\2]q\0h\0a.", 0),
	CASE("K-06 a string longer than the pickle",
	     "\x80\2X\xff\xff\xff\xff"
	     "a.",
	     -EBADMSG),
	CASE("K-06 BINUNICODE8", "\x80\2\x8d\1\0\0\0\0\0\0\0a.", -EBADMSG),
	CASE("K-06 FRAME", "\x80\2\x95\1\0\0\0\0\0\0\0N.", -EBADMSG),
	CASE("K-07 LONG1", "\x80\2\x8a\2\xff\x7f.", 0),
	CASE("K-07 LONG1 cut", "\x80\2\x8a\x20\1.", -EBADMSG),
	CASE("K-07 LONG4", "\x80\2\x8b\xff\xff\xff\x7f.", -EBADMSG),
	CASE("K-07 INT as text", "\x80\2I999999999\n.", -EBADMSG),
	CASE("K-08 EXT1", "\x80\2\x82\1.", -EBADMSG),
	CASE("K-08 INST", "\x80\2(ios\nsystem\n.", -EBADMSG),
	CASE("K-08 PERSID", "\x80\2Pabc\n.", -EBADMSG),
	CASE("not UTF-8", "\x80\2U\1\xff.", -EBADMSG),
	CASE("NUL in a string", "\x80\2U\3a\0b.", -EBADMSG),
	CASE("a global without end",
	     "\x80\2"
	     "ctorch",
	     -EBADMSG),
	CASE("SETITEMS of three", "\x80\2}(NNNu.", -EBADMSG),
	CASE("SETITEM on a list", "\x80\2]NNs.", -EBADMSG),
	CASE("APPEND on a tuple", "\x80\2)Na.", -EBADMSG),
	CASE("TUPLE without mark", "\x80\2Nt.", -EBADMSG),
	CASE("TUPLE2 of one", "\x80\2N\x86.", -EBADMSG),
	CASE("TUPLE1 across a mark", "\x80\2N(\x85.", -EBADMSG),
};

static void pickles_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(parse(cases[i].bytes, cases[i].len),
				 cases[i].result);
	}
}

/* K-04: no prefix of a good pickle is one. */
static void cut_pickles_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (cases[i].result != 0)
			continue;
		for (size_t len = 0; len < cases[i].len; len++) {
			auto_free void *copy = mem_dup(cases[i].bytes, len);

			assert_int_equal(parse(copy, len), -EBADMSG);
		}
	}
}

static void repeat(struct str *str, const char *text, size_t len, size_t times)
{
	for (size_t i = 0; i < times; i++)
		assert_int_equal(str_append(str, text, len), 0);
}

/* K-05: deep, wide and self-sharing pickles end in a refusal, or are small. */
static void bombs_are_bounded(void **state)
{
	static const struct {
		const char *name, *start, *again, *end;
		size_t times;
		int result;
	} bombs[] = {
		{ "tuples, deep enough", "N", "\x85", ".", PICKLE_DEPTH_MAX,
		  0 },
		{ "tuples, too deep", "N", "\x85", ".", PICKLE_DEPTH_MAX + 1,
		  -EBADMSG },
		{ "lists, too deep", "", "](", "N.", PICKLE_MARKS_MAX + 1,
		  -EBADMSG },
		{ "a memo from 1 (Python 2)", "N", "q\1h\1\x86", ".", 200, 0 },
		{ "a memo with a hole", "N", "q\2h\2\x86", ".", 200, -EBADMSG },
		{ "too many values", "(", "K\1", "t.", PICKLE_NODES_MAX + 1,
		  -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		auto_str struct str text;

		print_message("%s\n", bombs[i].name);
		str_init(&text, PICKLE_BYTES_MAX);
		assert_int_equal(str_append(&text, "\x80\2", 2), 0);
		assert_int_equal(str_append_text(&text, bombs[i].start), 0);
		repeat(&text, bombs[i].again, strlen(bombs[i].again),
		       bombs[i].times);
		assert_int_equal(str_append_text(&text, bombs[i].end), 0);
		assert_int_equal(parse(text.bytes, text.len), bombs[i].result);
	}
}

/* K-05: two to the 900th leaves by sharing are 900 nodes. */
static void sharing_stays_sharing(void **state)
{
	auto_str struct str text;

	(void)state;
	str_init(&text, 1 << 16);
	assert_int_equal(str_append(&text, "\x80\2Nq\0", 5), 0);
	for (int i = 0; i < 200; i++) {
		char again[] = { 'h', (char)i, (char)0x86, 'q', (char)(i + 1) };

		assert_int_equal(str_append(&text, again, sizeof(again)), 0);
	}
	assert_int_equal(str_append(&text, ".", 1), 0);
	assert_int_equal(parse(text.bytes, text.len), 0);
}

static void values_are_read(void **state)
{
	static const char bytes[] = "\x80\2}(U\1aJ\xfe\xff\xff\xffU\1bM\1\2"
				    "U\1c\x8a\1\xffU\1bK\7u.";
	auto_pickle struct pickle *pickle = NULL;
	const struct pickle_node *root;
	uint64_t number;

	(void)state;
	assert_int_equal(pickle_parse(bytes, sizeof(bytes) - 1, allowed,
				      &pickle, NULL),
			 0);
	root = pickle_root(pickle);
	assert_int_equal(root->kind, PICKLE_DICT);
	assert_int_equal(pickle_get(root, "a")->number, -2);
	assert_int_equal(pickle_get(root, "c")->number, -1);
	assert_false(pickle_u64(pickle_get(root, "a"), &number));
	assert_true(pickle_u64(pickle_get(root, "b"), &number));
	assert_int_equal(number, 7); /* the last one set */
	assert_null(pickle_get(root, "d"));
}

static int parse_small(void)
{
	static const char bytes[] = "\x80\2}q\0(X\1\0\0\0aK\1u.";
	struct pickle *pickle = NULL;
	int r = pickle_parse(bytes, sizeof(bytes) - 1, allowed, &pickle, NULL);

	pickle_free(pickle);
	return r;
}

static void every_failed_allocation_is_told(void **state)
{
	(void)state;
	run_with_faults(parse_small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pickles_are_judged),
		cmocka_unit_test(cut_pickles_are_refused),
		cmocka_unit_test(bombs_are_bounded),
		cmocka_unit_test(sharing_stays_sharing),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(every_failed_allocation_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
