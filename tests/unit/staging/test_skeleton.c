/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton.h"

#include "base/mem.h"
#include "tests/unit/staging/skeleton_make.h"

static void a_skeleton_is_read(void **state)
{
	auto_of(made) struct made made;
	auto_skeleton struct skeleton *skeleton = NULL;
	const struct str *bytes;

	(void)state;
	made_classifier(&made);
	bytes = made_finish(&made);
	assert_int_equal(
		skeleton_parse(bytes->bytes, bytes->len, &skeleton, NULL), 0);
	assert_int_equal(skeleton->node_count, 2);
	assert_int_equal(skeleton->constants.len, 15);
	assert_string_equal(skeleton->source, "library 1.0 net");
	assert_int_equal(skeleton->hole_count, 3);
	assert_string_equal(skeleton->holes[0].name, "w");
	assert_string_equal(skeleton->holes[0].location, "fc.weight");
	assert_int_equal(skeleton->holes[0].type, ONNX_FLOAT);
	assert_int_equal(skeleton->holes[0].rank, 2);
	assert_int_equal(skeleton->holes[0].dims[0], 4);
	assert_int_equal(skeleton->holes[0].dims[1], 3);
	assert_int_equal(skeleton->holes[2].type, ONNX_INT64);
}

static void ports_and_metadata_are_read(void **state)
{
	auto_of(made) struct made made;
	auto_skeleton struct skeleton *skeleton = NULL;
	const struct skeleton_port *port;
	const struct str *bytes;

	(void)state;
	made_classifier(&made);
	bytes = made_finish(&made);
	assert_int_equal(
		skeleton_parse(bytes->bytes, bytes->len, &skeleton, NULL), 0);
	assert_int_equal(skeleton->inputs.count, 1);
	port = &skeleton->inputs.list[0];
	assert_string_equal(port->name, "x");
	assert_int_equal(port->type, ONNX_FLOAT);
	assert_int_equal(port->rank, 2);
	assert_string_equal(port->dims[0].param, "batch");
	assert_int_equal(port->dims[1].size, 3);
	port = &skeleton->outputs.list[0];
	assert_null(port->dims[1].param);
	assert_string_equal(port->dims[1].of.location, "fc.weight");
	assert_int_equal(port->dims[1].of.axis, 0);
	assert_int_equal(skeleton->free_count, 2);
	assert_string_equal(skeleton->free[1].location, "fc.bias");
	assert_int_equal(skeleton->free[0].group, skeleton->free[1].group);
	assert_int_equal(skeleton->unused_count, 2);
	assert_string_equal(skeleton->unused[1], "old.*");
}

/* The fields of a hole "t" but for its name. */
#define AT_T "\x6a\x0d\x0a\x08location\x12\1t\x70\1"
#define NAMED_T "\x42\1t"

#define GRAPH(field, bytes) false, field, bytes, sizeof(bytes) - 1
#define MODEL(field, bytes) true, field, bytes, sizeof(bytes) - 1

