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
 * token, and the outputs know sequences.
 */
#ifndef STAGING_GRAPH_FORM_H
#define STAGING_GRAPH_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "staging/graph/graph.h"
#include "staging/staging.h"

/* A graph being made in a form. */
struct sheet {
	struct graph *graph;
	const struct form *form;
	struct value *input; /* the first one: has the shape of all */
	struct value *shape; /* of it: batch and length; NULL: not asked */
};

struct attention {
	struct value *q, *k, *v; /* rows of tokens, linear layers applied */
	struct value *mask;	 /* of form->mask() */
	struct value **bias;	 /* of form->relative_bias(), or NULL */
	unsigned int heads;	 /* divides the width of q */
};

struct form {
	const char *name;

	/* Declares an input of ids; gives it as embed() takes it. */
	struct value *(*ids)(struct sheet *sheet, const char *name);

	/* Embeddings of ids as rows of tokens. */
	struct value *(*rows)(struct sheet *sheet, struct value *x);

	/*
	 * Declares the mask (1: look, 0: do not) and gives what is added to
	 * scores: 0, or the lowest float.
	 */
	struct value *(*mask)(struct sheet *sheet, const char *name);

	/* x W^T + b.  @bias has the rows of @weight. */
	struct value *(*linear)(struct sheet *sheet, struct value *x,
				struct value *weight, struct value *bias);

	/* softmax(q k^T / sqrt(width of a head) + mask + bias) v */
	struct value *(*attention)(struct sheet *sheet,
				   const struct attention *attention);

	/*
	 * What @table [buckets, heads] adds to the score of two tokens,
	 * @buckets [length, length] being the row for these.
	 */
	struct value **(*relative_bias)(struct sheet *sheet,
					struct value *table,
					struct value *buckets);

	/* The row of the first token of each sequence. */
	struct value *(*first)(struct sheet *sheet, struct value *x);

	/* Outputs: each token's row; its number @column; each sequence's. */
	void (*output_tokens)(struct sheet *sheet, struct value *x,
			      const char *name);
	void (*output_column)(struct sheet *sheet, struct value *x,
			      unsigned int column, const char *name);
	void (*output_first)(struct sheet *sheet, struct value *x,
			     const char *name);
};

extern const struct form form_plain;
extern const struct form form_dl4j;

const struct form *form_of(enum stage_form form);

#endif
