/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_legacy.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/weights/weights_open.h"
#include "tests/unit/unit.h"

#define MAGIC "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."
#define PROTOCOL "\x80\2M\xe9\3."
#define MACHINE "\x80\2}U\x0dlittle_endian\x88s."
#define HEAD MAGIC PROTOCOL MACHINE

/* A storage of Float elements, as a persistent id. */
#define ID(key, count, view) \
	"(U\7storagectorch\nFloatStorage\nU\1" key "U\3cpuK" count view "tQ"
#define STORAGE(key, count) ID(key, count, "N")

/* Two by three floats from element @at on. */
#define TENSOR(storage, at)                                   \
	"ctorch._utils\n_rebuild_tensor_v2\n(" storage "K" at \
	"K\2K\3\x86K\3K\1\x86\x89}tR"
#define TENSOR_1(storage)                                                      \
	"ctorch._utils\n_rebuild_tensor\n(" storage "K\0K\2K\3\x86K\3K\1\x86t" \
	"R"
#define TENSOR_0(storage) \
	"ctorch\nFloatTensor\n)\x81(" storage "K\0K\2K\3\x86K\3K\1\x86tb"
#define PARAMETER(tensor) \
	"ctorch.nn.parameter\nParameter\n)\x81(" tensor "NN\x88\x89tb"
#define OBJECT(items) "\x80\2}(" items "u."
#define KEYS(keys) "\x80\2](" keys "e."

/* A count of @n, and as many floats as the counts of the cases call for. */
#define COUNT(n) n "\0\0\0\0\0\0\0"
#define FLOATS_6 "aaaabbbbccccddddeeeeffff"
#define FLOATS_7 FLOATS_6 "gggg"
#define A_6 COUNT("\6") FLOATS_6

