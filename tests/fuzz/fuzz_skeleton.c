/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "staging/skeletons/skeleton_bind.h"

/* Weights that fit every hole there is room for. */
static struct weights *fitting(const struct skeleton *skeleton)
{
	struct weights *weights = NULL;
	struct tensor tensor = { 0 };

	if (weights_new("fuzz", &weights) < 0 ||
	    weights_add_file(weights, "f", 0, (uint64_t)1 << 40, &tensor.file) <
		    0)
		return NULL;
	for (size_t i = 0; i < skeleton->hole_count; i++) {
		const struct skeleton_hole *hole = &skeleton->holes[i];
		int r;

		tensor.name = (char *)hole->location;
		tensor.rank = hole->rank;
		if (hole->rank == 2 && i % 2 == 0)
			tensor.order = ORDER_REVERSED;
		for (unsigned int k = 0; k < hole->rank; k++)
			tensor.dims[k] = hole->dims[k];
		tensor.dtype = i % 3 ? DTYPE_F32 : DTYPE_F64;
		r = weights_add(weights, &tensor);
		(void)r;
	}
	if (weights_finish(weights) == 0)
		return weights;
	weights_free(weights);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_skeleton struct skeleton *skeleton = NULL;
	auto_weights struct weights *weights = NULL;
	auto_staged_model struct staged_model *model = NULL;

	if (skeleton_parse(data, len, &skeleton, NULL) < 0)
		return 0;
	assert(skeleton->nodes.len + skeleton->constants.len <= len);
	assert(skeleton->inputs.count > 0 && skeleton->outputs.count > 0);
	weights = fitting(skeleton);
	if (!weights)
		return 0;
	if (skeleton_bind(skeleton, weights, STAGE_FORM_PLAIN, &model, NULL) <
	    0)
		return 0;
	assert(model->onnx->size >=
	       skeleton->nodes.len + skeleton->constants.len);
	assert(model->input_count == skeleton->inputs.count);
	return 0;
}
