/* SPDX-License-Identifier: MIT */
/* SavedModels written as text, and what they are frozen to. */
#include "staging/tensorflow/freeze.h"
#include "tests/unit/staging/graph_def_text.h"
#include "tests/unit/unit.h"

#define SHARD_BYTES 4096

/* What all models below have in a shard: byte i is i. */
static const struct {
	const char *key;
	int dtype;
	unsigned int rank;
	uint64_t dims[2];
	unsigned int shard;
	uint64_t off, len;
	size_t slice_first, slice_count;
} stored[] = {
	{ "w", DT_FLOAT, 1, { 2 }, 0, 8, 8, 0, 0 },
	{ "v", DT_FLOAT, 1, { 2 }, 0, 0, 8, 0, 0 },
	{ "far", DT_FLOAT, 1, { 1 }, 1, 16, 4, 0, 0 },
	{ "lost", DT_FLOAT, 1, { 1 }, 2, 0, 4, 0, 0 },
	{ "past", DT_FLOAT, 1, { 1 }, 0, SHARD_BYTES - 3, 4, 0, 0 },
	{ "table", DT_FLOAT, 2, { 2, 3 }, 0, 32, 24, 0, 0 },
	{ "empty", DT_FLOAT, 1, { 0 }, 0, 64, 0, 0, 0 },
	{ "number", DT_INT32, 0, { 0 }, 0, 64, 4, 0, 0 },
	{ "words", DT_STRING, 1, { 2 }, 1, 0, 9, 0, 0 },
	{ "parts", DT_FLOAT, 2, { 3, 2 }, 0, 0, 0, 0, 2 },
	{ "huge", DT_FLOAT, 1, { 1 << 29 }, 3, 0, 4ULL << 29, 0, 0 },
};

static const struct bundle_slice slices[] = {
	{ 2, { 0, 0 }, { 2, -1 }, 0, 128, 16 },
	{ 2, { 2, 0 }, { 1, 2 }, 0, 144, 8 },
};

/* In shard 1: lengths 1 and 2, a checksum, the strings. */
static const uint8_t words[] = { 1, 2, 9, 9, 9, 9, 'a', 'b', 'c' };

static struct bundle_tensor tensors[ARRAY_LEN(stored)];
static struct tensor_bundle bundle;
static const char *paths[] = { "shard-0", "shard-1", NULL, "shard-3" };
static const uint64_t sizes[] = { SHARD_BYTES, 64, 0, 4ULL << 29 };

static int bundle_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
		tensors[i] = (struct bundle_tensor){
			.key = stored[i].key,
			.dtype = stored[i].dtype,
			.rank = stored[i].rank,
			.dims = { stored[i].dims[0], stored[i].dims[1] },
			.shard = stored[i].shard,
			.off = stored[i].off,
			.len = stored[i].len,
			.sliced = stored[i].slice_count > 0,
			.slice_first = stored[i].slice_first,
			.slice_count = stored[i].slice_count,
		};
		if (map_add(&bundle.by_key, stored[i].key, &tensors[i]) < 0)
			return -1;
	}
	bundle.tensors = tensors;
	bundle.count = ARRAY_LEN(stored);
	bundle.slices = (struct bundle_slice *)slices;
	bundle.slice_count = ARRAY_LEN(slices);
	bundle.shard_count = ARRAY_LEN(paths);
	return 0;
}

static int bundle_drop(void **state)
{
	(void)state;
	map_release(&bundle.by_key);
	return 0;
}

static uint8_t shard_byte(unsigned int shard, uint64_t off)
{
	if (shard == 1 && off < sizeof(words))
		return words[off];
	return (uint8_t)off;
}

static int shard_read(void *arg, unsigned int shard, uint64_t off, size_t len,
		      void *to)
{
	(void)arg;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = shard_byte(shard, off + i);
	return 0;
}

static const struct freeze_shards shards = {
	.bundle = &bundle,
	.paths = paths,
	.sizes = sizes,
	.read = shard_read,
};

static void plan_bytes(const struct plan *plan, struct str *out)
{
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];
		const struct plan_source *source;

		if (segment->kind == SEGMENT_BYTES) {
			must(str_append(out, plan->bytes + segment->src,
					segment->len));
			continue;
		}
		assert_int_equal(segment->kind, SEGMENT_COPY);
		source = &plan->sources[segment->source];
		for (uint64_t n = 0; n < segment->len; n++) {
			uint8_t byte = shard_byte(source->path[6] == '1',
						  segment->src + n);

			must(str_append(out, &byte, 1));
		}
	}
	assert_int_equal(out->len, plan->size);
}

static int model_of(const char *text, struct saved_model **out,
		    struct refusal *why)
{
	struct str bytes;
	size_t len;

	str_init(&bytes, PLAN_BYTES_MAX);
	saved_model_of_text(text, &bytes);
	len = bytes.len;
	return saved_model_parse((uint8_t *)str_take(&bytes, NULL), len, out,
				 why);
}

