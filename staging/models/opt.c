/* SPDX-License-Identifier: MIT */
/* modeling_opt.py; positions are counted over what the mask shows. */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/causal.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

/* Of torch.nn.LayerNorm; OPTLearnedPositionalEmbedding's. */
#define EPS 1e-5
#define OFFSET 2

struct opt {
	uint64_t hidden, intermediate, words_width;
	unsigned int layers, heads;
	const char *activation;
	bool norm_before, has_final_norm, has_bias, is_affine;
	const struct causal *causal;
	struct value *mask;
};

static void opt_read(struct emit *emit, struct opt *model)
{
	model->hidden = config_count(emit, "hidden_size", 768, MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "ffn_dim", 3072,
					   4 * MODEL_WIDTH_MAX);
	model->words_width = config_count(emit, "word_embed_proj_dim",
					  model->hidden, MODEL_WIDTH_MAX);
	model->layers = (unsigned int)config_count(emit, "num_hidden_layers",
						   12, MODEL_LAYERS_MAX);
	model->heads = (unsigned int)config_count(emit, "num_attention_heads",
						  12, MODEL_HEADS_MAX);
	model->activation = config_text(emit, "activation_function", "relu");
	model->norm_before = config_flag(emit, "do_layer_norm_before", true);
	model->has_final_norm = model->norm_before &&
				!config_flag(emit, "_remove_final_layer_norm",
					     false);
	model->has_bias = config_flag(emit, "enable_bias", true);
	model->is_affine = config_flag(emit, "layer_norm_elementwise_affine",
				       true);
	if (model->hidden % model->heads != 0)
		config_refuse(emit, "num_attention_heads");
}

static struct value *norm(struct emit *emit, const struct opt *model,
			  struct value *x, const char *prefix, const char *name)
{
	if (!model->is_affine)
		return block_layer_norm(&emit->sheet, x, NULL, NULL, EPS);
	return emit_norm(emit, x, EPS, prefix, name);
}

static struct value *attend(struct emit *emit, const struct opt *model,
			    const char *prefix, unsigned int layer,
			    struct value *x)
{
	uint64_t width = model->hidden;
	bool bias = model->has_bias;
	struct attention attention = {
		.q = emit_projection(emit, x, width, bias, prefix,
				     "self_attn.q_proj"),
		.k = emit_projection(emit, x, width, bias, prefix,
				     "self_attn.k_proj"),
		.v = emit_projection(emit, x, width, bias, prefix,
				     "self_attn.v_proj"),
		.mask = model->mask,
		.heads = model->heads,
		.past = causal_past(model->causal, layer),
	};

	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return emit_projection(emit, x, width, bias, prefix,
			       "self_attn.out_proj");
}

static struct value *feed_forward(struct emit *emit, const struct opt *model,
				  const char *prefix, struct value *x)
{
	bool bias = model->has_bias;

	x = emit_projection(emit, x, model->intermediate, bias, prefix, "fc1");
	x = block_activation(&emit->sheet, model->activation, x);
	return emit_projection(emit, x, model->hidden, bias, prefix, "fc2");
}

static struct value *opt_layer(struct emit *emit, const struct opt *model,
			       unsigned int layer, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	char prefix[TENSOR_NAME_MAX];
	struct value *y = x;

	snprintf(prefix, sizeof(prefix), "decoder.layers.%u.", layer);
	if (model->norm_before)
		y = norm(emit, model, x, prefix, "self_attn_layer_norm");
	x = block_add(sheet, x, attend(emit, model, prefix, layer, y));
	if (!model->norm_before)
		x = norm(emit, model, x, prefix, "self_attn_layer_norm");
	y = x;
	if (model->norm_before)
		y = norm(emit, model, x, prefix, "final_layer_norm");
	x = block_add(sheet, x, feed_forward(emit, model, prefix, y));
	if (!model->norm_before)
		x = norm(emit, model, x, prefix, "final_layer_norm");
	return x;
}

/* The position of each token as a row of the table. */
static struct value *places(struct emit *emit, const struct causal *causal)
{
	struct sheet *sheet = &emit->sheet;
	struct graph *graph = emit->graph;
	struct value *seen = causal->seen, *count;

	if (causal->position_ids)
		return block_add(sheet, causal->position_ids,
				 graph_int(graph, OFFSET));
	count = block_cumsum(sheet, seen, seen->rank - 1);
	count = block_mul(sheet, count, seen);
	count = block_add(sheet, count, block_number(sheet, OFFSET - 1));
	return graph_node(graph, "Cast", INPUTS(count),
			  ATTRS(attr_int("to", ONNX_INT64)));
}

static struct value *embed(struct emit *emit, const struct opt *model)
{
	struct sheet *sheet = &emit->sheet;
	struct value *x, *table, *y;

	table = emit_table(emit, model->words_width, "decoder.embed_tokens");
	x = block_gather(sheet, table, model->causal->ids);
	x = sheet->form->rows(sheet, x);
	if (model->words_width != model->hidden)
		x = emit_projection(emit, x, model->hidden, false, "decoder.",
				    "project_in");
	table = emit_table(emit, model->hidden, "decoder.embed_positions");
	emit->max_length = emit_places_after(table->rows, OFFSET - 1);
	y = block_gather(sheet, table, places(emit, model->causal));
	return block_add(sheet, x, block_rows_of(sheet, y, model->hidden));
}

static struct value *opt_body(struct emit *emit)
{
	struct opt model;
	struct value *x;

	opt_read(emit, &model);
	model.causal = emit->causal =
		causal_begin(emit, &(struct causal_sizes){
					   .layers = model.layers,
					   .kv_heads = model.heads,
					   .width = model.hidden / model.heads,
				   });
	if (!model.causal)
		return &emit->graph->nowhere;
	model.mask = causal_mask(emit, model.causal, 0);
	x = embed(emit, &model);
	for (unsigned int i = 0; i < model.layers; i++) {
		if (emit->graph->error < 0)
			break;
		x = opt_layer(emit, &model, i, x);
	}
	if (model.has_final_norm)
		x = norm(emit, &model, x, "decoder.", "final_layer_norm");
	if (model.words_width != model.hidden)
		x = emit_projection(emit, x, model.words_width, false,
				    "decoder.", "project_out");
	return x;
}

static void opt_logits(struct emit *emit, struct value *x)
{
	causal_logits(emit, x, "lm_head", "decoder.embed_tokens", true);
}

static const char *const leftovers[] = { "lm_head.", "score.", "qa_outputs.",
					 NULL };

const struct family family_opt = {
	.name = "opt",
	.class = "OPT",
	.base = "model",
	.leftovers = leftovers,
	.body = opt_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_TEXT_GENERATION(opt_logits) },
};
