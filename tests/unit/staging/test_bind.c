/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "staging/bind.h"
#include "tests/unit/staging/synthetic.h"

static struct weights *index_of(const char *const *names, enum dtype dtype)
{
	struct synthetic made;

	synthetic_start(&made, "");
	made.dtype = dtype;
	for (; *names; names++)
		synthetic_tensor(&made, *names, 4, 0);
	assert_int_equal(made.error, 0);
	assert_int_equal(weights_finish(made.weights), 0);
	return made.weights;
}

static const struct {
	const char *in_file;
	const char *asked;
	bool found;
} names[] = {
	{ "a.weight", "a.weight", true },
	{ "bert.a.weight", "a.weight", true },
	{ "bert.LayerNorm.gamma", "LayerNorm.weight", true },
	{ "LayerNorm.beta", "LayerNorm.bias", true },
	{ "bert.a.gamma", "a.weight", false },
	{ "roberta.a.weight", "a.weight", false },
	{ "bert.bert.a.weight", "a.weight", false },
	{ "LayerNorm.gamma", "LayerNorm.bias", false },
	{ "bert.a.weight.", "a.weight", false },
};

static void names_are_repaired(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *list[] = { names[i].in_file, NULL };
		auto_weights struct weights *weights = index_of(list,
								DTYPE_F32);
		const struct tensor *found = bind_find(weights, "bert",
						       names[i].asked);

		assert_int_equal(found != NULL, names[i].found);
	}
}

static const char *const known[] = { "cls.", NULL };

static const struct {
	const char *name;
	enum dtype dtype;
	bool refused;
} leftovers[] = {
	{ "cls.predictions.bias", DTYPE_F32, false },
	{ "bert.cls.predictions.bias", DTYPE_F16, false },
	{ "bert.embeddings.position_ids", DTYPE_F32, false },
	{ "whatever", DTYPE_I64, false },
	{ "whatever", DTYPE_F32, true },
	{ "bert.adapter.weight", DTYPE_BF16, true },
	{ "clsx.weight", DTYPE_F64, true },
};

static void what_is_left_over_is_known_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++) {
		const char *list[] = { leftovers[i].name, NULL };
		auto_weights struct weights *weights =
			index_of(list, leftovers[i].dtype);
		auto_refusal struct refusal why = { 0 };
		auto_graph struct graph *graph = NULL;
		auto_bind struct bind bind = { 0 };
		char **ignored = NULL;
		size_t count = 0;
		int r;

		assert_int_equal(graph_new(&why, &graph), 0);
		assert_int_equal(bind_init(&bind, weights, graph, "bert"), 0);
		r = bind_finish(&bind, known, &ignored, &count);
		assert_int_equal(r, leftovers[i].refused ? -EBADMSG : 0);
		if (r < 0) {
			assert_string_equal(why.detail, leftovers[i].name);
			continue;
		}
		assert_int_equal(count, 1);
		assert_string_equal(ignored[0], leftovers[i].name);
		free(ignored[0]);
		free(ignored);
	}
}

static void shapes_must_fit(void **state)
{
	const char *list[] = { "bert.v", NULL };
	auto_weights struct weights *weights = index_of(list, DTYPE_F32);

	(void)state;
	for (int i = 0; i < 4; i++) {
		auto_refusal struct refusal why = { 0 };
		auto_graph struct graph *graph = NULL;
		auto_bind struct bind bind = { 0 };

		assert_int_equal(graph_new(&why, &graph), 0);
		assert_int_equal(bind_init(&bind, weights, graph, "bert"), 0);
		if (i < 2)
			bind_vector(&bind, i == 0 ? 4 : 0, "%s", "v");
		else if (i == 2)
			bind_vector(&bind, 5, "v");
		else
			bind_matrix(&bind, 0, 0, "v");
		assert_int_equal(graph->error, i < 2 ? 0 : -EBADMSG);
		if (i >= 2)
			assert_string_equal(why.code, "shape-mismatch");
		assert_true(bind.used[0]);
	}
}

static void a_missing_tensor_is_named(void **state)
{
	const char *list[] = { NULL };
	auto_weights struct weights *weights = index_of(list, DTYPE_F32);
	auto_refusal struct refusal why = { 0 };
	auto_graph struct graph *graph = NULL;
	auto_bind struct bind bind = { 0 };

	(void)state;
	assert_int_equal(graph_new(&why, &graph), 0);
	assert_int_equal(bind_init(&bind, weights, graph, "bert"), 0);
	assert_false(bind_has(&bind, "layer.%d.weight", 3));
	bind_vector(&bind, 0, "layer.%d.weight", 3);
	assert_string_equal(why.code, "missing-tensor");
	assert_string_equal(why.detail, "layer.3.weight");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_repaired),
		cmocka_unit_test(what_is_left_over_is_known_or_refused),
		cmocka_unit_test(shapes_must_fit),
		cmocka_unit_test(a_missing_tensor_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
