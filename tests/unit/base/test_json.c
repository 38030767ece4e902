/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define CORPUS "tests/fuzz/corpus/json"
#define MANY_KEYS 100000

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;

	assert_int_equal(json_parse(text, strlen(text), 1 << 20, &doc), 0);
	return doc;
}

static int try_parse(const void *bytes, size_t len)
{
	auto_json struct json_doc *doc = NULL;
	auto_free void *exact = mem_dup(bytes, len);

	return json_parse(exact, len, 1 << 24, &doc);
}

/* The corpus of the fuzz target: "ok_" is taken, "bad_" is refused. */
static void corpus_is_judged_rightly(void **state)
{
	DIR *dir = opendir(CORPUS);
	struct dirent *entry;
	size_t judged = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		auto_str struct str text;
		int r;

		if (entry->d_name[0] == '.')
			continue;
		str_init(&text, 1 << 20);
		r = file_read_all(dirfd(dir), entry->d_name, &text);
		assert_int_equal(r, 0);
		r = try_parse(str_text(&text), text.len);
		if (strncmp(entry->d_name, "ok_", 3) == 0)
			assert_int_equal(r, 0);
		else
			assert_true(r == -EBADMSG || r == -EFBIG);
		judged++;
	}
	closedir(dir);
	assert_in_range(judged, 40, 1000);
}

static void depth_and_size_are_bounded(void **state)
{
	auto_free char *deep = mem_alloc(2000001);
	auto_free char *zeros = mem_alloc(2 * JSON_VALUES_MAX + 3);

	(void)state;
	memset(deep, '[', 1000000);
	memset(deep + 1000000, ']', 1000000);
	assert_int_equal(try_parse(deep, 2000000), -EFBIG); /* J-01 */
	for (size_t i = 0; i <= JSON_VALUES_MAX; i++)
		memcpy(zeros + 2 * i, i ? ",0" : "[0", 2);
	zeros[2 * JSON_VALUES_MAX + 2] = ']';
	assert_int_equal(try_parse(zeros, 2 * JSON_VALUES_MAX + 3), -EFBIG);
	assert_int_equal(json_parse("[]", 2, 1, NULL), -EFBIG); /* J-02 */
}

static void truncated_anywhere_is_refused(void **state)
{
	static const char text[] =
		"{\"a\":[1.5e3,true,false,null],\"b\":\"\\ud83d\\ude00"
		"\xe2\x82\xac\",\"c\":{\"d\":-12}}";

	(void)state;
	assert_int_equal(try_parse(text, strlen(text)), 0);
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(try_parse(text, len), -EBADMSG); /* J-11 */
}

static const struct {
	const char *text;
	bool is_u64, is_i64, is_double;
	uint64_t natural;
	int64_t integer;
} number_cases[] = {
	{ "0", true, true, true, 0, 0 },
	{ "-1", false, true, true, 0, -1 },
	{ "9007199254740993", true, true, true, 9007199254740993ULL,
	  9007199254740993LL },
	{ "9223372036854775807", true, true, true, INT64_MAX, INT64_MAX },
	{ "9223372036854775808", true, false, true, 1ULL << 63, 0 },
	{ "-9223372036854775808", false, true, true, 0, INT64_MIN },
	{ "-9223372036854775809", false, false, true, 0, 0 },
	{ "18446744073709551615", true, false, true, UINT64_MAX, 0 },
	{ "18446744073709551616", false, false, true, 0, 0 },
	{ "-0", false, false, true, 0, 0 },
	{ "1.0", false, false, true, 0, 0 },
	{ "1e3", false, false, true, 0, 0 },
	{ "1e400", false, false, false, 0, 0 },
	{ "\"1\"", false, false, false, 0, 0 },
	{ "true", false, false, false, 0, 0 },
	{ "null", false, false, false, 0, 0 },
	{ "[1]", false, false, false, 0, 0 },
	{ "{\"a\":1}", false, false, false, 0, 0 },
};

/* Each among others, so that the order of numbers counts. */
static void integers_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(number_cases); i++) {
		auto_free char *text =
			mem_printf("{\"x\":[3,{\"y\":4.5}],\"n\":%s,\"z\":6}",
				   number_cases[i].text);
		auto_json struct json_doc *doc = parse(text);
		const struct json *n = json_get(json_root(doc), "n");
		uint64_t natural = 0;
		int64_t integer = 0;
		double real;

		assert_int_equal(json_u64(n, &natural), number_cases[i].is_u64);
		assert_int_equal(json_i64(n, &integer), number_cases[i].is_i64);
		assert_int_equal(json_double(n, &real),
				 number_cases[i].is_double);
		assert_true(natural == number_cases[i].natural);
		assert_true(integer == number_cases[i].integer);
		assert_true(json_u64(json_get(json_root(doc), "z"), &natural));
		assert_int_equal(natural, 6);
	}
}

