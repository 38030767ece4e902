/* SPDX-License-Identifier: MIT */
#include "staging/weights/weights_open.h"

#include <stdio.h>

#include "tests/unit/staging/repo_fake.h"

/* data/README.md says how these were made. */
static int open_data(const char *data, struct weights **out,
		     struct refusal *why)
{
	const struct fake_file files[] = {
		{ "pytorch_model.bin", NULL, data },
		{ NULL, NULL, NULL },
	};
	struct fake_repo fake;
	const struct weights_kind *kind;
	size_t index;

	fake_repo_init(&fake, files);
	kind = weights_pick(&fake.repo, FRAMEWORK_PYTORCH, &index);
	assert_non_null(kind);
	assert_string_equal(kind->format, "torch-zip");
	return weights_open(&fake.repo, kind, index, out, why);
}

static const struct {
	const char *name;
	enum dtype dtype;
	unsigned int rank;
	uint64_t dims[2];
	bool transposed;
	uint8_t bytes[24];
} tensors[] = {
	{ "w",
	  DTYPE_F32,
	  2,
	  { 2, 3 },
	  false,
	  { 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40,
	    0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40 } },
	{ "t", DTYPE_F32, 2, { 3, 2 }, true, { 0,    0,	   0x20, 0x41, 0,
					       0,    0x20, 0x41, 0,    0,
					       0x20, 0x41, 0,	 0,    0x30,
					       0x41, 0,	   0,	 0x30, 0x41,
					       0,    0,	   0x30, 0x41 } },
	{ "h",
	  DTYPE_BF16,
	  1,
	  { 4 },
	  false,
	  { 0, 0, 0x80, 0x3f, 0, 0x40, 0x40, 0x40 } },
	{ "s1", DTYPE_I64, 1, { 2 }, false, { 5, 0, 0, 0, 0, 0, 0, 0, 6 } },
	{ "s2",
	  DTYPE_I64,
	  1,
	  { 3 },
	  false,
	  { 7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9 } },
	{ "w2", DTYPE_F32, 2, { 2, 3 }, false, { 0,    0,    0x80, 0x3f, 0,
						 0,    0,    0x40, 0,	 0,
						 0x40, 0x40, 0,	   0,	 0x80,
						 0x3f, 0,    0,	   0,	 0x40,
						 0,    0,    0x40, 0x40 } },
};

static void check_tensors(const char *data)
{
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	char path[256];

	print_message("%s\n", data);
	assert_int_equal(open_data(data, &weights, NULL), 0);
	snprintf(path, sizeof(path), FAKE_DATA "%s", data);
	assert_int_equal(blob_open_file(path, &blob), 0);
	assert_int_equal(weights->count, ARRAY_LEN(tensors));
	for (size_t i = 0; i < ARRAY_LEN(tensors); i++) {
		const struct tensor *tensor = weights_find(weights,
							   tensors[i].name);
		uint8_t bytes[24];

		assert_non_null(tensor);
		assert_int_equal(tensor->dtype, tensors[i].dtype);
		assert_int_equal(tensor->rank, tensors[i].rank);
		assert_memory_equal(tensor->dims, tensors[i].dims,
				    tensor->rank * sizeof(uint64_t));
		assert_int_equal(tensor->order == ORDER_REVERSED,
				 tensors[i].transposed);
		assert_false(tensor->strided);
		assert_int_equal(
			blob_read(blob, tensor->off, tensor->len, bytes), 0);
		assert_memory_equal(bytes, tensors[i].bytes, tensor->len);
	}
}

static void tensors_lie_where_torch_put_them(void **state)
{
	(void)state;
	check_tensors("tiny.bin");
	check_tensors("nested.bin");
}

static void names_of_one_storage_share_it(void **state)
{
	auto_weights struct weights *weights = NULL;

	(void)state;
	assert_int_equal(open_data("tiny.bin", &weights, NULL), 0);
	assert_int_equal(weights_find(weights, "w")->off,
			 weights_find(weights, "w2")->off);
	assert_int_equal(weights_find(weights, "s1")->off + 16,
			 weights_find(weights, "s2")->off);
}

/* They have the same names in a repository. */
static void the_old_format_is_read_too(void **state)
{
	auto_weights struct weights *weights = NULL;

	(void)state;
	check_tensors("legacy.bin");
	assert_int_equal(open_data("legacy.bin", &weights, NULL), 0);
	assert_string_equal(weights->format, "torch-legacy");
	assert_int_equal(weights_find(weights, "w")->off,
			 weights_find(weights, "w2")->off);
}

/* A copy of tiny.bin in memory with @from replaced by @to, of one length. */
static int open_changed(const char *from, const char *to, size_t len,
			size_t expected)
{
	static char bytes[8192];
	auto_str struct str text;
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	struct weights_load load = { .deadline_ns = CLOCK_NEVER };
	size_t hits = 0;
	int r;

	str_init(&text, sizeof(bytes));
	assert_int_equal(file_read_all(AT_FDCWD, FAKE_DATA "tiny.bin", &text),
			 0);
	memcpy(bytes, text.bytes, text.len);
	for (size_t i = 0; i + len <= text.len; i++) {
		if (memcmp(text.bytes + i, from, len) != 0)
			continue;
		memcpy(bytes + i, to, len);
		hits++;
	}
	assert_int_equal(hits, expected);
	assert_int_equal(
		blob_of_bytes(mem_dup(bytes, text.len), text.len, &blob), 0);
	assert_int_equal(weights_new("torch-zip", &weights), 0);
	assert_int_equal(
		weights_add_file(weights, "m", 0, text.len, &load.file), 0);
	load.weights = weights;
	load.blob = blob;
	r = torch_zip_load(&load);
	return r;
}

static void changed_checkpoints_are_refused(void **state)
{
	(void)state;
	assert_int_equal(open_changed("little", "little", 6, 1), 0);
	assert_int_equal(open_changed("little", "biggie", 6, 1), -EBADMSG);
	/* K-09: the storage that a tensor names is not there. */
	assert_int_equal(open_changed("data/0", "data/9", 6, 2), -EBADMSG);
	/* Z-13: the pickle is not what its checksum says. */
	assert_int_equal(open_changed("collections", "collectionz", 11, 1),
			 -EBADMSG);
	/* No pickle at all. */
	assert_int_equal(open_changed("data.pkl", "data.txt", 8, 2), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_lie_where_torch_put_them),
		cmocka_unit_test(names_of_one_storage_share_it),
		cmocka_unit_test(the_old_format_is_read_too),
		cmocka_unit_test(changed_checkpoints_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
