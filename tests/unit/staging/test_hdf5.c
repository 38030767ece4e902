/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "staging/weights/weights_open.h"
#include "tests/unit/staging/repo_fake.h"

/* data/make_hdf5.py made the files. */
static void read_data(const char *name, struct str *out)
{
	char path[256];

	str_init(out, 1 << 20);
	snprintf(path, sizeof(path), FAKE_DATA "%s", name);
	assert_int_equal(file_read_all(AT_FDCWD, path, out), 0);
}

/* Loads the bytes; on success *@out is the index. */
static int load_bytes(const void *bytes, size_t len, struct weights **out,
		      struct refusal *why)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER, .why = why };
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;
	void *copy = mem_dup(bytes, len);
	int r = copy ? blob_of_bytes(copy, len, &blob) : -ENOMEM;

	if (r == 0)
		r = weights_new("hdf5", &weights);
	if (r == 0)
		r = weights_add_file(weights, "w.h5", 0, len, &load.file);
	load.weights = weights;
	load.blob = blob;
	if (r == 0)
		r = hdf5_load(&load);
	if (r == 0)
		r = weights_finish(weights);
	if (r == 0)
		*out = take_ptr(weights);
	return r;
}

static const struct {
	const char *name;
	enum dtype dtype;
	unsigned int rank;
	uint64_t dims[4];
	uint8_t bytes[7]; /* the first ones */
} tensors[] = {
	{ "Conv/Conv/kernel:0",
	  DTYPE_F32,
	  4,
	  { 1, 1, 3, 4 },
	  { 0, 0, 0, 0, 0, 0, 0x80 } },
	{ "Conv/Conv/bias:0",
	  DTYPE_F16,
	  1,
	  { 4 },
	  { 0, 0, 0, 0x3c, 0, 0x40, 0 } },
	{ "Conv/norm/Conv/norm/gamma:0", DTYPE_F64, 1, { 4 }, { 0 } },
	{ "norm/mean:0", DTYPE_F32, 1, { 3 }, { 0, 0, 0, 0, 0, 0, 0x80 } },
	{ "norm/count:0", DTYPE_I64, 0, { 0 }, { 7 } },
};

static void check_layers(const char *file)
{
	auto_weights struct weights *weights = NULL;
	auto_str struct str text;

	print_message("%s\n", file);
	read_data(file, &text);
	assert_int_equal(load_bytes(text.bytes, text.len, &weights, NULL), 0);
	assert_int_equal(weights->count, ARRAY_LEN(tensors));
	for (size_t i = 0; i < ARRAY_LEN(tensors); i++) {
		const struct tensor *tensor = &weights->tensors[i];

		assert_string_equal(tensor->name, tensors[i].name);
		assert_int_equal(tensor->dtype, tensors[i].dtype);
		assert_int_equal(tensor->rank, tensors[i].rank);
		assert_memory_equal(tensor->dims, tensors[i].dims,
				    tensor->rank * sizeof(uint64_t));
		assert_memory_equal(text.bytes + tensor->off, tensors[i].bytes,
				    sizeof(tensors[i].bytes));
	}
}

static void tensors_lie_where_h5py_put_them(void **state)
{
	(void)state;
	check_layers("layers.h5");
	check_layers("vlen.h5");
	check_layers("full.h5");
}

static void names_may_be_split_and_data_compact(void **state)
{
	auto_weights struct weights *weights = NULL, *compact = NULL;
	auto_str struct str text, other;

	(void)state;
	read_data("split.h5", &text);
	assert_int_equal(load_bytes(text.bytes, text.len, &weights, NULL), 0);
	assert_int_equal(weights->count, 1);
	assert_string_equal(weights->tensors[0].name, "c/w");
	assert_memory_equal(text.bytes + weights->tensors[0].off, "\1\2", 2);
	read_data("compact.h5", &other);
	assert_int_equal(load_bytes(other.bytes, other.len, &compact, NULL), 0);
	assert_int_equal(compact->count, 1);
	assert_memory_equal(other.bytes + compact->tensors[0].off,
			    "\0\0\x80\x3f\0\0\0\x40", 8);
}

