/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>

#include "staging/weights/torch_legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_weights struct weights *weights = NULL;
	auto_torch_legacy struct torch_legacy legacy = { 0 };
	struct torch_count last;
	unsigned int file;

	if (weights_new("torch-legacy", &weights) < 0 ||
	    weights_add_file(weights, "f", 0, len, &file) < 0)
		return 0;
	if (torch_legacy_parse(data, len, &legacy, NULL) < 0)
		return 0;
	assert(legacy.pickles_len <= len);
	if (torch_legacy_read(weights, file, &legacy, data, len, &last, NULL) <
	    0)
		return 0;
	assert(last.at == 0 || last.at + 8 <= len);
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		assert(tensor->off >= legacy.pickles_len + 8);
		assert(tensor->strided || tensor->len <= len - tensor->off);
	}
	return 0;
}
