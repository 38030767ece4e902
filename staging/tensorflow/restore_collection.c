/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/restore_collection.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/str.h"

enum { META_COLLECTION = 4 };
enum { COLLECTION_BYTES = 2, BYTES_VALUE = 1 };
enum { VARIABLE_NAME = 1, VARIABLE_SLICE = 4 };
enum { SLICE_NAME = 1, SLICE_FULL = 2, SLICE_OFFSET = 3, SLICE_SHAPE = 4 };

/* A part of a partitioned variable (SaveSliceInfoDef). */
struct slice_info {
	struct tf_text name;
	uint64_t full[TENSOR_RANK_MAX];
	uint64_t start[TENSOR_RANK_MAX];
	uint64_t length[TENSOR_RANK_MAX];
	size_t ranks[3]; /* of the three */
};

static bool numbers_add(const struct wire_field *field, uint64_t *numbers,
			size_t *count)
{
	struct wire wire;
	uint64_t value;

	wire_enter(&wire, field);
	while (wire_varint(&wire, &value)) {
		if (*count == TENSOR_RANK_MAX || value > INT64_MAX)
			return false;
		numbers[(*count)++] = value;
	}
	return !wire.bad;
}

static bool slice_read(const struct wire_field *message,
		       struct slice_info *info)
{
	struct wire_field field;
	struct wire wire;
	bool good = message->type == WIRE_LEN;

	wire_enter(&wire, message);
	while (good && wire_next(&wire, &field)) {
		if (field.number == SLICE_NAME)
			good = tf_name_of(&field, &info->name);
		else if (field.number == SLICE_FULL)
			good = numbers_add(&field, info->full, &info->ranks[0]);
		else if (field.number == SLICE_OFFSET)
			good = numbers_add(&field, info->start,
					   &info->ranks[1]);
		else if (field.number == SLICE_SHAPE)
			good = numbers_add(&field, info->length,
					   &info->ranks[2]);
	}
	return good && !wire.bad && info->name.len > 0 && info->ranks[0] > 0 &&
	       info->ranks[0] == info->ranks[1] &&
	       info->ranks[0] == info->ranks[2];
}

/* As RestoreV2 has it: "10 7 0,4:0,7". */
static int slice_write(struct tf_pool *pool, const struct slice_info *info,
		       struct tf_restored *out)
{
	auto_str struct str text;
	int r = 0;

	str_init(&text, REASON_BYTES_MAX);
	for (size_t i = 0; r == 0 && i < info->ranks[0]; i++)
		r = str_printf(&text, "%" PRIu64 " ", info->full[i]);
	for (size_t i = 0; r == 0 && i < info->ranks[0]; i++)
		r = str_printf(&text, "%s%" PRIu64 ",%" PRIu64,
			       i > 0 ? ":" : "", info->start[i],
			       info->length[i]);
	if (r < 0)
		return r;
	out->key = info->name;
	out->slice.at = tf_pool_copy(pool, text.bytes, text.len);
	out->slice.len = text.len;
	return out->slice.at ? 0 : tf_pool_error(pool);
}

static int variable_read(struct saved_model *model,
			 const struct wire_field *message, struct refusal *why)
{
	struct tf_restored found = { 0 };
	struct slice_info info = { 0 };
	struct tf_text name = { "", 0 };
	struct wire_field field;
	struct wire wire;
	bool good = message->type == WIRE_LEN, sliced = false;

	wire_enter(&wire, message);
	while (good && wire_next(&wire, &field)) {
		if (field.number == VARIABLE_NAME)
			good = tf_name_of(&field, &name);
		if (field.number == VARIABLE_SLICE) {
			sliced = true;
			good = slice_read(&field, &info);
		}
	}
	if (!good || wire.bad || !tf_text_ends(name, ":0"))
		return tf_malformed(why, "the collection of variables");
	name.len -= 2;
	found.key = name;
	if (sliced) {
		int r = slice_write(&model->pool, &info, &found);

		if (r < 0)
			return r;
	}
	return restore_note(model, name, &found);
}

static int collection_read(struct saved_model *model,
			   const struct wire_field *collection,
			   struct refusal *why)
{
	struct wire_field list, field;
	struct wire outer, wire;
	int r = 0;

	wire_enter(&outer, collection);
	while (r == 0 && wire_next(&outer, &list)) {
		if (list.number != COLLECTION_BYTES || list.type != WIRE_LEN)
			continue;
		wire_enter(&wire, &list);
		while (r == 0 && wire_next(&wire, &field))
			if (field.number == BYTES_VALUE)
				r = variable_read(model, &field, why);
	}
	return r;
}

int restore_collection(struct saved_model *model,
		       const struct wire_field *meta_graph, struct refusal *why)
{
	struct wire_field field, value;
	struct tf_text key;
	struct wire wire;
	int r = 0;

	wire_enter(&wire, meta_graph);
	while (r == 0 && wire_next(&wire, &field)) {
		if (field.number != META_COLLECTION)
			continue;
		r = tf_entry_parse(&field, &key, &value, why);
		if (r == 0 && tf_text_is(key, "variables") &&
		    value.type == WIRE_LEN)
			r = collection_read(model, &value, why);
	}
	return r;
}