static void trees_of_two_levels_are_searched(void **state)
{
	auto_weights struct weights *weights = NULL;
	auto_str struct str text;

	(void)state;
	read_data("deep.h5", &text);
	assert_non_null(memmem(text.bytes, text.len, "TREE\0\1", 6));
	assert_int_equal(load_bytes(text.bytes, text.len, &weights, NULL), 0);
	assert_int_equal(weights->count, 140);
	for (size_t i = 0; i < weights->count; i++)
		assert_memory_equal(text.bytes + weights->tensors[i].off,
				    "\0\0\x80\x3f\0\0\0\x40", 8);
}

static const struct {
	const char *file;
	const char *code;
	const char *detail;
} refused[] = {
	{ "latest.h5", "hdf5-unsupported", "superblock 2 or later" },
	{ "chunked.h5", "hdf5-unsupported", "chunked data" },
	{ "filtered.h5", "hdf5-unsupported", "filtered data" },
	{ "big_endian.h5", "hdf5-unsupported", "big-endian numbers" },
	{ "external.h5", "hdf5-unsupported", "data in another file" },
	{ "soft_link.h5", "hdf5-unsupported", "a symbolic link" },
	{ "unwritten.h5", "hdf5", "a weight that was never written" },
	{ "no_keras.h5", "hdf5-keras", "layer_names" },
	{ "tiny.bin", "hdf5", NULL },
};

static void other_forms_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_refusal struct refusal why = { 0 };
		struct weights *weights;
		auto_str struct str text;

		print_message("%s\n", refused[i].file);
		read_data(refused[i].file, &text);
		assert_int_equal(load_bytes(text.bytes, text.len, &weights,
					    &why),
				 -EBADMSG);
		assert_string_equal(why.code, refused[i].code);
		if (refused[i].detail)
			assert_string_equal(why.detail, refused[i].detail);
	}
}

/* Heads of messages: of contiguous data, and near the root's first name. */
#define LAYOUT "\x08\0\x18\0\0\0\0\0\3\1"
#define ATTRIBUTE "layer_names"