static const struct {
	const char *name;
	bool of_model; /* else of the graph */
	unsigned int field;
	const char *bytes;
	size_t len;
	int result;
} additions[] = {
	{ "a hole", GRAPH(5, "\x08\2\x10\1" NAMED_T AT_T), 0 },
	{ "a hole with packed dims", GRAPH(5, "\x0a\2\2\3\x10\1" NAMED_T AT_T),
	  0 },
	{ "a scalar", GRAPH(5, "\x10\1" NAMED_T AT_T), 0 },
	{ "a hole of a name that is taken",
	  GRAPH(5, "\x08\2\x10\1\x42\1w" AT_T), -EBADMSG },
	{ "a hole without a name", GRAPH(5, "\x08\2\x10\1" AT_T), -EBADMSG },
	{ "a hole without a place", GRAPH(5, "\x10\1" NAMED_T "\x70\1"),
	  -EBADMSG },
	{ "a hole with an empty place",
	  GRAPH(5, "\x10\1" NAMED_T "\x6a\x0c\x0a\x08location\x12\0\x70\1"),
	  -EBADMSG },
	{ "a place without data_location",
	  GRAPH(5, "\x10\1" NAMED_T "\x6a\x0d\x0a\x08location\x12\1t"),
	  -EBADMSG },
	{ "a hole with a second entry",
	  GRAPH(5, "\x10\1" NAMED_T "\x6a\x0d\x0a\x08location\x12\1u" AT_T),
	  -EBADMSG },
	{ "a hole with an offset",
	  GRAPH(5, "\x10\1" NAMED_T "\x6a\x0b\x0a\6offset\x12\1t\x70\1"),
	  -EBADMSG },
	{ "a hole with bytes", GRAPH(5, "\x10\1\x4a\1a" NAMED_T AT_T),
	  -EBADMSG },
	{ "a hole of halves", GRAPH(5, "\x10\x0a" NAMED_T AT_T), -EBADMSG },
	{ "a hole without type", GRAPH(5, NAMED_T AT_T), -EBADMSG },
	{ "a hole of rank 9",
	  GRAPH(5, "\x0a\x09\1\1\1\1\1\1\1\1\1\x10\1" NAMED_T AT_T), -EBADMSG },
	{ "a negative size",
	  GRAPH(5, NAMED_T "\x10\1\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			   "\1" AT_T),
	  -EBADMSG },
	{ "a constant", GRAPH(5, "\x10\1\x42\1t\x4a\4\0\0\0\0"), 0 },
	{ "a sparse initializer", GRAPH(15, ""), -EBADMSG },
	{ "quantization", GRAPH(14, ""), -EBADMSG },
	{ "a node", GRAPH(1, "\x0a\1y\x12\1z\x22\4Relu"), 0 },
	{ "a node with an optional input", GRAPH(1, "\x0a\0\x12\1z\x22\4Clip"),
	  0 },
	{ "a node of what is not known", GRAPH(1, "\x0a\1q\x12\1z\x22\4Relu"),
	  -EBADMSG },
	{ "a node that makes what is there",
	  GRAPH(1, "\x0a\1y\x12\1h\x22\4Relu"), -EBADMSG },
	{ "a node of another domain",
	  GRAPH(1, "\x0a\1y\x12\1z\x22\4Relu\x3a\1d"), -EBADMSG },
	{ "a node that is cut", GRAPH(1, "\x0a\5y"), -EBADMSG },
	{ "an input",
	  GRAPH(11, "\x0a\1q\x12\x0a\x0a\x08\x08\1\x12\4\x0a\2\x08"
		    "\3"),
	  0 },
	{ "an input of rank 0", GRAPH(11, "\x0a\1q\x12\6\x0a\4\x08\1\x12\0"),
	  0 },
	{ "an input without shape", GRAPH(11, "\x0a\1q\x12\4\x0a\2\x08\1"),
	  -EBADMSG },
	{ "an input without type",
	  GRAPH(11, "\x0a\1q\x12\x08\x0a\6\x12\4\x0a\2\x08\3"), -EBADMSG },
	{ "an input of strings",
	  GRAPH(11, "\x0a\1q\x12\x0a\x0a\x08\x08\x08\x12\4\x0a\2\x08\3"),
	  -EBADMSG },
	{ "an input with a nameless axis",
	  GRAPH(11, "\x0a\1q\x12\x08\x0a\6\x08\1\x12\2\x0a\0"), -EBADMSG },
	{ "a sequence", GRAPH(11, "\x0a\1q\x12\4\x22\2\x0a\0"), -EBADMSG },
	{ "an input that is a hole",
	  GRAPH(11, "\x0a\1w\x12\6\x0a\4\x08\1\x12\0"), -EBADMSG },
	{ "an output", GRAPH(12, "\x0a\1h\x12\6\x0a\4\x08\1\x12\0"), 0 },
	{ "an output that nothing makes",
	  GRAPH(12, "\x0a\1q\x12\6\x0a\4\x08\1\x12\0"), -EBADMSG },
	{ "a size of no axis",
	  GRAPH(12, "\x0a\1h\x12\x0e\x0a\x0c\x08\1\x12\x08\x0a\6\x12\4=abc"),
	  -EBADMSG },
	{ "a size of axis 8",
	  GRAPH(12, "\x0a\1h\x12\x0e\x0a\x0c\x08\1\x12\x08\x0a\6\x12\4=a:8"),
	  -EBADMSG },
	{ "a size of axis 7",
	  GRAPH(12, "\x0a\1h\x12\x0e\x0a\x0c\x08\1\x12\x08\x0a\6\x12\4=a:7"),
	  0 },
	{ "shapes within", GRAPH(13, "anything"), 0 },
	{ "functions", MODEL(25, ""), -EBADMSG },
	{ "training", MODEL(20, ""), -EBADMSG },
	{ "a second graph", MODEL(7, ""), -EBADMSG },
	{ "a second operator set", MODEL(8, "\x10\x0d"), -EBADMSG },
	{ "metadata of others", MODEL(14, "\x0a\1k\x12\1v"), 0 },
	{ "metadata of ours that is not known",
	  MODEL(14, "\x0a\x09omnihub.x\x12\1v"), -EBADMSG },
	{ "another format",
	  MODEL(14, "\x0a\x0eomnihub.format\x12\1"
		    "2"),
	  -EBADMSG },
	{ "a free axis twice", MODEL(14, "\x0a\x0comnihub.free\x12\3a:0"),
	  -EBADMSG },
	{ "text that is none", MODEL(14, "\x0a\1\xff\x12\1v"), -EBADMSG },
	{ "a doc string", MODEL(6, "words"), 0 },
};

static void what_is_not_understood_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
		auto_of(made) struct made made;
		auto_skeleton struct skeleton *skeleton = NULL;
		auto_refusal struct refusal why = { 0 };
		const struct str *bytes;
		int r;

		print_message("%s\n", additions[i].name);
		made_classifier(&made);
		r = wire_bytes(additions[i].of_model ? &made.model
						     : &made.graph,
			       additions[i].field, additions[i].bytes,
			       additions[i].len);
		assert_int_equal(r, 0);
		bytes = made_finish(&made);
		r = skeleton_parse(bytes->bytes, bytes->len, &skeleton, &why);
		assert_int_equal(r, additions[i].result);
		if (r < 0)
			assert_string_equal(why.code, "skeleton");
	}
}

