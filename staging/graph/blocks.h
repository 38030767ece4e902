/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/blocks.h - steps that are the same in every form.
 *
 * Only operators that every importer judged computes rightly, with every
 * attribute written out (README.md).
 */
#ifndef STAGING_GRAPH_BLOCKS_H
#define STAGING_GRAPH_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "staging/graph/form.h"

struct value *block_add(struct sheet *sheet, struct value *a, struct value *b);
struct value *block_sub(struct sheet *sheet, struct value *a, struct value *b);
struct value *block_mul(struct sheet *sheet, struct value *a, struct value *b);
struct value *block_tanh(struct sheet *sheet, struct value *x);

/* Elements [begin, end) along @axis. */
struct value *block_slice(struct sheet *sheet, struct value *x, int64_t begin,
			  int64_t end, unsigned int axis);

/* The rows of @table that @ids name. */
struct value *block_gather(struct sheet *sheet, struct value *table,
			   struct value *ids);

/* Over the last axis; the variance is the biased one, as torch has it. */
struct value *block_layer_norm(struct sheet *sheet, struct value *x,
			       struct value *scale, struct value *bias,
			       double eps);

/*
 * The activation called @name in transformers (activations.py, ACT2FN).
 * Refuses one that is not known.
 */
struct value *block_activation(struct sheet *sheet, const char *name,
			       struct value *x);

/* Number of tokens in a sequence, a vector of one. */
struct value *block_length(struct sheet *sheet);

/* The first rows of @table, one for each token of a sequence. */
struct value *block_positions(struct sheet *sheet, struct value *table);

/*
 * RoBERTa's positions (modeling_roberta.py,
 * create_position_ids_from_input_ids): tokens that are not padding are
 * counted from @pad + 1, padding has @pad.
 */
struct value *block_counted_positions(struct sheet *sheet, struct value *ids,
				      int64_t pad);

/*
 * Distances of tokens as numbers [length, length]: entry (i, j) is
 * j - i + @span - 1, for sequences of at most @span tokens.
 */
struct value *block_distances(struct sheet *sheet, unsigned int span);

#endif