/* What is looked for in layers.h5, and what is put there. */
static const struct {
	const char *name;
	const char *find; /* of .find_len bytes */
	size_t find_len;
	int at; /* from there */
	uint64_t value;
	size_t width;
	const char *detail;
} hostile[] = {
	{ "5-02 a tree that is its own child", "TREE", 4, 32, 136, 8,
	  "no symbol node" },
	{ "5-02 a level too many", "TREE", 4, 5, 1, 1, "no tree of a group" },
	{ "5-02 the highest level", "TREE", 4, 5, 255, 1, "levels of a tree" },
	{ "5-04 a child past the end", "TREE", 4, 32, 1 << 20, 8,
	  "an address past the end of the file" },
	{ "5-04 a child nowhere", "TREE", 4, 32, UINT64_MAX, 8,
	  "an address past the end of the file" },
	{ "5-07 65535 children", "TREE", 4, 6, 65535, 2, "too many children" },
	{ "a tree of chunks", "TREE", 4, 4, 1, 1, "no tree of a group" },
	{ "5-07 65535 symbols", "SNOD", 4, 6, 65535, 2, "too many symbols" },
	{ "a node of another version", "SNOD", 4, 4, 2, 1, "no symbol node" },
	{ "5-04 a name outside of the heap", "SNOD", 4, 8, 1 << 20, 8,
	  "a name outside of its heap" },
	{ "5-04 a name nowhere", "SNOD", 4, 8, UINT64_MAX, 8,
	  "a name outside of its heap" },
	{ "5-04 a heap past the end", "HEAP", 4, 24, 1 << 20, 8,
	  "an address past the end of the file" },
	{ "5-04 a heap that wraps", "HEAP", 4, 24, UINT64_MAX - 8, 8,
	  "a name outside of its heap" },
	{ "a heap cut before a name's end", "HEAP", 4, 6056 + 8, 12, 8,
	  "a name without an end" },
	{ "5-03 2^63 rows", "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\3", 17, 0,
	  1ull << 63, 8, "a shape that is not that of its bytes" },
	{ "5-03 2^62 columns", "\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0", 16, 8,
	  1ull << 62, 8, "a shape that is not that of its bytes" },
	{ "5-03 no rows, yet bytes", "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\3", 17,
	  0, 0, 8, "a shape that is not that of its bytes" },
	{ "5-04 data past the end", LAYOUT, 10, 10, 1 << 20, 8,
	  "a weight past the end of the file" },
	{ "5-04 data nowhere", LAYOUT, 10, 10, UINT64_MAX, 8,
	  "a weight that was never written" },
	{ "5-04 a base address", HDF5_SIGNATURE, 8, 24, 512, 8,
	  "a base address" },
	{ "5-04 addresses of 3 bytes", HDF5_SIGNATURE, 8, 13, 3, 1,
	  "width of addresses" },
	{ "5-04 lengths of 200 bytes", HDF5_SIGNATURE, 8, 14, 200, 1,
	  "width of addresses" },
	{ "longer than it is", HDF5_SIGNATURE, 8, 40, 12929, 8,
	  "the file is shorter than it says" },
	{ "a driver", HDF5_SIGNATURE, 8, 48, 96, 8, "a driver (split files)" },
	{ "nodes of nothing", HDF5_SIGNATURE, 8, 16, 0, 2,
	  "nodes of no entry" },
	{ "the root is past the end", HDF5_SIGNATURE, 8, 64, 1 << 20, 8,
	  "an address past the end of the file" },
	{ "the root is its tree", HDF5_SIGNATURE, 8, 64, 136, 8,
	  "no object header" },
	{ "5-04 a continuation past the end", "\x10\0\x10\0", 4, 8, 1 << 20, 8,
	  "an object header leaves the file" },
	{ "5-06 a message longer than its header", ATTRIBUTE, 11, -14, 65528, 2,
	  "a message leaves its header" },
	{ "5-06 a message that must be known", ATTRIBUTE, 11, -16,
	  0x80003800ffull, 5, "an unknown message" },
	{ "a name that is no text", "Conv\0\0\0\0\0Conv/norm", 18, 0, 0xff, 1,
	  "a name that is none" },
	{ "a name with NUL inside", "Conv\0\0\0\0\0Conv/norm", 18, 1, 0, 1,
	  "a name that is none" },
	{ "a path from the root", "Conv\0\0\0\0\0Conv/norm", 18, 0, '/', 1,
	  "an empty part of a path" },
	{ "a path of a dot", "Conv/norm", 9, 0, 0x2f2eull, 2,
	  "an empty part of a path" },
	{ "a layer that is not there", "Conv\0\0\0\0\0Conv/norm", 18, 0, 'X', 1,
	  "Xonv" },
	{ "a weight that is not there", "mean:0\0", 7, 0, 'X', 1,
	  "norm/mean:0" },
};

static void hostile_files_are_refused(void **state)
{
	auto_str struct str good;

	(void)state;
	read_data("layers.h5", &good);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		auto_free uint8_t *bad = mem_dup(good.bytes, good.len);
		auto_refusal struct refusal why = { 0 };
		struct weights *weights;
		uint8_t *at;

		print_message("%s\n", hostile[i].name);
		at = memmem(bad, good.len, hostile[i].find,
			    hostile[i].find_len);
		assert_non_null(at);
		for (size_t b = 0; b < hostile[i].width; b++)
			at[hostile[i].at + (int)b] =
				(uint8_t)(hostile[i].value >> 8 * b);
		assert_int_equal(load_bytes(bad, good.len, &weights, &why),
				 -EBADMSG);
		assert_string_equal(why.detail, hostile[i].detail);
	}
}

/* The root's header is at 96; at 112 is its one message, a continuation. */
static void a_continuation_into_itself_ends(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct weights *weights;
	auto_str struct str text;
	uint8_t *root;

	(void)state;
	read_data("layers.h5", &text);
	root = (uint8_t *)text.bytes + 96;
	assert_memory_equal(root + 16, "\x10\0\x10\0", 4);
	memset(root + 2, 0xff, 2);
	put_le64(root + 24, 112);
	put_le64(root + 32, 24);
	assert_int_equal(load_bytes(text.bytes, text.len, &weights, &why),
			 -EBADMSG);
	assert_string_equal(why.detail, "too many continuations");
}