/* A model of nothing but @head, and the usual graph. */
static int parse_with(const char *head, size_t len)
{
	auto_of(made) struct made made;
	auto_skeleton struct skeleton *skeleton = NULL;
	const struct str *bytes;

	made_classifier(&made);
	str_clear(&made.model);
	assert_int_equal(str_append(&made.model, head, len), 0);
	bytes = made_finish(&made);
	return skeleton_parse(bytes->bytes, bytes->len, &skeleton, NULL);
}

static void versions_are_those_that_were_tried(void **state)
{
#define FORMAT_1                               \
	"\x72\x13\x0a\x0eomnihub.format\x12\1" \
	"1"
#define HEADED(text) parse_with(text, sizeof(text) - 1)
	(void)state;
	assert_int_equal(HEADED("\x08\7\x42\2\x10\x0d" FORMAT_1), 0);
	assert_int_equal(HEADED("\x08\7\x42\4\x0a\0\x10\x0d" FORMAT_1), 0);
	assert_int_equal(HEADED("\x08\x08\x42\2\x10\x0d" FORMAT_1), -EBADMSG);
	assert_int_equal(HEADED("\x08\7\x42\2\x10\x0e" FORMAT_1), -EBADMSG);
	assert_int_equal(HEADED("\x08\7" FORMAT_1), -EBADMSG);
	assert_int_equal(HEADED("\x08\7\x42\2\x10\x0d"), -EBADMSG);
	assert_int_equal(HEADED("\x08\7\x42\5\x0a\1m\x10\x0d" FORMAT_1),
			 -EBADMSG);
}

/* Cut anywhere it is no model; changed anywhere it is one, or refused. */
static void damage_is_survived(void **state)
{
	auto_of(made) struct made made;
	const struct str *bytes;

	(void)state;
	made_classifier(&made);
	bytes = made_finish(&made);
	for (size_t len = 0; len < bytes->len; len++) {
		auto_skeleton struct skeleton *skeleton = NULL;
		auto_free char *cut = mem_dup(bytes->bytes, len);

		assert_int_equal(skeleton_parse(cut, len, &skeleton, NULL),
				 -EBADMSG);
	}
	for (size_t i = 0; i < 8 * bytes->len; i++) {
		auto_skeleton struct skeleton *skeleton = NULL;
		int r;

		bytes->bytes[i / 8] ^= (char)(1 << i % 8);
		r = skeleton_parse(bytes->bytes, bytes->len, &skeleton, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		bytes->bytes[i / 8] ^= (char)(1 << i % 8);
	}
}

static struct str whole;

static int parse_whole(void)
{
	auto_skeleton struct skeleton *skeleton = NULL;

	return skeleton_parse(whole.bytes, whole.len, &skeleton, NULL);
}

static void memory_may_run_out(void **state)
{
	auto_of(made) struct made made;

	(void)state;
	made_classifier(&made);
	whole = *made_finish(&made);
	run_with_faults(parse_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_skeleton_is_read),
		cmocka_unit_test(ports_and_metadata_are_read),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(versions_are_those_that_were_tried),
		cmocka_unit_test(damage_is_survived),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
