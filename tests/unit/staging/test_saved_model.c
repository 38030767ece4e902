/* SPDX-License-Identifier: MIT */
/* Which graph and which signatures a saved_model.pb has; damage. */
#include "base/mem.h"
#include "staging/tensorflow/saved_model_parts.h"
#include "tests/unit/staging/saved_model_text.h"
#include "tests/unit/unit.h"

/* Takes @bytes. */
static int parse(struct str *bytes, struct saved_model **out,
		 struct refusal *why)
{
	size_t len = bytes->len;
	char *taken = str_take(bytes, NULL);

	return saved_model_parse((uint8_t *)(taken ? taken : strdup("")), len,
				 out, why);
}

#define NAMED(name) name " = Const()\n"

/* Each graph has one node, which tells it from the others. */
static const struct {
	const char *name;
	const char *graphs[3];
	const char *taken; /* NULL: refused */
} metas[] = {
	{ "serve alone", { NAMED("a") }, "a" },
	{ "exactly serve goes before serve and more",
	  { NAMED("a") "tags serve gpu\n", NAMED("b") "tags serve\n" },
	  "b" },
	{ "serve and more before no tags",
	  { NAMED("a") "tags\n", NAMED("b") "tags gpu serve\n" },
	  "b" },
	{ "no tags before others",
	  { NAMED("a") "tags train\n", NAMED("b") "tags\n" },
	  "b" },
	{ "the first of equals", { NAMED("a"), NAMED("b") }, "a" },
	{ "the only one, whatever it is", { NAMED("a") "tags train\n" }, "a" },
	{ "none of several",
	  { NAMED("a") "tags train\n", NAMED("b") "tags eval\n" },
	  NULL },
	{ "none at all", { NULL }, NULL },
};

static void a_graph_is_chosen(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(metas); i++) {
		auto_saved_model struct saved_model *model = NULL;
		auto_refusal struct refusal why = { 0 };
		struct str bytes;
		int r;

		print_message("%s\n", metas[i].name);
		str_init(&bytes, PLAN_BYTES_MAX);
		for (size_t n = 0; n < 3 && metas[i].graphs[n]; n++)
			saved_model_of_text(metas[i].graphs[n], &bytes);
		r = parse(&bytes, &model, &why);
		if (!metas[i].taken) {
			assert_int_equal(r, -EBADMSG);
			assert_non_null(why.code);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(model->main.node_count, 1);
		assert_true(
			tf_text_is(model->main.nodes[0].name, metas[i].taken));
	}
}

#define SIG(name) "sig " name " -> y=a:0:float\n"

static const struct {
	const char *model;
	const char *names[4]; /* in order */
	const char *first;    /* the default */
} signatures[] = {
	{ SIG("z") SIG("serving_default") SIG("default"),
	  { "default", "serving_default", "z" },
	  "serving_default" },
	{ SIG("zz") SIG("default") SIG("a"),
	  { "a", "default", "zz" },
	  "default" },
	{ SIG("z") SIG("__init") SIG("_b"), { "__init", "_b", "z" }, "_b" },
	{ SIG("__init"), { "__init" }, NULL },
	{ "", { NULL }, NULL },
};

static void signatures_are_listed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		auto_saved_model struct saved_model *model = NULL;
		const char *first;
		struct str bytes;
		size_t count = 0;

		str_init(&bytes, PLAN_BYTES_MAX);
		saved_model_of_text(signatures[i].model, &bytes);
		assert_int_equal(parse(&bytes, &model, NULL), 0);
		for (; signatures[i].names[count]; count++)
			assert_string_equal(saved_model_signature(model, count),
					    signatures[i].names[count]);
		assert_int_equal(saved_model_signature_count(model), count);
		first = saved_model_default_signature(model);
		if (signatures[i].first)
			assert_string_equal(first, signatures[i].first);
		else
			assert_null(first);
	}
}

static const struct {
	const char *name;
	const char *model;
	const char *detail;
} faults[] = {
	{ "two nodes of one name", "a = Const()\na = Const()\n",
	  "two nodes have one name" },
	{ "a data input behind a control input", "a = Add(^b, c)\n",
	  "a node's inputs" },
	{ "two attributes of one name", "a = Const() T=float T=int32\n",
	  "an attribute is there twice" },
	{ "two functions of one name",
	  "def f() -> ()\nend\ndef f() -> ()\nend\n",
	  "two functions have one name" },
	{ "two arguments of one name", "def f(a:float,a:float) -> ()\nend\n",
	  "two arguments have one name" },
	{ "an argument named like a node",
	  "def f(a:float) -> ()\na = Const()\nend\n",
	  "two arguments have one name" },
	{ "an output that is not told", "def f(a:float) -> (b:float=)\nend\n",
	  "a function's output" },
	{ "two operations of one name", "op A\nop A\n",
	  "an operation is there twice" },
	{ "two signatures of one name", SIG("a") SIG("a"),
	  "a signature is there twice" },
	{ "two inputs of one key",
	  "sig a k=x:0:float k=y:0:float -> y=a:0:float\n",
	  "a signature's key is twice" },
	{ "a saver that is not there", "saver restore\n",
	  "the saver's restore operation" },
};

