/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/form.h - what emitters ask for, and the two ways of doing it.
 *
 * plain: batched and dynamic in batch and length.  dl4j: batch 1, of the
 * operators alone that every importer judged computes rightly (README.md
 * has the rules).
 *
 * In both, hidden states are a matrix with a row for each token, of all
 * sequences one after the other: so a linear layer is one Gemm that takes
 * torch's [out, in] weights as they lie.  Only attention, what looks at one
 * token, and the outputs know sequences; which ones the rows are of, the
 * value says (struct sequence).
 */
#ifndef STAGING_GRAPH_FORM_H
#define STAGING_GRAPH_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "staging/graph/graph.h"
#include "staging/staging.h"

/*
 * Tokens of a batch: of a text, patches of an image, frames of a sound.
 * Lives as long as the graph.
 */
struct sequence {
	/* As outputs have them; .tokens has no .param if .size is known. */
	struct dim batch, tokens;

	/*
	 * A value with the tokens as @axis, and if that is 1 the batch before
	 * it; NULL: there is none yet.
	 */
	struct value *like;
	unsigned int axis;
	struct value *dims;  /* of .like; NULL: not asked */
	struct value *shape; /* of these the first two; NULL: not asked */

	/* An image of patches: the map they were made of, [N, C, h, w]. */
	struct value *map;
	struct value *map_shape; /* of it; NULL: not asked */
};

/* A graph being made in a form. */
struct sheet {
	struct graph *graph;
	const struct form *form;
	struct sequence *sequence; /* what ids() and mask() declare */

	/*
	 * The batch of what is declared without a sequence, where inputs have
	 * several; NULL: the form's own.
	 */
	const char *batch;
	struct value *seen; /* what seen() gave last; NULL: nothing */
};

/* How the numbers of a head are turned by the place of the token. */
struct rotary {
	struct value *cos, *sin; /* of block_rotary() */
	uint64_t width; /* the first numbers of a head; even; the rest stays */
};

/* Keys and values of the tokens before: [batch, kv_heads, tokens, width]. */
struct past {
	struct value *key, *value;	     /* inputs */
	struct value *all_keys, *all_values; /* set by attention() */
};

struct attention {
	struct value *q, *k, *v; /* rows of tokens, linear layers applied */
	struct value *mask;    /* of form->mask() or block_masked(); or NULL */
	struct value **bias;   /* of form->relative_bias(), or NULL */
	unsigned int heads;    /* divides the width of q */
	unsigned int kv_heads; /* of k and v; divides heads; 0: as many */
	double scale;	       /* of scores; 0: 1 / sqrt(width of a head) */
	const struct rotary *rotary; /* or NULL */
	struct past *past;	     /* or NULL */
};

/* Tokens of an image that look at themselves alone. */
struct windows {
	uint64_t count;	    /* of an image */
	uint64_t tokens;    /* of a window */
	struct value *mask; /* [count, 1, tokens, tokens], added; or NULL */
};

struct form {
	const char *name;
	bool is_batched;
	struct dim batch; /* of inputs and outputs, unless the sequence says */

	/* Declares an input of ids; gives it as embed() takes it. */
	struct value *(*ids)(struct sheet *sheet, const char *name);

	/* Declares hidden states [batch, tokens, width]; gives rows. */
	struct value *(*states)(struct sheet *sheet, const char *name,
				uint64_t width);

	/* Embeddings of ids as rows of tokens. */
	struct value *(*rows)(struct sheet *sheet, struct value *x);

	/*
	 * Declares the mask and gives it in floats as block_causal() and
	 * block_masked() take it: 1: look, 0: do not.
	 */
	struct value *(*seen)(struct sheet *sheet, const char *name);

	/* The same as what is added to scores, of block_masked(). */
	struct value *(*mask)(struct sheet *sheet, const char *name);

	/* x W^T + b.  @bias has the rows of @weight; or NULL. */
	struct value *(*linear)(struct sheet *sheet, struct value *x,
				struct value *weight, struct value *bias);

	/* softmax(scale q k^T + mask + bias) v */
	struct value *(*attention)(struct sheet *sheet,
				   const struct attention *attention);

	/*
	 * The same within windows, which stand one after the other; there is
	 * a bias, and of a mask, a scale or groups nothing is asked.
	 */
	struct value *(*windowed)(struct sheet *sheet,
				  const struct attention *attention,
				  const struct windows *windows);

	/*
	 * What @table [buckets, heads] adds to the score of two tokens,
	 * @buckets [tokens of q, tokens of k] being the row for these.
	 */
	struct value **(*relative_bias)(struct sheet *sheet,
					struct value *table,
					struct value *buckets);