static void values_are_found(void **state)
{
	auto_json struct json_doc *doc = parse(
		"{\"s\":\"\\u00e9\\n\",\"t\":true,\"f\":false,\"n\":null,"
		"\"a\":[1,2,3],\"o\":{\"Size\":1,\"size\":2}}");
	const struct json *root = json_root(doc);
	const struct json *o = json_get(root, "o");
	uint64_t size;

	(void)state;
	assert_int_equal(json_count(root), 6);
	assert_string_equal(json_string(json_get(root, "s")), "\xc3\xa9\n");
	assert_true(json_bool(json_get(root, "t"), false));
	assert_false(json_bool(json_get(root, "f"), true));
	assert_true(json_bool(json_get(root, "n"), true));
	assert_int_equal(json_kind(json_get(root, "n")), JSON_NULL);
	assert_int_equal(json_count(json_get(root, "a")), 3);
	assert_true(json_u64(json_get(o, "size"), &size) && size == 2);
	assert_true(json_u64(json_get(o, "Size"), &size) && size == 1);
	assert_null(json_get(o, "SIZE")); /* J-08 */
}

static void wrong_kinds_are_missing(void **state)
{
	auto_json struct json_doc *doc = parse("[\"a\",7]");
	const struct json *root = json_root(doc);
	double real;

	(void)state;
	assert_null(json_get(root, "a")); /* J-10 */
	assert_null(json_get(json_first(root), "a"));
	assert_null(json_get(json_next(json_first(root)), "a"));
	assert_null(json_string(root));
	assert_null(json_first(json_next(json_first(root))));
	assert_null(json_get(NULL, "a"));
	assert_null(json_first(NULL));
	assert_null(json_next(NULL));
	assert_null(json_key(NULL));
	assert_null(json_string(NULL));
	assert_false(json_double(NULL, &real));
	assert_true(json_bool(NULL, true));
	assert_int_equal(json_count(NULL), 0);
	assert_int_equal(json_kind(NULL), JSON_MISSING);
}

static void walks_in_order_of_the_text(void **state)
{
	static const char *const keys[] = { "z", "a", "m" };
	auto_json struct json_doc *doc = parse("{\"z\":0,\"a\":1,\"m\":2}");
	const struct json *child = json_first(json_root(doc));

	(void)state;
	for (uint64_t i = 0, value; i < 3; i++, child = json_next(child)) {
		assert_string_equal(json_key(child), keys[i]);
		assert_true(json_u64(child, &value) && value == i);
	}
	assert_null(child);
}

static void object_text(struct str *text, size_t count, const char *last)
{
	str_init(text, 1 << 24);
	assert_int_equal(str_append_char(text, '{'), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(str_printf(text, "\"k%zu\":%zu,", i, i), 0);
	assert_int_equal(str_printf(text, "%s:0}", last), 0);
}

static void big_objects_are_looked_up_fast(void **state)
{
	auto_json struct json_doc *doc = NULL;
	auto_str struct str text;
	uint64_t start_ns = clock_now_ns();

	(void)state;
	object_text(&text, MANY_KEYS, "\"last\"");
	assert_int_equal(json_parse(str_text(&text), text.len, 1 << 24, &doc),
			 0);
	for (uint64_t i = 0, value; i < MANY_KEYS; i++) {
		char key[32];

		snprintf(key, sizeof(key), "k%u", (unsigned int)i);
		assert_true(json_u64(json_get(json_root(doc), key), &value));
		assert_true(value == i);
	}
	assert_null(json_get(json_root(doc), "k100000"));
	assert_int_equal(json_count(json_root(doc)), MANY_KEYS + 1);
	/* J-03: one by one it takes 17 s; here 0.1 s, 1 s with sanitizers. */
	assert_in_range(clock_now_ns() - start_ns, 0, 8 * NS_PER_S);
}

static void duplicates_are_refused_at_every_size(void **state)
{
	(void)state;
	for (size_t count = 8; count < 40; count++) {
		auto_str struct str good;
		auto_str struct str bad;

		object_text(&good, count, "\"last\"");
		object_text(&bad, count, "\"k3\"");
		assert_int_equal(try_parse(str_text(&good), good.len), 0);
		assert_int_equal(try_parse(str_text(&bad), bad.len), -EBADMSG);
	}
}

static int parse_big(void)
{
	auto_json struct json_doc *doc = NULL;
	static const char text[] =
		"{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5,\"g\":6,"
		"\"h\":7,\"i\":8,\"j\":9,\"k\":10,\"l\":11,\"m\":12,\"n\":13,"
		"\"o\":14,\"p\":15,\"q\":[{\"a\":\"b\"},{\"a\":[]}]}";

	return json_parse(text, strlen(text), 1 << 20, &doc);
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(parse_big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corpus_is_judged_rightly),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(truncated_anywhere_is_refused),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(wrong_kinds_are_missing),
		cmocka_unit_test(walks_in_order_of_the_text),
		cmocka_unit_test(big_objects_are_looked_up_fast),
		cmocka_unit_test(duplicates_are_refused_at_every_size),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
