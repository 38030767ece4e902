/* SPDX-License-Identifier: MIT */
/* modeling_wav2vec2.py */
#include "staging/models/encoder.h"
#include "staging/models/speech.h"

static struct value *wav2vec2_body(struct emit *emit)
{
	const struct speech_projection projection = { .is_normed = true };

	return speech_body(emit, &projection);
}

const struct family family_wav2vec2 = {
	.name = "wav2vec2",
	.class = "Wav2Vec2",
	.base = "wav2vec2",
	.leftovers = speech_leftovers,
	.body = wav2vec2_body,
	.features = emit_hidden,
	.heads = HEADS_OF_SPEECH,
};
