/* SPDX-License-Identifier: MIT */
#include "staging/models/encoder.h"

#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"

#define WORDS "embeddings.word_embeddings"

const struct encoder_names encoder_names_bert = {
	.query = "attention.self.query",
	.key = "attention.self.key",
	.value = "attention.self.value",
	.attention = "attention.output.dense",
	.attention_norm = "attention.output.LayerNorm",
	.up = "intermediate.dense",
	.down = "output.dense",
	.norm = "output.LayerNorm",
};

const struct encoder encoder_base = {
	.names = &encoder_names_bert,
	.hidden = 768,
	.intermediate = 3072,
	.layers = 12,
	.heads = 12,
	.eps = 1e-12,
	.activation = "gelu",
};

void encoder_read(struct emit *emit, struct encoder *encoder)
{
	encoder->hidden = config_count(emit, "hidden_size", encoder->hidden,
				       MODEL_WIDTH_MAX);
	encoder->intermediate = config_count(emit, "intermediate_size",
					     encoder->intermediate,
					     MODEL_WIDTH_MAX);
	encoder->layers = (unsigned int)config_count(
		emit, "num_hidden_layers", encoder->layers, MODEL_LAYERS_MAX);
	encoder->heads = (unsigned int)config_count(
		emit, "num_attention_heads", encoder->heads, MODEL_HEADS_MAX);
	encoder->eps = config_epsilon(emit, "layer_norm_eps", encoder->eps);
	encoder->activation = config_text(emit, "hidden_act",
					  encoder->activation);
	encoder_check(emit, encoder);
}

void encoder_check(struct emit *emit, const struct encoder *encoder)
{
	if (encoder->hidden % encoder->heads != 0)
		graph_refuse(emit->graph, "unsupported-config",
			     "num_attention_heads",
			     "the hidden size is no multiple of the number of "
			     "attention heads");
}

struct value *emit_projection(struct emit *emit, struct value *x, uint64_t rows,
			      bool has_bias, const char *prefix,
			      const char *name)
{
	struct value *weight, *bias = NULL;

	weight = bind_matrix(emit->bind, rows, x->width, "%s%s.weight", prefix,
			     name);
	if (has_bias)
		bias = bind_vector(emit->bind, weight->rows, "%s%s.bias",
				   prefix, name);
	return emit->sheet.form->linear(&emit->sheet, x, weight, bias);
}

struct value *emit_linear(struct emit *emit, struct value *x, uint64_t rows,
			  const char *prefix, const char *name)
{
	return emit_projection(emit, x, rows, true, prefix, name);
}

struct value *emit_norm(struct emit *emit, struct value *x, double eps,
			const char *prefix, const char *name)
{
	struct value *scale, *bias;

	scale = bind_vector(emit->bind, x->width, "%s%s.weight", prefix, name);
	bias = bind_vector(emit->bind, x->width, "%s%s.bias", prefix, name);
	return block_layer_norm(&emit->sheet, x, scale, bias, eps);
}

struct value *emit_rms_norm(struct emit *emit, struct value *x, double eps,
			    bool is_centred, const char *prefix,
			    const char *name)
{
	struct value *scale = bind_vector(emit->bind, x->width, "%s%s.weight",
					  prefix, name);

	return block_rms_norm(&emit->sheet, x, scale, eps, is_centred);
}

struct value *emit_table(struct emit *emit, uint64_t width, const char *name)
{
	return bind_matrix(emit->bind, 0, width, "%s.weight", name);
}

static struct value *attend(struct emit *emit, const struct encoder *encoder,
			    const char *prefix, struct value *x)
{
	const struct encoder_names *names = encoder->names;
	uint64_t width = encoder->hidden;
	bool biased = !encoder->no_qkv_bias;
	struct attention attention = {
		.q = emit_projection(emit, x, width, biased, prefix,
				     names->query),
		.k = emit_projection(emit, x, width,
				     biased && !encoder->no_key_bias, prefix,
				     names->key),
		.v = emit_projection(emit, x, width, biased, prefix,
				     names->value),
		.mask = encoder->mask,
		.bias = encoder->bias,
		.heads = encoder->heads,
	};

	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return emit_linear(emit, x, width, prefix, names->attention);
}

static struct value *feed_forward(struct emit *emit,
				  const struct encoder *encoder,
				  const char *prefix, struct value *x)
{
	const struct encoder_names *names = encoder->names;
	struct sheet *sheet = &emit->sheet;
	uint64_t inner = encoder->intermediate;
	int64_t half = (int64_t)inner;
	struct value *gated = NULL;

	if (encoder->is_gated)
		inner *= 2;
	x = emit_linear(emit, x, inner, prefix, names->up);
	if (encoder->is_gated) {
		gated = block_slice(sheet, x, half, 2 * half, 1);
		x = block_slice(sheet, x, 0, half, 1);
	}
	x = block_activation(sheet, encoder->activation, x);
	if (gated)
		x = block_mul(sheet, x, gated);
	return emit_linear(emit, x, encoder->hidden, prefix, names->down);
}

/* @y added to @x, multiplied by the vector @scale if there is one. */
static struct value *add_scaled(struct emit *emit, struct value *x,
				struct value *y, const char *prefix,
				const char *scale)
{
	if (scale)
		y = block_mul(&emit->sheet, y,
			      bind_vector(emit->bind, y->width, "%s%s", prefix,
					  scale));
	return block_add(&emit->sheet, y, x);
}

