/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/variable_slice.h"

#include <errno.h>

#include "base/bytes.h"

struct part {
	unsigned int rank;
	uint64_t start[TENSOR_RANK_MAX];
	uint64_t length[TENSOR_RANK_MAX];
};

static bool number(struct tf_text text, uint64_t *out)
{
	return parse_u64(text.at, text.len, INT64_MAX, out) == 0;
}

/* The shape before the last space must be @tensor's. */
static bool whole_is(const struct bundle_tensor *tensor, struct tf_text *slice)
{
	for (unsigned int i = 0; i < tensor->rank; i++) {
		uint64_t size;

		if (!number(tf_text_cut(slice, ' '), &size) ||
		    size != tensor->dims[i])
			return false;
	}
	return slice->len > 0 && !memchr(slice->at, ' ', slice->len);
}

static bool extent_read(struct tf_text text, uint64_t whole, uint64_t *start,
			uint64_t *length)
{
	uint64_t end;

	if (tf_text_is(text, "-")) {
		*start = 0;
		*length = whole;
		return true;
	}
	return number(tf_text_cut(&text, ','), start) && number(text, length) &&
	       u64_add(*start, *length, &end) && end <= whole;
}

static bool part_read(const struct bundle_tensor *tensor, struct tf_text slice,
		      struct part *part)
{
	if (!whole_is(tensor, &slice))
		return false;
	part->rank = tensor->rank;
	for (unsigned int i = 0; i < part->rank; i++)
		if (!extent_read(tf_text_cut(&slice, ':'), tensor->dims[i],
				 &part->start[i], &part->length[i]))
			return false;
	return slice.len == 0;
}

static bool is_whole(const struct part *part,
		     const struct bundle_tensor *tensor)
{
	for (unsigned int i = 0; i < part->rank; i++)
		if (part->length[i] != tensor->dims[i])
			return false;
	return true;
}

static bool is_slice(const struct part *part,
		     const struct bundle_tensor *tensor,
		     const struct bundle_slice *slice)
{
	if (slice->rank != part->rank)
		return false;
	for (unsigned int i = 0; i < part->rank; i++) {
		uint64_t length = slice->length[i] < 0
					  ? tensor->dims[i]
					  : (uint64_t)slice->length[i];

		if ((uint64_t)slice->start[i] != part->start[i] ||
		    length != part->length[i])
			return false;
	}
	return true;
}

static void place_set(struct tf_variable *variable, const struct part *part,
		      unsigned int shard, uint64_t off, uint64_t len)
{
	variable->rank = part->rank;
	memcpy(variable->dims, part->length, sizeof(variable->dims));
	variable->shard = shard;
	variable->off = off;
	variable->len = len;
}

static bool slice_find(struct tf_variable *variable, const struct part *part,
		       const struct bundle_tensor *tensor,
		       const struct tensor_bundle *bundle)
{
	for (size_t i = 0; i < tensor->slice_count; i++) {
		const struct bundle_slice *slice =
			&bundle->slices[tensor->slice_first + i];

		if (!is_slice(part, tensor, slice))
			continue;
		place_set(variable, part, slice->shard, slice->off, slice->len);
		return true;
	}
	return false;
}

int variable_take_slice(struct tf_freeze *freeze, struct tf_variable *variable,
			const struct bundle_tensor *tensor,
			struct tf_text slice)
{
	const struct tensor_bundle *bundle = freeze->shards->bundle;
	struct part part = { 0 };
	bool good = part_read(tensor, slice, &part);
	int r = scopes_spend(&freeze->scopes, tensor->slice_count);

	if (r < 0)
		return r;
	if (good && !tensor->sliced && is_whole(&part, tensor))
		place_set(variable, &part, tensor->shard, tensor->off,
			  tensor->len);
	else
		good = good && tensor->sliced &&
		       slice_find(variable, &part, tensor, bundle);
	if (good)
		return 0;
	return refuse(freeze->why, "checkpoint-mismatch",
		      scope_name(freeze->main.root, variable->node),
		      "the checkpoint does not have this part of a variable "
		      "in one piece");
}