#define FILE_OF(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *code; /* NULL: it is read */
	size_t from_end;  /* the first byte of the tensor "w" */
} cases[] = {
	{ "one tensor",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\6"), "\0"))
			  KEYS("U\1a") A_6),
	  NULL, 24 },
	{ "a storage before it, by the list of keys",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"),
				"\0") "U\1v" TENSOR(STORAGE("b", "\7"), "\1"))
			  KEYS("U\1bU\1a") COUNT("\7") FLOATS_7 A_6),
	  NULL, 24 },
	{ "a storage behind it",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"),
				"\0") "U\1v" TENSOR(STORAGE("b", "\7"), "\1"))
			  KEYS("U\1aU\1b") A_6 COUNT("\7") FLOATS_7),
	  NULL, 24 + 8 + 28 },
	{ "an empty storage behind it",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\6"),
					    "\0") "U\1v" STORAGE("b", "\0"))
			  KEYS("U\1aU\1b") A_6 COUNT("\0")),
	  NULL, 24 + 8 },
	{ "from the second element on",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\7"), "\1"))
			  KEYS("U\1a") COUNT("\7") FLOATS_7),
	  NULL, 24 },
	{ "a view of a storage, which has the elements",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(ID("a", "\7", "U\1vK\1K\6\x87"), "\0"))
			  KEYS("U\1a") COUNT("\7") FLOATS_7),
	  NULL, 24 },
	{ "before 0.4: _rebuild_tensor",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR_1(STORAGE("a", "\6"))) KEYS("U\1a")
			  A_6),
	  NULL, 24 },
	{ "before 0.4: a state",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR_0(STORAGE("a", "\6"))) KEYS("U\1a")
			  A_6),
	  NULL, 24 },
	{ "before 0.4: a Parameter",
	  FILE_OF(HEAD OBJECT("U\1w" PARAMETER(TENSOR_1(STORAGE("a", "\6"))))
			  KEYS("U\1a") A_6),
	  NULL, 24 },
	{ "under state_dict",
	  FILE_OF(HEAD OBJECT("U\nstate_dict}U\1w" TENSOR(
		  STORAGE("a", "\6"), "\0") "sU\5epochK\1") KEYS("U\1a") A_6),
	  NULL, 24 },
	{ "under model",
	  FILE_OF(HEAD OBJECT("U\5model}U\1w" TENSOR(
		  STORAGE("a", "\6"), "\0") "s") KEYS("U\1a") A_6),
	  NULL, 24 },
	{ "under model, and an average of it",
	  FILE_OF(HEAD OBJECT("U\5model}U\1w" TENSOR(
		  STORAGE("a", "\6"),
		  "\0") "sU\tmodel_ema}U\1w" TENSOR(STORAGE("a", "\6"),
						    "\0") "s") KEYS("U\1a")
			  A_6),
	  "torch-legacy", 0 },
	{ "a part that leaves its storage",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(ID("a", "\7", "U\1vK\2K\6\x87"),
					    "\0") "U\1v" STORAGE("b", "\7"))
			  KEYS("U\1aU\1b") COUNT("\7") FLOATS_7 COUNT("\7")
				  FLOATS_7),
	  "torch-legacy", 0 },
	{ "a tensor that leaves the part",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(ID("a", "\7", "U\1vK\0K\5\x87"), "\0"))
			  KEYS("U\1a") COUNT("\7") FLOATS_7),
	  "torch-tensor", 0 },
	{ "another count before the elements",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\6"), "\0"))
			  KEYS("U\1a") COUNT("\5") FLOATS_6),
	  "torch-legacy", 0 },
	{ "a byte too few",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\6"), "\0"))
			  KEYS("U\1a") COUNT("\6") "aaaabbbbccccddddeeeefff"),
	  "torch-legacy", 0 },
	{ "a byte too many",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\6"), "\0"))
			  KEYS("U\1a") A_6 "g"),
	  "torch-legacy", 0 },
	{ "no keys",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"), "\0")) "\x80\2]."),
	  "torch-legacy", 0 },
	{ "a key that nobody named",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(STORAGE("a", "\6"), "\0"))
			  KEYS("U\1b") A_6),
	  "torch-legacy", 0 },
	{ "a key twice",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"), "\0") "U\1v" TENSOR(
			  STORAGE("b", "\6"), "\0")) KEYS("U\1aU\1a") A_6 A_6),
	  "torch-legacy", 0 },
	{ "a storage of two sizes",
	  FILE_OF(HEAD OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"), "\0") "U\1v" TENSOR(
			  STORAGE("a", "\7"), "\0")) KEYS("U\1a") A_6),
	  "torch-legacy", 0 },
	{ "a storage as the zip has it",
	  FILE_OF(HEAD OBJECT("U\1w" TENSOR(ID("a", "\6", ""), "\0"))
			  KEYS("U\1a") A_6),
	  "torch-storage", 0 },
	{ "a persistent id of a module",
	  FILE_OF(HEAD OBJECT("U\1w(U\6moduleNU\1aNK\6NtQ") KEYS("U\1a") A_6),
	  "torch-legacy", 0 },
	{ "a big-endian machine",
	  FILE_OF(MAGIC PROTOCOL "\x80\2}U\x0dlittle_endian\x89s." OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"), "\0")) KEYS("U\1a") A_6),
	  "big-endian", 0 },
	{ "a machine that says nothing",
	  FILE_OF(MAGIC PROTOCOL "\x80\2}." OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"), "\0")) KEYS("U\1a") A_6),
	  "torch-legacy", 0 },
	{ "another protocol",
	  FILE_OF(MAGIC "\x80\2M\xe8\3." MACHINE OBJECT(
		  "U\1w" TENSOR(STORAGE("a", "\6"), "\0")) KEYS("U\1a") A_6),
	  "torch-legacy", 0 },
	{ "code to run",
	  FILE_OF(HEAD "\x80\2"
		       "cos\nsystem\nU\2id\x85R." KEYS("U\1a") A_6),
	  "pickle-global", 0 },
	{ "no tensors", FILE_OF(HEAD "\x80\2}.\x80\2]."), "torch-legacy", 0 },
	{ "cut in the object",
	  FILE_OF(HEAD "\x80\2}(U\1w"
		       "ctorch._utils\n_reb"),
	  "torch-legacy", 0 },
	{ "the magic alone", FILE_OF(MAGIC), "torch-legacy", 0 },
	{ "nothing", FILE_OF(""), "torch-legacy", 0 },
};

static int load(const void *bytes, size_t len, struct weights **out,
		struct refusal *why)
{
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	struct weights_load load = { .deadline_ns = CLOCK_NEVER, .why = why };
	int r = blob_of_bytes(mem_dup(bytes, len), len, &blob);

	assert_int_equal(r, 0);
	assert_int_equal(weights_new("torch-zip", &weights), 0);
	assert_int_equal(weights_add_file(weights, "m", 0, len, &load.file), 0);
	load.weights = weights;
	load.blob = blob;
	r = torch_legacy_load(&load);
	if (r == 0)
		r = weights_finish(weights);
	if (r == 0)
		*out = take_ptr(weights);
	return r;
}

static void streams_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_refusal struct refusal why = { 0 };
		auto_weights struct weights *weights = NULL;
		const struct tensor *tensor;
		int r = load(cases[i].bytes, cases[i].len, &weights, &why);

		print_message("%s\n", cases[i].name);
		if (cases[i].code) {
			assert_int_equal(r, -EBADMSG);
			assert_string_equal(why.code, cases[i].code);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(weights->format, "torch-legacy");
		tensor = weights_find(weights, "w");
		assert_non_null(tensor);
		assert_int_equal(tensor->dtype, DTYPE_F32);
		assert_int_equal(tensor->rank, 2);
		assert_int_equal(tensor->off, cases[i].len - cases[i].from_end);
		assert_int_equal(tensor->len, 24);
	}
}