/* Whatever is accepted lies in the file. */
static void try(const uint8_t *bytes, size_t len)
{
	auto_weights struct weights *weights = NULL;
	int r = load_bytes(bytes, len, &weights, NULL);

	assert_true(r == 0 || r == -EBADMSG);
	for (size_t i = 0; r == 0 && i < weights->count; i++)
		assert_true(weights->tensors[i].off + weights->tensors[i].len <=
			    len);
}

static void sweep(const char *file, uint8_t flip)
{
	auto_str struct str text;
	uint8_t *bytes;

	read_data(file, &text);
	bytes = (uint8_t *)text.bytes;
	for (size_t i = 0; i < text.len; i++) {
		bytes[i] ^= flip;
		try(bytes, text.len);
		bytes[i] ^= flip;
	}
}

static void any_byte_may_be_wrong(void **state)
{
	(void)state;
	sweep("layers.h5", 0xff);
	sweep("vlen.h5", 0x01);
	for (unsigned int bit = 0; bit < 8; bit++)
		sweep("compact.h5", (uint8_t)(1u << bit));
	sweep("split.h5", 0xff);
}

static void a_cut_file_is_refused(void **state)
{
	auto_str struct str text;
	struct weights *weights;

	(void)state;
	read_data("compact.h5", &text);
	for (size_t len = 1; len < text.len; len++)
		assert_int_equal(load_bytes(text.bytes, len, &weights, NULL),
				 -EBADMSG);
}

static int load_all(void)
{
	auto_weights struct weights *weights = NULL;
	auto_str struct str text;

	str_init(&text, 1 << 20);
	if (file_read_all(AT_FDCWD, FAKE_DATA "vlen.h5", &text) < 0)
		return -ENOMEM;
	return load_bytes(text.bytes, text.len, &weights, NULL);
}

static void memory_may_fail(void **state)
{
	(void)state;
	run_with_faults(load_all);
}

/* A file of zeros behind its superblock, whose requests are counted. */
struct sparse {
	uint8_t superblock[HDF5_SUPERBLOCK_BYTES];
	unsigned int calls;
	int fails; /* what a call gives, if not 0 */
};

static int sparse_read(void *arg, uint64_t off, size_t len, void *to)
{
	struct sparse *sparse = arg;

	sparse->calls++;
	assert_true(len <= HEAD_FETCH_BYTES);
	assert_int_equal(off % HEAD_FETCH_BYTES, 0);
	memset(to, (int)(off / HEAD_FETCH_BYTES), len);
	if (off == 0)
		memcpy(to, sparse->superblock, sizeof(sparse->superblock));
	return sparse->fails;
}

static void sparse_init(struct sparse *sparse, struct hdf5_source *from)
{
	auto_str struct str text;

	read_data("layers.h5", &text);
	*sparse = (struct sparse){ .calls = 0 };
	memcpy(sparse->superblock, text.bytes, sizeof(sparse->superblock));
	*from = (struct hdf5_source){
		.read = sparse_read,
		.arg = sparse,
		.size = (HDF5_PIECES_MAX + 8ull) * HEAD_FETCH_BYTES,
	};
	put_le64(sparse->superblock + 40, from->size);
}

static void many_reads_are_few_requests(void **state)
{
	auto_hdf5_file struct hdf5_file file = { 0 };
	struct hdf5_source from;
	struct sparse sparse;
	uint8_t bytes[64];

	(void)state;
	sparse_init(&sparse, &from);
	assert_int_equal(hdf5_open(&file, &from, NULL), 0);
	assert_int_equal(sparse.calls, 1);
	for (uint64_t at = 0; at < 1000; at++)
		assert_int_equal(hdf5_read(&file, at, 64, bytes), 0);
	assert_int_equal(sparse.calls, 1);
	assert_int_equal(hdf5_read(&file, 2 * HEAD_FETCH_BYTES - 32, 64, bytes),
			 0);
	assert_int_equal(sparse.calls, 3);
	assert_int_equal(bytes[31], 1);
	assert_int_equal(bytes[32], 2);
	for (uint64_t i = 0; i < HDF5_PIECES_KEPT - 1; i++)
		assert_int_equal(
			hdf5_read(&file, i * HEAD_FETCH_BYTES, 64, bytes), 0);
	assert_int_equal(sparse.calls, HDF5_PIECES_KEPT - 1);
	assert_int_equal(hdf5_read(&file, HEAD_FETCH_BYTES, 1, bytes), 0);
	assert_int_equal(sparse.calls, HDF5_PIECES_KEPT - 1);
	for (uint64_t i = 40; i < 40 + HDF5_PIECES_KEPT - 1; i++)
		assert_int_equal(
			hdf5_read(&file, i * HEAD_FETCH_BYTES, 64, bytes), 0);
	sparse.calls = 0;
	assert_int_equal(hdf5_read(&file, HEAD_FETCH_BYTES, 1, bytes), 0);
	assert_int_equal(sparse.calls, 0);
	assert_int_equal(hdf5_read(&file, 0, 1, bytes), 0);
	assert_int_equal(sparse.calls, 1);
}

