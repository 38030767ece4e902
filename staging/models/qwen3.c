/* SPDX-License-Identifier: MIT */
/* modeling_qwen3.py: Qwen2 whose queries and keys are normalised. */
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/gated_decoder.h"

static struct value *qwen3_body(struct emit *emit)
{
	struct gated_decoder model = {
		.hidden = 4096,
		.intermediate = 22016,
		.layers = 32,
		.heads = 32,
		.kv_heads = 32,
		.eps = 1e-6,
		.activation = "silu",
		.rope = { .width = 128, .theta = 10000, .positions = 32768 },
		.has_head_norms = true,
	};

	gated_decoder_read(emit, &model);
	model.has_qkv_bias = config_flag(emit, "attention_bias", false);
	model.has_output_bias = model.has_qkv_bias;
	gated_decoder_choose(emit, &model);
	return gated_decoder_body(emit, &model);
}

const struct family family_qwen3 = {
	.name = "qwen3",
	.class = "Qwen3",
	.base = "model",
	.leftovers = gated_decoder_leftovers,
	.buffers = gated_decoder_buffers,
	.body = qwen3_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gated_decoder_logits) },
};
