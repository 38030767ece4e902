/* SPDX-License-Identifier: MIT */
#include "staging/models/relative_buckets.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/blocks.h"

static int64_t side_of(const struct bucket_rule *rule)
{
	return (int64_t)(rule->both_sides ? rule->buckets / 2 : rule->buckets);
}

bool bucket_rule_is_sound(const struct bucket_rule *rule)
{
	int64_t exact = side_of(rule) / 2;

	return exact > 0 && rule->distance_max > (uint64_t)exact &&
	       rule->distance_max <= MODEL_POSITIONS_MAX;
}

int64_t bucket_of(const struct bucket_rule *rule, int64_t distance)
{
	const int64_t side = side_of(rule), exact = side / 2;
	int64_t bucket = 0, far = -distance;
	float scaled;

	if (rule->both_sides && distance > 0) {
		bucket = side;
		far = distance;
	}
	if (far < exact)
		return bucket + (far > 0 ? far : 0);
	scaled = logf((float)far / (float)exact) /
		 (float)log((double)rule->distance_max / (double)exact);
	far = exact + (int64_t)(scaled * (float)(side - exact));
	return bucket + (far < side ? far : side - 1);
}

struct value *bucket_table(struct emit *emit, const struct bucket_rule *rule,
			   uint64_t far)
{
	size_t count = 2 * (size_t)far + 1;
	int64_t *buckets = mem_array(count, sizeof(*buckets));
	struct value *table;

	if (!buckets)
		return graph_fail(emit->graph, -ENOMEM);
	for (size_t i = 0; i < count; i++)
		buckets[i] = bucket_of(rule, (int64_t)i - (int64_t)far);
	table = graph_table(emit->graph, rule->name, buckets, count);
	free(buckets);
	return table;
}

struct value *bucket_numbers(struct emit *emit, const struct bucket_rule *rule,
			     struct value *places)
{
	struct sheet *sheet = &emit->sheet;
	double far = (double)rule->distance_max;
	struct value *x;

	assert(bucket_rule_is_sound(rule));
	x = block_differences(sheet, places, places);
	x = block_clip(sheet, x, -far, far);
	x = block_add(sheet, x, block_number(sheet, far));
	x = graph_node(emit->graph, "Cast", INPUTS(x),
		       ATTRS(attr_int("to", ONNX_INT64)));
	return block_gather(sheet, bucket_table(emit, rule, rule->distance_max),
			    x);
}
