/* SPDX-License-Identifier: MIT */
/*
 * staging/models/causal.h - what decoders of text share: their inputs, what
 * a token may look at, keys and values of the tokens before, the head.
 *
 * The inputs are input_ids and attention_mask.  Of text-generation-with-past
 * also, as optimum names them, position_ids and past_key_values.N.{key,value}
 * [batch, kv_heads, past_sequence_length, width]; outputs are then
 * present.N.{key,value} too, the past with what was added to it.
 */
#ifndef STAGING_MODELS_CAUSAL_H
#define STAGING_MODELS_CAUSAL_H

#include "staging/models/family.h"

/* What of a model's sizes the inputs depend on. */
struct causal_sizes {
	unsigned int layers;
	unsigned int kv_heads;
	uint64_t width; /* of a head */
};

/* Lives as long as the graph. */
struct causal {
	struct value *ids;	    /* as embed() takes them */
	struct value *position_ids; /* the same; NULL: 0, 1, ... */

	/*
	 * Positions in floats, for block_rotary(): [tokens], or with
	 * position_ids [batch, tokens].
	 */
	struct value *places;

	/* For block_causal(). */
	struct value *seen, *queries, *keys;
	struct past *pasts; /* a layer each; NULL: there is no past */
	struct causal_sizes sizes;
};

/* Declares the inputs of emit->task.  NULL: failed. */
struct causal *causal_begin(struct emit *emit,
			    const struct causal_sizes *sizes);

/* For attention: the last @window tokens; 0: all before. */
struct value *causal_mask(struct emit *emit, const struct causal *causal,
			  uint64_t window);

/* The past of @layer, or NULL. */
struct past *causal_past(const struct causal *causal, unsigned int layer);

/* Rows of words and learned positions, the tables @words and @positions. */
struct value *causal_embed(struct emit *emit, uint64_t width, const char *words,
			   const char *positions);

/* Rows of @table by position, to be added to embeddings; @offset: the first. */
struct value *causal_positions(struct emit *emit, const struct causal *causal,
			       struct value *table, uint64_t offset);

/*
 * causal->places that end at @count: a longer text fails.  Sets
 * emit->max_length.
 */
struct value *causal_places_within(struct emit *emit,
				   const struct causal *causal, uint64_t count);

/*
 * Ends the graph: logits of every token by @head.weight, or where that is not
 * there and tie_word_embeddings (default @tied) is true, by @words.weight;
 * @head.bias if there is one.  Then the presents, if there is a past.
 */
void causal_logits(struct emit *emit, struct value *x, const char *head,
		   const char *words, bool tied);

/* head.is_there: lm_head.weight, or a class whose head may be tied. */
bool causal_has_head(const struct json *config, const struct weights *weights);

/* Both tasks, for .heads of a family. */
#define HEADS_OF_TEXT_GENERATION(function) \
	[TASK_TEXT_GENERATION] = {                  \
		.is_there = causal_has_head,        \
		.emit = (function),                 \
	},                                          \
	[TASK_TEXT_GENERATION_WITH_PAST] = {        \
		.is_there = causal_has_head,        \
		.emit = (function),                 \
	}

#endif