/* The operations every model of these tests has. */
#define OPS                                                                  \
	"op Mul x y -> z\nop Identity input -> output\n"                     \
	"op ReadVariableOp resource:resource -> value\nop Const -> output\n" \
	"op Split d v -> output*num_split\nop NoOp\n"                        \
	"op RestoreV2 a:string b:string c:string -> tensors[dtypes]\n"       \
	"op PartitionedCall args[Tin] -> output[Tout]\n"                     \
	"op StatefulPartitionedCall args[Tin] -> output[Tout]\n"             \
	"op AssignVariableOp resource:resource value\n"                      \
	"op VarHandleOp -> resource:resource\n"                              \
	"op Make -> handle:resource\nop Take handle:resource -> out\n"       \
	"op IdentityN input[T] -> output[T]\n"                               \
	"op StopGradient input -> output\n"                                  \
	"op ResourceGather resource:resource indices -> output\n"            \
	"op While input[T] -> output[T]\n"

#define X "x = Placeholder() dtype=float shape=<2>\n"
#define SIG_Y "sig serving_default x=x:0:float<2> -> y=y:0:float<2>\n"

/* Its constants are named after the variables. */
#define W "w = VarHandleOp() dtype=float shape=<2>\n"
#define RESTORE_W                                                 \
	"names = Const() value={w}\nslices = Const() value={|}\n" \
	"file = Const() value={f}\nsaver restore\n"               \
	"r = RestoreV2(file, names, slices) dtypes=[float]\n"     \
	"set = AssignVariableOp(w, r) dtype=float\n"              \
	"restore = NoOp(^set)\n"

#define W_CONST "w = Const() dtype=float value=float<2>=08090a0b0c0d0e0f\n"
#define X_HEAD                                      \
	"x = Placeholder() dtype=float shape=<2>\n" \
	"x/identity = Identity(x) T=float\n"

