/* SPDX-License-Identifier: MIT */
/* modeling_pegasus.py */
#include "staging/models/bart_model.h"

static const struct bart_kind kind = {
	.norm_before = true,
	.has_sinusoids = true,
};

static struct value *pegasus_body(struct emit *emit)
{
	return bart_model_body(emit, &kind);
}

const struct family family_pegasus = {
	.name = "pegasus",
	.class = "Pegasus",
	.base = "model",
	.leftovers = bart_leftovers,
	.buffers = bart_buffers,
	.computes = bart_computes,
	.body = pegasus_body,
	.features = seq2seq_features,
	.heads = {
		[TASK_TEXT2TEXT_GENERATION] = HEAD_OF_SEQ2SEQ(bart_logits),
		[TASK_SUMMARIZATION] = HEAD_OF_SEQ2SEQ(bart_logits),
	},
};
