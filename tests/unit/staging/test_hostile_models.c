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
#define SEED "seed_"
#define SEED_BYTES_MAX ((size_t)1 << 20)
#define MEMORY_BYTES_MAX ((rlim_t)256 << 20) /* for a staging and this test */
#define STAGING_NS_MAX ((uint64_t)1000000000)

/*
 * Of all inputs one in so many is tried, always the same ones: all of them take
 * minutes.  OMNIHUB_TEST_HOSTILE=all tries each.  There is one thread only, in
 * which TSan has nothing to find, slowly.
 */
#ifdef __SANITIZE_THREAD__
#define ONE_IN 128
#else
#define ONE_IN 16
#endif

/* What is put in place of a value, by how that begins. */
static const struct {
	const char *beginnings;
	const char *values[16];
} replacements[] = {
	{ "-0123456789",
	  { "0", "1", "-1", "3", "131072", "2147483648", "9223372036854775808",
	    "1e308", "-0.5", "\"x\"", "null", "true", "[]", "{}" } },
	{ "\"", { "\"\"", "\"x\"", "3", "[[]]" } },
	{ "tf", { "true", "false", "3" } },
	{ "[", { "[]", "[[]]", "[0]", "[1,2,3,4,5]", "{}", "1" } },
	{ "{", { "{}", "[]", "1" } },
	{ "n", { "0", "3", "1e308", "true", "\"x\"", "[1]" } },
};

struct tried {
	struct map map; /* family, key and value -> number of the seed */
	uintptr_t seed; /* the number of this one, from 1 */
	size_t count;
	size_t known; /* inputs that there are, tried or not */
	size_t one_in;
	struct model_case result;
	char *slowest; /* owned */
};

/* A seed may have a key several times, of its parts. */
static bool is_new(struct tried *tried, const char *what)
{
	void *seed = (void *)tried->seed, *of = map_get(&tried->map, what);

	return of ? of == seed : map_add(&tried->map, what, seed) == 0;
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
			if (is_new(tried, what) &&
			    tried->known++ % tried->one_in == 0)
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

/* Sanitizers take their time. */
static void check_time(const struct model_case *result)
{
#ifndef OMNIHUB_SANITIZED
	assert_true(result->slowest_ns < STAGING_NS_MAX);
#else
	(void)result;
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
	tried.one_in = getenv("OMNIHUB_TEST_HOSTILE") ? 1 : ONE_IN;
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
		      (double)tried.result.slowest_ns / 1e9, tried.slowest);
	assert_true(tried.result.staged > tried.count / 2);
	assert_int_equal(tried.result.no_memory, 0);
	check_time(&tried.result);
	free(tried.slowest);
	map_release(&tried.map);
}

/* Where @key's next value lies; false: there is none. */
static bool find_value(const char *text, const char *key,
		       struct json_token *out)
{
	size_t len = (size_t)(strstr(text, "\"tensors\"") - text);

	while (json_token_next(text, len, out))
		if (out->key_len == strlen(key) &&
		    strncmp(text + out->key_at, key, out->key_len) == 0)
			return true;
	return false;
}

struct change {
	const char *key, *value;
};

#define CHANGES_MAX 9 /* and an end */
#define SIXTEEN(n)                                                        \
	"[" n "," n "," n "," n "," n "," n "," n "," n "," n "," n "," n \
	"," n "," n "," n "," n "," n "]"

