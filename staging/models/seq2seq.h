/* SPDX-License-Identifier: MIT */
/*
 * staging/models/seq2seq.h - what models of an encoder and a decoder share:
 * their parts, inputs and masks, tied tables of words, the head.
 *
 * The whole takes input_ids, attention_mask and decoder_input_ids.  In parts,
 * as optimum names them, the encoder gives last_hidden_state, and the decoder
 * takes input_ids, encoder_hidden_states and encoder_attention_mask.
 */
#ifndef STAGING_MODELS_SEQ2SEQ_H
#define STAGING_MODELS_SEQ2SEQ_H

#include "staging/models/family.h"

struct seq2seq {
	const void *model; /* of .encode and .decode */
	uint64_t width;	   /* of the encoder's states */

	/* Rows of the last hidden state; .mask is made. */
	struct value *(*encode)(struct emit *emit, struct seq2seq *seq,
				struct value *ids);

	/* The same; .states and .causal are made too. */
	struct value *(*decode)(struct emit *emit, struct seq2seq *seq,
				struct value *ids);

	/*
	 * Declares what goes in, and gives it for .encode; NULL: input_ids
	 * and attention_mask.
	 */
	struct value *(*begin)(struct emit *emit, struct seq2seq *seq);

	/* Encoder's ids of a text that the decoder reads too; or NULL. */
	struct value *(*shift)(struct emit *emit, struct value *ids);

	/* The encoder's tokens are of a text, and have a mask. */
	bool has_mask;

	struct value *ids;    /* the encoder's */
	struct value *mask;   /* added to scores of its tokens; or NULL */
	struct value *states; /* rows of its last hidden state */
	struct value *causal; /* added to scores of the decoder's own tokens */
	struct value *places; /* of the decoder's tokens, in floats */
};

/*
 * family.body of such a model, by emit->part.  @seq is copied, and is
 * emit->seq2seq from then on.
 */
struct value *seq2seq_body(struct emit *emit, const struct seq2seq *seq);

/* The same where there is no decoder. */
struct value *seq2seq_encoder(struct emit *emit, const struct seq2seq *seq);

/* family.features: last_hidden_state, encoder_last_hidden_state. */
void seq2seq_features(struct emit *emit, struct value *x);

/* logits, encoder_last_hidden_state. */
void seq2seq_output(struct emit *emit, struct value *logits);

/* Which tables of words are one. */
enum seq2seq_words {
	WORDS_SHARED,  /* shared.weight is both sides' */
	WORDS_BY_SIDE, /* each side has embed_tokens */
};

enum seq2seq_side { SIDE_ENCODER, SIDE_DECODER };

/*
 * The table of words of @side.  Tied tables may be under any
 * of their names; where the file has several, the side's own counts, as the
 * library has it (modeling_utils.py, tie_weights()).
 */
struct value *seq2seq_words(struct emit *emit, enum seq2seq_words kind,
			    uint64_t width, enum seq2seq_side side);

/*
 * The matrix from states to words, @head.weight; or where that is not there
 * and tie_word_embeddings (default true) is set, the decoder's words.
 */
struct value *seq2seq_head(struct emit *emit, enum seq2seq_words kind,
			   uint64_t width, const char *head);

/* head.is_there: lm_head.weight, or a class whose head may be tied. */
bool seq2seq_has_head(const struct json *config, const struct weights *weights);

/* Beginnings of the names that these functions choose from. */
#define SEQ2SEQ_WORDS \
	"shared.", "encoder.embed_tokens.", "decoder.embed_tokens.", "lm_head."

/* Tasks of text to text, which are one graph, for .heads of a family. */
#define HEAD_OF_SEQ2SEQ(function)                                \
	{                                                        \
		.is_there = seq2seq_has_head, .has_parts = true, \
		.emit = (function),                              \
	}

#endif
