/* SPDX-License-Identifier: MIT */
/* modeling_gemma.py: Llama with scaled words and norms by 1 + weight. */
#include <string.h>

#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/gated_decoder.h"

#define TANH_GELU "gelu_pytorch_tanh"

/*
 * The first files say "gelu" and mean its approximation; hidden_activation
 * came later, says what was meant, and is not read any more.
 */
static const char *activation_of(struct emit *emit, const char *name)
{
	if (strcmp(name, "gelu") == 0)
		name = TANH_GELU;
	config_only_text(emit, "hidden_activation", name);
	return name;
}

static struct value *gemma_body(struct emit *emit)
{
	struct gated_decoder model = {
		.hidden = 3072,
		.intermediate = 24576,
		.layers = 28,
		.heads = 16,
		.kv_heads = 16,
		.eps = 1e-6,
		.activation = TANH_GELU,
		.rope = { .width = 256, .theta = 10000, .positions = 8192 },
		.is_centred = true,
		.scales_words = true,
	};

	gated_decoder_read(emit, &model);
	model.activation = activation_of(emit, model.activation);
	model.has_qkv_bias = config_flag(emit, "attention_bias", false);
	model.has_output_bias = model.has_qkv_bias;
	config_only_unset(emit, "sliding_window");
	gated_decoder_slide(emit, &model);
	return gated_decoder_body(emit, &model);
}

const struct family family_gemma = {
	.name = "gemma",
	.class = "Gemma",
	.base = "model",
	.leftovers = gated_decoder_leftovers,
	.buffers = gated_decoder_buffers,
	.body = gemma_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gated_decoder_tied_logits) },
};