static const struct {
	const char *name;
	const char *model;
	const char *frozen;
} cases[] = {
	{ "P1.1 what an argument leads to is looked at only if it is needed",
	  OPS X SIG_Y "table = HashTableV2()\n"
		      "c = PartitionedCall(table, x) f=@f Tin=[resource,float]"
		      " Tout=[float,float]\n"
		      "y = Mul(c:1, c:1) T=float\n"
		      "def f(t:resource,a:float) -> (p:float=l:z:0,q:float=a)\n"
		      "l = LookupTableFindV2(t, a)\nend\n",
	  X_HEAD "y_1 = Mul(x/identity, x/identity) T=float\n"
		 "y = Identity(y_1) T=float\n" },
	{ "P1.3 without Switch control edges are dropped",
	  OPS X SIG_Y "check = Assert(x)\n"
		      "i = Identity(x) T=float\ny = Mul(x, x, ^check, ^i) "
		      "T=float _class=\"a\"\n",
	  X_HEAD "y_1 = Mul(x/identity, x/identity) T=float\n"
		 "y = Identity(y_1) T=float\n" },
	{ "P1.3 with it those from where control flows are kept",
	  OPS X SIG_Y "p = Const() value=bool<>=01\n"
		      "s = Switch(x, p) T=float\n"
		      "on = Identity(s:1) T=float\n"
		      "check = Assert(x)\n"
		      "k = Const(^on, ^check) value=float<>=00000000\n"
		      "m = Mul(s:1, k) T=float\n"
		      "y = Merge(s, m) N=#2 T=float\n",
	  X_HEAD "p = Const() value=bool<>=01\n"
		 "s = Switch(x/identity, p) T=float\n"
		 "on = Identity(s:1) T=float\n"
		 "k = Const(^on) value=float<>=00000000\n"
		 "m = Mul(s:1, k) T=float\n"
		 "y_1 = Merge(s, m) N=#2 T=float\n"
		 "y = Identity(y_1) T=float\n" },
	{ "P1.4 a While's functions take values for variables",
	  OPS X W RESTORE_W SIG_Y
	  "y = While(x, w) cond=@c body=@b T=[float,resource]"
	  " output_shapes=[<2>, <>]\n"
	  "def c(a:float,h:resource) -> (r:bool=l:z:0)\n"
	  "l = Less(a, a) T=float\nend\n"
	  "def b(a:float,h:resource) -> (p:float=m:z:0,q:resource=h)\n"
	  "v = ReadVariableOp(h) dtype=float\n"
	  "m = Mul(a, v:value:0, ^v) T=float\nstateful\nend\n",
	  W_CONST X_HEAD
	  "y_1 = While(x/identity, w) T=[float,float] body=@b cond=@c"
	  " output_shapes=[<2>,<*>]\n"
	  "y = Identity(y_1) T=float\n"
	  "def b(a:float, h:float) -> (p:float, q:float)\n"
	  "m = Mul(a, h) T=float\nreturn p=m:z:0\nreturn q=h\n"
	  "def c(a:float, h:float) -> (r:bool)\n"
	  "l = Less(a, a) T=float\nreturn r=l:z:0\n" },
	{ "P1.4 gathers and calls within them; one copy for each use",
	  OPS X W RESTORE_W SIG_Y
	  "p = Const() value=bool<>=01\n"
	  "i = If(p, w, x) then_branch=@f else_branch=@g Tin=[resource,float]"
	  " Tout=[float]\n"
	  "y = If(p, i, x) then_branch=@g2 else_branch=@g2 Tin=[float,float]"
	  " Tout=[float]\n"
	  "def f(h:resource,a:float) -> (p:float=c:output:0)\n"
	  "c = PartitionedCall(h, a) f=@g Tin=[resource,float]"
	  " Tout=[float]\nend\n"
	  "def g(h:resource,a:float) -> (p:float=r:output:0)\n"
	  "n = Const() value=int32<>=00000000\n"
	  "r = ResourceGather(h, n:output:0) dtype=float Tindices=int32"
	  " batch_dims=#0 validate_indices=#1\nend\n"
	  "def g2(h:float,a:float) -> (p:float=a)\nend\n",
	  W_CONST X_HEAD
	  "p = Const() value=bool<>=01\n"
	  "i = If(p, w, x/identity) Tin=[float,float] Tout=[float]"
	  " else_branch=@g then_branch=@f\n"
	  "y_1 = If(p, i, x/identity) Tin=[float,float] Tout=[float]"
	  " else_branch=@g2 then_branch=@g2\n"
	  "y = Identity(y_1) T=float\n"
	  "def g(h:float, a:float) -> (p:float)\n"
	  "n = Const() value=int32<>=00000000\n"
	  "r/axis = Const() dtype=int32 value=int32<>=00000000\n"
	  "r = GatherV2(h, n:output:0, r/axis:output:0) Taxis=int32"
	  " Tindices=int32 Tparams=float\n"
	  "return p=r:output:0\n"
	  "def f(h:float, a:float) -> (p:float)\n"
	  "c/n = Const() value=int32<>=00000000\n"
	  "c/r/axis = Const() dtype=int32 value=int32<>=00000000\n"
	  "c/r = GatherV2(h, c/n:output:0, c/r/axis:output:0) Taxis=int32"
	  " Tindices=int32 Tparams=float\n"
	  "return p=c/r:output:0\n"
	  "def g2(h:float, a:float) -> (p:float)\nreturn p=a\n" },
	{ "P1.5 an assigned variable that is not read is no matter",
	  OPS X W RESTORE_W SIG_Y
	  "n = VarHandleOp() dtype=float shape=<2>\n"
	  "c = StatefulPartitionedCall(n, w, x) f=@f"
	  " Tin=[resource,resource,float] Tout=[float]\n"
	  "y = Identity(c) T=float\n"
	  "def f(n:resource,h:resource,a:float) -> (p:float=m:z:0)\n"
	  "s = AssignAddVariableOp(n, a) dtype=float\n"
	  "v = ReadVariableOp(h, ^s) dtype=float\n"
	  "m = Mul(a, v:value:0) T=float\nend\n",
	  W_CONST X_HEAD "c/m = Mul(x/identity, w) T=float\n"
			 "y = Identity(c/m) T=float\n" },
	{ "P1.6 a variable of strings is listed, not spliced",
	  OPS X "sig serving_default x=x:0:float -> y=words:0:string\n"
		"words = VariableV2() dtype=string shape=<2>\n"
		"collect words\n",
	  "words = Const() dtype=string value=string<2>|a|bc\n"
	  "x = Placeholder() dtype=float shape=<*>\n"
	  "y = Identity(words) T=string\n" },
	{ "P1.7 parts of a partitioned variable are one range each",
	  OPS X "sig serving_default x=x:0:float -> y=y:0:float\n"
		"a = VariableV2() dtype=float shape=<2,2>\n"
		"b = VariableV2() dtype=float shape=<1,2>\n"
		"names = Const() value={parts|parts}\n"
		"slices = Const() value={3 2 0,2:0,2|3 2 2,1:-}\n"
		"file = Const() value={f}\nsaver restore\n"
		"r = RestoreV2(file, names, slices) dtypes=[float,float]\n"
		"s = Assign(a, r) T=float\nt = Assign(b, r:1) T=float\n"
		"restore = NoOp(^s, ^t)\n"
		"y = ConcatV2(a, b) T=float\n",
	  "a = Const() dtype=float "
	  "value=float<2,2>=808182838485868788898a8b8c8d8e8f\n"
	  "b = Const() dtype=float value=float<1,2>=9091929394959697\n"
	  "x = Placeholder() dtype=float shape=<*>\n"
	  "y_1 = ConcatV2(a, b) T=float\ny = Identity(y_1) T=float\n" },
	{ "P1.8 a default stands for its placeholder",
	  OPS X SIG_Y "k = Const() value=float<>=00000000\n"
		      "d = PlaceholderWithDefault(k) dtype=float\n"
		      "y = Mul(x, d) T=float\n",
	  X_HEAD "k = Const() value=float<>=00000000\n"
		 "y_1 = Mul(x/identity, k) T=float\n"
		 "y = Identity(y_1) T=float\n" },
	{ "P1.8 unless the signature names it",
	  OPS X "sig serving_default d=d:0:float<2> x=x:0:float<2>"
		" -> y=y:0:float\n"
		"k = Const() value=float<>=00000000\n"
		"d = PlaceholderWithDefault(k) dtype=float\n"
		"y = Mul(x, d) T=float\n",
	  "d = Placeholder() dtype=float shape=<2>\n"
	  "d/identity = Identity(d) T=float\n" X_HEAD
	  "y_1 = Mul(x/identity, d/identity) T=float\n"
	  "y = Identity(y_1) T=float\n" },
	{ "P1.9 names of the signature go first, and may be equal",
	  OPS "sig serving_default a=p:0:float b=q:0:float -> a=m:0:float"
	      " o ut=m:0:float _k=m:0:float\n"
	      "p = Placeholder() dtype=float\nq = Placeholder() dtype=float\n"
	      "a = Mul(p, p) T=float\no_ut = Mul(a, p) T=float\n"
	      "m = Mul(o_ut, o_ut) T=float\n",
	  "a = Placeholder() dtype=float shape=<*>\n"
	  "a/identity = Identity(a) T=float\n"
	  "b = Placeholder() dtype=float shape=<*>\n"
	  "a_1 = Mul(a/identity, a/identity) T=float\n"
	  "o_ut_1 = Mul(a_1, a/identity) T=float\n"
	  "m = Mul(o_ut_1, o_ut_1) T=float\n"
	  "x__k = Identity(m) T=float\n"
	  "a_output = Identity(m) T=float\n"
	  "o_ut = Identity(m) T=float\n" },
	{ "P1.9 a key that is a name goes before one made to be",
	  OPS "sig serving_default :a=p:0:float _a=q:0:float"
	      " x__a=r:0:float -> o:1=p:0:float o_1=p:0:float\n"
	      "p = Placeholder() dtype=float\n",
	  "x__a_1 = Placeholder() dtype=float shape=<*>\n"
	  "x__a_1/identity = Identity(x__a_1) T=float\n"
	  "x__a_2 = Placeholder() dtype=float shape=<*>\n"
	  "x__a = Placeholder() dtype=float shape=<*>\n"
	  "o_1_output = Identity(x__a_1/identity) T=float\n"
	  "o_1 = Identity(x__a_1/identity) T=float\n" },
	{ "the cut: an input that is not a placeholder",
	  OPS "sig serving_default x=parsed:1:float<2> -> y=y:0:float\n"
	      "s = Placeholder() dtype=string\n"
	      "parsed = ParseExample(s)\n"
	      "y = Mul(parsed:1, parsed:1) T=float\n",
	  X_HEAD "y_1 = Mul(x/identity, x/identity) T=float\n"
		 "y = Identity(y_1) T=float\n" },
	{ "an output that is an input",
	  OPS X "sig serving_default x=x:0:float<2> -> y=x:0:float\n",
	  X_HEAD "y = Identity(x/identity) T=float\n" },
	{ "constants in order of shard and offset, whatever is first",
	  OPS X "sig serving_default x=x:0:float -> y=y:0:float\n"
		"w = VariableV2() dtype=float shape=<2>\n"
		"v = VariableV2() dtype=float shape=<2>\n"
		"far = VariableV2() dtype=float shape=<1>\n"
		"empty = VariableV2() dtype=float\n"
		"collect w\ncollect v\ncollect far\ncollect empty\n"
		"y = AddN(far, w, v, empty, w) T=float\n",
	  "v = Const() dtype=float value=float<2>=0001020304050607\n" W_CONST
	  "empty = Const() dtype=float value=float<0>\n"
	  "far = Const() dtype=float value=float<1>=10111213\n"
	  "x = Placeholder() dtype=float shape=<*>\n"
	  "y_1 = AddN(far, w, v, empty, w) T=float\n"
	  "y = Identity(y_1) T=float\n" },
	{ "outputs by name in functions, by number outside",
	  OPS X SIG_Y
	  "c = PartitionedCall(x) f=@f Tin=[float] Tout=[float,float]\n"
	  "y = Mul(c, c:1) T=float\n"
	  "def f(a:float) -> (p:float=s:output:2,q:float=n:output:1)\n"
	  "s = Split(a, a) num_split=#3 T=float\n"
	  "n = IdentityN(a, s:output:1) T=[float,float]\nend\n",
	  X_HEAD "c/s = Split(x/identity, x/identity) T=float num_split=#3\n"
		 "y_1 = Mul(c/s:2, c/s:1) T=float\n"
		 "y = Identity(y_1) T=float\n" },
	{ "a function as an operation, with attributes",
	  OPS X SIG_Y "y = f(x) T=float\n"
		      "def f(a:float) -> (p:float=m:z:0)\n"
		      "m = Mul(a, a) T=$T\nend\n",
	  X_HEAD "y/m = Mul(x/identity, x/identity) T=float\n"
		 "y = Identity(y/m) T=float\n" },
	{ "handles through Switch; a gather's axis runs where its index does",
	  OPS X W RESTORE_W SIG_Y
	  "p = Const() value=bool<>=01\n"
	  "h = Switch(w, p) T=resource\n"
	  "on = Identity(p) T=bool\n"
	  "i = Const(^on) value=int32<>=00000000\n"
	  "g = ResourceGather(h:1, i) dtype=float Tindices=int32\n"
	  "v = ReadVariableOp(h) dtype=float\n"
	  "y = Merge(g, v) T=float N=#2\n",
	  W_CONST "x = Placeholder() dtype=float shape=<2>\n"
		  "p = Const() value=bool<>=01\n"
		  "h = Switch(w, p) T=float\n"
		  "on = Identity(p) T=bool\n"
		  "i = Const(^on) value=int32<>=00000000\n"
		  "g/axis = Const(^i) dtype=int32 value=int32<>=00000000\n"
		  "g = GatherV2(h:1, i, g/axis) Taxis=int32 Tindices=int32"
		  " Tparams=float\n"
		  "v = Identity(h) T=float\n"
		  "y_1 = Merge(g, v) N=#2 T=float\n"
		  "y = Identity(y_1) T=float\n" },
	{ "a loop of TensorFlow 1 leads back to its Merge",
	  OPS X SIG_Y "e = Enter(x) T=float\n"
		      "m = Merge(e, n) T=float\n"
		      "c = LoopCond(l)\nl = Less(m, m) T=float\n"
		      "s = Switch(m, c) T=float\n"
		      "a = Mul(s:1, s:1) T=float\n"
		      "n = NextIteration(a) T=float\n"
		      "y = Exit(s) T=float\n",
	  X_HEAD "e = Enter(x/identity) T=float\n"
		 "a = Mul(s:1, s:1) T=float\n"
		 "n = NextIteration(a) T=float\n"
		 "m = Merge(e, n) T=float\n"
		 "l = Less(m, m) T=float\nc = LoopCond(l)\n"
		 "s = Switch(m, c) T=float\n"
		 "y_1 = Exit(s) T=float\ny = Identity(y_1) T=float\n" },
};