/* Whatever is cut off: refused, or more is asked for, never a crash. */
static void every_cut_asks_for_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_torch_legacy struct torch_legacy whole = { 0 };

		if (cases[i].code)
			continue;
		assert_int_equal(torch_legacy_parse(cases[i].bytes,
						    cases[i].len, &whole, NULL),
				 0);
		for (size_t len = 0; len < whole.pickles_len; len++) {
			auto_torch_legacy struct torch_legacy cut = { 0 };
			auto_free uint8_t *bytes = mem_dup(cases[i].bytes, len);

			assert_int_equal(torch_legacy_parse(bytes, len, &cut,
							    NULL),
					 -ENODATA);
		}
	}
}

/* An object that takes several pieces, and a count far behind them. */
static void long_objects_are_fetched_in_pieces(void **state)
{
	static const char start[] = HEAD "\x80\2}(U\1xX";
	static const char middle[] = "U\1w" TENSOR(STORAGE("a", "\6"),
						   "\0") "u." KEYS("U\1a");
	const size_t pad = 5 * HEAD_FETCH_BYTES;
	auto_weights struct weights *weights = NULL;
	auto_free char *zeros = mem_zalloc(pad);
	auto_str struct str text;
	uint8_t len[4];

	(void)state;
	str_init(&text, 2 * pad);
	put_le32(len, (uint32_t)pad);
	memset(zeros, 'x', pad);
	assert_int_equal(str_append(&text, start, sizeof(start) - 1), 0);
	assert_int_equal(str_append(&text, len, sizeof(len)), 0);
	assert_int_equal(str_append(&text, zeros, pad), 0);
	assert_int_equal(str_append(&text, middle, sizeof(middle) - 1), 0);
	assert_int_equal(str_append(&text, A_6, sizeof(A_6) - 1), 0);
	assert_int_equal(load(text.bytes, text.len, &weights, NULL), 0);
	assert_int_equal(weights_find(weights, "w")->off, text.len - 24);
}

/* The last count lies where no header was fetched from. */
static void the_last_count_is_looked_at(void **state)
{
	static const char object[] = HEAD OBJECT(
		"U\1w" TENSOR("(U\7storagectorch\nFloatStorage\nU\1aU\3cpuJ"
			      "\0\0\1\0NtQ",
			      "\0") "U\1v" STORAGE("b", "\6")) KEYS("U\1aU\1b");
	const size_t len = (size_t)4 << 16;
	auto_free char *zeros = mem_zalloc(len);
	auto_str struct str text;

	(void)state;
	str_init(&text, 2 * len);
	assert_int_equal(str_append(&text, object, sizeof(object) - 1), 0);
	assert_int_equal(str_append(&text, "\0\0\1\0\0\0\0\0", 8), 0);
	assert_int_equal(str_append(&text, zeros, len), 0);
	assert_int_equal(str_append(&text, A_6, sizeof(A_6) - 1), 0);
	for (char count = 5; count < 8; count++) {
		auto_weights struct weights *weights = NULL;

		text.bytes[text.len - 32] = count;
		assert_int_equal(load(text.bytes, text.len, &weights, NULL),
				 count == 6 ? 0 : -EBADMSG);
	}
}

static void memory_may_run_out(void **state)
{
	(void)state;
	for (unsigned int nth = 1;; nth++) {
		auto_weights struct weights *weights = NULL;
		auto_torch_legacy struct torch_legacy legacy = { 0 };
		struct torch_count last;
		unsigned int file;
		int r;

		assert_int_equal(weights_new("torch-legacy", &weights), 0);
		assert_int_equal(weights_add_file(weights, "m", 0, cases[0].len,
						  &file),
				 0);
		mem_fail_nth(nth);
		r = torch_legacy_parse(cases[0].bytes, cases[0].len, &legacy,
				       NULL);
		if (r == 0)
			r = torch_legacy_read(weights, file, &legacy,
					      cases[0].bytes, cases[0].len,
					      &last, NULL);
		if (!mem_fail_done()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_read_or_refused),
		cmocka_unit_test(every_cut_asks_for_more),
		cmocka_unit_test(long_objects_are_fetched_in_pieces),
		cmocka_unit_test(the_last_count_is_looked_at),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
