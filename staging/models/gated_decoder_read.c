/* SPDX-License-Identifier: MIT */
/* The configuration of decoders like Llama. */
#include "staging/models/gated_decoder.h"

#include <string.h>

#include "staging/models/config_read.h"

/* Of models that are made of these by a key more. */
static void check_others(struct emit *emit)
{
	static const char *const keys[] = {
		"alibi",
		"attention_chunk_size",
		"attention_multiplier",
		"attn_logit_softcapping",
		"clip_qkv",
		"embedding_multiplier",
		"final_logit_softcapping",
		"logit_scale",
		"logits_scaling",
		"no_rope_layers",
		"num_experts",
		"num_local_experts",
		"per_layer_config",
		"query_pre_attn_scalar",
		"residual_multiplier",
		"rope_interleaved",
		"scale_depth",
		"scale_emb",
		"sliding_window_pattern",
		"use_bidirectional_attention",
		"use_mrope",
		"use_qk_norm",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		config_only_unset(emit, keys[i]);
}

static unsigned int count(struct emit *emit, const char *key,
			  unsigned int otherwise, unsigned int max)
{
	return (unsigned int)config_count(emit, key, otherwise, max);
}

static void read_heads(struct emit *emit, struct gated_decoder *model)
{
	static const char key[] = "num_key_value_heads";
	uint64_t width;

	model->heads = count(emit, "num_attention_heads", model->heads,
			     MODEL_HEADS_MAX);
	if (model->kv_heads == 0 || config_is_null(emit, key))
		model->kv_heads = model->heads;
	model->kv_heads = count(emit, key, model->kv_heads, MODEL_HEADS_MAX);
	if (model->heads % model->kv_heads != 0)
		config_refuse(emit, key);
	width = model->rope.width;
	if (width == 0)
		width = model->hidden / model->heads;
	width = config_count(emit, "head_dim", width ? width : 1,
			     MODEL_WIDTH_MAX);
	if (model->heads * width > MODEL_WIDTH_MAX)
		config_refuse(emit, "head_dim");
	model->rope.width = width;
}

void gated_decoder_read(struct emit *emit, struct gated_decoder *model)
{
	check_others(emit);
	model->hidden = config_count(emit, "hidden_size", model->hidden,
				     MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "intermediate_size",
					   model->intermediate,
					   4 * MODEL_WIDTH_MAX);
	model->layers = count(emit, "num_hidden_layers", model->layers,
			      MODEL_LAYERS_MAX);
	read_heads(emit, model);
	model->eps = config_epsilon(emit, "rms_norm_eps", model->eps);
	model->activation = config_text(emit, "hidden_act", model->activation);
}

/* Of one entry of layer_types; false: another kind. */
static bool parse_type(const char *type, bool *slides)
{
	*slides = type && strcmp(type, "sliding_attention") == 0;
	return *slides || (type && (strcmp(type, "full_attention") == 0 ||
				    strcmp(type, "attention") == 0));
}

/* False: not understood. */
static bool read_types(const struct json *list, struct gated_decoder *model)
{
	unsigned int layer = 0;

	if (json_kind(list) != JSON_ARRAY || json_count(list) != model->layers)
		return false;
	for (list = json_first(list); list; list = json_next(list), layer++) {
		bool *slides = &model->slides[layer];

		if (!parse_type(json_string(list), slides))
			return false;
		if (*slides && model->window == 0)
			return false;
	}
	return true;
}

static void slide_from(struct emit *emit, struct gated_decoder *model,
		       uint64_t first)
{
	const struct json *list = json_get(emit->config, "layer_types");

	for (unsigned int i = 0; i < model->layers; i++)
		model->slides[i] = model->window > 0 && i >= first;
	if (json_kind(list) > JSON_NULL && !read_types(list, model))
		config_refuse(emit, "layer_types");
}

void gated_decoder_slide(struct emit *emit, struct gated_decoder *model)
{
	slide_from(emit, model, 0);
	for (unsigned int i = 0; i < model->layers; i++)
		if (model->slides[i] != (model->window > 0))
			config_refuse(emit, "layer_types");
}

void gated_decoder_choose(struct emit *emit, struct gated_decoder *model)
{
	static const char window[] = "sliding_window";

	if (config_flag(emit, "use_sliding_window", false) &&
	    !config_is_null(emit, window))
		model->window = config_count(emit, window, 4096, UINT32_MAX);
	slide_from(emit, model,
		   config_index(emit, "max_window_layers", 28, UINT32_MAX));
}
