/* SPDX-License-Identifier: MIT */
#include "providers/catalogue.h"

#include <string.h>

#include "base/annot.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#define TABLE               \
	"name\tn\ttext\n"   \
	"A\t1\tone\n"       \
	"B\t2\t\n"          \
	"B\t3\ttwo words\n" \
	"b\t4\tlower\n"

static struct catalogue *parsed(const char *text)
{
	struct catalogue *catalogue = NULL;

	assert_int_equal(catalogue_parse(text, strlen(text), &catalogue), 0);
	return catalogue;
}

static const struct {
	const char *key;
	bool any_case;
	size_t first, count;
} finds[] = {
	{ "A", false, 0, 1 },  { "B", false, 1, 2 }, { "b", false, 3, 1 },
	{ "a", false, 0, 0 },  { "", false, 0, 0 },  { "zz", false, 0, 0 },
	{ "AA", false, 0, 0 }, { "a", true, 0, 1 },  { "b", true, 3, 1 },
	{ "B", true, 1, 2 },   { "c", true, 0, 0 },
};

static void keys_are_found(void **state)
{
	auto_catalogue struct catalogue *catalogue = parsed(TABLE);

	(void)state;
	assert_int_equal(catalogue_all(catalogue).count, 4);
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		struct catalogue_rows rows =
			finds[i].any_case
				? catalogue_find_any_case(catalogue,
							  finds[i].key)
				: catalogue_find(catalogue, finds[i].key);

		assert_int_equal(rows.count, finds[i].count);
		if (rows.count)
			assert_int_equal(rows.first, finds[i].first);
	}
}

static void fields_by_column(void **state)
{
	static const char *const names[] = { "text", "name" };
	static const char *const unknown[] = { "name", "size" };
	auto_catalogue struct catalogue *catalogue = parsed(TABLE);
	size_t columns[2];

	(void)state;
	assert_int_equal(catalogue_columns(catalogue, names, 2, columns), 0);
	assert_string_equal(catalogue_field(catalogue, 2, columns[0]),
			    "two words");
	assert_string_equal(catalogue_field(catalogue, 1, columns[0]), "");
	assert_string_equal(catalogue_field(catalogue, 3, columns[1]), "b");
	assert_int_equal(catalogue_columns(catalogue, unknown, 2, columns),
			 -EBADMSG);
}

static void an_empty_table_has_no_keys(void **state)
{
	auto_catalogue struct catalogue *catalogue = parsed("name\n");

	(void)state;
	assert_int_equal(catalogue_all(catalogue).count, 0);
	assert_int_equal(catalogue_find(catalogue, "a").count, 0);
	assert_int_equal(catalogue_find_any_case(catalogue, "a").count, 0);
}

static const struct {
	const char *text;
	size_t len; /* 0: all of it */
} bad[] = {
	{ "", 0 },
	{ "name\tn", 0 },		/* no end of line */
	{ "name\tn\nA\t1", 0 },		/* none at the last */
	{ "name\tn\nA\n", 0 },		/* too few fields */
	{ "name\tn\nA\t1\t2\n", 0 },	/* too many */
	{ "name\tn\n\t1\n", 0 },	/* no key */
	{ "name\tn\nB\t1\nA\t1\n", 0 }, /* out of order */
	{ "name\tn\nA\t1\n\n", 0 },	/* an empty line */
	{ "name\tn\nA\t\0\n", 11 },
};

static void others_are_refused(void **state)
{
	struct catalogue *catalogue = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t len = bad[i].len ? bad[i].len : strlen(bad[i].text);

		assert_int_equal(catalogue_parse(bad[i].text, len, &catalogue),
				 -EBADMSG);
	}
	assert_int_equal(catalogue_parse("", CATALOGUE_BYTES_MAX + 1,
					 &catalogue),
			 -EFBIG);
}

/* Those that are shipped, as the programs of the build tree find them. */
static void the_shipped_ones_are_read(void **state)
{
	static const struct {
		const char *hub;
		const char *key;
		size_t rows;
		size_t of_key;
	} shipped[] = {
		{ "onnx", "MNIST", 184, 3 },
		{ "keras", "ResNet50", 168, 2 },
		{ "kerashub", "bert_tiny_en_uncased", 508, 1 },
		{ "torchvision", "resnet50", 166, 2 },
		{ "timm", "resnet50.a1_in1k", 1827, 1 },
		{ "torchserve", "alexnet", 69, 1 },
		{ "tfhub", "universal-sentence-encoder", 95, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shipped); i++) {
		auto_catalogue struct catalogue *catalogue = NULL;

		assert_int_equal(catalogue_load(shipped[i].hub, &catalogue), 0);
		assert_int_equal(catalogue_all(catalogue).count,
				 shipped[i].rows);
		assert_int_equal(
			catalogue_find(catalogue, shipped[i].key).count,
			shipped[i].of_key);
	}
}

static void none_is_no_catalogue(void **state)
{
	struct catalogue *catalogue = NULL;

	(void)state;
	assert_int_equal(catalogue_load("nowhere", &catalogue), -ENOENT);
}

static int parse_one(void)
{
	auto_catalogue struct catalogue *catalogue = NULL;

	return catalogue_parse(TABLE, strlen(TABLE), &catalogue);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	run_with_faults(parse_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found),
		cmocka_unit_test(fields_by_column),
		cmocka_unit_test(an_empty_table_has_no_keys),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(the_shipped_ones_are_read),
		cmocka_unit_test(none_is_no_catalogue),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
