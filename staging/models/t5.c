/* SPDX-License-Identifier: MIT */
/* modeling_t5.py, modeling_mt5.py, modeling_umt5.py */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/relative_buckets.h"
#include "staging/models/seq2seq.h"

/* What the three families do not have in common. */
struct t5_kind {
	uint64_t intermediate, layers, heads; /* defaults */
	const char *feed_forward;
	bool bias_in_each_layer;
};

struct t5 {
	const struct t5_kind *kind;
	uint64_t hidden, inner, intermediate;
	unsigned int layers, decoder_layers, heads;
	double eps;
	const char *activation;
	bool is_gated;
	struct bucket_rule rules[2]; /* by side */
};

/* One of the two stacks, while it is made. */
struct stack {
	const struct t5 *model;
	const struct seq2seq *seq;
	bool decodes;
	struct value *mask;
	struct value *buckets;
	struct value **bias;
};

static const struct t5_kind kind_t5 = {
	.intermediate = 2048,
	.layers = 6,
	.heads = 8,
	.feed_forward = "relu",
};

static const struct t5_kind kind_mt5 = {
	.intermediate = 1024,
	.layers = 8,
	.heads = 6,
	.feed_forward = "gated-gelu",
};

static const struct t5_kind kind_umt5 = {
	.intermediate = 1024,
	.layers = 8,
	.heads = 6,
	.feed_forward = "gated-gelu",
	.bias_in_each_layer = true,
};

/* "relu", "gated-silu"; of "gated-gelu" it is another gelu. */
static void read_activation(struct emit *emit, struct t5 *model)
{
	const char *text = config_text(emit, "feed_forward_proj",
				       model->kind->feed_forward);
	const char *dash = strchr(text, '-');
	bool is_gated = strncmp(text, "gated-", 6) == 0;

	if (dash && (!is_gated || strchr(dash + 1, '-')))
		config_refuse(emit, "feed_forward_proj");
	text = dash ? dash + 1 : text;
	if (is_gated && strcmp(text, "gelu") == 0)
		text = "gelu_new";
	model->activation = config_text(emit, "dense_act_fn", text);
	model->is_gated = config_flag(emit, "is_gated_act", is_gated);
}

static void read_buckets(struct emit *emit, struct t5 *model)
{
	static const char *const names[] = { "encoder_buckets",
					     "decoder_buckets" };

	for (unsigned int i = 0; i < 2; i++) {
		model->rules[i] = (struct bucket_rule){
			.name = names[i],
			.buckets = config_count(
				emit, "relative_attention_num_buckets", 32,
				MODEL_POSITIONS_MAX),
			.distance_max = config_count(
				emit, "relative_attention_max_distance", 128,
				MODEL_POSITIONS_MAX),
			.both_sides = i == SIDE_ENCODER,
		};
		if (!bucket_rule_is_sound(&model->rules[i]))
			config_refuse(emit, "relative_attention_num_buckets");
	}
}

static void t5_read(struct emit *emit, const struct t5_kind *kind,
		    struct t5 *model)
{
	uint64_t width = config_count(emit, "d_kv", 64, MODEL_WIDTH_MAX);

	model->kind = kind;
	model->hidden = config_count(emit, "d_model", 512, MODEL_WIDTH_MAX);
	model->intermediate = config_count(emit, "d_ff", kind->intermediate,
					   4 * MODEL_WIDTH_MAX);
	model->layers = (unsigned int)config_count(
		emit, "num_layers", kind->layers, MODEL_LAYERS_MAX);
	model->decoder_layers = (unsigned int)config_count(
		emit, "num_decoder_layers", model->layers, MODEL_LAYERS_MAX);
	model->heads = (unsigned int)config_count(emit, "num_heads",
						  kind->heads, MODEL_HEADS_MAX);
	config_only_number(emit, "num_attention_heads", model->heads);
	config_only_number(emit, "head_dim", (double)width);
	model->inner = width * model->heads;
	model->eps = config_epsilon(emit, "layer_norm_epsilon", 1e-6);
	read_activation(emit, model);
	read_buckets(emit, model);
}

static struct value *norm(struct emit *emit, const struct t5 *model,
			  struct value *x, const char *prefix, const char *name)
{
	struct value *scale = bind_vector(emit->bind, x->width, "%s%s.weight",
					  prefix, name);

	return block_rms_norm(&emit->sheet, x, scale, model->eps, false);
}

static struct value *weigh(struct emit *emit, struct value *x, uint64_t rows,
			   const char *prefix, const char *name)
{
	return emit_projection(emit, x, rows, false, prefix, name);
}

