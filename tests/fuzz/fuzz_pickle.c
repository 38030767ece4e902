/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "base/limits.h"
#include "staging/weights/torch_tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_pickle struct pickle *pickle = NULL;
	const struct pickle_node *root;

	if (pickle_parse(data, len, torch_globals, &pickle, NULL) < 0)
		return 0;
	root = pickle_root(pickle);
	assert(root->depth <= PICKLE_DEPTH_MAX);
	if (root->kind != PICKLE_DICT)
		return 0;
	assert(root->count % 2 == 0);
	for (size_t i = 1; i < root->count; i += 2) {
		char name[] = "t";
		struct tensor tensor = { .name = name };
		struct torch_view view;

		if (torch_view_read(root->items[i], &view, &tensor, NULL) < 0)
			continue;
		assert(tensor.off <= view.storage_bytes);
		assert(tensor.strided ||
		       tensor_elements(&tensor) * dtype_bytes(tensor.dtype) <=
			       view.storage_bytes - tensor.off);
	}
	return 0;
}