static int freeze_text(const char *model_text, struct str *out,
		       struct refusal *why)
{
	auto_saved_model struct saved_model *model = NULL;
	auto_frozen struct frozen *frozen = NULL;
	auto_str struct str bytes;
	int r = model_of(model_text, &model, why);

	str_init(&bytes, PLAN_BYTES_MAX);
	if (r == 0)
		r = saved_model_freeze(model, &shards, NULL, &frozen, why);
	if (r < 0)
		return r;
	plan_bytes(frozen->plan, &bytes);
	graph_def_say(out, bytes.bytes, bytes.len);
	return 0;
}

static void models_are_frozen(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_refusal struct refusal why = { 0 };
		auto_str struct str got;

		print_message("%s\n", cases[i].name);
		str_init(&got, PLAN_BYTES_MAX);
		if (freeze_text(cases[i].model, &got, &why) < 0)
			fail_msg("refused: %s [%s]", why.reason, why.detail);
		assert_string_equal(str_text(&got), cases[i].frozen);
	}
}
#define CALL_F(inputs, types)                                          \
	"y = StatefulPartitionedCall(" inputs ") f=@f Tin=[" types "]" \
	" Tout=[float]\n"

static const struct {
	const char *name;
	const char *model;
	int error;
	const char *code;
	const char *detail; /* part of it */
} refusals[] = {
	{ "P1.1 a table that is needed",
	  OPS X SIG_Y "t = HashTableV2()\ny = LookupTableFindV2(t, x)\n",
	  -EBADMSG, "lookup-table", "y (LookupTableFindV2)" },
	{ "all of them are named",
	  OPS X SIG_Y "a = LookupTableFindV2(x)\nb = LookupTableSizeV2(x)\n"
		      "y = Mul(a, b) T=float\n",
	  -EBADMSG, "lookup-table",
	  "a (LookupTableFindV2), b (LookupTableSizeV2)" },
	{ "in a function that control flow keeps",
	  OPS X SIG_Y "p = Const() value=bool<>=01\n"
		      "y = If(p, x) then_branch=@f else_branch=@f Tin=[float]"
		      " Tout=[float]\n"
		      "def f(a:float) -> (p:float=l:z:0)\n"
		      "l = LookupTableFindV2(a)\nend\n",
	  -EBADMSG, "lookup-table", "l (LookupTableFindV2)" },
	{ "an iterator", OPS X SIG_Y "y = IteratorGetNext(x)\n", -EBADMSG,
	  "iterator", "y (IteratorGetNext)" },
	{ "what lives in a session",
	  OPS X SIG_Y "m = Make()\ny = Take(m) T=float\n", -EBADMSG,
	  "session-state", "m (Make)" },
	{ "a file that is read", OPS X SIG_Y "y = ReadFile(x)\n", -EBADMSG,
	  "reads-files", "y (ReadFile)" },
	{ "an operation of somebody's own", OPS X SIG_Y "y = Mine>Thing(x)\n",
	  -EBADMSG, "custom-operation", "y (Mine>Thing)" },
	{ "P1.5 a variable that is assigned in a function and read",
	  OPS X W RESTORE_W SIG_Y CALL_F(
		  "w, x", "resource,float") "def f(h:resource,a:float) -> "
					    "(p:float=v:value:0)\n"
					    "s = AssignAddVariableOp(h, a) "
					    "dtype=float\n"
					    "v = ReadVariableOp(h, ^s) "
					    "dtype=float\nend\n",
	  -EBADMSG, "assigned-variable", "y/s (w)" },
	{ "P1.5 in a function whose outputs nobody reads",
	  OPS X W RESTORE_W SIG_Y CALL_F(
		  "w, x",
		  "resource,float") "def f(h:resource,a:float) -> "
				    "(p:float=v:value:0)\n"
				    "g = StatefulPartitionedCall(h) f=@g "
				    "Tin=[resource] Tout=[]\n"
				    "v = ReadVariableOp(h) dtype=float\nend\n"
				    "def g(h:resource) -> ()\n"
				    "s = AssignAddVariableOp(h, h) "
				    "dtype=float\nend\n",
	  -EBADMSG, "assigned-variable", "y/g/s (w)" },
	{ "P1.5 in the body of a loop",
	  OPS X W RESTORE_W SIG_Y
	  "y = While(x, w) cond=@c body=@b T=[float,resource]\n"
	  "def c(a:float,h:resource) -> (r:bool=l:z:0)\n"
	  "l = Less(a, a) T=float\nend\n"
	  "def b(a:float,h:resource) -> (p:float=a,q:resource=h)\n"
	  "s = AssignVariableOp(h, a) dtype=float\nend\n",
	  -EBADMSG, "assigned-variable", "y/s (w)" },
	{ "P1.5 by control in the main graph",
	  OPS X "w = VariableV2() dtype=float\n" SIG_Y
		"names = Const() value={w}\nslices = Const() value={|}\n"
		"saver restore\nr = RestoreV2(x, names, slices)\n"
		"set = Assign(w, r)\nrestore = NoOp(^set)\n"
		"up = AssignAdd(w, x) T=float\ny = Mul(w, x, ^up) T=float\n",
	  -EBADMSG, "assigned-variable", "up (w)" },
	{ "P1.5 by what nobody knows but by name",
	  OPS X W RESTORE_W SIG_Y CALL_F(
		  "w, x",
		  "resource,float") "def f(h:resource,a:float) -> "
				    "(p:float=v:value:0)\n"
				    "s = Train(a, h)\nv = ReadVariableOp(h) "
				    "dtype=float\nend\n",
	  -EBADMSG, "assigned-variable", "y/s (w)" },
	{ "P1.8 a placeholder outside the signature",
	  OPS X SIG_Y "k = Placeholder() dtype=bool\n"
		      "y = Mul(x, k) T=float\n",
	  -EBADMSG, "placeholder-outside-signature", "k (Placeholder)" },
	{ "P1.12 a shard is missing",
	  OPS X SIG_Y "lost = VariableV2() dtype=float\ncollect lost\n"
		      "y = Mul(x, lost) T=float\n",
	  -EBADMSG, "missing-shard", "lost" },
	{ "P1.12 a shard is too short",
	  OPS X SIG_Y "past = VariableV2() dtype=float\ncollect past\n"
		      "y = Mul(x, past) T=float\n",
	  -EBADMSG, "checkpoint-mismatch", "past" },
	{ "a variable of another type",
	  OPS X SIG_Y "number = VariableV2() dtype=float\ncollect number\n"
		      "y = Mul(x, number) T=float\n",
	  -EBADMSG, "checkpoint-mismatch", "number" },
	{ "a variable of another shape",
	  OPS X SIG_Y "w = VariableV2() dtype=float shape=<3>\ncollect w\n"
		      "y = Mul(x, w) T=float\n",
	  -EBADMSG, "checkpoint-mismatch", "w" },
	{ "a variable that is nowhere",
	  OPS X SIG_Y "none = VariableV2() dtype=float\ncollect none\n"
		      "y = Mul(x, none) T=float\n",
	  -EBADMSG, "checkpoint-mismatch", "none" },
	{ "a variable that the saver does not restore",
	  OPS X W RESTORE_W SIG_Y "v = VarHandleOp() dtype=float\n"
				  "u = ReadVariableOp(v) dtype=float\n"
				  "y = Mul(x, u) T=float\n",
	  -EBADMSG, "variable-not-restored", "v" },
	{ "P1.7 a part that is not stored",
	  OPS X SIG_Y "a = VariableV2() dtype=float\n"
		      "names = Const() value={parts}\n"
		      "slices = Const() value={3 2 1,2:0,2}\n"
		      "saver restore\nr = RestoreV2(x, names, slices)\n"
		      "restore = Assign(a, r)\ny = Mul(x, a) T=float\n",
	  -EBADMSG, "checkpoint-mismatch", "a" },
	{ "P1.7 the whole of what is stored in parts",
	  OPS X SIG_Y "parts = VariableV2() dtype=float\ncollect parts\n"
		      "y = Mul(x, parts) T=float\n",
	  -EBADMSG, "checkpoint-mismatch", "parts" },
	{ "a handle where no value can be",
	  OPS X W RESTORE_W SIG_Y "y = Take(w) T=float\n", -EBADMSG,
	  "variable-handle", "y (Take)" },
	{ "a read of what is no variable",
	  OPS X SIG_Y "m = Mul(x, x) T=float\n"
		      "y = ReadVariableOp(m) dtype=float\n",
	  -EBADMSG, "variable-handle", "" },
	{ "an output that is a variable",
	  OPS X W RESTORE_W "sig serving_default x=x:0:float -> y=w:0:float\n",
	  -EBADMSG, "unsupported-dtype", "" },
	{ "an input that is a resource",
	  OPS X "sig serving_default h=x:0:resource -> y=x:0:float\n", -EBADMSG,
	  "unsupported-dtype", "h" },
	{ "two inputs of one tensor",
	  OPS X "sig serving_default a=x:0:float b=x:float -> y=x:0:float\n",
	  -EBADMSG, "shared-input", "" },
	{ "an input from nowhere", OPS X SIG_Y "y = Mul(x, gone) T=float\n",
	  -EBADMSG, "saved-model", "gone" },
	{ "an output that its operation does not have",
	  OPS X SIG_Y CALL_F("x",
			     "float") "def f(a:float) -> (p:float=m:y:0)\nm = "
				      "Mul(a, a) T=float\nend\n",
	  -EBADMSG, "saved-model", "y/m:y:0" },
	{ "an output whose operation is not listed",
	  OPS X SIG_Y CALL_F("x",
			     "float") "def f(a:float) -> (p:float=m:z:0)\nm = "
				      "Unknown(a)\nend\n",
	  -EBADMSG, "saved-model", "y/m:z:0" },
	{ "a circle without Merge",
	  OPS X SIG_Y "a = Mul(x, b) T=float\nb = Mul(a, a) T=float\n"
		      "y = Mul(a, b) T=float\n",
	  -EBADMSG, "graph-cycle", "a" },
	{ "a circle of identities alone",
	  OPS X SIG_Y "a = Identity(b) T=float\nb = Identity(c) T=float\n"
		      "c = StopGradient(a) T=float\ny = Mul(a, x) T=float\n",
	  -EBADMSG, "graph-cycle", "" },
	{ "a call that is its own input",
	  OPS X SIG_Y CALL_F("y",
			     "float") "def f(a:float) -> (p:float=a)\nend\n",
	  -EBADMSG, "graph-cycle", "" },
	{ "a function that calls itself",
	  OPS X SIG_Y CALL_F("x",
			     "float") "def f(a:float) -> (p:float=c:output:0)\n"
				      "c = PartitionedCall(a) f=@f Tin=[float] "
				      "Tout=[float]\nend\n",
	  -EBADMSG, "function-recursion", "y/c/c/" },
	{ "a function that calls itself in a branch",
	  OPS X SIG_Y "p = Const() value=bool<>=01\n"
		      "y = If(p, x) then_branch=@f else_branch=@f Tin=[float]"
		      " Tout=[float]\n"
		      "def f(a:float) -> (p:float=i:output:0)\n"
		      "i = If(a, a) then_branch=@f else_branch=@f Tin=[float]"
		      " Tout=[float]\nend\n",
	  -EBADMSG, "function-recursion", "f" },
	{ "a function that is not there", OPS X SIG_Y CALL_F("x", "float"),
	  -EBADMSG, "saved-model", "y" },
	{ "a loop that swaps what it works on",
	  OPS X W RESTORE_W SIG_Y
	  "y = While(x, w) cond=@b body=@b T=[float,resource]\n"
	  "def b(a:float,h:resource) -> (p:float=a,q:resource=o:h:0)\n"
	  "o = Other(a)\nend\n",
	  -EBADMSG, "variable-handle", "b" },
	{ "more than a GraphDef can hold",
	  OPS X SIG_Y "huge = VariableV2() dtype=float\ncollect huge\n"
		      "y = Mul(x, huge) T=float\n",
	  -EFBIG, "too-large", "" },
	{ "no signature", OPS X, -EBADMSG, "no-signature", "" },
	{ "only signatures of TensorFlow's own",
	  OPS X "sig __saved_model_init_op -> y=x:0:float\n", -EBADMSG,
	  "no-signature", "" },
	{ "a composite tensor",
	  OPS X "sig serving_default x=:float -> y=x:0:float\n", -EBADMSG,
	  "composite-tensor", "x" },
};