	/*
	 * For each head the products of tokens' @x with @rows, the columns of
	 * both being those of all heads; of them those of @index, of
	 * block_flat_index().  As relative_bias().
	 */
	struct value **(*picked_products)(struct sheet *sheet, struct value *x,
					  struct value *rows,
					  unsigned int heads,
					  struct value *index);

	/* Numbers of tokens [.., tokens, width] as attention() has heads. */
	struct value *(*over_heads)(struct sheet *sheet, struct value *x);

	/*
	 * A map [N, @channels, h, w] as rows, in a sequence of its own whose
	 * length is called @name, or is @count if that is not 0.
	 */
	struct value *(*tokens)(struct sheet *sheet, struct value *map,
				uint64_t channels, const char *name,
				uint64_t count);

	/*
	 * Rows as a map of the shape of their sequence's, channels too; of
	 * height 1 where that has none.
	 */
	struct value *(*map)(struct sheet *sheet, struct value *x);

	/*
	 * The map @x in the height and width of @like, which has as many
	 * channels; bilinear, corners are not aligned.
	 */
	struct value *(*resize)(struct sheet *sheet, struct value *x,
				struct value *like);

	/* Samples [N, length] as a map of height 1 and one channel. */
	struct value *(*waveform)(struct sheet *sheet, struct value *x);

	/* The rows of @table [tokens, width] before, or added to, each. */
	struct value *(*prepend)(struct sheet *sheet, struct value *x,
				 struct value *table);
	struct value *(*add_each)(struct sheet *sheet, struct value *x,
				  struct value *table);

	/*
	 * Of each sequence the @count tokens that @which numbers, times
	 * @kept [count, 1] if that is not NULL.
	 */
	struct value *(*pick)(struct sheet *sheet, struct value *x,
			      struct value *which, struct value *kept,
			      uint64_t count);

	/* Each sequence without its first @count tokens. */
	struct value *(*drop)(struct sheet *sheet, struct value *x,
			      uint64_t count);

	/* A row for each sequence: token @number; the last; the mean of all. */
	struct value *(*token)(struct sheet *sheet, struct value *x,
			       uint64_t number);
	struct value *(*last)(struct sheet *sheet, struct value *x);
	struct value *(*mean)(struct sheet *sheet, struct value *x);

	/* Of each number the highest of all tokens. */
	struct value *(*highest)(struct sheet *sheet, struct value *x);

	/* The sum of the rows by @weights, shaped as ids. */
	struct value *(*weigh)(struct sheet *sheet, struct value *x,
			       struct value *weights);

	/* Outputs: each token's row; its number @column; each sequence's. */
	void (*output_tokens)(struct sheet *sheet, struct value *x,
			      const char *name);
	void (*output_column)(struct sheet *sheet, struct value *x,
			      unsigned int column, const char *name);
	void (*output_each)(struct sheet *sheet, struct value *x,
			    const char *name);
};

extern const struct form form_plain;
extern const struct form form_dl4j;

const struct form *form_of(enum stage_form form);

/*
 * Begins a sequence: inputs declared from now on are of it.  @batch NULL:
 * the form's own.  The names live as long as the graph.
 */
struct sequence *sheet_sequence(struct sheet *sheet, const char *batch,
				const char *tokens);

/* One of which @like is the first value, its tokens being @axis. */
struct sequence *sheet_sequence_of(struct sheet *sheet, struct value *like,
				   unsigned int axis, struct dim batch,
				   struct dim tokens);

/* The same of so many tokens @more (or less) than @from has. */
struct sequence *sheet_sequence_more(struct sheet *sheet, struct value *like,
				     unsigned int axis,
				     const struct sequence *from, int more);

/* The batch of what has no sequence. */
struct dim sheet_batch(const struct sheet *sheet);

/* Rows @x, which are made anew, as sequences of @tokens each. */
struct value *sheet_regroup(struct sheet *sheet, struct value *x,
			    uint64_t tokens);

/* Declares an input of floats or ids; the batch is put into @dims[0]. */
struct value *sheet_input(struct sheet *sheet, const char *name,
			  enum onnx_type type, struct dim *dims,
			  unsigned int rank);

/* Makes @x an output; the batch is put into @dims[0]. */
void sheet_output(struct sheet *sheet, struct value *x, const char *name,
		  struct dim *dims, unsigned int rank);

/*
 * The shape of the map, of height 1 if there is none; -EINVAL: it has not so
 * many @channels.
 */
struct value *sequence_map_shape(struct sheet *sheet, struct sequence *sequence,
				 uint64_t channels);

/* Batch and tokens; the number of tokens, a vector of one. */
struct value *sequence_shape(struct sheet *sheet, struct sequence *sequence);
struct value *sequence_length(struct sheet *sheet, struct sequence *sequence);

#endif
