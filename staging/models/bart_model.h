/* SPDX-License-Identifier: MIT */
/*
 * staging/models/bart_model.h - the model of text to text that BART, mBART,
 * Marian and Pegasus are: words and positions, an encoder, a decoder.
 */
#ifndef STAGING_MODELS_BART_MODEL_H
#define STAGING_MODELS_BART_MODEL_H

#include "staging/models/seq2seq.h"

/* What tells them apart. */
struct bart_kind {
	bool norm_before;	 /* in layers, and one after the last */
	bool has_embedding_norm; /* "layernorm_embedding" */
	bool has_sinusoids;	 /* for positions; else a table from row 2 on */
};

/* family.body of one. */
struct value *bart_model_body(struct emit *emit, const struct bart_kind *kind);

/* Logits of words, with final_logits_bias where the file has one. */
void bart_logits(struct emit *emit, struct value *x);

/* BartForSequenceClassification: of the last token that ends a text. */
void bart_classes(struct emit *emit, struct value *x);

/* For .leftovers, .buffers and .computes of their families. */
extern const char *const bart_leftovers[];
extern const char *const bart_buffers[];
extern const char *const bart_computes[];

#endif