/* The largest that configurations may ask for. */
static const struct {
	const char *seed;
	struct change changes[CHANGES_MAX];
	enum { STAGED, TOO_BIG, REFUSED } outcome; /* of some way */
} largest[] = {
	{ "bert-fill-mask", { { "num_hidden_layers", "192" } }, STAGED },
	{ "albert-fill-mask",
	  { { "num_hidden_layers", "192" }, { "inner_group_num", "192" } },
	  TOO_BIG },
	{ "bart",
	  { { "encoder_layers", "192" },
	    { "decoder_layers", "192" },
	    { "encoder_attention_heads", "128" },
	    { "decoder_attention_heads", "128" },
	    { "num_attention_heads", "128" },
	    { "d_model", "128" } },
	  STAGED },
	{ "llama",
	  { { "num_hidden_layers", "192" },
	    { "num_attention_heads", "16" },
	    { "num_key_value_heads", "16" },
	    { "head_dim", "2" } },
	  STAGED },
	{ "t5",
	  { { "num_layers", "192" },
	    { "num_decoder_layers", "192" },
	    { "relative_attention_max_distance", "131072" } },
	  STAGED },
	{ "deberta-v2-base",
	  { { "num_hidden_layers", "192" },
	    { "max_relative_positions", "131072" } },
	  STAGED },
	{ "marian", { { "max_position_embeddings", "131072" } }, STAGED },
	{ "marian",
	  { { "max_position_embeddings", "8388608" }, { "d_model", "2" } },
	  REFUSED },
	{ "swin-image-classification",
	  { { "image_size", "256" },
	    { "window_size", "22" },
	    { "depths", "[192,2]" },
	    { "num_heads", "[1,1]" } },
	  STAGED },
	{ "swin-image-classification",
	  { { "image_size", "1448" }, /* 362 squared: MODEL_POSITIONS_MAX */
	    { "window_size", "2" },
	    { "depths", "[2,2]" },
	    { "num_heads", "[1,1]" } },
	  STAGED },
	{ "segformer-segmentation",
	  { { "num_encoder_blocks", "16" } },
	  REFUSED },
	{ "segformer-segmentation",
	  { { "num_encoder_blocks", "16" },
	    { "depths", SIXTEEN("192") },
	    { "hidden_sizes", SIXTEEN("128") },
	    { "patch_sizes", SIXTEEN("1") },
	    { "strides", SIXTEEN("1") },
	    { "mlp_ratios", SIXTEEN("1") },
	    { "sr_ratios", SIXTEEN("1") },
	    { "num_attention_heads", SIXTEEN("128") } },
	  TOO_BIG },
};

static void change(struct str *text, const struct change *by)
{
	struct json_token token = { 0 };
	auto_str struct str made;
	size_t end;

	assert_true(find_value(str_text(text), by->key, &token));
	end = token.at + token.len;
	str_init(&made, SEED_BYTES_MAX);
	assert_int_equal(str_append(&made, str_text(text), token.at), 0);
	assert_int_equal(str_append(&made, by->value, strlen(by->value)), 0);
	assert_int_equal(
		str_append(&made, str_text(text) + end, text->len - end), 0);
	str_clear(text);
	assert_int_equal(str_append(text, str_text(&made), made.len), 0);
}

static void check_largest(size_t number)
{
	auto_free char *path = mem_printf(CORPUS "/" SEED "%s.json",
					  largest[number].seed);
	struct model_case result = { 0 };
	unsigned int outcomes[REFUSED + 1];
	auto_str struct str text;

	str_init(&text, SEED_BYTES_MAX);
	assert_non_null(path);
	assert_int_equal(file_read_all(AT_FDCWD, path, &text), 0);
	for (size_t i = 0; largest[number].changes[i].key; i++)
		change(&text, &largest[number].changes[i]);
	assert_int_equal(model_case_run(str_text(&text), text.len, &result), 0);
	outcomes[STAGED] = result.staged;
	outcomes[TOO_BIG] = result.too_big;
	outcomes[REFUSED] = result.staged == 0 && result.too_big == 0;
	print_message("%s %s: %u staged, %u refused, %u too big, %u no memory, "
		      "%.3f s\n",
		      largest[number].seed, largest[number].changes[0].key,
		      result.staged, result.refused, result.too_big,
		      result.no_memory, (double)result.slowest_ns / 1e9);
	assert_true(outcomes[largest[number].outcome] > 0);
	assert_int_equal(result.no_memory, 0);
	check_time(&result);
}

static void test_the_largest(void **state)
{
	(void)state;
	limit_memory(MEMORY_BYTES_MAX);
	for (size_t i = 0; i < ARRAY_LEN(largest); i++)
		check_largest(i);
	limit_memory(RLIM_INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_largest),
		cmocka_unit_test(test_each_value_of_each_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
