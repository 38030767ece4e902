/* SPDX-License-Identifier: MIT */
#include "providers/web_fact.h"

#include <string.h>

#include "base/annot.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const struct {
	const char *head;
	bool ok;
} bodies[] = {
	{ "\x89HDF\r\n\x1a\n", true },
	{ "PK\x03\x04", true },
	{ "\x08\x07\x12", true },
	{ "", true },
	{ "version of mine", true },
	{ "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", false },
	{ "<!DOCTYPE html>", false },
	{ "\r\n  <html>", false },
	{ "<?xml version='1.0'?><Error><Code>NoSuchKey", false },
	{ "\xef\xbb\xbf<html>", false },
};

static void web_pages_and_pointers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_int_equal(web_body_ok(bodies[i].head,
					     strlen(bodies[i].head)),
				 bodies[i].ok);
}

/* What a probe heard, and what of it pins the file; NULL: nothing does. */
static const struct {
	const char *digest, *etag, *away_etag, *modified;
	bool is_hub;
	const char *pin, *kept_etag;
} pins[] = {
	{ "", "e", "a", "m", false, "e", "e" },
	{ "", NULL, "a", "m", false, "a", NULL },
	{ "", NULL, NULL, "m", false, "m", NULL },
	{ "", NULL, NULL, NULL, false, NULL, NULL },
	{ "", "\xff", NULL, NULL, false, NULL, NULL },
	{ "", "\xff", NULL, "m", false, "m", NULL },
	{ "md5:900150983cd24fb0d6963f7d28e17f72", "e", NULL, NULL, false,
	  "md5:900150983cd24fb0d6963f7d28e17f72", "e" },
	/* only a hub's word on a SHA-256 counts */
	{ "sha256:" SHA, "e", NULL, NULL, true, "sha256:" SHA, "e" },
	{ "sha256:" SHA, "e", NULL, NULL, false, "e", "e" },
};

static void what_pins_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
		struct fetch_probe probe = {
			.size = 9,
			.etag = (char *)(uintptr_t)pins[i].etag,
			.away_etag = (char *)(uintptr_t)pins[i].away_etag,
			.modified = (char *)(uintptr_t)pins[i].modified,
		};
		auto_web_fact struct web_fact fact = { 0 };
		int r;

		assert_int_equal(digest_of_text(pins[i].digest, &probe.digest),
				 0);
		r = web_fact_of_probe(&probe, 1, pins[i].is_hub, &fact);
		assert_int_equal(r, pins[i].pin ? 0 : -EIO);
		if (r < 0)
			continue;
		assert_string_equal(fact.pin, pins[i].pin);
		assert_int_equal(fact.etag != NULL, pins[i].kept_etag != NULL);
		assert_int_equal(fact.size, 9);
		assert_int_equal(fact.at, 1);
	}
}

static void round_trip(const struct web_fact *fact)
{
	auto_web_fact struct web_fact read = { 0 };
	auto_str struct str text;

	str_init(&text, WEB_FACT_BYTES_MAX);
	assert_int_equal(web_fact_encode(fact, &text), 0);
	assert_int_equal(web_fact_decode(str_text(&text), text.len, &read), 0);
	assert_int_equal(read.missing, fact->missing);
	assert_int_equal(read.size, fact->size);
	assert_int_equal(read.at, fact->at);
	assert_true(digest_equal(&read.digest, &fact->digest));
	assert_int_equal(read.etag != NULL, fact->etag != NULL);
	if (fact->etag)
		assert_string_equal(read.etag, fact->etag);
	if (fact->pin)
		assert_string_equal(read.pin, fact->pin);
}

static void facts_come_back(void **state)
{
	char etag[] = "a\"b\tc", pin[] = "p";
	struct web_fact fact = {
		.at = 3, .size = FILE_BYTES_MAX, .etag = etag, .pin = pin
	};

	(void)state;
	assert_int_equal(digest_of_text("sha256-prefix:ba7816bf", &fact.digest),
			 0);
	round_trip(&fact);
	fact.etag = NULL;
	round_trip(&fact);
	round_trip(&(struct web_fact){ .missing = -EACCES });
	round_trip(&(struct web_fact){ .missing = -ENOENT });
}

#define FACT(at, size, rest) \
	"{\"v\":1,\"at\":" at ",\"size\":" size ",\"digest\":\"\"" rest "}"

static const char *const bad[] = {
	"",
	"[]",
	"{}",
	"{\"v\":2,\"missing\":2}",
	FACT("0", "1", ""),
	FACT("8", "1", ",\"pin\":\"p\""),
	FACT("-1", "1", ",\"pin\":\"p\""),
	FACT("0", "1125899906842625", ",\"pin\":\"p\""),
	FACT("0", "1.5", ",\"pin\":\"p\""),
	"{\"v\":1,\"at\":0,\"size\":1,\"pin\":\"p\",\"digest\":\"md5:0\"}",
	"{\"v\":1,\"at\":0,\"size\":1,\"pin\":\"p\"}",
};

static void others_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_web_fact struct web_fact fact = { 0 };

		assert_int_equal(web_fact_decode(bad[i], strlen(bad[i]), &fact),
				 -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(web_pages_and_pointers),
		cmocka_unit_test(what_pins_a_file),
		cmocka_unit_test(facts_come_back),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
