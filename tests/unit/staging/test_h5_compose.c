/* SPDX-License-Identifier: MIT */
#include "staging/keras/h5_compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "staging/weights/weights_open.h"
#include "tests/unit/staging/repo_fake.h"

#define CONFIG "{\"class_name\":\"Functional\",\"config\":{}}"

/* A file of data/ (see make_hdf5.py there), opened as far as its root. */
struct opened {
	struct blob *blob;
	struct hdf5_blob reader;
	struct hdf5_file file;
	struct hdf5_root root;
};

static void opened_release(struct opened *opened)
{
	hdf5_root_release(&opened->root);
	hdf5_close(&opened->file);
	blob_unref(opened->blob);
}

DEFINE_AUTO(opened, struct opened, opened_release)

static int open_blob(struct opened *opened, struct blob *blob)
{
	struct hdf5_source from;
	int r;

	opened->blob = blob;
	opened->reader = (struct hdf5_blob){ blob, CLOCK_NEVER };
	from = hdf5_blob_source(&opened->reader);
	r = hdf5_open(&opened->file, &from, NULL);
	return r < 0 ? r : hdf5_root_read(&opened->file, &opened->root);
}

static void open_data(struct opened *opened, const char *name)
{
	struct blob *blob = NULL;
	char path[256];

	snprintf(path, sizeof(path), FAKE_DATA "%s", name);
	assert_int_equal(blob_open_file(path, &blob), 0);
	assert_int_equal(open_blob(opened, blob), 0);
}

static struct h5_full full_of(const struct opened *opened)
{
	return (struct h5_full){
		.root = &opened->root,
		.path = "w.h5",
		.model_config = CONFIG,
		.model_config_len = strlen(CONFIG),
		.keras_version = "2.15.0",
		.backend = "tensorflow",
	};
}

/* The bytes of the staged file. */
static struct blob *render(const struct plan *plan, struct blob *source)
{
	uint8_t *bytes = mem_alloc(plan->size);
	struct blob *blob;

	assert_non_null(bytes);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];
		uint8_t *to = bytes + segment->out;

		if (segment->kind == SEGMENT_BYTES)
			memcpy(to, plan->bytes + segment->src, segment->len);
		else if (segment->kind == SEGMENT_ZERO)
			memset(to, 0, segment->len);
		else
			assert_int_equal(blob_read(source, segment->src,
						   segment->len, to),
					 0);
	}
	assert_int_equal(blob_of_bytes(bytes, plan->size, &blob), 0);
	return blob;
}

static void load(struct blob *blob, struct weights **out)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER, .blob = blob };

	assert_int_equal(weights_new("hdf5", out), 0);
	load.weights = *out;
	assert_int_equal(
		weights_add_file(*out, "w.h5", 0, blob->size, &load.file), 0);
	assert_int_equal(hdf5_load(&load), 0);
	assert_int_equal(weights_finish(*out), 0);
}

static void compose(const struct opened *from, const struct h5_full *full,
		    struct opened *staged)
{
	auto_plan struct plan *plan = NULL;

	assert_int_equal(h5_compose(full, &plan, NULL), 0);
	assert_int_equal(open_blob(staged, render(plan, from->blob)), 0);
	assert_int_equal(staged->root.end, plan->size);
	assert_true(staged->root.full_model);
}

/* @name: of tensor 2. */
static void same_tensors(const struct opened *from, const struct opened *staged,
			 const char *name)
{
	auto_weights struct weights *old = NULL, *new = NULL;

	load(from->blob, &old);
	load(staged->blob, &new);
	assert_int_equal(new->count, old->count);
	for (size_t i = 0; i < old->count; i++) {
		assert_int_equal(new->tensors[i].off, old->tensors[i].off);
		assert_int_equal(new->tensors[i].len, old->tensors[i].len);
		assert_int_equal(new->tensors[i].dtype, old->tensors[i].dtype);
	}
	assert_string_equal(new->tensors[2].name, name);
}

static void the_graph_is_with_the_weights(void **state)
{
	auto_of(opened) struct opened from = { 0 }, staged = { 0 };
	auto_free char *config = NULL, *version = NULL;
	struct hdf5_object top;
	struct h5_full full;

	(void)state;
	open_data(&from, "layers.h5");
	assert_false(from.root.full_model);
	full = full_of(&from);
	compose(&from, &full, &staged);
	same_tensors(&from, &staged, "Conv/norm/Conv/norm/gamma:0");
	assert_int_equal(staged.root.group.header, from.root.group.header);
	assert_string_equal(staged.root.keras_version, "2.2.4");
	assert_int_equal(hdf5_object_read(&staged.file, staged.file.root, &top),
			 0);
	assert_int_equal(
		hdf5_attr_text(&staged.file, &top, "model_config", &config), 0);
	assert_string_equal(config, CONFIG);
	assert_int_equal(hdf5_attr_text(&staged.file, &top, "keras_version",
					&version),
			 0);
	assert_string_equal(version, "2.15.0");
}

static void layers_may_get_other_names(void **state)
{
	auto_of(opened) struct opened from = { 0 }, staged = { 0 };
	auto_h5_layers struct h5_layers layers = { 0 };
	struct h5_full full;

	(void)state;
	open_data(&from, "layers.h5");
	assert_int_equal(h5_layers_find(&from.file, &from.root, '_', &layers),
			 0);
	assert_int_equal(layers.count, 5);
	full = full_of(&from);
	full.layers = &layers;
	compose(&from, &full, &staged);
	same_tensors(&from, &staged, "Conv_norm/Conv/norm/gamma:0");
	assert_int_equal(staged.root.layers.count, 5);
	assert_string_equal(staged.root.layers.names[2], "Conv_norm");
	assert_string_equal(staged.root.keras_version, "2.2.4");
	assert_string_equal(staged.root.backend, "tensorflow");
}

