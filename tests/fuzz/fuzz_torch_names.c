/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/torch_names.h"

#define NAMES_COUNT (NAMES_FLAX + 1)

static void add(struct weights *weights, const char *name, unsigned int rank)
{
	struct tensor tensor = { .name = (char *)name, .rank = rank };

	for (unsigned int i = 0; i < rank; i++)
		tensor.dims[i] = 1 + i % 3;
	assert(weights_add(weights, &tensor) == 0);
}

/* A kind of names, a rank, then names with line feeds between. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_weights struct weights *weights = NULL;
	auto_free char *text = NULL;
	unsigned int file;

	if (len < 3 || len > 4096)
		return 0;
	assert(weights_new("hdf5", &weights) == 0);
	assert(weights_add_file(weights, "w", 0, 1 << 20, &file) == 0);
	weights->files[file].names = data[0] % NAMES_COUNT;
	text = mem_strndup((const char *)data + 2, len - 2);
	assert(text);
	for (char *rest = text, *name; (name = strsep(&rest, "\n"));)
		if (strlen(name) <= TENSOR_NAME_MAX)
			add(weights, name, data[1] % (TENSOR_RANK_MAX + 1));
	if (weights_to_torch(weights, NULL) < 0)
		return 0;
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];
		uint64_t elements = tensor_elements(tensor);

		assert(tensor->name && strlen(tensor->name) <= TENSOR_NAME_MAX);
		assert(elements * 4 == tensor->len);
	}
	return 0;
}
