/* SPDX-License-Identifier: MIT */
#include "staging/keras/keras_configs.h"

#include <string.h>

#include "base/blob.h"
#include "base/clock.h"
#include "staging/keras/h5_check.h"
#include "staging/weights/weights_open.h"
#include "tests/unit/staging/repo_fake.h"

#define FOLDER FAKE_DATA "keras"

static void a_graph_is_read(void **state)
{
	auto_keras_config struct keras_config config = { 0 }, plain = { 0 };

	(void)state;
	assert_int_equal(keras_config_read(FOLDER, "Tiny/top", &config, NULL),
			 0);
	assert_int_equal(config.len, strlen(config.text));
	assert_memory_equal(config.text, "{\"class_name\"", 13);
	assert_int_equal(config.layers, 3);
	assert_int_equal(config.weights, 5);
	assert_int_equal(config.slash, '_');
	assert_string_equal(config.skeleton, "tiny");
	assert_int_equal(keras_config_read(FOLDER, "Tiny/plain", &plain, NULL),
			 0);
	assert_int_equal(plain.slash, '\0');
	assert_null(plain.skeleton);
}

static const struct {
	const char *model;
	const char *code;
	const char *detail;
} refused[] = {
	{ "Tiny/closed", "keras-refused", "Tiny/closed" },
	{ "Tiny/notop", "keras-unknown", "Tiny/notop" },
	{ "", "keras-unknown", "" },
	{ "Bad/other-text", "keras-configs", "tiny.json.gz" },
	{ "Bad/no-file", "keras-configs", "none.json.gz" },
	{ "Bad/cut", "keras-configs", "broken.json.gz" },
	{ "Bad/not-gzip", "keras-configs", "manifest.json" },
	{ "Bad/outside", "keras-configs", "../keras/tiny.json.gz" },
	{ "Bad/no-name", "keras-configs", NULL },
	{ "Bad/no-count", "keras-configs", "layers, weights, shapes_sha256" },
	{ "Bad/short-digest", "keras-configs",
	  "layers, weights, shapes_sha256" },
	{ "Bad/slash", "keras-configs", "slashes" },
	{ "Bad/long-slash", "keras-configs", "slashes" },
};

static void what_is_not_there_is_refused(void **state)
{
	struct keras_config config = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_refusal struct refusal why = { 0 };

		print_message("%s\n", refused[i].model);
		assert_int_equal(keras_config_read(FOLDER, refused[i].model,
						   &config, &why),
				 -EBADMSG);
		assert_string_equal(why.code, refused[i].code);
		if (refused[i].detail)
			assert_string_equal(why.detail, refused[i].detail);
		else
			assert_null(why.detail);
		assert_null(config.text);
	}
	assert_int_equal(keras_config_read(FOLDER "/none", "Tiny/top", &config,
					   NULL),
			 -ENOENT);
}

static int load_layers(struct weights **out)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER };
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	int r = blob_open_file(FAKE_DATA "layers.h5", &blob);

	if (r == 0)
		r = weights_new("hdf5", &weights);
	if (r == 0)
		r = weights_add_file(weights, "w.h5", 0, blob->size,
				     &load.file);
	load.weights = weights;
	load.blob = blob;
	if (r == 0)
		r = hdf5_load(&load);
	if (r == 0)
		*out = take_ptr(weights);
	return r;
}

static void weights_are_those_of_the_model(void **state)
{
	static const struct {
		const char *model;
		const char *code; /* NULL: they are */
	} cases[] = {
		{ "Tiny/top", NULL },
		{ "Tiny/fewer", "weight-count" },
		{ "Tiny/other-shapes", "shape-mismatch" },
	};
	auto_weights struct weights *weights = NULL;

	(void)state;
	assert_int_equal(load_layers(&weights), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_keras_config struct keras_config config = { 0 };
		auto_refusal struct refusal why = { 0 };
		int r;

		assert_int_equal(keras_config_read(FOLDER, cases[i].model,
						   &config, NULL),
				 0);
		r = keras_config_check(&config, weights, &why);
		assert_int_equal(r, cases[i].code ? -EBADMSG : 0);
		if (cases[i].code)
			assert_string_equal(why.code, cases[i].code);
	}
}

