/* SPDX-License-Identifier: MIT */
/*
 * staging/models/rope.h - rotary positions as configurations have them.
 *
 * Facts: transformers, modeling_rope_utils.py.  The keys are rope_theta and
 * rope_scaling (transformers 4), or rope_parameters, which holds both; what
 * stands within goes before what stands beside it.  Types that are computed:
 * default, linear, llama3, yarn, longrope, whose frequencies depend on the
 * length of a text, and dynamic, whose do so beyond the length that the model
 * was trained for: there the graph ends.  All else is refused.
 */
#ifndef STAGING_MODELS_ROPE_H
#define STAGING_MODELS_ROPE_H

#include "staging/models/causal.h"

struct rope {
	uint64_t width;	    /* of a head */
	double theta;	    /* where the configuration has none */
	uint64_t positions; /* max_position_embeddings, the same */

	/*
	 * original_max_position_embeddings, the same; if not 0, then only what
	 * stands beside the other keys counts.
	 */
	uint64_t original;

	/*
	 * The part of a head that is turned, where the configuration does not
	 * say; 0: all of it, and another partial_rotary_factor is refused.
	 */
	double part;

	/* Phi-3: "su" is longrope, and the rest is refused but default. */
	bool is_long;
};

/* Reads the keys.  May set emit->max_length.  NULL: failed. */
const struct rotary *rope_begin(struct emit *emit, const struct causal *causal,
				const struct rope *rope);

#endif
