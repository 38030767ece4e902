/* SPDX-License-Identifier: MIT */
/*
 * Each value of each configuration of tests/fuzz/corpus/models/ is replaced
 * by each of a list: whatever comes of it, it comes soon, in little memory,
 * and is a model or a reason why there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/atomic_file.h"
#include "base/map.h"
#include "base/mem.h"
#include "tests/fuzz/json_tokens.h"
#include "tests/fuzz/model_case.h"

#define CORPUS "tests/fuzz/corpus/models"
#define SEED "seed_"
#define SEED_BYTES_MAX ((size_t)1 << 20)
#define MEMORY_BYTES_MAX ((rlim_t)256 << 20) /* for a staging and this test */
#define INPUT_NS_MAX ((uint64_t)1000000000)

/* What is put in place of a value, by how that begins. */
static const struct {
	const char *beginnings;
	const char *values[16];
} replacements[] = {
	{ "-0123456789",
	  { "0", "1", "-1", "3", "131072", "2147483648",
	    "9223372036854775808", "1e308", "-0.5", "\"x\"", "null", "true",
	    "[]", "{}" } },
	{ "\"", { "\"\"", "\"x\"", "3", "[[]]" } },
	{ "tf", { "true", "false", "3" } },
	{ "[", { "[]", "[[]]", "[0]", "[1,2,3,4,5]", "{}", "1" } },
	{ "{", { "{}", "[]", "1" } },
	{ "n", { "0", "1", "3", "1e308", "-0.5", "true", "\"x\"", "[1]" } },
};

struct tried {
	struct map map; /* family, key and value -> number of the seed */
	uintptr_t seed; /* the number of this one, from 1 */
	size_t count;
	struct model_case result;
	uint64_t slowest_ns; /* of the processor, for one input */
	char *slowest;	     /* which; owned */
};

static uint64_t processor_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* A seed may have a key several times, of its parts. */
static bool is_new(struct tried *tried, const char *what)
{
	void *seed = (void *)tried->seed, *of = map_get(&tried->map, what);

	return of ? of == seed : map_add(&tried->map, what, seed) == 0;
}

static void run(struct tried *tried, const char *what, const char *text,
		size_t len)
{
	uint64_t took = processor_ns();

	assert_int_equal(model_case_run(text, len, &tried->result), 0);
	took = processor_ns() - took;
	tried->count++;
	if (took <= tried->slowest_ns)
		return;
	tried->slowest_ns = took;
	free(tried->slowest);
	tried->slowest = mem_strdup(what);
}

/* The seed with @value in place of @token. */
static void run_with(struct tried *tried, const char *what,
		     const struct str *seed, const struct json_token *token,
		     const char *value)
{
	const char *text = str_text(seed);
	auto_str struct str made;

	str_init(&made, SEED_BYTES_MAX);
	assert_int_equal(str_append(&made, text, token->at), 0);
	assert_int_equal(str_append(&made, value, strlen(value)), 0);
	assert_int_equal(str_append(&made, text + token->at + token->len,
				    seed->len - token->at - token->len),
			 0);
	run(tried, what, str_text(&made), made.len);
}

static const char *const *values_for(char first)
{
	for (size_t i = 0; i < ARRAY_LEN(replacements); i++)
		if (strchr(replacements[i].beginnings, first))
			return replacements[i].values;
	fail_msg("no value begins with '%c'", first);
	return NULL;
}

/* Each seed of a family tries what those before it did not have. */
static void mutate(struct tried *tried, const char *name,
		   const struct str *seed)
{
	const char *text = str_text(seed);
	size_t len = (size_t)(strstr(text, "\"tensors\"") - text);
	struct json_token token = { 0 };

	json_token_next(text, len, &token); /* the whole */
	while (json_token_next(text, len, &token)) {
		const char *const *value = values_for(text[token.at]);

		for (; *value; value++) {
			auto_free char *what = mem_printf(
				"%.*s %.*s %s", (int)strcspn(name, "-."), name,
				(int)token.key_len, text + token.key_at,
				*value);

			assert_non_null(what);
			if (is_new(tried, what))
				run_with(tried, what, seed, &token, *value);
		}
	}
}

static int is_seed(const struct dirent *entry)
{
	return strncmp(entry->d_name, SEED, strlen(SEED)) == 0;
}

static void mutate_file(struct tried *tried, const char *name)
{
	auto_free char *path = mem_printf(CORPUS "/%s", name);
	auto_str struct str seed;

	str_init(&seed, SEED_BYTES_MAX);
	assert_non_null(path);
	assert_int_equal(file_read_all(AT_FDCWD, path, &seed), 0);
	tried->seed++;
	run(tried, name, str_text(&seed), seed.len);
	mutate(tried, name + strlen(SEED), &seed);
}

/* What malloc() may give; sanitizers need more for themselves. */
static void limit_memory(rlim_t bytes)
{
#ifndef OMNIHUB_SANITIZED
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_DATA, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
#else
	(void)bytes;
#endif
}

static void test_each_value_of_each_key(void **state)
{
	struct tried tried = { 0 };
	struct dirent **seeds;
	int count = scandir(CORPUS, &seeds, is_seed, alphasort);

	(void)state;
	assert_true(count > 0);
	map_init(&tried.map);
	limit_memory(MEMORY_BYTES_MAX);
	for (int i = 0; i < count; i++) {
		mutate_file(&tried, seeds[i]->d_name);
		free(seeds[i]);
	}
	free(seeds);
	limit_memory(RLIM_INFINITY);
	print_message("%zu inputs: %u staged, %u refused, %u too big, %u no "
		      "memory; slowest %.3f s: %s\n",
		      tried.count, tried.result.staged, tried.result.refused,
		      tried.result.too_big, tried.result.no_memory,
		      (double)tried.slowest_ns / 1e9, tried.slowest);
	assert_true(tried.result.staged > tried.count / 2);
	assert_int_equal(tried.result.no_memory, 0);
#ifndef OMNIHUB_SANITIZED
	assert_true(tried.slowest_ns < INPUT_NS_MAX);
#endif
	free(tried.slowest);
	map_release(&tried.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_value_of_each_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
