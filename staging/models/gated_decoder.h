/* SPDX-License-Identifier: MIT */
/*
 * staging/models/gated_decoder.h - decoders of text like Llama.
 *
 * Facts: transformers, models/llama/modeling_llama.py and those made of it.
 * Each layer is attention with rotary positions, then a gated feed-forward
 * part, each normalised by its root mean square before and added after.
 */
#ifndef STAGING_MODELS_GATED_DECODER_H
#define STAGING_MODELS_GATED_DECODER_H

#include "base/limits.h"
#include "staging/models/causal.h"
#include "staging/models/rope.h"

struct gated_decoder {
	/*
	 * Of the configuration; before it is read, the defaults of the
	 * family's class.
	 */
	uint64_t hidden, intermediate;
	unsigned int layers, heads;
	unsigned int kv_heads; /* 0: as many as heads */
	double eps;
	const char *activation; /* borrowed from the configuration */
	struct rope rope;	/* .width 0: what heads divide hidden into */
	uint64_t window;	/* of layers that slide */
	bool slides[MODEL_LAYERS_MAX];

	/* What families differ in. */
	bool has_qkv_bias, has_output_bias, has_mlp_bias;
	bool is_fused;	     /* qkv_proj and gate_up_proj (Phi-3) */
	bool has_head_norms; /* q_norm and k_norm (Qwen3) */
	bool is_centred;     /* norms by 1 + weight (Gemma) */
	bool scales_words;   /* embeddings times sqrt(hidden) (Gemma) */
};

/*
 * Reads the sizes by the keys that all share, and refuses what similar
 * models have and these have not.
 */
void gated_decoder_read(struct emit *emit, struct gated_decoder *model);

/* If there is a window, all layers slide; layer_types must agree. */
void gated_decoder_slide(struct emit *emit, struct gated_decoder *model);

/*
 * Those of layer_types, else from max_window_layers on, if there is a window
 * and use_sliding_window (Qwen).
 */
void gated_decoder_choose(struct emit *emit, struct gated_decoder *model);

/* The inputs and all layers; family.body's. */
struct value *gated_decoder_body(struct emit *emit,
				 struct gated_decoder *model);

/* Logits by lm_head, which is tied if not else said or not. */
void gated_decoder_logits(struct emit *emit, struct value *x);
void gated_decoder_tied_logits(struct emit *emit, struct value *x);

/* For .leftovers and .buffers of a family. */
extern const char *const gated_decoder_leftovers[];
extern const char *const gated_decoder_buffers[];

#endif
