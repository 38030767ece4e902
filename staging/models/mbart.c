/* SPDX-License-Identifier: MIT */
/* modeling_mbart.py */
#include "staging/models/bart_model.h"

static const struct bart_kind kind = {
	.norm_before = true,
	.has_embedding_norm = true,
};

static struct value *mbart_body(struct emit *emit)
{
	return bart_model_body(emit, &kind);
}

const struct family family_mbart = {
	.name = "mbart",
	.class = "MBart",
	.base = "model",
	.leftovers = bart_leftovers,
	.buffers = bart_buffers,
	.computes = bart_computes,
	.body = mbart_body,
	.features = seq2seq_features,
	.heads = {
		[TASK_TEXT2TEXT_GENERATION] = HEAD_OF_SEQ2SEQ(bart_logits),
		[TASK_TRANSLATION] = HEAD_OF_SEQ2SEQ(bart_logits),
	},
};
