/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

/* FIPS 180-4 and RFC 1321 examples; git: "echo hello | git hash-object
 * --stdin". */
static const struct {
	enum digest_kind kind;
	const char *content;
	const char *want;
} vectors[] = {
	{ DIGEST_SHA256, "abc",
	  "sha256:ba7816bf8f01cfea414140de5dae2223"
	  "b00361a396177a9cb410ff61f20015ad" },
	{ DIGEST_SHA256, "",
	  "sha256:e3b0c44298fc1c149afbf4c8996fb924"
	  "27ae41e4649b934ca495991b7852b855" },
	{ DIGEST_GIT_SHA1, "hello\n",
	  "sha1:ce013625030ba8dba906f756967f9e9ca394464a" },
	{ DIGEST_GIT_SHA1, "",
	  "sha1:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" },
	{ DIGEST_MD5, "abc", "md5:900150983cd24fb0d6963f7d28e17f72" },
};

/* In two pieces, so that the running state counts. */
static void digest_of(enum digest_kind kind, const char *content,
		      struct digest *out)
{
	size_t len = strlen(content), half = len / 2;
	struct hasher *hasher = hasher_new(kind, len);

	assert_non_null(hasher);
	assert_int_equal(hasher_add(hasher, content, half), 0);
	assert_int_equal(hasher_add(hasher, content + half, len - half), 0);
	assert_int_equal(hasher_finish(hasher, out), 0);
}

static void known_digests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct digest made, parsed;
		char text[DIGEST_TEXT];
		const char *hex = strchr(vectors[i].want, ':') + 1;

		digest_of(vectors[i].kind, vectors[i].content, &made);
		digest_text(&made, text);
		assert_string_equal(text, vectors[i].want);
		assert_int_equal(digest_parse_as(vectors[i].kind, hex,
						 strlen(hex), &parsed),
				 0);
		assert_true(digest_equal(&made, &parsed));
		assert_true(digest_proves(&made, &parsed));
		assert_int_equal(digest_of_text(text, &parsed), 0);
		assert_true(digest_equal(&made, &parsed));
		parsed.bytes[15] ^= 1;
		assert_false(digest_equal(&made, &parsed));
		assert_false(digest_proves(&made, &parsed));
	}
}

static void a_prefix_proves(void **state)
{
	struct digest promised, whole, none = { .kind = DIGEST_NONE };
	char text[DIGEST_TEXT];

	(void)state;
	digest_of(DIGEST_SHA256_PREFIX, "abc", &whole);
	assert_int_equal(whole.kind, DIGEST_SHA256);
	assert_int_equal(digest_parse_as(DIGEST_SHA256_PREFIX, "ba7816bf", 8,
					 &promised),
			 0);
	assert_true(digest_proves(&whole, &promised));
	assert_false(digest_proves(&promised, &whole));
	assert_false(digest_equal(&whole, &promised));
	digest_text(&promised, text);
	assert_string_equal(text, "sha256-prefix:ba7816bf");
	assert_int_equal(digest_of_text(text, &none), 0);
	assert_true(digest_equal(&none, &promised));
	assert_int_equal(digest_of_text("", &none), 0);
	assert_int_equal(none.kind, DIGEST_NONE);
	assert_int_equal(digest_of_text("md5:", &none), -EINVAL);
	assert_int_equal(digest_of_text("ba7816bf", &none), -EINVAL);
	assert_int_equal(digest_of_text("sha256:ba7816bf", &none), -EINVAL);
	assert_int_equal(digest_parse_as(DIGEST_SHA256_PREFIX, "ba7816bf8e", 10,
					 &promised),
			 0);
	assert_false(digest_proves(&whole, &promised));
	assert_false(digest_proves(&none, &none));
	promised.prefix_len = 0;
	assert_false(digest_proves(&whole, &promised));
}

static void at_once_as_in_pieces(void **state)
{
	uint8_t bytes[SHA256_BYTES];
	struct digest made;

	(void)state;
	assert_int_equal(sha256("abc", 3, bytes), 0);
	digest_of(DIGEST_SHA256, "abc", &made);
	assert_memory_equal(bytes, made.bytes, SHA256_BYTES);
}

static void kinds_differ(void **state)
{
	struct digest none = { .kind = DIGEST_NONE };
	struct digest sha = { .kind = DIGEST_SHA256 };
	char text[DIGEST_TEXT];

	(void)state;
	assert_true(digest_equal(&none, &none));
	assert_false(digest_equal(&none, &sha));
	digest_text(&none, text);
	assert_string_equal(text, "");
}

