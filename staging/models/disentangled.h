/* SPDX-License-Identifier: MIT */
/*
 * staging/models/disentangled.h - what DeBERTa and DeBERTa-v2 share: attention
 * whose scores have a part for contents and parts for contents and relative
 * positions (modeling_deberta.py, modeling_deberta_v2.py,
 * DisentangledSelfAttention).
 */
#ifndef STAGING_MODELS_DISENTANGLED_H
#define STAGING_MODELS_DISENTANGLED_H

#include "staging/models/encoder.h"

struct disentangled {
	struct encoder encoder;
	bool is_relative;
	bool c2p, p2c;	      /* contents to positions, and back */
	unsigned int parts;   /* of a score: 1, and one for each of these */
	uint64_t span;	      /* rows of the table for one direction */
	struct value *table;  /* of relative positions, as rows */
	struct value *first;  /* for form->picked_products(): by a row of */
	struct value *second; /* the first token, or of the second */
	struct value *mask;   /* of tokens that both are seen */

	/*
	 * The states after the first layer, from those before it @x and what
	 * it gave, @y; @seen as rows.  NULL: @y.
	 */
	struct value *(*after_first)(struct emit *emit,
				     const struct disentangled *model,
				     struct value *x, struct value *y,
				     struct value *seen);
};

/* Of one layer; .positions_* only where there are such parts. */
struct projections {
	struct value *q, *k, *v;
	struct value *position_keys, *position_queries;
};

/* Reads what both have of the configuration. */
void disentangled_read(struct emit *emit, struct disentangled *model);

/*
 * The whole base model; @bucket_of gives the row, less .span, for a token
 * @distance before another.
 */
struct value *disentangled_body(
	struct emit *emit, struct disentangled *model,
	int64_t (*bucket_of)(const struct disentangled *model,
			     int64_t distance),
	void (*project)(struct emit *emit, const struct disentangled *model,
			const char *prefix, struct value *x,
			struct projections *out));

/* Heads that both have; [TASK_FILL_MASK] by the setting "legacy". */
bool disentangled_has_words(const struct json *config,
			    const struct weights *weights);
void disentangled_words(struct emit *emit, struct value *x);
void disentangled_classes(struct emit *emit, struct value *x);

#define HEADS_OF_DISENTANGLED \
	[TASK_FILL_MASK] = {                              \
		.is_there = disentangled_has_words,       \
		.emit = disentangled_words,               \
	},                                                \
	[TASK_TEXT_CLASSIFICATION] = {                    \
		.tensor = "pooler.dense.weight",          \
		.architecture = "ForSequenceClassification", \
		.emit = disentangled_classes,             \
	},                                                \
	HEADS_OF_TOKENS

#endif