/* Of @x to @to, which have tokens of their own. */
static struct value *attend(struct emit *emit, const struct stack *stack,
			    const char *prefix, struct value *x,
			    struct value *to, struct attention attention)
{
	const struct t5 *model = stack->model;

	attention.q = weigh(emit, x, model->inner, prefix, "q");
	attention.k = weigh(emit, to, model->inner, prefix, "k");
	attention.v = weigh(emit, to, model->inner, prefix, "v");
	attention.heads = model->heads;
	attention.scale = 1;
	x = emit->sheet.form->attention(&emit->sheet, &attention);
	return weigh(emit, x, model->hidden, prefix, "o");
}

/* All layers have the bias of the first, or each its own. */
static void read_bias(struct emit *emit, struct stack *stack,
		      unsigned int layer, const char *prefix)
{
	const struct t5 *model = stack->model;
	struct sheet *sheet = &emit->sheet;
	struct value *table;

	if (layer > 0 && !model->kind->bias_in_each_layer)
		return;
	table = bind_matrix(emit->bind, model->rules[0].buckets, model->heads,
			    "%srelative_attention_bias.weight", prefix);
	if (emit->graph->error == 0)
		stack->bias = sheet->form->relative_bias(sheet, table,
							 stack->buckets);
}

static struct value *self_part(struct emit *emit, struct stack *stack,
			       unsigned int layer, const char *prefix,
			       struct value *x)
{
	const char *names = graph_text(emit->graph, "%slayer.0.SelfAttention.",
				       prefix);
	struct value *y = norm(emit, stack->model, x, prefix,
			       "layer.0.layer_norm");

	read_bias(emit, stack, layer, names);
	y = attend(emit, stack, names, y, y,
		   (struct attention){
			   .mask = stack->mask,
			   .bias = stack->bias,
		   });
	return block_add(&emit->sheet, x, y);
}

static struct value *cross_part(struct emit *emit, const struct stack *stack,
				const char *prefix, struct value *x)
{
	const char *names = graph_text(emit->graph,
				       "%slayer.1.EncDecAttention.", prefix);
	struct value *y = norm(emit, stack->model, x, prefix,
			       "layer.1.layer_norm");

	y = attend(emit, stack, names, y, stack->seq->states,
		   (struct attention){ .mask = stack->seq->mask });
	return block_add(&emit->sheet, x, y);
}

static struct value *feed_part(struct emit *emit, const struct stack *stack,
			       const char *prefix, struct value *x)
{
	const struct t5 *model = stack->model;
	uint64_t width = model->intermediate;
	struct sheet *sheet = &emit->sheet;
	struct value *y, *gate;
	const char *names;

	prefix = graph_text(emit->graph, "%slayer.%d.", prefix,
			    stack->decodes ? 2 : 1);
	names = graph_text(emit->graph, "%sDenseReluDense.", prefix);
	y = norm(emit, model, x, prefix, "layer_norm");
	if (model->is_gated) {
		gate = weigh(emit, y, width, names, "wi_0");
		gate = block_activation(sheet, model->activation, gate);
		y = weigh(emit, y, width, names, "wi_1");
		y = block_mul(sheet, gate, y);
	} else {
		y = weigh(emit, y, width, names, "wi");
		y = block_activation(sheet, model->activation, y);
	}
	return block_add(sheet, x, weigh(emit, y, model->hidden, names, "wo"));
}

static struct value *run(struct emit *emit, struct stack *stack,
			 struct value *ids, struct value *places)
{
	const struct t5 *model = stack->model;
	enum seq2seq_side side = stack->decodes ? SIDE_DECODER : SIDE_ENCODER;
	unsigned int layers = stack->decodes ? model->decoder_layers
					     : model->layers;
	const char *name = stack->decodes ? "decoder." : "encoder.";
	struct sheet *sheet = &emit->sheet;
	const char *prefix;
	struct value *x;

	x = seq2seq_words(emit, WORDS_SHARED, model->hidden, side);
	x = sheet->form->rows(sheet, block_gather(sheet, x, ids));
	stack->buckets = bucket_numbers(emit, &model->rules[side], places);
	for (unsigned int i = 0; i < layers; i++) {
		if (emit->graph->error < 0)
			break;
		prefix = graph_text(emit->graph, "%sblock.%u.", name, i);
		x = self_part(emit, stack, i, prefix, x);
		if (stack->decodes)
			x = cross_part(emit, stack, prefix, x);
		x = feed_part(emit, stack, prefix, x);
	}
	return norm(emit, model, x, name, "final_layer_norm");
}

