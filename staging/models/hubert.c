/* SPDX-License-Identifier: MIT */
/* modeling_hubert.py */
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/speech.h"

static struct value *hubert_body(struct emit *emit)
{
	const struct speech_projection projection = {
		.is_normed = config_flag(emit, "feat_proj_layer_norm", true),
		.is_batch_normed = config_flag(emit, "conv_pos_batch_norm",
					       false),
	};

	return speech_body(emit, &projection);
}

const struct family family_hubert = {
	.name = "hubert",
	.class = "Hubert",
	.base = "hubert",
	.leftovers = speech_leftovers,
	.body = hubert_body,
	.features = emit_hidden,
	.heads = HEADS_OF_SPEECH,
};