static void requests_and_work_are_bounded(void **state)
{
	auto_hdf5_file struct hdf5_file file = { 0 }, busy = { 0 };
	struct hdf5_source from;
	struct sparse sparse;
	uint8_t bytes[64];
	uint64_t n = 0;
	int r = 0;

	(void)state;
	sparse_init(&sparse, &from);
	assert_int_equal(hdf5_open(&file, &from, NULL), 0);
	for (; r == 0; n++)
		r = hdf5_read(&file, n * HEAD_FETCH_BYTES, 1, bytes);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(n, HDF5_PIECES_MAX + 1);
	assert_int_equal(hdf5_open(&busy, &from, NULL), 0);
	for (n = 0, r = 0; r == 0; n++)
		r = hdf5_read(&busy, 0, 64, bytes);
	assert_int_equal(r, -EFBIG);
	assert_true(n <= HDF5_WORK_MAX / (64 + HDF5_READ_WORK));
}

static void errors_of_reading_pass_through(void **state)
{
	static const int errors[] = { -EIO, -EINPROGRESS, -ETIMEDOUT };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		auto_hdf5_file struct hdf5_file file = { 0 };
		auto_refusal struct refusal why = { 0 };
		struct hdf5_source from;
		struct sparse sparse;

		sparse_init(&sparse, &from);
		sparse.fails = errors[i];
		assert_int_equal(hdf5_open(&file, &from, &why), errors[i]);
		assert_null(why.code);
	}
}

static void the_root_is_enough_for_the_layers(void **state)
{
	auto_hdf5_file struct hdf5_file file = { 0 };
	auto_hdf5_root struct hdf5_root root = { 0 };
	auto_blob struct blob *blob = NULL;
	struct hdf5_blob reader = { .deadline_ns = CLOCK_NEVER };
	struct hdf5_source from;

	(void)state;
	assert_int_equal(blob_open_file(FAKE_DATA "full.h5", &blob), 0);
	reader.blob = blob;
	from = hdf5_blob_source(&reader);
	assert_int_equal(hdf5_open(&file, &from, NULL), 0);
	assert_int_equal(hdf5_root_read(&file, &root), 0);
	assert_true(root.full_model);
	assert_int_equal(root.layers.count, 5);
	assert_string_equal(root.layers.names[2], "Conv/norm");
	assert_string_equal(root.keras_version, "2.2.4");
	assert_string_equal(root.backend, "tensorflow");
	assert_int_equal(root.version, 0);
	assert_int_equal(root.leaf_k, 4);
	assert_int_equal(root.node_k, 16);
	assert_int_equal(root.end, blob->size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_lie_where_h5py_put_them),
		cmocka_unit_test(names_may_be_split_and_data_compact),
		cmocka_unit_test(trees_of_two_levels_are_searched),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(hostile_files_are_refused),
		cmocka_unit_test(a_continuation_into_itself_ends),
		cmocka_unit_test(any_byte_may_be_wrong),
		cmocka_unit_test(a_cut_file_is_refused),
		cmocka_unit_test(memory_may_fail),
		cmocka_unit_test(many_reads_are_few_requests),
		cmocka_unit_test(requests_and_work_are_bounded),
		cmocka_unit_test(errors_of_reading_pass_through),
		cmocka_unit_test(the_root_is_enough_for_the_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
