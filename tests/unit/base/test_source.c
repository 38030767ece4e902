/* SPDX-License-Identifier: MIT */
#include "base/source.h"

#include "base/memo.h"
#include "tests/unit/unit.h"

static int freed;

static void count_free(struct source *source)
{
	source_fini(source);
	freed++;
}

static const struct source_ops ops = { .free = count_free };

static int make(void)
{
	struct digest digest = { .kind = DIGEST_SHA256, .bytes = { 1 } };
	struct content_key key = { .bytes = { 2 } };
	struct source source;
	int r = source_init(&source, &ops, 7, &digest, &key, "org/model/file");

	if (r < 0)
		return r;
	freed = 0;
	assert_int_equal(source.size, 7);
	assert_string_equal(source.label, "org/model/file");
	assert_true(digest_equal(&source.digest, &digest));
	assert_true(content_key_equal(&source.key, &key));
	source_unref(source_ref(&source));
	assert_int_equal(freed, 0);
	source_unref(&source);
	assert_int_equal(freed, 1);
	return 0;
}

static void the_last_reference_frees(void **state)
{
	(void)state;
	run_with_faults(make);
}

static int puts_seen;

static int get_seven(struct memo *memo, const char *key, struct str *value,
		     int64_t *stored_wall_s)
{
	(void)memo;
	(void)key;
	*stored_wall_s = 77;
	return str_append_text(value, "seven");
}

static void count_put(struct memo *memo, const char *key, const void *value,
		      size_t len)
{
	(void)memo;
	(void)key;
	(void)value;
	(void)len;
	puts_seen++;
}

static void no_memo_remembers_nothing(void **state)
{
	auto_str struct str value;

	(void)state;
	str_init(&value, 100);
	memo_put(NULL, "k", "v", 1);
	assert_int_equal(memo_get(NULL, "k", &value, NULL), -ENOENT);
	assert_string_equal(str_text(&value), "");
}

static void a_memo_is_asked(void **state)
{
	static const struct memo_ops memo_ops = { get_seven, count_put };
	struct memo memo = { &memo_ops };
	auto_str struct str value;
	int64_t stored_wall_s = 0;

	(void)state;
	str_init(&value, 100);
	memo_put(&memo, "k", "v", 1);
	assert_int_equal(puts_seen, 1);
	assert_int_equal(memo_get(&memo, "k", &value, NULL), 0);
	assert_int_equal(memo_get(&memo, "k", &value, &stored_wall_s), 0);
	assert_string_equal(str_text(&value), "sevenseven");
	assert_int_equal(stored_wall_s, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(no_memo_remembers_nothing),
		cmocka_unit_test(a_memo_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
