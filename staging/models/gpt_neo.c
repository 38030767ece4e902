/* SPDX-License-Identifier: MIT */
/* modeling_gpt_neo.py: some layers look back no further than a window. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/causal.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

struct gpt_neo {
	uint64_t hidden, intermediate, window;
	unsigned int layers, heads;
	double eps;
	const char *activation;
	const struct causal *causal;
	struct value *global, *local; /* masks */
	bool is_local[MODEL_LAYERS_MAX];
};

/* The types of a list for layers from *@count on. */
static bool add_types(struct gpt_neo *model, const struct json *list,
		      unsigned int *count)
{
	for (const struct json *at = json_first(list); at; at = json_next(at)) {
		const char *type = json_string(at);

		if (!type || *count >= model->layers)
			return false;
		model->is_local[*count] = strcmp(type, "local") == 0;
		if (!model->is_local[*count] && strcmp(type, "global") != 0)
			return false;
		(*count)++;
	}
	return true;
}

/* One of attention_types: [["global", "local"], 12]. */
static bool add_run(struct gpt_neo *model, const struct json *run,
		    unsigned int *count)
{
	const struct json *types = json_first(run);
	uint64_t times;

	if (json_count(run) != 2 || !json_u64(json_next(types), &times) ||
	    times > MODEL_LAYERS_MAX)
		return false;
	for (uint64_t i = 0; i < times; i++)
		if (!add_types(model, types, count))
			return false;
	return true;
}

/* attention_types, which attention_layers spells out. */
static void read_types(struct emit *emit, struct gpt_neo *model)
{
	const struct json *types = json_get(emit->config, "attention_types");
	const struct json *layers = json_get(emit->config, "attention_layers");
	const struct json *at = json_first(types);
	unsigned int count = 0;
	bool is_right = true;

	if (at)
		for (; is_right && at; at = json_next(at))
			is_right = add_run(model, at, &count);
	else if (json_count(layers) > 0)
		is_right = add_types(model, layers, &count);
	else
		for (; count < model->layers; count++)
			model->is_local[count] = count % 2 == 1;
	if (!is_right || count != model->layers)
		config_refuse(emit, "attention_types");
}

static void gpt_neo_read(struct emit *emit, struct gpt_neo *model)
{
	model->hidden = config_count(emit, "hidden_size", 2048,
				     MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "intermediate_size",
					   4 * model->hidden,
					   4 * MODEL_WIDTH_MAX);
	model->layers = (unsigned int)config_count(emit, "num_layers", 24,
						   MODEL_LAYERS_MAX);
	model->heads = (unsigned int)config_count(emit, "num_heads", 16,
						  MODEL_HEADS_MAX);
	model->window = config_count(emit, "window_size", 256, UINT32_MAX);
	model->eps = config_epsilon(emit, "layer_norm_epsilon", 1e-5);
	model->activation = config_text(emit, "activation_function",
					"gelu_new");
	if (model->hidden % model->heads != 0)
		config_refuse(emit, "num_heads");
	read_types(emit, model);
}

static struct value *attend(struct emit *emit, const struct gpt_neo *model,
			    const char *prefix, unsigned int layer,
			    struct value *x)
{
	uint64_t width = model->hidden;
	struct attention attention = {
		.q = emit_projection(emit, x, width, false, prefix,
				     "attn.attention.q_proj"),
		.k = emit_projection(emit, x, width, false, prefix,
				     "attn.attention.k_proj"),
		.v = emit_projection(emit, x, width, false, prefix,
				     "attn.attention.v_proj"),
		.mask = model->is_local[layer] ? model->local : model->global,
		.heads = model->heads,
		.scale = 1,
		.past = causal_past(model->causal, layer),
	};

	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return emit_linear(emit, x, width, prefix, "attn.attention.out_proj");
}

static struct value *gpt_neo_layer(struct emit *emit,
				   const struct gpt_neo *model,
				   unsigned int layer, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y;

	snprintf(prefix, sizeof(prefix), "h.%u.", layer);
	y = emit_norm(emit, x, model->eps, prefix, "ln_1");
	x = block_add(sheet, attend(emit, model, prefix, layer, y), x);
	y = emit_norm(emit, x, model->eps, prefix, "ln_2");
	y = emit_linear(emit, y, model->intermediate, prefix, "mlp.c_fc");
	y = block_activation(sheet, model->activation, y);
	y = emit_linear(emit, y, model->hidden, prefix, "mlp.c_proj");
	return block_add(sheet, y, x);
}

static struct value *gpt_neo_body(struct emit *emit)
{
	struct gpt_neo model = { 0 };
	struct value *x;

	gpt_neo_read(emit, &model);
	model.causal = emit->causal =
		causal_begin(emit, &(struct causal_sizes){
					   .layers = model.layers,
					   .kv_heads = model.heads,
					   .width = model.hidden / model.heads,
				   });
	if (!model.causal)
		return &emit->graph->nowhere;
	model.global = causal_mask(emit, model.causal, 0);
	model.local = causal_mask(emit, model.causal, model.window);
	x = causal_embed(emit, model.hidden, "wte", "wpe");
	for (unsigned int i = 0; i < model.layers; i++) {
		if (emit->graph->error < 0)
			break;
		x = gpt_neo_layer(emit, &model, i, x);
	}
	return emit_norm(emit, x, model.eps, "", "ln_f");
}

static void gpt_neo_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, "lm_head", "wte", true);
}

static const char *const leftovers[] = { "lm_head.", "score.", "classifier.",
					 "qa_outputs.", NULL };

/* The causal mask, which old files hold. */
static const char *const buffers[] = { ".attn.attention.bias",
				       ".attn.attention.masked_bias", NULL };

const struct family family_gpt_neo = {
	.name = "gpt_neo",
	.class = "GPTNeo",
	.base = "transformer",
	.leftovers = leftovers,
	.buffers = buffers,
	.body = gpt_neo_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(gpt_neo_logits) },
};
