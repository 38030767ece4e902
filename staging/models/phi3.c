/* SPDX-License-Identifier: MIT */
/* modeling_phi3.py: Llama with fused layers and its own rotary positions. */
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/gated_decoder.h"

static struct value *phi3_body(struct emit *emit)
{
	struct gated_decoder model = {
		.hidden = 3072,
		.intermediate = 8192,
		.layers = 32,
		.heads = 32,
		.eps = 1e-5,
		.activation = "silu",
		.rope = {
			.theta = 10000,
			.positions = 4096,
			.original = 4096,
			.part = 1,
			.is_long = true,
		},
		.is_fused = true,
	};

	gated_decoder_read(emit, &model);
	model.window = config_count(emit, "sliding_window", 0, UINT32_MAX);
	gated_decoder_slide(emit, &model);
	return gated_decoder_body(emit, &model);
}

const struct family family_phi3 = {
	.name = "phi3",
	.class = "Phi3",
	.base = "model",
	.leftovers = gated_decoder_leftovers,
	.buffers = gated_decoder_buffers,
	.code = "phi3",
	.body = phi3_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gated_decoder_logits) },
};
