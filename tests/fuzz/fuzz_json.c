/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"

/* J-10: every accessor may be asked of every kind. */
static void ask(const struct json *value)
{
	enum json_kind kind = json_kind(value);
	const char *text = json_string(value);
	uint64_t natural;
	int64_t integer;
	double real;

	assert(kind != JSON_MISSING);
	assert((text != NULL) == (kind == JSON_STRING));
	assert(!text || utf8_valid(text, strlen(text)));
	if (json_u64(value, &natural))
		assert(kind == JSON_NUMBER && json_double(value, &real) &&
		       real == (double)natural);
	if (json_i64(value, &integer))
		assert(kind == JSON_NUMBER && json_double(value, &real) &&
		       real == (double)integer);
	if (json_double(value, &real))
		assert(kind == JSON_NUMBER && isfinite(real));
	if (json_bool(value, true) != json_bool(value, false))
		assert(kind != JSON_BOOL);
	else
		assert(kind == JSON_BOOL);
	json_get(value, "size");
}

static void walk(const struct json *value, int depth)
{
	size_t count = 0;

	assert(depth <= JSON_DEPTH_MAX);
	ask(value);
	for (const struct json *child = json_first(value); child;
	     child = json_next(child)) {
		if (json_kind(value) == JSON_OBJECT)
			assert(json_get(value, json_key(child)) == child);
		walk(child, depth + 1);
		count++;
	}
	assert(count == json_count(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_json struct json_doc *doc = NULL;

	if (json_parse(data, len, HUB_JSON_BYTES_MAX, &doc) == 0)
		walk(json_root(doc), 0);
	return 0;
}
