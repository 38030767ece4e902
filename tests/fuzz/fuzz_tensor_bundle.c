/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "staging/weights/bundle_table.h"
#include "staging/weights/crc32c.h"
#include "staging/weights/tensor_bundle.h"

static void check_slices(const struct tensor_bundle *bundle,
			 const struct bundle_tensor *tensor)
{
	assert(tensor->slice_count > 0);
	assert(tensor->slice_first + tensor->slice_count <=
	       bundle->slice_count);
	for (size_t i = 0; i < tensor->slice_count; i++) {
		const struct bundle_slice *slice =
			&bundle->slices[tensor->slice_first + i];

		assert(slice->rank == tensor->rank);
		assert(slice->shard < bundle->shard_count);
		for (unsigned int d = 0; d < slice->rank; d++) {
			assert(slice->start[d] >= 0 && slice->length[d] >= -1);
			assert((uint64_t)slice->start[d] <= tensor->dims[d]);
		}
	}
}

static void check(const void *bytes, size_t len)
{
	auto_tensor_bundle struct tensor_bundle *bundle = NULL;
	auto_refusal struct refusal why = { 0 };

	if (tensor_bundle_parse(bytes, len, &bundle, &why) < 0) {
		assert(!bundle && why.code && why.reason);
		return;
	}
	assert(bundle->shard_count > 0);
	assert(bundle->by_key.count == bundle->count);
	for (size_t i = 0; i < bundle->count; i++) {
		const struct bundle_tensor *tensor = &bundle->tensors[i];

		assert(tensor_bundle_find(bundle, tensor->key) == tensor);
		assert(i == 0 || strcmp(tensor[-1].key, tensor->key) < 0);
		assert(tensor->dtype > 0 && tensor->rank <= TENSOR_RANK_MAX);
		assert(tensor->shard < bundle->shard_count);
		assert(tensor->sliced ||
		       tensor->off + tensor->len <= INT64_MAX);
		if (tensor->sliced)
			check_slices(bundle, tensor);
	}
}

/* Makes the checksum right of the block whose handle comes next in @wire. */
static bool mend(uint8_t *bytes, size_t len, struct wire *wire,
		 struct bundle_block *block)
{
	uint64_t off, size;

	if (!wire_varint(wire, &off) || !wire_varint(wire, &size) ||
	    off > len || len - off < BUNDLE_TRAILER_BYTES ||
	    size > len - off - BUNDLE_TRAILER_BYTES)
		return false;
	put_le32(bytes + off + size + 1,
		 crc32c_mask(crc32c(bytes + off, size + 1)));
	return !block || bundle_block_open(block, bytes + off,
					   size + BUNDLE_TRAILER_BYTES) == 0;
}

/* As far as the handles lead; a fuzzer finds no checksum by itself. */
static void mend_all(uint8_t *bytes, size_t len)
{
	auto_bundle_block struct bundle_block index = { 0 };
	struct wire wire;

	if (len < BUNDLE_FOOTER_BYTES)
		return;
	put_le64(bytes + len - 8, BUNDLE_TABLE_MAGIC);
	len -= BUNDLE_FOOTER_BYTES;
	wire_init(&wire, bytes + len, BUNDLE_FOOTER_BYTES - 8);
	if (!mend(bytes, len, &wire, NULL) || !mend(bytes, len, &wire, &index))
		return;
	while (bundle_block_next(&index) > 0) {
		wire_init(&wire, index.value, index.value_len);
		mend(bytes, len, &wire, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_free uint8_t *copy = mem_dup(data, len);

	check(data, len);
	if (!copy)
		return 0;
	mend_all(copy, len);
	check(copy, len);
	return 0;
}
