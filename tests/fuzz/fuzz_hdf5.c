/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/blob.h"
#include "base/clock.h"
#include "base/mem.h"
#include "staging/keras/h5_compose.h"
#include "staging/weights/weights_open.h"

#define CONFIG "{}"

/* The number of tensors, or an error. */
static int load(struct blob *blob)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER, .blob = blob };
	auto_weights struct weights *weights = NULL;
	int r;

	assert(weights_new("hdf5", &weights) == 0);
	assert(weights_add_file(weights, "w", 0, blob->size, &load.file) == 0);
	load.weights = weights;
	r = hdf5_load(&load);
	for (size_t i = 0; r == 0 && i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		assert(!tensor->strided);
		assert(tensor->len <= blob->size);
		assert(tensor->off <= blob->size - tensor->len);
	}
	return r < 0 ? r : (int)weights->count;
}

static struct blob *render(const struct plan *plan, struct blob *source)
{
	uint8_t *bytes = mem_zalloc(plan->size);
	struct blob *blob;

	assert(bytes);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];
		uint8_t *to = bytes + segment->out;

		if (segment->kind == SEGMENT_BYTES)
			memcpy(to, plan->bytes + segment->src, segment->len);
		else if (segment->kind == SEGMENT_COPY)
			assert(blob_read(source, segment->src, segment->len,
					 to) == 0);
	}
	assert(blob_of_bytes(bytes, plan->size, &blob) == 0);
	return blob;
}

/* A composed file has the tensors of the one it was composed of. */
static void compose(struct blob *blob, const struct hdf5_root *root,
		    const struct h5_layers *layers)
{
	struct h5_full full = {
		.root = root,
		.path = "w",
		.model_config = CONFIG,
		.model_config_len = strlen(CONFIG),
		.layers = layers,
	};
	auto_plan struct plan *plan = NULL;
	auto_blob struct blob *staged = NULL;
	int count = load(blob);

	if (h5_compose(&full, &plan, NULL) < 0)
		return;
	staged = render(plan, blob);
	if (!layers && count >= 0)
		assert(load(staged) == count);
	else
		load(staged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hdf5_blob reader = { .deadline_ns = CLOCK_NEVER };
	auto_hdf5_file struct hdf5_file file = { 0 };
	auto_hdf5_root struct hdf5_root root = { 0 };
	auto_h5_layers struct h5_layers layers = { 0 };
	auto_blob struct blob *blob = NULL;
	struct hdf5_source from;

	if (len == 0)
		return 0;
	assert(blob_of_bytes(mem_dup(data, len), len, &blob) == 0);
	reader.blob = blob;
	from = hdf5_blob_source(&reader);
	if (hdf5_open(&file, &from, NULL) < 0 ||
	    hdf5_root_read(&file, &root) < 0)
		return 0;
	compose(blob, &root, NULL);
	if (h5_layers_find(&file, &root, '_', &layers) == 0)
		compose(blob, &root, &layers);
	return 0;
}