static void faults_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		auto_saved_model struct saved_model *model = NULL;
		auto_refusal struct refusal why = { 0 };
		struct str bytes;

		print_message("%s\n", faults[i].name);
		str_init(&bytes, PLAN_BYTES_MAX);
		saved_model_of_text(faults[i].model, &bytes);
		assert_int_equal(parse(&bytes, &model, &why), -EBADMSG);
		assert_string_equal(why.code, "saved-model");
		assert_string_equal(why.detail, faults[i].detail);
	}
}

/* A model with some of everything. */
static const char varied[] =
	"op Const -> output\nop Mul x y -> z\nop Split a -> o*n\n"
	"op VarHandleOp -> resource:resource\nop Restore a -> t[dtypes]\n"
	"w = VarHandleOp() dtype=float shape=<2,?>\n"
	"x = Placeholder() dtype=float shape=<*>\n"
	"c = PartitionedCall(w, x) f=@f Tin=[resource,float] Tout=[float]\n"
	"n = Const() value={w}\ns = Const() value={|}\n"
	"r = RestoreV2(x, n, s) dtypes=[float]\n"
	"set = AssignVariableOp(w, r)\nrestore = NoOp(^set)\n"
	"saver restore\ncollect w\n"
	"def f(h:resource,a:float) -> (p:float=m:z:0)\n"
	"v = ReadVariableOp(h)\nm = Mul(a, v:value:0) T=float\nend\n"
	"sig serving_default x=x:0:float<2> -> y=c:0:float\n";

/* Whatever is cut off or flipped: accepted or refused, never worse. */
static void damage_is_survived(void **state)
{
	auto_str struct str whole;

	(void)state;
	str_init(&whole, PLAN_BYTES_MAX);
	saved_model_of_text(varied, &whole);
	for (size_t i = 0; i < 9 * whole.len; i++) {
		auto_saved_model struct saved_model *model = NULL;
		size_t len = i % 9 == 8 ? i / 9 : whole.len;
		uint8_t *copy = mem_dup(whole.bytes, len);
		int r;

		if (i % 9 < 8)
			copy[i / 9] ^= (uint8_t)(1 << i % 9);
		r = saved_model_parse(copy, len, &model, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		if (i % 9 == 8)
			assert_int_equal(r, -EBADMSG);
	}
}

static void what_restores_is_followed(void **state)
{
	auto_saved_model struct saved_model *model = NULL;
	const struct tf_restored *restored;
	struct str bytes;

	(void)state;
	str_init(&bytes, PLAN_BYTES_MAX);
	saved_model_of_text(varied, &bytes);
	assert_int_equal(parse(&bytes, &model, NULL), 0);
	restored = map_get(&model->restored, "w");
	assert_non_null(restored);
	assert_true(tf_text_is(restored->key, "w"));
	assert_int_equal(restored->slice.len, 0);
	assert_true(model->has_saver);
}

/* As TensorFlow 2 restores: in functions, each with variables as arguments. */
static void what_restores_in_functions_is_followed(void **state)
{
	auto_saved_model struct saved_model *model = NULL;
	const struct tf_restored *a, *b;
	struct str bytes;

	(void)state;
	str_init(&bytes, PLAN_BYTES_MAX);
	saved_model_of_text(
		"op RestoreV2 a b c -> tensors[dtypes]\n"
		"op Identity a -> output\n"
		"a = VarHandleOp()\nb = VarHandleOp()\nfile = Placeholder()\n"
		"saver go\ngo = StatefulPartitionedCall(file, a, b) f=@f"
		" Tin=[string,resource,resource] Tout=[string]\n"
		"def f(file:string,a:resource,b:resource) -> (o:string=file)\n"
		"n = Const() value={ka|kb}\ns = Const() value={|}\n"
		"r = RestoreV2(file, n:output:0, s:output:0)"
		" dtypes=[float,float]\n"
		"i = Identity(r:tensors:1)\n"
		"set = AssignVariableOp(a, i:output:0)\n"
		"more = StatefulPartitionedCall(b, r:tensors:0) f=@g"
		" Tin=[resource,float] Tout=[]\nend\n"
		"def g(h:resource,v:float) -> ()\n"
		"set = AssignVariableOp(h, v)\nend\n",
		&bytes);
	assert_int_equal(parse(&bytes, &model, NULL), 0);
	a = map_get(&model->restored, "a");
	b = map_get(&model->restored, "b");
	assert_true(a && tf_text_is(a->key, "kb"));
	assert_true(b && tf_text_is(b->key, "ka"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_graph_is_chosen),
		cmocka_unit_test(signatures_are_listed),
		cmocka_unit_test(faults_are_refused),
		cmocka_unit_test(damage_is_survived),
		cmocka_unit_test(what_restores_is_followed),
		cmocka_unit_test(what_restores_in_functions_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
