/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "providers/fetch_headers.h"
#include "providers/web_fact.h"

/* A fact that is read is written as one that is read the same. */
static void fact_check(const uint8_t *data, size_t len)
{
	auto_web_fact struct web_fact fact = { 0 }, again = { 0 };
	auto_str struct str text;

	str_init(&text, 8 * WEB_FACT_BYTES_MAX);
	if (web_fact_decode(data, len, &fact) < 0)
		return;
	assert(fact.missing || (fact.pin && fact.size <= FILE_BYTES_MAX &&
				fact.at < WEB_CANDIDATES_MAX));
	assert(web_fact_encode(&fact, &text) == 0);
	if (text.len > WEB_FACT_BYTES_MAX)
		return;
	assert(web_fact_decode(str_text(&text), text.len, &again) == 0);
	assert(again.missing == fact.missing && again.size == fact.size);
	assert(digest_equal(&again.digest, &fact.digest));
	assert(!fact.pin || !strcmp(again.pin, fact.pin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct digest digest;
	char header[256];

	fact_check(data, len);
	web_body_ok(data, len);
	if (len >= sizeof(header))
		return 0;
	memcpy(header, data, len);
	header[len] = '\0';
	if (goog_hash_parse(header, &digest) == 0)
		assert(digest.kind == DIGEST_MD5);
	return 0;
}