static int refusal_of(size_t i, struct refusal *why)
{
	auto_str struct str got;

	str_init(&got, PLAN_BYTES_MAX);
	return freeze_text(refusals[i].model, &got, why);
}

static void models_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		auto_refusal struct refusal why = { 0 };

		print_message("%s\n", refusals[i].name);
		assert_int_equal(refusal_of(i, &why), refusals[i].error);
		assert_string_equal(why.code, refusals[i].code);
		assert_non_null(why.reason);
		if (!strstr(why.detail ? why.detail : "", refusals[i].detail))
			fail_msg("\"%s\" is not in \"%s\"", refusals[i].detail,
				 why.detail);
	}
}

/* Each node needs the one before: a recursive walk would need a deep stack. */
static void deep_graphs_are_walked(void **state)
{
	const char *const ops[] = { "Mul", "Identity" };

	(void)state;
	for (size_t kind = 0; kind < ARRAY_LEN(ops); kind++) {
		auto_saved_model struct saved_model *model = NULL;
		auto_frozen struct frozen *frozen = NULL;
		auto_str struct str text;

		str_init(&text, PLAN_BYTES_MAX);
		must(str_append_text(&text, OPS X SIG_Y "n0 = Mul(x, x)\n"));
		for (int i = 1; i < 100000; i++)
			must(str_printf(&text, "n%d = %s(n%d)\n", i, ops[kind],
					i - 1));
		must(str_append_text(&text, "y = Mul(n99999, x)\n"));
		assert_int_equal(model_of(str_text(&text), &model, NULL), 0);
		assert_int_equal(saved_model_freeze(model, &shards, NULL,
						    &frozen, NULL),
				 0);
		assert_int_equal(frozen->node_count, kind == 0 ? 100004 : 5);
	}
}

