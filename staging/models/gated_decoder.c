/* SPDX-License-Identifier: MIT */
#include "staging/models/gated_decoder.h"

#include <math.h>
#include <stdio.h>

#include "staging/graph/blocks.h"
#include "staging/models/encoder.h"

#define WORDS "embed_tokens"

/* What layers share. */
struct shared {
	const struct gated_decoder *model;
	const struct causal *causal;
	const struct rotary *rotary;
	struct value *full, *sliding; /* masks; NULL: not made yet */
};

static struct value *mask_of(struct emit *emit, struct shared *shared,
			     unsigned int layer)
{
	bool slides = shared->model->slides[layer];
	struct value **mask = slides ? &shared->sliding : &shared->full;

	if (!*mask)
		*mask = causal_mask(emit, shared->causal,
				    slides ? shared->model->window : 0);
	return *mask;
}

/* Three linear layers, or one that is cut into three. */
static void project(struct emit *emit, const struct gated_decoder *model,
		    const char *prefix, struct value *x,
		    struct attention *attention)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t q_width = model->heads * model->rope.width;
	uint64_t k_width = model->kv_heads * model->rope.width;
	int64_t k_at = (int64_t)q_width, v_at = k_at + (int64_t)k_width;
	bool has_bias = model->has_qkv_bias;

	if (!model->is_fused) {
		attention->q = emit_projection(emit, x, q_width, has_bias,
					       prefix, "self_attn.q_proj");
		attention->k = emit_projection(emit, x, k_width, has_bias,
					       prefix, "self_attn.k_proj");
		attention->v = emit_projection(emit, x, k_width, has_bias,
					       prefix, "self_attn.v_proj");
		return;
	}
	x = emit_projection(emit, x, q_width + 2 * k_width, has_bias, prefix,
			    "self_attn.qkv_proj");
	attention->q = block_slice(sheet, x, 0, k_at, 1);
	attention->k = block_slice(sheet, x, k_at, v_at, 1);
	attention->v = block_slice(sheet, x, v_at, v_at + (int64_t)k_width, 1);
}

/* Each head is normalised by itself. */
static struct value *head_norm(struct emit *emit,
			       const struct gated_decoder *model,
			       struct value *x, const char *prefix,
			       const char *name)
{
	struct sheet *sheet = &emit->sheet;
	struct sequence *sequence = x->sequence;
	uint64_t width = x->width;

	x = block_rows_of(sheet, x, model->rope.width);
	x = emit_rms_norm(emit, x, model->eps, model->is_centred, prefix, name);
	x = block_rows_of(sheet, x, width);
	x->sequence = sequence;
	return x;
}

static struct value *attend(struct emit *emit, struct shared *shared,
			    const char *prefix, unsigned int layer,
			    struct value *x)
{
	const struct gated_decoder *model = shared->model;
	struct attention attention = {
		.mask = mask_of(emit, shared, layer),
		.heads = model->heads,
		.kv_heads = model->kv_heads,
		.rotary = shared->rotary,
		.past = causal_past(shared->causal, layer),
	};

	project(emit, model, prefix, x, &attention);
	if (model->has_head_norms) {
		attention.q = head_norm(emit, model, attention.q, prefix,
					"self_attn.q_norm");
		attention.k = head_norm(emit, model, attention.k, prefix,
					"self_attn.k_norm");
	}
	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return emit_projection(emit, x, model->hidden, model->has_output_bias,
			       prefix, "self_attn.o_proj");
}

static struct value *feed_forward(struct emit *emit,
				  const struct gated_decoder *model,
				  const char *prefix, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = model->intermediate;
	int64_t half = (int64_t)width;
	bool has_bias = model->has_mlp_bias;
	struct value *gate, *up;

	if (model->is_fused) {
		x = emit_projection(emit, x, 2 * width, has_bias, prefix,
				    "mlp.gate_up_proj");
		gate = block_slice(sheet, x, 0, half, 1);
		up = block_slice(sheet, x, half, 2 * half, 1);
	} else {
		gate = emit_projection(emit, x, width, has_bias, prefix,
				       "mlp.gate_proj");
		up = emit_projection(emit, x, width, has_bias, prefix,
				     "mlp.up_proj");
	}
	gate = block_activation(sheet, model->activation, gate);
	return emit_projection(emit, block_mul(sheet, gate, up), model->hidden,
			       has_bias, prefix, "mlp.down_proj");
}

static struct value *layer_of(struct emit *emit, struct shared *shared,
			      unsigned int layer, struct value *x)
{
	const struct gated_decoder *model = shared->model;
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y;

	snprintf(prefix, sizeof(prefix), "layers.%u.", layer);
	y = emit_rms_norm(emit, x, model->eps, model->is_centred, prefix,
			  "input_layernorm");
	y = attend(emit, shared, prefix, layer, y);
	x = block_add(sheet, x, y);
	y = emit_rms_norm(emit, x, model->eps, model->is_centred, prefix,
			  "post_attention_layernorm");
	return block_add(sheet, x, feed_forward(emit, model, prefix, y));
}

static struct value *embed(struct emit *emit, const struct gated_decoder *model,
			   const struct causal *causal)
{
	struct sheet *sheet = &emit->sheet;
	struct value *x = block_gather(
		sheet, emit_table(emit, model->hidden, WORDS), causal->ids);

	x = sheet->form->rows(sheet, x);
	if (!model->scales_words)
		return x;
	return block_mul(sheet, x,
			 block_number(sheet, sqrt((double)model->hidden)));
}

struct value *gated_decoder_body(struct emit *emit, struct gated_decoder *model)
{
	struct shared shared = { .model = model };
	struct value *x;

	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	shared.causal = emit->causal =
		causal_begin(emit, &(struct causal_sizes){
					   .layers = model->layers,
					   .kv_heads = model->kv_heads,
					   .width = model->rope.width,
				   });
	if (!shared.causal)
		return &emit->graph->nowhere;
	shared.rotary = rope_begin(emit, shared.causal, &model->rope);
	x = embed(emit, model, shared.causal);
	for (unsigned int i = 0; i < model->layers; i++) {
		if (emit->graph->error < 0)
			return &emit->graph->nowhere;
		x = layer_of(emit, &shared, i, x);
	}
	return emit_rms_norm(emit, x, model->eps, model->is_centred, "",
			     "norm");
}

void gated_decoder_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, "lm_head", WORDS, false);
}

void gated_decoder_tied_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, "lm_head", WORDS, true);
}

const char *const gated_decoder_leftovers[] = { "lm_head.", "score.",
						"classifier.", "qa_outputs.",
						NULL };

/* What early conversions of LLaMA hold. */
const char *const gated_decoder_buffers[] = { ".rotary_emb.cos_cached",
					      ".rotary_emb.sin_cached", NULL };