static struct value *t5_encode(struct emit *emit, struct seq2seq *seq,
			       struct value *ids)
{
	struct stack stack = {
		.model = seq->model,
		.seq = seq,
		.mask = seq->mask,
	};
	struct sheet *sheet = &emit->sheet;

	return run(emit, &stack, ids, block_places(sheet, sheet->sequence));
}

static struct value *t5_decode(struct emit *emit, struct seq2seq *seq,
			       struct value *ids)
{
	struct stack stack = {
		.model = seq->model,
		.seq = seq,
		.decodes = true,
		.mask = seq->causal,
	};

	return run(emit, &stack, ids, seq->places);
}

/* T5EncoderModel: what it may have of a decoder is not used. */
static bool is_alone(const struct emit *emit)
{
	return family_is_class(emit->config, "EncoderModel");
}

static struct value *body(struct emit *emit, const struct t5_kind *kind)
{
	struct t5 *model = arena_alloc(&emit->graph->arena, sizeof(*model));
	struct seq2seq seq = {
		.model = model,
		.encode = t5_encode,
		.decode = t5_decode,
		.has_mask = true,
	};

	if (!model)
		return graph_fail(emit->graph, -ENOMEM);
	t5_read(emit, kind, model);
	seq.width = model->hidden;
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	if (emit->task != TASK_FEATURES || !is_alone(emit))
		return seq2seq_body(emit, &seq);
	bind_ignore(emit->bind, "decoder.");
	return seq2seq_encoder(emit, &seq);
}

static void features(struct emit *emit, struct value *x)
{
	if (is_alone(emit))
		emit_hidden(emit, x);
	else
		seq2seq_features(emit, x);
}

static struct value *t5_body(struct emit *emit)
{
	return body(emit, &kind_t5);
}

static struct value *mt5_body(struct emit *emit)
{
	return body(emit, &kind_mt5);
}

static struct value *umt5_body(struct emit *emit)
{
	return body(emit, &kind_umt5);
}

static void logits(struct emit *emit, struct value *x, double scale)
{
	struct sheet *sheet = &emit->sheet;
	struct value *head = seq2seq_head(emit, WORDS_SHARED, x->width,
					  "lm_head");

	if (scale != 1)
		x = block_mul(sheet, x, block_number(sheet, scale));
	seq2seq_output(emit, sheet->form->linear(sheet, x, head, NULL));
}

/*
 * Whether logits are scaled: transformers 5 says it, older files by tied
 * words (configuration_t5.py).
 */
static void t5_logits(struct emit *emit, struct value *x)
{
	bool is_tied = config_flag(emit, "tie_word_embeddings", true);
	bool is_scaled = config_flag(emit, "scale_decoder_outputs", is_tied);

	logits(emit, x, is_scaled ? 1 / sqrt((double)x->width) : 1);
}

/*
 * transformers 5 does not scale and says that all words are tied; 4 scaled
 * what said so.
 */
static void mt5_logits(struct emit *emit, struct value *x)
{
	const char *version = config_text(emit, "transformers_version", "5");

	if (version[0] != '5' &&
	    config_flag(emit, "tie_word_embeddings", false))
		config_refuse(emit, "tie_word_embeddings");
	logits(emit, x, 1);
}

static const char *const leftovers[] = {
	SEQ2SEQ_WORDS, "classification_head.", "classifier.", "qa_outputs.",
	/* In files of T5 by mistake (_keys_to_ignore_on_load_unexpected). */
	"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.", NULL
};

static const char *const computes[] = { "is_encoder_decoder", NULL };

/* The tasks' names on the hub; one graph. */
#define HEADS_OF_T5(function)                                    \
	[TASK_TEXT2TEXT_GENERATION] = HEAD_OF_SEQ2SEQ(function), \
	[TASK_TRANSLATION] = HEAD_OF_SEQ2SEQ(function),          \
	[TASK_SUMMARIZATION] = HEAD_OF_SEQ2SEQ(function)

const struct family family_t5 = {
	.name = "t5",
	.class = "T5",
	.base = "transformer",
	.leftovers = leftovers,
	.computes = computes,
	.body = t5_body,
	.features = features,
	.heads = { HEADS_OF_T5(t5_logits) },
};

const struct family family_mt5 = {
	.name = "mt5",
	.class = "MT5",
	.base = "transformer",
	.leftovers = leftovers,
	.computes = computes,
	.body = mt5_body,
	.features = features,
	.heads = { HEADS_OF_T5(mt5_logits) },
};

const struct family family_umt5 = {
	.name = "umt5",
	.class = "UMT5",
	.base = "transformer",
	.leftovers = leftovers,
	.computes = computes,
	.body = umt5_body,
	.features = features,
	.heads = { HEADS_OF_T5(t5_logits) },
};
