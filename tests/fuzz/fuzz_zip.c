/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "base/blob.h"
#include "base/clock.h"
#include "base/mem.h"
#include "staging/weights/weights_open.h"
#include "staging/weights/zip_directory.h"

static void check_entries(struct zip_directory *directory, const uint8_t *data,
			  size_t len, uint64_t dir_off)
{
	for (size_t i = 0; i < directory->count; i++) {
		struct zip_entry *entry = &directory->entries[i];

		if (!zip_derive(entry) &&
		    zip_local_check(entry, data + entry->local,
				    len - entry->local) < 0)
			continue;
		assert(entry->payload > entry->local);
		assert(entry->payload + entry->packed <= entry->next);
		assert(entry->next <= dir_off);
	}
}

static void check_directory(const uint8_t *data, size_t len)
{
	auto_zip_directory struct zip_directory *stored = NULL;
	auto_zip_directory struct zip_directory *packed = NULL;
	struct zip_end end;

	if (zip_find_end(data, len, len, &end) < 0)
		return;
	if (zip_directory_parse(data + end.dir_off, &end, &stored) == 0)
		check_entries(stored, data, len, end.dir_off);
	if (zip_directory_parse_packed(data + end.dir_off, &end, &packed) == 0)
		check_entries(packed, data, len, end.dir_off);
	assert(!stored || (packed && packed->count == stored->count));
}

/* The whole way of a checkpoint, pickle and all. */
static void check_checkpoint(const uint8_t *data, size_t len)
{
	struct weights_load load = { .deadline_ns = CLOCK_NEVER };
	auto_weights struct weights *weights = NULL;
	auto_blob struct blob *blob = NULL;

	assert(blob_of_bytes(mem_dup(data, len), len, &blob) == 0);
	assert(weights_new("torch-zip", &weights) == 0);
	assert(weights_add_file(weights, "m", 0, len, &load.file) == 0);
	load.weights = weights;
	load.blob = blob;
	if (torch_zip_load(&load) < 0)
		return;
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		assert(tensor->strided || tensor->off + tensor->len <= len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	check_directory(data, len);
	check_checkpoint(data, len);
	return 0;
}