#define LAYER(class, name) \
	"{\"class_name\":\"" class "\",\"config\":{\"name\":\"" name "\"}}"
#define DENSE(name) LAYER("Dense", name)
#define GRAPH(layers) "{\"config\":{\"layers\":[" layers "]}}"

static char conv[] = "conv", norm[] = "conv/norm", relu[] = "relu";
static char fc[] = "fc", flat[] = "conv_norm";
static char *file_names[] = { conv, norm, relu, fc };
static char *twins[] = { norm, flat };

static const struct {
	const char *name;
	const char *graph;
	char slash;
	const char *code; /* NULL: they fit */
} checks[] = {
	{ "all alike",
	  GRAPH(LAYER("Conv2D", "conv") "," LAYER("BatchNormalization",
						  "conv_norm") "," DENSE("fc")),
	  '_', NULL },
	{ "names of the graph's own",
	  GRAPH(LAYER("Conv2D", "a") "," DENSE("b")), '\0', NULL },
	{ "what has no weights may be anywhere",
	  GRAPH(LAYER("ReLU", "relu") "," LAYER("Conv2D", "conv")), '\0',
	  NULL },
	{ "another order", GRAPH(DENSE("fc") "," LAYER("Conv2D", "conv")), '\0',
	  "layer-order" },
	{ "another order, seen by the new names",
	  GRAPH(DENSE("fc") "," LAYER("Conv2D", "conv_norm")), '_',
	  "layer-order" },
	{ "more layers",
	  GRAPH(DENSE("a") "," DENSE("b") "," DENSE("c") "," DENSE(
		  "d") "," DENSE("e")),
	  '\0', "layer-count" },
	{ "no name", GRAPH("{\"class_name\":\"Dense\",\"config\":{}}"), '\0',
	  "model-config" },
	{ "no layers", GRAPH(""), '\0', "model-config" },
	{ "a list", "[]", '\0', "model-config" },
	{ "no JSON", "{", '\0', "model-config" },
};

static void graphs_and_files_are_compared(void **state)
{
	struct hdf5_names names = { file_names, ARRAY_LEN(file_names) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		auto_refusal struct refusal why = { 0 };
		int r = h5_check_layers(checks[i].graph,
					strlen(checks[i].graph), &names,
					checks[i].slash, &why);

		print_message("%s\n", checks[i].name);
		assert_int_equal(r, checks[i].code ? -EBADMSG : 0);
		if (checks[i].code)
			assert_string_equal(why.code, checks[i].code);
	}
}

static void names_that_become_one_are_refused(void **state)
{
	struct hdf5_names names = { twins, ARRAY_LEN(twins) };
	const char *graph = GRAPH(DENSE("fc"));
	auto_refusal struct refusal why = { 0 };

	(void)state;
	assert_int_equal(
		h5_check_layers(graph, strlen(graph), &names, '\0', NULL), 0);
	assert_int_equal(h5_check_layers(graph, strlen(graph), &names, '_',
					 &why),
			 -EBADMSG);
	assert_string_equal(why.code, "layer-names");
}

static int read_one(void)
{
	auto_keras_config struct keras_config config = { 0 };

	return keras_config_read(FOLDER, "Tiny/top", &config, NULL);
}

static void memory_may_fail(void **state)
{
	(void)state;
	run_with_faults(read_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_graph_is_read),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(weights_are_those_of_the_model),
		cmocka_unit_test(graphs_and_files_are_compared),
		cmocka_unit_test(names_that_become_one_are_refused),
		cmocka_unit_test(memory_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