/* A tree of three levels, and names that one attribute cannot hold. */
static void many_layers_are_found_by_name(void **state)
{
	enum { MANY = 1500 };
	auto_of(opened) struct opened from = { 0 }, staged = { 0 };
	auto_h5_layers struct h5_layers layers = { 0 };
	struct h5_full full;
	uint64_t header;

	(void)state;
	open_data(&from, "layers.h5");
	from.root.node_k = 4;
	from.root.superblock[18] = 4;
	layers.layers = mem_array(MANY, sizeof(*layers.layers));
	assert_non_null(layers.layers);
	for (; layers.count < MANY; layers.count++)
		layers.layers[layers.count] = (struct h5_layer){
			mem_printf("layer_of_a_name_that_is_rather_long_as_"
				   "names_go_%zu",
				   (layers.count * 7) % MANY),
			96 + layers.count,
		};
	full = full_of(&from);
	full.layers = &layers;
	compose(&from, &full, &staged);
	assert_int_equal(staged.root.layers.count, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(staged.root.layers.names[i],
				    layers.layers[i].name);
		assert_int_equal(
			hdf5_find_header(&staged.file, &staged.root.group,
					 layers.layers[i].name, &header),
			0);
		assert_int_equal(header, layers.layers[i].header);
	}
	assert_int_equal(hdf5_find_header(&staged.file, &staged.root.group,
					  "layer", &header),
			 -ENOENT);
	assert_int_equal(hdf5_find_header(&staged.file, &staged.root.group,
					  "layes", &header),
			 -ENOENT);
}

static void a_long_graph_needs_no_special_place(void **state)
{
	auto_of(opened) struct opened from = { 0 }, staged = { 0 };
	auto_free char *config = mem_alloc(500000);
	struct h5_full full;

	(void)state;
	assert_non_null(config);
	memset(config, ' ', 500000);
	open_data(&from, "split.h5"); /* of a size that 8 does not divide */
	assert_int_not_equal(from.blob->size % 8, 0);
	full = full_of(&from);
	full.model_config = config;
	full.model_config_len = 500000;
	full.keras_version = NULL;
	full.backend = NULL;
	compose(&from, &full, &staged);
	assert_true(staged.blob->size > from.blob->size + 500000);
	assert_true(staged.blob->size < from.blob->size + 502000);
	assert_null(staged.root.keras_version);
}

enum change { FULL, VERSION, END, NODES, CONFIG_EMPTY, CONFIG_LONG, TWINS };

static const struct {
	const char *name;
	enum change change;
	const char *code;
} refused[] = {
	{ "a whole model already", FULL, "full-model" },
	{ "superblock 1", VERSION, "hdf5-unsupported" },
	{ "bytes behind the end", END, "hdf5" },
	{ "nodes of 65535", NODES, "hdf5-unsupported" },
	{ "no graph", CONFIG_EMPTY, "model-config" },
	{ "a graph too long", CONFIG_LONG, "model-config" },
	{ "two layers of one name", TWINS, "layer-names" },
};

static void change(enum change what, struct opened *from, struct h5_full *full)
{
	static char name[] = "twin";
	static struct h5_layer twins[] = { { name, 96 }, { name, 112 } };
	static const struct h5_layers layers = { twins, 2 };

	switch (what) {
	case FULL:
		from->root.full_model = true;
		break;
	case VERSION:
		from->root.version = 1;
		break;
	case END:
		from->root.end--;
		break;
	case NODES:
		from->root.leaf_k = 65535;
		break;
	case CONFIG_EMPTY:
		full->model_config_len = 0;
		break;
	case CONFIG_LONG:
		full->model_config_len = KERAS_CONFIG_BYTES_MAX + 1;
		break;
	case TWINS:
		full->layers = &layers;
		break;
	}
}

static void other_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_of(opened) struct opened from = { 0 };
		auto_refusal struct refusal why = { 0 };
		struct plan *plan = NULL;
		struct h5_full full;

		print_message("%s\n", refused[i].name);
		open_data(&from, "layers.h5");
		full = full_of(&from);
		change(refused[i].change, &from, &full);
		assert_int_equal(h5_compose(&full, &plan, &why), -EBADMSG);
		assert_string_equal(why.code, refused[i].code);
		assert_null(plan);
	}
}

static struct opened faulty;

static int compose_once(void)
{
	auto_h5_layers struct h5_layers layers = { 0 };
	auto_plan struct plan *plan = NULL;
	struct h5_full full = full_of(&faulty);
	int r = h5_layers_find(&faulty.file, &faulty.root, '_', &layers);

	full.layers = &layers;
	return r < 0 ? r : h5_compose(&full, &plan, NULL);
}

static void memory_may_fail(void **state)
{
	(void)state;
	open_data(&faulty, "layers.h5");
	run_with_faults(compose_once);
	opened_release(&faulty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_graph_is_with_the_weights),
		cmocka_unit_test(layers_may_get_other_names),
		cmocka_unit_test(many_layers_are_found_by_name),
		cmocka_unit_test(a_long_graph_needs_no_special_place),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(memory_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
