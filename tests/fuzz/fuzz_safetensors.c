/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "staging/weights/safetensors.h"

/* The bytes are a whole file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_weights struct weights *weights = NULL;
	unsigned int file;
	uint64_t total = 0;
	size_t head;

	if (len < SAFETENSORS_PREFIX_BYTES ||
	    safetensors_head_len(data, len, &head) < 0)
		return 0;
	assert(head <= len);
	assert(weights_new("safetensors", &weights) == 0);
	assert(weights_add_file(weights, "m", 0, len, &file) == 0);
	if (safetensors_parse(weights, file, data, head) < 0 ||
	    weights_finish(weights) < 0)
		return 0;
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		assert(tensor->off >= head && tensor->off <= len);
		assert(tensor->len <= len - tensor->off);
		assert(weights_find(weights, tensor->name) == tensor);
		total += tensor->len;
	}
	assert(total == len - head);
	return 0;
}