/* Calls that double at each level: 2^40 nodes, were they not counted. */
static void bombs_are_refused(void **state)
{
	auto_refusal struct refusal why = { 0 };
	auto_str struct str text, got;

	(void)state;
	str_init(&text, PLAN_BYTES_MAX);
	str_init(&got, PLAN_BYTES_MAX);
	must(str_append_text(&text, OPS X SIG_Y CALL_F("x", "float")));
	for (int i = 0; i < 40; i++)
		must(str_printf(&text,
				"def f%.0d(a:float) -> (p:float=m:z:0)\n"
				"b = f%d(a)\nc = f%d(a)\n"
				"m = Mul(b:p:0, c:p:0)\nend\n",
				i, i + 1, i + 1));
	must(str_append_text(&text, "def f40(a:float) -> (p:float=m:z:0)\n"
				    "m = Mul(a, a)\nend\n"));
	assert_int_equal(freeze_text(str_text(&text), &got, &why), -EFBIG);
	assert_string_equal(why.code, "too-large");
}

static int freeze_with_faults(void)
{
	auto_str struct str bytes;
	auto_saved_model struct saved_model *model = NULL;
	auto_frozen struct frozen *frozen = NULL;
	static char *text; /* made once: only the code's own may fail */
	static size_t len;
	uint8_t *copy;
	int r;

	str_init(&bytes, PLAN_BYTES_MAX);
	if (!text) {
		mem_fail_nth(0);
		saved_model_of_text(cases[4].model, &bytes);
		text = malloc(bytes.len);
		len = bytes.len;
		memcpy(text, bytes.bytes, len);
		mem_fail_nth(1);
	}
	copy = malloc(len);
	memcpy(copy, text, len);
	r = saved_model_parse(copy, len, &model, NULL);
	return r < 0 ? r
		     : saved_model_freeze(model, &shards, NULL, &frozen, NULL);
}

