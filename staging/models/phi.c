/* SPDX-License-Identifier: MIT */
/* modeling_phi.py: attention and the feed-forward part see the same norm. */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/causal.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/rope.h"

struct phi {
	uint64_t hidden, intermediate, width;
	unsigned int layers, heads, kv_heads;
	double eps;
	const char *activation;
	bool norms_heads;
	const struct causal *causal;
	const struct rotary *rotary;
	struct value *mask;
};

static void phi_read(struct emit *emit, struct phi *model)
{
	model->hidden = config_count(emit, "hidden_size", 2048,
				     MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "intermediate_size", 8192,
					   4 * MODEL_WIDTH_MAX);
	model->layers = (unsigned int)config_count(emit, "num_hidden_layers",
						   24, MODEL_LAYERS_MAX);
	model->heads = (unsigned int)config_count(emit, "num_attention_heads",
						  32, MODEL_HEADS_MAX);
	model->kv_heads = (unsigned int)config_count(
		emit, "num_key_value_heads", model->heads, MODEL_HEADS_MAX);
	model->eps = config_epsilon(emit, "layer_norm_eps", 1e-5);
	model->activation = config_text(emit, "hidden_act", "gelu_new");
	model->norms_heads = config_flag(emit, "qk_layernorm", false);
	model->width = model->hidden / model->heads;
	if (model->hidden % model->heads != 0)
		config_refuse(emit, "num_attention_heads");
	if (model->heads % model->kv_heads != 0)
		config_refuse(emit, "num_key_value_heads");
	config_only_number(emit, "head_dim", (double)model->width);
}

/* Each head normalised by itself, with the same weights. */
static struct value *head_norm(struct emit *emit, const struct phi *model,
			       const char *prefix, const char *name,
			       struct value *x)
{
	uint64_t width = x->width;

	if (!model->norms_heads)
		return x;
	x = block_rows_of(&emit->sheet, x, model->width);
	x = emit_norm(emit, x, model->eps, prefix, name);
	return block_rows_of(&emit->sheet, x, width);
}

static struct value *attend(struct emit *emit, const struct phi *model,
			    const char *prefix, unsigned int layer,
			    struct value *x)
{
	uint64_t kv_width = model->kv_heads * model->width;
	struct attention attention = {
		.q = emit_linear(emit, x, model->hidden, prefix,
				 "self_attn.q_proj"),
		.k = emit_linear(emit, x, kv_width, prefix, "self_attn.k_proj"),
		.v = emit_linear(emit, x, kv_width, prefix, "self_attn.v_proj"),
		.mask = model->mask,
		.heads = model->heads,
		.kv_heads = model->kv_heads,
		.rotary = model->rotary,
		.past = causal_past(model->causal, layer),
	};

	attention.q = head_norm(emit, model, prefix, "self_attn.q_layernorm",
				attention.q);
	attention.k = head_norm(emit, model, prefix, "self_attn.k_layernorm",
				attention.k);
	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return emit_linear(emit, x, model->hidden, prefix, "self_attn.dense");
}

static struct value *phi_layer(struct emit *emit, const struct phi *model,
			       unsigned int layer, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y, *z;

	snprintf(prefix, sizeof(prefix), "layers.%u.", layer);
	y = emit_norm(emit, x, model->eps, prefix, "input_layernorm");
	z = emit_linear(emit, y, model->intermediate, prefix, "mlp.fc1");
	z = block_activation(sheet, model->activation, z);
	z = emit_linear(emit, z, model->hidden, prefix, "mlp.fc2");
	z = block_add(sheet, attend(emit, model, prefix, layer, y), z);
	return block_add(sheet, z, x);
}

static struct value *phi_body(struct emit *emit)
{
	struct phi model = { 0 };
	struct rope rope;
	struct value *x;

	phi_read(emit, &model);
	rope = (struct rope){
		.width = model.width,
		.theta = 10000,
		.positions = 2048,
		.part = 0.5,
	};
	model.causal = emit->causal =
		causal_begin(emit, &(struct causal_sizes){
					   .layers = model.layers,
					   .kv_heads = model.kv_heads,
					   .width = model.width,
				   });
	if (!model.causal)
		return &emit->graph->nowhere;
	model.rotary = rope_begin(emit, model.causal, &rope);
	model.mask = causal_mask(emit, model.causal, 0);
	x = block_gather(&emit->sheet,
			 emit_table(emit, model.hidden, "embed_tokens"),
			 model.causal->ids);
	x = emit->sheet.form->rows(&emit->sheet, x);
	for (unsigned int i = 0; i < model.layers; i++) {
		if (emit->graph->error < 0)
			break;
		x = phi_layer(emit, &model, i, x);
	}
	return emit_norm(emit, x, model.eps, "", "final_layernorm");
}

static void phi_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, "lm_head", "embed_tokens", false);
}

static const char *const leftovers[] = { "lm_head.", "score.", "classifier.",
					 NULL };

const struct family family_phi = {
	.name = "phi",
	.class = "Phi",
	.base = "model",
	.leftovers = leftovers,
	.code = "phi",
	.body = phi_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(phi_logits) },
};
