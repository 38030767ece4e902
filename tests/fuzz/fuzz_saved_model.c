/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "staging/tensorflow/attr_value.h"
#include "staging/tensorflow/freeze.h"
#include "staging/tensorflow/saved_model_parts.h"

#define SHARD_BYTES ((uint64_t)1 << 20)
#define TENSORS 64

/* The variable's own shape, what is not known or is large being 1. */
static void shape_fill(const struct tf_node *node, struct bundle_tensor *tensor)
{
	struct wire_field shape, dim, size;
	struct wire wire, inner;

	if (!attr_field(attr_of(&node->attrs, "shape", NULL), ATTR_SHAPE,
			&shape))
		return;
	wire_enter(&wire, &shape);
	while (wire_next(&wire, &dim) && tensor->rank < TENSOR_RANK_MAX) {
		uint64_t value = 0;

		if (dim.number != 2 || dim.type != WIRE_LEN)
			continue;
		wire_enter(&inner, &dim);
		while (wire_next(&inner, &size))
			value = size.value;
		tensor->dims[tensor->rank++] = value > 8 ? 1 : value;
	}
}

static void tensor_fill(const struct saved_model *model, struct tf_text name,
			struct bundle_tensor *tensor)
{
	const struct tf_node *node = tf_graph_node(&model->main, name);
	size_t width;

	*tensor = (struct bundle_tensor){ .dtype = DT_FLOAT, .len = 1 };
	if (!node)
		return;
	attr_type(attr_of(&node->attrs, "dtype", NULL), &tensor->dtype);
	shape_fill(node, tensor);
	width = bundle_dtype_bytes(tensor->dtype);
	tensor->len = width ? width : 6;
	for (unsigned int i = 0; width && i < tensor->rank; i++)
		tensor->len *= tensor->dims[i];
	if (tensor->len > SHARD_BYTES)
		tensor->len = SHARD_BYTES;
}

/* A bundle that has what the model's variables ask for. */
static void bundle_fill(const struct saved_model *model,
			struct tensor_bundle *bundle)
{
	const struct map_slot *slot;
	size_t at = 0;

	while (bundle->count < TENSORS &&
	       (slot = map_next(&model->restored, &at))) {
		const struct tf_restored *restored = slot->value;
		struct bundle_tensor *tensor = &bundle->tensors[bundle->count];
		const struct tf_text name = { slot->key, slot->key_len };

		tensor_fill(model, name, tensor);
		if (map_add_bytes(&bundle->by_key, restored->key.at,
				  restored->key.len, tensor) == 0)
			bundle->count++;
	}
}

static int read_shard(void *arg, unsigned int shard, uint64_t off, size_t len,
		      void *to)
{
	(void)arg;
	assert(shard == 0 && len <= STRING_VARIABLE_BYTES_MAX);
	assert(off + len <= SHARD_BYTES);
	memset(to, 1, len);
	return 0;
}

static void check(const struct frozen *frozen)
{
	const struct plan *plan = frozen->plan;
	uint64_t out = 0;

	assert(frozen->output_count > 0 && frozen->node_count > 0);
	assert(plan->size <= STAGED_INLINE_MAX);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];

		assert(segment->out == out);
		out += segment->len;
		if (segment->kind == SEGMENT_COPY)
			assert(segment->src + segment->len <=
			       plan->sources[segment->source].size);
	}
	assert(out == plan->size);
}

static void freeze(const struct saved_model *model, const char *signature,
		   const struct tensor_bundle *bundle)
{
	static const char *const paths[] = { "shard" };
	static const uint64_t sizes[] = { SHARD_BYTES };
	const struct freeze_shards shards = {
		.bundle = bundle,
		.paths = paths,
		.sizes = sizes,
		.read = read_shard,
		.model_path = "saved_model.pb",
	};
	auto_frozen struct frozen *frozen = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = saved_model_freeze(model, &shards, signature, &frozen, &why);

	assert(r == 0 || r == -EBADMSG || r == -EFBIG);
	assert((r == 0) == (frozen != NULL));
	if (r == 0)
		check(frozen);
	else
		assert(why.code && why.reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_saved_model struct saved_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	struct bundle_tensor tensors[TENSORS];
	struct tensor_bundle bundle = { .shard_count = 1, .tensors = tensors };
	int r = saved_model_parse(mem_dup(data, len), len, &model, &why);

	assert(r == 0 || r == -EBADMSG || r == -EFBIG);
	if (r < 0) {
		assert(why.code && why.reason);
		return 0;
	}
	map_init(&bundle.by_key);
	bundle_fill(model, &bundle);
	for (size_t i = 0; i < saved_model_signature_count(model) && i < 4; i++)
		freeze(model, saved_model_signature(model, i), &bundle);
	freeze(model, NULL, NULL);
	map_release(&bundle.by_key);
	return 0;
}
