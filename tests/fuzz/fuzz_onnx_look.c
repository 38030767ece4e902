/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "staging/external/onnx_look.h"
#include "staging/external/plain_name.h"

/* What it says is JSON, and every name in it can stand in a directory. */
static void check(const struct str *told)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *data;

	assert(json_parse(str_text(told), told->len, CONVERT_LOOK_BYTES_MAX,
			  &doc) == 0);
	assert(json_count(json_get(json_root(doc), "outputs")) > 0);
	data = json_first(json_get(json_root(doc), "data"));
	for (; data; data = json_next(data)) {
		const char *name = json_string(json_get(data, "name"));
		uint64_t size;

		assert(name && name_is_plain(name));
		assert(json_u64(json_get(data, "size"), &size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_str struct str told;

	str_init(&told, CONVERT_LOOK_BYTES_MAX);
	if (onnx_look(data, len, &told) == 0)
		check(&told);
	return 0;
}
