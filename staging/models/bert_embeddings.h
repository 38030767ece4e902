/* SPDX-License-Identifier: MIT */
/*
 * staging/models/bert_embeddings.h - the embeddings of BERT, ALBERT, ELECTRA.
 */
#ifndef STAGING_MODELS_BERT_EMBEDDINGS_H
#define STAGING_MODELS_BERT_EMBEDDINGS_H

#include "staging/models/family.h"

/*
 * Declares input_ids, attention_mask, token_type_ids; gives the sum of
 * words, types and positions, normalised, a row a token.
 */
struct value *bert_embeddings(struct emit *emit, uint64_t width, double eps,
			      struct value **mask);

#endif
