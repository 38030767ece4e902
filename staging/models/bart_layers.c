/* SPDX-License-Identifier: MIT */
#include "staging/models/bart_layers.h"

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

struct keys {
	const char *layers, *heads, *intermediate;
};

static const struct keys encoder_keys = {
	"encoder_layers",
	"encoder_attention_heads",
	"encoder_ffn_dim",
};

static const struct keys decoder_keys = {
	"decoder_layers",
	"decoder_attention_heads",
	"decoder_ffn_dim",
};

void bart_stack_read(struct emit *emit, struct bart_stack *stack)
{
	bool decodes = stack->prefix[0] == 'd';
	const struct keys *keys = decodes ? &decoder_keys : &encoder_keys;

	stack->layers = (unsigned int)config_count(
		emit, keys->layers, stack->layers, MODEL_LAYERS_MAX);
	stack->heads = (unsigned int)config_count(
		emit, keys->heads, stack->heads, MODEL_HEADS_MAX);
	stack->intermediate = config_count(emit, keys->intermediate,
					   stack->intermediate,
					   4 * MODEL_WIDTH_MAX);
	stack->hidden = config_count(emit, "d_model", stack->hidden,
				     MODEL_WIDTH_MAX);
	stack->activation = config_text(emit, "activation_function",
					stack->activation);
	if (stack->hidden % stack->heads != 0)
		config_refuse(emit, keys->heads);
	if (!decodes) /* another name of it */
		config_only_number(emit, "num_attention_heads", stack->heads);
}

/* Of @x to @to, which have tokens of their own. */
static struct value *attend(struct emit *emit, const struct bart_stack *stack,
			    const char *prefix, struct value *x,
			    struct value *to, struct value *mask)
{
	uint64_t width = stack->hidden;
	struct attention attention = {
		.q = emit_linear(emit, x, width, prefix, "q_proj"),
		.k = emit_projection(emit, to, width, !stack->no_key_bias,
				     prefix, "k_proj"),
		.v = emit_linear(emit, to, width, prefix, "v_proj"),
		.mask = mask,
		.heads = stack->heads,
	};

	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return emit_linear(emit, x, width, prefix, "out_proj");
}

/* A part of a layer; .name: its norm. */
struct part {
	const char *name;
	struct value *(*run)(struct emit *emit, const struct bart_stack *stack,
			     const char *prefix, struct value *x);
};

static struct value *self_attention(struct emit *emit,
				    const struct bart_stack *stack,
				    const char *prefix, struct value *x)
{
	prefix = graph_text(emit->graph, "%sself_attn.", prefix);
	return attend(emit, stack, prefix, x, x, stack->mask);
}

static struct value *cross_attention(struct emit *emit,
				     const struct bart_stack *stack,
				     const char *prefix, struct value *x)
{
	prefix = graph_text(emit->graph, "%sencoder_attn.", prefix);
	return attend(emit, stack, prefix, x, stack->states,
		      stack->states_mask);
}

static struct value *feed_forward(struct emit *emit,
				  const struct bart_stack *stack,
				  const char *prefix, struct value *x)
{
	x = emit_linear(emit, x, stack->intermediate, prefix, "fc1");
	x = block_activation(&emit->sheet, stack->activation, x);
	return emit_linear(emit, x, stack->hidden, prefix, "fc2");
}

static const struct part self_part = { "self_attn_layer_norm", self_attention };
static const struct part cross_part = { "encoder_attn_layer_norm",
					cross_attention };
static const struct part feed_part = { "final_layer_norm", feed_forward };

static struct value *run(struct emit *emit, const struct bart_stack *stack,
			 const struct part *part, const char *prefix,
			 struct value *x)
{
	struct value *y = x;

	if (stack->norm_before)
		y = emit_norm(emit, x, BART_EPS, prefix, part->name);
	y = part->run(emit, stack, prefix, y);
	x = block_add(&emit->sheet, x, y);
	if (stack->norm_before)
		return x;
	return emit_norm(emit, x, BART_EPS, prefix, part->name);
}

struct value *bart_layers(struct emit *emit, const struct bart_stack *stack,
			  struct value *x)
{
	const char *prefix;

	for (unsigned int i = 0; i < stack->layers; i++) {
		if (emit->graph->error < 0)
			break;
		prefix = graph_text(emit->graph, "%slayers.%u.", stack->prefix,
				    i);
		x = run(emit, stack, &self_part, prefix, x);
		if (stack->states)
			x = run(emit, stack, &cross_part, prefix, x);
		x = run(emit, stack, &feed_part, prefix, x);
	}
	if (!stack->has_final_norm)
		return x;
	return emit_norm(emit, x, BART_EPS, stack->prefix, "layer_norm");
}