static void lack_of_memory_is_told(void **state)
{
	(void)state;
	run_with_faults(freeze_with_faults);
}

/* Constants of saved_model.pb are ranges of it where its path is known. */
static void large_constants_are_spliced(void **state)
{
	struct freeze_shards with_path = shards;
	auto_saved_model struct saved_model *model = NULL;
	auto_frozen struct frozen *frozen = NULL, *whole = NULL;
	auto_str struct str text;

	(void)state;
	str_init(&text, PLAN_BYTES_MAX);
	must(str_append_text(&text,
			     OPS X SIG_Y "y = Mul(x, k)\n"
					 "k = Const() value=float<1500>="));
	for (int i = 0; i < 1500; i++)
		must(str_printf(&text, "%08x", i));
	must(str_append_text(&text, "\n"));
	assert_int_equal(model_of(str_text(&text), &model, NULL), 0);
	assert_int_equal(saved_model_freeze(model, &shards, NULL, &whole, NULL),
			 0);
	assert_int_equal(whole->plan->source_count, 0);
	with_path.model_path = "saved_model.pb";
	assert_int_equal(
		saved_model_freeze(model, &with_path, NULL, &frozen, NULL), 0);
	assert_int_equal(frozen->plan->source_count, 1);
	assert_string_equal(frozen->plan->sources[0].path, "saved_model.pb");
	assert_int_equal(frozen->plan->size, whole->plan->size);
	assert_true(frozen->plan->byte_count < 1000);
}

