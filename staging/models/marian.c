/* SPDX-License-Identifier: MIT */
/* modeling_marian.py */
#include "staging/models/bart_model.h"

static const struct bart_kind kind = {
	.has_sinusoids = true,
};

static struct value *marian_body(struct emit *emit)
{
	return bart_model_body(emit, &kind);
}

const struct family family_marian = {
	.name = "marian",
	.class = "Marian",
	.base = "model",
	.leftovers = bart_leftovers,
	.buffers = bart_buffers,
	.computes = bart_computes,
	.body = marian_body,
	.features = seq2seq_features,
	.heads = {
		[TASK_TEXT2TEXT_GENERATION] = HEAD_OF_SEQ2SEQ(bart_logits),
		[TASK_TRANSLATION] = HEAD_OF_SEQ2SEQ(bart_logits),
	},
};