static void bad_digests_are_refused(void **state)
{
	static const char sixty_four[] = "ba7816bf8f01cfea414140de5dae2223"
					 "b00361a396177a9cb410ff61f20015ag";
	struct digest out;

	(void)state;
	assert_int_equal(digest_parse(sixty_four, 64, &out), -EINVAL);
	assert_int_equal(digest_parse(sixty_four, 63, &out), -EINVAL);
	assert_int_equal(digest_parse(sixty_four, 40, &out), 0);
	assert_int_equal(digest_parse("", 0, &out), -EINVAL);
	assert_int_equal(digest_parse(sixty_four, 32, &out), -EINVAL);
	assert_int_equal(digest_parse_as(DIGEST_MD5, sixty_four, 40, &out),
			 -EINVAL);
	assert_int_equal(digest_parse_as(DIGEST_SHA256_PREFIX, sixty_four, 6,
					 &out),
			 -EINVAL);
	assert_int_equal(digest_parse_as(DIGEST_SHA256_PREFIX, sixty_four, 9,
					 &out),
			 -EINVAL);
	assert_int_equal(digest_parse_as(DIGEST_SHA256_PREFIX, sixty_four, 64,
					 &out),
			 -EINVAL);
}

static void keys_name_content_or_pins(void **state)
{
	struct digest sha = { .kind = DIGEST_SHA256 };
	struct digest none = { .kind = DIGEST_NONE };
	struct digest md5 = { .kind = DIGEST_MD5 };
	struct digest prefix = { .kind = DIGEST_SHA256_PREFIX,
				 .prefix_len = 4 };
	struct content_key of_content, of_pin, of_other;
	char hex[CONTENT_KEY_HEX];

	(void)state;
	assert_int_equal(sha256("pin", 3, sha.bytes), 0);
	assert_int_equal(content_key_make(&sha, NULL, &of_content), 0);
	assert_memory_equal(of_content.bytes, sha.bytes, SHA256_BYTES);
	assert_int_equal(content_key_make(&none, "pin", &of_pin), 0);
	assert_int_equal(content_key_make(&none, "pin2", &of_other), 0);
	assert_false(content_key_equal(&of_pin, &of_other));
	assert_false(content_key_equal(&of_pin, &of_content));
	assert_int_equal(content_key_make(&md5, "pin", &of_other), 0);
	assert_true(content_key_equal(&of_pin, &of_other));
	assert_int_equal(content_key_make(&prefix, "pin", &of_other), 0);
	assert_true(content_key_equal(&of_pin, &of_other));
	content_key_hex(&of_content, hex);
	assert_int_equal(strlen(hex), 64);
}

/* xxHash's own sanity values. */
static void known_checksums(void **state)
{
	(void)state;
	assert_true(xxh3_64("", 0) == 0x2d06800538d394c2ULL);
	assert_true(xxh3_64("a", 1) != xxh3_64("b", 1));
	assert_true(xxh3_64_seed("a", 1, 0) == xxh3_64("a", 1));
	assert_true(xxh3_64_seed("a", 1, 1) != xxh3_64("a", 1));
}

static void hex_round_trip(void **state)
{
	char hex[9];
	uint8_t bytes[4];

	(void)state;
	hex_encode("\x00\x7f\xab\xff", 4, hex);
	assert_string_equal(hex, "007fabff");
	assert_int_equal(hex_decode("007FabFF", 4, bytes), 0);
	assert_memory_equal(bytes, "\x00\x7f\xab\xff", 4);
	assert_int_equal(hex_decode("0g", 1, bytes), -EINVAL);
	assert_int_equal(hex_decode("g0", 1, bytes), -EINVAL);
	assert_int_equal(hex_decode("-1", 1, bytes), -EINVAL);
}

static void no_memory_is_null(void **state)
{
	(void)state;
	mem_fail_nth(1);
	assert_null(hasher_new(DIGEST_SHA256, 0));
	assert_true(mem_fail_done());
	hasher_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(a_prefix_proves),
		cmocka_unit_test(at_once_as_in_pieces),
		cmocka_unit_test(kinds_differ),
		cmocka_unit_test(bad_digests_are_refused),
		cmocka_unit_test(keys_name_content_or_pins),
		cmocka_unit_test(known_checksums),
		cmocka_unit_test(hex_round_trip),
		cmocka_unit_test(no_memory_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
