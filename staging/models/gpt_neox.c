/* SPDX-License-Identifier: MIT */
/* modeling_gpt_neox.py: GPT-NeoX and Pythia. */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/causal.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/rope.h"

struct gpt_neox {
	uint64_t hidden, intermediate;
	unsigned int layers, heads;
	double eps;
	const char *activation;
	bool is_parallel, has_bias;
	const struct causal *causal;
	const struct rotary *rotary;
	struct value *mask;
};

static void gpt_neox_read(struct emit *emit, struct gpt_neox *model)
{
	model->hidden = config_count(emit, "hidden_size", 6144,
				     MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "intermediate_size", 24576,
					   4 * MODEL_WIDTH_MAX);
	model->layers = (unsigned int)config_count(emit, "num_hidden_layers",
						   44, MODEL_LAYERS_MAX);
	model->heads = (unsigned int)config_count(emit, "num_attention_heads",
						  64, MODEL_HEADS_MAX);
	model->eps = config_epsilon(emit, "layer_norm_eps", 1e-5);
	model->activation = config_text(emit, "hidden_act", "gelu");
	model->is_parallel = config_flag(emit, "use_parallel_residual", true);
	model->has_bias = config_flag(emit, "attention_bias", true);
	if (model->hidden % model->heads != 0)
		config_refuse(emit, "num_attention_heads");
}

static struct value *attend(struct emit *emit, const struct gpt_neox *model,
			    const char *prefix, unsigned int layer,
			    struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	struct attention attention = {
		.mask = model->mask,
		.heads = model->heads,
		.rotary = model->rotary,
		.past = causal_past(model->causal, layer),
	};

	x = emit_projection(emit, x, 3 * model->hidden, model->has_bias, prefix,
			    "attention.query_key_value");
	attention.q = block_fused_part(sheet, x, model->heads, 0, 3);
	attention.k = block_fused_part(sheet, x, model->heads, 1, 3);
	attention.v = block_fused_part(sheet, x, model->heads, 2, 3);
	x = sheet->form->attention(sheet, &attention);
	return emit_projection(emit, x, model->hidden, model->has_bias, prefix,
			       "attention.dense");
}

static struct value *feed_forward(struct emit *emit,
				  const struct gpt_neox *model,
				  const char *prefix, struct value *x)
{
	x = emit_norm(emit, x, model->eps, prefix, "post_attention_layernorm");
	x = emit_linear(emit, x, model->intermediate, prefix,
			"mlp.dense_h_to_4h");
	x = block_activation(&emit->sheet, model->activation, x);
	return emit_linear(emit, x, model->hidden, prefix, "mlp.dense_4h_to_h");
}

static struct value *gpt_neox_layer(struct emit *emit,
				    const struct gpt_neox *model,
				    unsigned int layer, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y;

	snprintf(prefix, sizeof(prefix), "layers.%u.", layer);
	y = emit_norm(emit, x, model->eps, prefix, "input_layernorm");
	y = block_add(sheet, attend(emit, model, prefix, layer, y), x);
	if (!model->is_parallel)
		x = y;
	return block_add(sheet, feed_forward(emit, model, prefix, x), y);
}

/* The keys that GPT-NeoX alone has of them: rotary_emb_base, rotary_pct. */
static struct rope rope_of(struct emit *emit, const struct gpt_neox *model)
{
	double base = config_number(emit, "rotary_emb_base", 10000);

	if (json_get(emit->config, "rotary_emb_base"))
		config_only_number(emit, "rope_theta", base);
	return (struct rope){
		.width = model->hidden / model->heads,
		.theta = base,
		.positions = 2048,
		.part = config_number(emit, "rotary_pct", 0.25),
	};
}

static struct value *gpt_neox_body(struct emit *emit)
{
	struct gpt_neox model = { 0 };
	struct rope rope;
	struct value *x;

	gpt_neox_read(emit, &model);
	rope = rope_of(emit, &model);
	model.causal = emit->causal =
		causal_begin(emit, &(struct causal_sizes){
					   .layers = model.layers,
					   .kv_heads = model.heads,
					   .width = rope.width,
				   });
	if (!model.causal)
		return &emit->graph->nowhere;
	model.rotary = rope_begin(emit, model.causal, &rope);
	model.mask = causal_mask(emit, model.causal, 0);
	x = block_gather(&emit->sheet,
			 emit_table(emit, model.hidden, "embed_in"),
			 model.causal->ids);
	x = emit->sheet.form->rows(&emit->sheet, x);
	for (unsigned int i = 0; i < model.layers; i++) {
		if (emit->graph->error < 0)
			break;
		x = gpt_neox_layer(emit, &model, i, x);
	}
	return emit_norm(emit, x, model.eps, "", "final_layer_norm");
}

/* Files call the head embed_out; transformers 5 lm_head. */
static const char *head_name(const struct bind *bind)
{
	return bind_has(bind, "lm_head.weight") ? "lm_head" : "embed_out";
}

static void gpt_neox_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, head_name(emit->bind), "embed_in", false);
}

static const char *const leftovers[] = { "embed_out.",	"lm_head.",    "score.",
					 "classifier.", "qa_outputs.", NULL };

/* The causal mask, which old files hold. */
static const char *const buffers[] = { "attention.bias",
				       "attention.masked_bias", NULL };

const struct family family_gpt_neox = {
	.name = "gpt_neox",
	.class = "GPTNeoX",
	.base = "gpt_neox",
	.leftovers = leftovers,
	.buffers = buffers,
	.body = gpt_neox_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gpt_neox_logits) },
};
