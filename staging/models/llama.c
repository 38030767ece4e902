/* SPDX-License-Identifier: MIT */
/* modeling_llama.py */
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/gated_decoder.h"

static struct value *llama_body(struct emit *emit)
{
	struct gated_decoder model = {
		.hidden = 4096,
		.intermediate = 11008,
		.layers = 32,
		.heads = 32,
		.eps = 1e-6,
		.activation = "silu",
		.rope = { .theta = 10000, .positions = 2048 },
	};

	gated_decoder_read(emit, &model);
	model.has_qkv_bias = config_flag(emit, "attention_bias", false);
	model.has_output_bias = model.has_qkv_bias;
	model.has_mlp_bias = config_flag(emit, "mlp_bias", false);
	config_only_unset(emit, "sliding_window");
	gated_decoder_slide(emit, &model);
	return gated_decoder_body(emit, &model);
}

const struct family family_llama = {
	.name = "llama",
	.class = "Llama",
	.base = "model",
	.leftovers = gated_decoder_leftovers,
	.buffers = gated_decoder_buffers,
	.body = llama_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gated_decoder_logits) },
};