static struct value *layer_norm_first(struct emit *emit,
				      const struct encoder *encoder,
				      const char *prefix, struct value *x)
{
	const struct encoder_names *names = encoder->names;
	struct value *y;

	y = emit_norm(emit, x, encoder->eps, prefix, names->attention_norm);
	y = attend(emit, encoder, prefix, y);
	x = add_scaled(emit, x, y, prefix, names->attention_scale);
	y = emit_norm(emit, x, encoder->eps, prefix, names->norm);
	y = feed_forward(emit, encoder, prefix, y);
	return add_scaled(emit, x, y, prefix, names->scale);
}

struct value *encoder_layer(struct emit *emit, const struct encoder *encoder,
			    const char *prefix, struct value *x)
{
	const struct encoder_names *names = encoder->names;
	struct sheet *sheet = &emit->sheet;
	struct value *y;

	if (encoder->norm_first)
		return layer_norm_first(emit, encoder, prefix, x);
	y = block_add(sheet, attend(emit, encoder, prefix, x), x);
	x = emit_norm(emit, y, encoder->eps, prefix, names->attention_norm);
	y = feed_forward(emit, encoder, prefix, x);
	return emit_norm(emit, block_add(sheet, y, x), encoder->eps, prefix,
			 names->norm);
}

struct value *encoder_layers(struct emit *emit, const struct encoder *encoder,
			     const char *prefix, struct value *x)
{
	char layer[TENSOR_NAME_MAX];

	for (unsigned int i = 0; i < encoder->layers; i++) {
		if (emit->graph->error < 0)
			break;
		snprintf(layer, sizeof(layer), "%s%u.", prefix, i);
		x = encoder_layer(emit, encoder, layer, x);
	}
	return x;
}

uint64_t emit_places_after(uint64_t rows, int64_t pad)
{
	uint64_t before = (uint64_t)pad + 1;

	return rows > before ? rows - before : 0;
}

void emit_hidden(struct emit *emit, struct value *x)
{
	emit->sheet.form->output_tokens(&emit->sheet, x, "last_hidden_state");
}

struct value *emit_pool(struct emit *emit, struct value *x, const char *name)
{
	struct value *first = emit->sheet.form->token(&emit->sheet, x, 0);

	first = emit_linear(emit, first, x->width, "", name);
	return block_tanh(&emit->sheet, first);
}

void emit_hidden_pooled(struct emit *emit, struct value *x, const char *name)
{
	struct sheet *sheet = &emit->sheet;

	emit_hidden(emit, x);
	if (bind_has(emit->bind, "%s.weight", name))
		sheet->form->output_each(sheet, emit_pool(emit, x, name),
					 "pooler_output");
}

void emit_features(struct emit *emit, struct value *x)
{
	emit_hidden_pooled(emit, x, "pooler.dense");
}

void emit_token_classes(struct emit *emit, struct value *x)
{
	x = emit_linear(emit, x, 0, "", "classifier");
	emit->sheet.form->output_tokens(&emit->sheet, x, "logits");
}

void emit_answer_span(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;

	x = emit_linear(emit, x, 2, "", "qa_outputs");
	sheet->form->output_column(sheet, x, 0, "start_logits");
	sheet->form->output_column(sheet, x, 1, "end_logits");
}

void emit_classes_of_first(struct emit *emit, struct value *x,
			   const char *activation)
{
	struct sheet *sheet = &emit->sheet;

	x = sheet->form->token(sheet, x, 0);
	x = emit_linear(emit, x, x->width, "", "classifier.dense");
	x = block_activation(sheet, activation, x);
	x = emit_linear(emit, x, 0, "", "classifier.out_proj");
	sheet->form->output_each(sheet, x, "logits");
}

void emit_classes(struct emit *emit, struct value *x)
{
	emit_classes_of_first(emit, x, "tanh");
}

/* The decoder's own weights, or where they are tied the embeddings. */
static struct value *decoder_weight(struct emit *emit,
				    const struct word_head *head)
{
	bool tied = config_flag(emit, "tie_word_embeddings", true);

	if (tied && !bind_has(emit->bind, "%s.weight", head->decoder))
		return emit_table(emit, head->width, WORDS);
	return emit_table(emit, head->width, head->decoder);
}

void emit_words(struct emit *emit, struct value *x,
		const struct word_head *head)
{
	struct sheet *sheet = &emit->sheet;
	const char *name = head->bias[0];
	struct value *weight, *bias;

	x = emit_linear(emit, x, head->width, "", head->dense);
	x = block_activation(sheet, head->activation, x);
	x = emit_norm(emit, x, head->eps, "", head->norm);
	weight = decoder_weight(emit, head);
	if (head->bias[1] && !bind_has(emit->bind, "%s", name))
		name = head->bias[1];
	bias = bind_vector(emit->bind, weight->rows, "%s", name);
	x = sheet->form->linear(sheet, x, weight, bias);
	sheet->form->output_tokens(sheet, x, "logits");
}

void emit_lm_head(struct emit *emit, struct value *x)
{
	const struct word_head head = {
		.dense = "lm_head.dense",
		.norm = "lm_head.layer_norm",
		.activation = "gelu",
		.width = x->width,
		.eps = config_epsilon(emit, "layer_norm_eps", 1e-12),
		.decoder = "lm_head.decoder",
		.bias = { "lm_head.decoder.bias", "lm_head.bias" },
	};

	emit_words(emit, x, &head);
}