static void ports_are_described(void **state)
{
	auto_saved_model struct saved_model *model = NULL;
	auto_frozen struct frozen *frozen = NULL;

	(void)state;
	assert_int_equal(model_of(OPS X "sig serving_default k:1=x:0:float<?,3>"
					" -> k:1=x:0:float z=x:0:float<>\n",
				  &model, NULL),
			 0);
	assert_int_equal(
		saved_model_freeze(model, &shards, NULL, &frozen, NULL), 0);
	assert_int_equal(frozen->input_count, 1);
	assert_string_equal(frozen->inputs[0].key, "k:1");
	assert_string_equal(frozen->inputs[0].name, "k_1");
	assert_int_equal(frozen->inputs[0].dtype, DT_FLOAT);
	assert_true(frozen->inputs[0].rank_known);
	assert_int_equal(frozen->inputs[0].rank, 2);
	assert_int_equal(frozen->inputs[0].dims[0], -1);
	assert_int_equal(frozen->inputs[0].dims[1], 3);
	assert_int_equal(frozen->output_count, 2);
	assert_string_equal(frozen->outputs[0].name, "k_1_output");
	assert_false(frozen->outputs[0].rank_known);
	assert_true(frozen->outputs[1].rank_known);
	assert_int_equal(frozen->outputs[1].rank, 0);
	assert_int_equal(frozen->node_count, 4);
	assert_false(frozen->has_control_flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_frozen),
		cmocka_unit_test(models_are_refused),
		cmocka_unit_test(deep_graphs_are_walked),
		cmocka_unit_test(bombs_are_refused),
		cmocka_unit_test(lack_of_memory_is_told),
		cmocka_unit_test(large_constants_are_spliced),
		cmocka_unit_test(ports_are_described),
	};

	return cmocka_run_group_tests(tests, bundle_make, bundle_drop);
}
