/* SPDX-License-Identifier: MIT */
/*
 * staging/models/sentence_head.h - one vector for a text, of its tokens.
 */
#ifndef STAGING_MODELS_SENTENCE_HEAD_H
#define STAGING_MODELS_SENTENCE_HEAD_H

#include "staging/models/family.h"
#include "staging/sentence.h"

/*
 * Outputs as optimum names them: token_embeddings, and sentence_embedding.
 * Refuses a model that has no attention_mask.
 */
void sentence_emit(struct emit *emit, struct value *x,
		   const struct sentence *sentence);

#endif
