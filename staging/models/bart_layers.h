/* SPDX-License-Identifier: MIT */
/*
 * staging/models/bart_layers.h - the layers of BART's line: BART, mBART,
 * Marian, Pegasus and Whisper.
 *
 * Facts: transformers, modeling_bart.py and modeling_mbart.py.  A layer is
 * attention, in a decoder attention to the encoder's states, and a
 * feed-forward part, each with the residual added; normalised before
 * or after.
 */
#ifndef STAGING_MODELS_BART_LAYERS_H
#define STAGING_MODELS_BART_LAYERS_H

#include "staging/models/family.h"

#define BART_EPS 1e-5 /* of torch.nn.LayerNorm */

/* An encoder's layers, or a decoder's. */
struct bart_stack {
	const char *prefix; /* "encoder." */
	unsigned int layers, heads;
	uint64_t hidden, intermediate;
	const char *activation; /* borrowed from the configuration */
	bool norm_before;
	bool has_final_norm; /* "layer_norm" after the last layer */
	bool no_key_bias;    /* k_proj has none (Whisper) */

	struct value *mask; /* for scores of its own tokens; or NULL */

	/* The encoder's, or NULL: this is the encoder. */
	struct value *states;
	struct value *states_mask; /* or NULL */
};

/*
 * Reads .layers, .heads, .intermediate by their keys, which begin with
 * .prefix's word, and .hidden, .activation; defaults are those of BART.
 */
void bart_stack_read(struct emit *emit, struct bart_stack *stack);

struct value *bart_layers(struct emit *emit, const struct bart_stack *stack,
			  struct value *x);

#endif
