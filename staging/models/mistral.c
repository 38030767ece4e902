/* SPDX-License-Identifier: MIT */
/* modeling_mistral.py: Llama whose every layer may look back by a window. */
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/gated_decoder.h"

static struct value *mistral_body(struct emit *emit)
{
	struct gated_decoder model = {
		.hidden = 4096,
		.intermediate = 14336,
		.layers = 32,
		.heads = 32,
		.kv_heads = 8,
		.eps = 1e-6,
		.activation = "silu",
		.rope = { .theta = 10000, .positions = 131072 },
	};

	gated_decoder_read(emit, &model);
	if (!config_is_null(emit, "sliding_window"))
		model.window = config_count(emit, "sliding_window", 4096,
					    UINT32_MAX);
	gated_decoder_slide(emit, &model);
	return gated_decoder_body(emit, &model);
}

const struct family family_mistral = {
	.name = "mistral",
	.class = "Mistral",
	.base = "model",
	.leftovers = gated_decoder_leftovers,
	.buffers = gated_decoder_buffers,
	.body = mistral_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gated_decoder_logits) },
};
