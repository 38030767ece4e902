/* SPDX-License-Identifier: MIT */
/* modeling_qwen2.py: Llama with biases of queries, keys and values. */
#include "staging/models/encoder.h"
#include "staging/models/gated_decoder.h"

static struct value *qwen2_body(struct emit *emit)
{
	struct gated_decoder model = {
		.hidden = 4096,
		.intermediate = 22016,
		.layers = 32,
		.heads = 32,
		.kv_heads = 32,
		.eps = 1e-6,
		.activation = "silu",
		.rope = { .theta = 10000, .positions = 32768 },
		.has_qkv_bias = true,
	};

	gated_decoder_read(emit, &model);
	gated_decoder_choose(emit, &model);
	return gated_decoder_body(emit, &model);
}

const struct family family_qwen2 = {
	.name = "qwen2",
	.class = "Qwen2",
	.base = "model",
	.leftovers = gated_decoder_leftovers,
	.buffers = gated_decoder_buffers,
	.body = qwen2_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gated_decoder_logits) },
};
