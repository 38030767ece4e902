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

#include "base/atomic_file.h"
#include "base/map.h"
#include "base/mem.h"
#include "tests/fuzz/json_tokens.h"
#include "tests/fuzz/model_case.h"

#define CORPUS "tests/fuzz/corpus/models"
#define SEED_BYTES_MAX ((size_t)1 << 20)
#define MEMORY_BYTES_MAX ((rlim_t)256 << 20) /* for a staging and this test */
#define STAGING_NS_MAX ((uint64_t)1000000000)

static const char *const values[] = {
	"0",
	"1",
	"2",
	"3",
	"-1",
	"192",
	"131072",
	"2147483648",
	"9223372036854775808",
	"1e308",
	"-0.5",
	"true",
	"null",
	"\"\"",
	"\"x\"",
	"[]",
	"[[]]",
	"{}",
};

/* What was tried: family, key and value. */
struct tried {
	struct map map;
	size_t count;
	struct model_case result;
	char *slowest; /* owned */
};

static bool is_new(struct tried *tried, const char *what)
{
	return map_add(&tried->map, what, tried) == 0;
}

static void run(struct tried *tried, const char *what, const char *text,
		size_t len)
{
	uint64_t before = tried->result.slowest_ns;

	assert_int_equal(model_case_run(text, len, &tried->result), 0);
	tried->count++;
	if (tried->result.slowest_ns == before)
		return;
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

/* Numbers of the model's own are tried in each of its seeds. */
static bool is_own(const char *text, const struct json_token *token)
{
	static const char *const tried_once[] = { "null", "true", "false" };

	for (size_t i = 0; i < ARRAY_LEN(tried_once); i++)
		if (strncmp(text + token->at, tried_once[i],
			    strlen(tried_once[i])) == 0)
			return false;
	return true;
}

static void mutate(struct tried *tried, const char *name,
		   const struct str *seed)
{
	const char *text = str_text(seed);
	size_t len = (size_t)(strstr(text, "\"tensors\"") - text);
	size_t family_len = strcspn(name, "-.");
	struct json_token token = { 0 };

	json_token_next(text, len, &token); /* the whole */
	while (json_token_next(text, len, &token)) {
		int scope = (int)(is_own(text, &token) ? strlen(name)
						       : family_len);

		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			auto_free char *what = mem_printf(
				"%.*s %.*s %s", scope, name,
				(int)token.key_len, text + token.key_at,
				values[i]);

			assert_non_null(what);
			if (is_new(tried, what))
				run_with(tried, what, seed, &token, values[i]);
		}
	}
}

static void mutate_file(struct tried *tried, const char *name)
{
	auto_free char *path = mem_printf(CORPUS "/%s", name);
	auto_str struct str seed;

	str_init(&seed, SEED_BYTES_MAX);
	assert_non_null(path);
	assert_int_equal(file_read_all(AT_FDCWD, path, &seed), 0);
	run(tried, name, str_text(&seed), seed.len);
	mutate(tried, name + strlen("seed_"), &seed);
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
	const struct dirent *entry;
	DIR *dir = opendir(CORPUS);

	(void)state;
	assert_non_null(dir);
	map_init(&tried.map);
	limit_memory(MEMORY_BYTES_MAX);
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, "seed_", 5) == 0)
			mutate_file(&tried, entry->d_name);
	limit_memory(RLIM_INFINITY);
	closedir(dir);
	print_message("%zu inputs: %u staged, %u refused, %u too big, %u no "
		      "memory; slowest %.3f s: %s\n",
		      tried.count, tried.result.staged, tried.result.refused,
		      tried.result.too_big, tried.result.no_memory,
		      (double)tried.result.slowest_ns / 1e9, tried.slowest);
	assert_true(tried.result.staged > tried.count / 2);
	assert_int_equal(tried.result.no_memory, 0);
#ifndef OMNIHUB_SANITIZED
	assert_true(tried.result.slowest_ns < STAGING_NS_MAX);
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
