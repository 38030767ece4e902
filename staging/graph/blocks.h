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
struct value *block_div(struct sheet *sheet, struct value *a, struct value *b);
struct value *block_tanh(struct sheet *sheet, struct value *x);
struct value *block_clip(struct sheet *sheet, struct value *x, double low,
			 double high);

/* A number to be given to these. */
struct value *block_number(struct sheet *sheet, double f);

/* An operator of one input and no attributes. */
struct value *block_unary(struct sheet *sheet, const char *op, struct value *x);

/* @alpha @a @b, or @a times the transposed @b; matrices. */
struct value *block_gemm(struct sheet *sheet, struct value *a, struct value *b,
			 bool trans_b, double alpha);

/* A matrix whose rows have @width numbers. */
struct value *block_rows_of(struct sheet *sheet, struct value *x,
			    uint64_t width);

/*
 * Columns in which each of @heads has @parts runs, one after the other: those
 * of run @part, all heads together.
 */
struct value *block_fused_part(struct sheet *sheet, struct value *x,
			       unsigned int heads, unsigned int part,
			       unsigned int parts);

/*
 * Places in a table of @rows columns flattened: @index[i, j] in row i, or if
 * @of_second in row j.
 */
struct value *block_flat_index(struct sheet *sheet, struct value *index,
			       uint64_t rows, bool of_second);

/* Joined along the last axis of a matrix. */
struct value *block_columns(struct sheet *sheet, struct value *const *parts,
			    size_t count);

/* Elements [begin, end) along @axis. */
struct value *block_slice(struct sheet *sheet, struct value *x, int64_t begin,
			  int64_t end, unsigned int axis);

/* The rows of @table that @ids name. */
struct value *block_gather(struct sheet *sheet, struct value *table,
			   struct value *ids);

/*
 * Over the last axis; the variance is the biased one, as torch has it.
 * Without @scale or @bias where these are NULL.
 */
struct value *block_layer_norm(struct sheet *sheet, struct value *x,
			       struct value *scale, struct value *bias,
			       double eps);

/*
 * x / sqrt(mean(x^2) + eps) * scale over the last axis; @scale holds what is
 * added to 1 if @is_centred (Gemma).
 */
struct value *block_rms_norm(struct sheet *sheet, struct value *x,
			     struct value *scale, double eps, bool is_centred);

/* Each row of a matrix divided by its length. */
struct value *block_unit_rows(struct sheet *sheet, struct value *x);

/*
 * The activation called @name in transformers (activations.py, ACT2FN).
 * Refuses one that is not known.
 */
struct value *block_activation(struct sheet *sheet, const char *name,
			       struct value *x);

/*
 * The sum of floats along @axis, up to each.  Without the flags of CumSum:
 * Deeplearning4j fails on them, even where they say nothing.
 */
struct value *block_cumsum(struct sheet *sheet, struct value *x,
			   unsigned int axis);

/* The first rows of @table, one for each token of the sheet's sequence. */
struct value *block_positions(struct sheet *sheet, struct value *table);

/*
 * Rows that tell the places of the sheet's sequence, of at most @positions
 * tokens: sines of a place times 10000^(-2k / @width), then cosines; @width is
 * even.  At most MODEL_POSITIONS_MAX, and MODEL_SINUSOIDS_MAX numbers.
 */
struct value *block_sinusoids(struct sheet *sheet, uint64_t positions,
			      uint64_t width);

/* 0, 1, ... for the tokens of @sequence, whose .like are ids; in floats. */
struct value *block_places(struct sheet *sheet, struct sequence *sequence);

/* How far each of @to is from each of @from, [from, to]; vectors of floats. */
struct value *block_differences(struct sheet *sheet, struct value *from,
				struct value *to);

/*
 * What a token looks at, 1 or 0, shaped as @seen or [queries, keys]: itself
 * and what is before it, of these the last @window if that is not 0.
 * @queries and @keys: places; @seen: of form->seen(), or NULL: all.
 */
struct value *block_causal(struct sheet *sheet, struct value *seen,
			   struct value *queries, struct value *keys,
			   uint64_t window);

/* 1 where @x, whole numbers in floats, is @number; else 0. */
struct value *block_equals(struct sheet *sheet, struct value *x, double number);

/*
 * 1 at the first of the highest of the numbers that each sequence of @x has,
 * else 0; whole numbers in floats, shaped as ids.
 */
struct value *block_first_highest(struct sheet *sheet, struct value *x);

/* What is added to scores: 0 where @seen is 1, else half the lowest float. */
struct value *block_masked(struct sheet *sheet, struct value *seen);

/*
 * Turns by @places [.., tokens] times each of @frequencies [width / 2]; the
 * sines and cosines times @factor.  NULL: failed.
 */
const struct rotary *block_rotary(struct sheet *sheet, struct value *places,
				  const float *frequencies, size_t count,
				  double factor);

/* The same of @frequencies that are computed. */
const struct rotary *block_rotary_by(struct sheet *sheet, struct value *places,
				     struct value *frequencies, size_t count,
				     double factor);

/*
 * Turns the last axis, whose halves are the parts of complex numbers
 * (rotate_half() in transformers).  For the forms.
 */
struct value *block_rotate(struct sheet *sheet, const struct rotary *rotary,
			   struct value *x);

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
