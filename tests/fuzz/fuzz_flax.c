/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/blob.h"
#include "base/clock.h"
#include "base/mem.h"
#include "staging/weights/torch_names.h"
#include "staging/weights/weights_open.h"

static void check(const struct weights *weights, size_t len)
{
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		assert(!tensor->strided);
		assert(tensor->len <= len && tensor->off <= len - tensor->len);
		assert(i == 0 || tensor->off >= weights->tensors[i - 1].off);
		for (unsigned int j = 0; j < tensor->rank; j++)
			assert(tensor_axis(tensor, j) < tensor->rank);
	}
}

/* The bytes are a whole file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER };
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;

	if (len == 0)
		return 0;
	assert(blob_of_bytes(mem_dup(data, len), len, &blob) == 0);
	assert(weights_new("flax", &weights) == 0);
	assert(weights_add_file(weights, "m", 0, len, &load.file) == 0);
	weights->files[load.file].names = NAMES_FLAX;
	load.weights = weights;
	load.blob = blob;
	if (flax_load(&load) < 0)
		return 0;
	check(weights, len);
	if (weights_to_torch(weights, NULL) < 0 || weights_finish(weights) < 0)
		return 0;
	check(weights, len);
	return 0;
}
