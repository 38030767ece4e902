/* SPDX-License-Identifier: MIT */
/* modeling_gpt2.py; its weights are stored [in, out] (Conv1D). */
#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/causal.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

struct gpt2 {
	uint64_t hidden, intermediate;
	unsigned int layers, heads;
	double eps;
	const char *activation;
	bool scaled, scaled_by_layer;
	const struct causal *causal;
	struct value *mask;
};

static void gpt2_read(struct emit *emit, struct gpt2 *model)
{
	model->hidden = config_count(emit, "n_embd", 768, MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "n_inner", 4 * model->hidden,
					   4 * MODEL_WIDTH_MAX);
	model->layers = (unsigned int)config_count(emit, "n_layer", 12,
						   MODEL_LAYERS_MAX);
	model->heads = (unsigned int)config_count(emit, "n_head", 12,
						  MODEL_HEADS_MAX);
	model->eps = config_epsilon(emit, "layer_norm_epsilon", 1e-5);
	model->activation = config_text(emit, "activation_function",
					"gelu_new");
	model->scaled = config_flag(emit, "scale_attn_weights", true);
	model->scaled_by_layer =
		config_flag(emit, "scale_attn_by_inverse_layer_idx", false);
	if (model->hidden % model->heads != 0)
		config_refuse(emit, "n_head");
}

static struct value *turned_linear(struct emit *emit, struct value *x,
				   uint64_t width, const char *prefix,
				   const char *name)
{
	struct value *weight, *bias;

	weight = bind_turned(emit->bind, x->width, width, "%s%s.weight", prefix,
			     name);
	bias = bind_vector(emit->bind, width, "%s%s.bias", prefix, name);
	return emit->sheet.form->linear(&emit->sheet, x, weight, bias);
}

static double scale_of(const struct gpt2 *model, unsigned int layer)
{
	double scale = 1;

	if (model->scaled)
		scale = 1 / sqrt((double)(model->hidden / model->heads));
	return model->scaled_by_layer ? scale / (layer + 1) : scale;
}

static struct value *attend(struct emit *emit, const struct gpt2 *model,
			    const char *prefix, unsigned int layer,
			    struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	int64_t width = (int64_t)model->hidden;
	struct attention attention = {
		.mask = model->mask,
		.heads = model->heads,
		.scale = scale_of(model, layer),
		.past = causal_past(model->causal, layer),
	};

	x = turned_linear(emit, x, 3 * model->hidden, prefix, "attn.c_attn");
	attention.q = block_slice(sheet, x, 0, width, 1);
	attention.k = block_slice(sheet, x, width, 2 * width, 1);
	attention.v = block_slice(sheet, x, 2 * width, 3 * width, 1);
	x = sheet->form->attention(sheet, &attention);
	return turned_linear(emit, x, model->hidden, prefix, "attn.c_proj");
}

static struct value *gpt2_layer(struct emit *emit, const struct gpt2 *model,
				unsigned int layer, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y;

	snprintf(prefix, sizeof(prefix), "h.%u.", layer);
	y = emit_norm(emit, x, model->eps, prefix, "ln_1");
	x = block_add(sheet, attend(emit, model, prefix, layer, y), x);
	y = emit_norm(emit, x, model->eps, prefix, "ln_2");
	y = turned_linear(emit, y, model->intermediate, prefix, "mlp.c_fc");
	y = block_activation(sheet, model->activation, y);
	y = turned_linear(emit, y, model->hidden, prefix, "mlp.c_proj");
	return block_add(sheet, y, x);
}

static struct value *gpt2_body(struct emit *emit)
{
	struct gpt2 model;
	struct value *x;

	gpt2_read(emit, &model);
	model.causal = emit->causal =
		causal_begin(emit, &(struct causal_sizes){
					   .layers = model.layers,
					   .kv_heads = model.heads,
					   .width = model.hidden / model.heads,
				   });
	if (!model.causal)
		return &emit->graph->nowhere;
	model.mask = causal_mask(emit, model.causal, 0);
	x = causal_embed(emit, model.hidden, "wte", "wpe");
	for (unsigned int i = 0; i < model.layers; i++) {
		if (emit->graph->error < 0)
			break;
		x = gpt2_layer(emit, &model, i, x);
	}
	return emit_norm(emit, x, model.eps, "", "ln_f");
}

static void gpt2_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, "lm_head", "wte", true);
}

static const char *const leftovers[] = { "lm_head.", "score.", "classifier.",
					 "multiple_choice_head.", NULL };

/* The causal mask, which old files hold. */
static const char *const buffers[] = { ".attn.bias", ".attn.masked_bias",
				       NULL };

const struct family family_gpt2 = {
	.name = "gpt2",
	.class = "GPT2",
	.base = "transformer",
	.leftovers = leftovers,
	.buffers = buffers,
	.body = gpt2_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gpt2_logits) },
};
