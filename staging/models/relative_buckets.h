/* SPDX-License-Identifier: MIT */
/*
 * staging/models/relative_buckets.h - relative positions put into buckets.
 *
 * Facts: relative_position_bucket() in transformers, modeling_t5.py and
 * modeling_mpnet.py.  Half of a side's buckets are for single distances, half
 * for ranges that grow by the logarithm, computed in floats as torch does.
 */
#ifndef STAGING_MODELS_RELATIVE_BUCKETS_H
#define STAGING_MODELS_RELATIVE_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "staging/models/family.h"

struct bucket_rule {
	const char *name; /* static; no other rule of a graph has it */
	uint64_t buckets;
	uint64_t distance_max; /* from here on all are in the last bucket */

	/* To the right has buckets of its own; else it is as no distance. */
	bool both_sides;
};

/* Whether there is such a rule; else bucket_of() must not be called. */
bool bucket_rule_is_sound(const struct bucket_rule *rule);

/* The bucket of a token @distance to the right. */
int64_t bucket_of(const struct bucket_rule *rule, int64_t distance);

/* The buckets of -@far to @far, in this order. */
struct value *bucket_table(struct emit *emit, const struct bucket_rule *rule,
			   uint64_t far);

/*
 * The buckets of any number of tokens, [tokens, tokens]; @places: of these,
 * in floats.
 */
struct value *bucket_numbers(struct emit *emit, const struct bucket_rule *rule,
			     struct value *places);

#endif
