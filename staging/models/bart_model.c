/* SPDX-License-Identifier: MIT */
#include "staging/models/bart_model.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/bart_layers.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

#define OFFSET 2 /* BartLearnedPositionalEmbedding */

struct bart {
	const struct bart_kind *kind;
	enum seq2seq_words words;
	uint64_t positions;
	double scale; /* of words */
	struct bart_stack encoder, decoder;
};

static const struct bart_stack defaults = {
	.layers = 12,
	.heads = 16,
	.hidden = 1024,
	.intermediate = 4096,
	.activation = "gelu",
};

/* Of the time when all of them were one class; now each is what it is. */
static void check_old_keys(struct emit *emit, const struct bart_kind *kind)
{
	config_only_flag(emit, "normalize_before", kind->norm_before);
	config_only_flag(emit, "add_final_layer_norm", kind->norm_before);
	config_only_flag(emit, "normalize_embedding", kind->has_embedding_norm);
	config_only_flag(emit, "static_position_embeddings",
			 kind->has_sinusoids);
	config_only_flag(emit, "add_bias_logits", false);
}

static void read_stack(struct emit *emit, const struct bart_kind *kind,
		       const char *prefix, struct bart_stack *stack)
{
	*stack = defaults;
	stack->prefix = prefix;
	stack->norm_before = stack->has_final_norm = kind->norm_before;
	bart_stack_read(emit, stack);
}

static void bart_read(struct emit *emit, const struct bart_kind *kind,
		      struct bart *model)
{
	bool is_scaled = config_flag(emit, "scale_embedding", false);
	uint64_t hidden;

	model->kind = kind;
	check_old_keys(emit, kind);
	read_stack(emit, kind, "encoder.", &model->encoder);
	read_stack(emit, kind, "decoder.", &model->decoder);
	hidden = model->encoder.hidden;
	model->scale = is_scaled ? sqrt((double)hidden) : 1;
	model->positions = config_count(emit, "max_position_embeddings", 1024,
					MODEL_SINUSOIDS_MAX);
	if (kind->has_sinusoids &&
	    (hidden % 2 != 0 || model->positions > MODEL_POSITIONS_MAX ||
	     model->positions > MODEL_SINUSOIDS_MAX / hidden))
		config_refuse(emit, "max_position_embeddings");
	model->words = config_flag(emit, "share_encoder_decoder_embeddings",
				   true)
			       ? WORDS_SHARED
			       : WORDS_BY_SIDE;
}

static void limit_length(struct emit *emit, uint64_t tokens)
{
	if (emit->max_length == 0 || tokens < emit->max_length)
		emit->max_length = tokens;
}

/* For the tokens of the sheet's sequence, [tokens, width]. */
static struct value *positions(struct emit *emit, const struct bart *model,
			       const struct bart_stack *stack)
{
	bool is_learned = !model->kind->has_sinusoids;
	struct sheet *sheet = &emit->sheet;
	struct value *table;

	if (!is_learned &&
	    !bind_has(emit->bind, "%sembed_positions.weight", stack->prefix)) {
		limit_length(emit, model->positions);
		return block_sinusoids(sheet, model->positions, stack->hidden);
	}
	table = bind_matrix(emit->bind, 0, stack->hidden,
			    "%sembed_positions.weight", stack->prefix);
	if (!is_learned) {
		limit_length(emit, table->rows);
		return block_positions(sheet, table);
	}
	limit_length(emit, emit_places_after(table->rows, OFFSET - 1));
	table = block_slice(sheet, graph_straight(emit->graph, table), OFFSET,
			    INT32_MAX, 0);
	return block_positions(sheet, table);
}

static struct value *embed(struct emit *emit, const struct bart *model,
			   const struct bart_stack *stack,
			   enum seq2seq_side side, struct value *ids)
{
	struct sheet *sheet = &emit->sheet;
	struct value *x;

	x = seq2seq_words(emit, model->words, stack->hidden, side);
	x = block_gather(sheet, x, ids);
	if (model->scale != 1)
		x = block_mul(sheet, x, block_number(sheet, model->scale));
	x = block_add(sheet, x, positions(emit, model, stack));
	x = sheet->form->rows(sheet, x);
	if (!model->kind->has_embedding_norm)
		return x;
	return emit_norm(emit, x, BART_EPS, stack->prefix,
			 "layernorm_embedding");
}

static struct value *bart_encode(struct emit *emit, struct seq2seq *seq,
				 struct value *ids)
{
	const struct bart *model = seq->model;
	struct bart_stack stack = model->encoder;

	stack.mask = seq->mask;
	return bart_layers(emit, &stack,
			   embed(emit, model, &stack, SIDE_ENCODER, ids));
}

static struct value *bart_decode(struct emit *emit, struct seq2seq *seq,
				 struct value *ids)
{
	const struct bart *model = seq->model;
	struct bart_stack stack = model->decoder;

	stack.mask = seq->causal;
	stack.states = seq->states;
	stack.states_mask = seq->mask;
	return bart_layers(emit, &stack,
			   embed(emit, model, &stack, SIDE_DECODER, ids));
}

/*
 * shift_tokens_right(): what the decoder of a classifier reads is the text
 * itself after decoder_start_token_id.  In floats, which hold ids exactly up
 * to 2^24.
 */
static struct value *shifted(struct emit *emit, struct value *ids)
{
	struct sheet *sheet = &emit->sheet;
	struct graph *graph = emit->graph;
	double start = (double)config_index(emit, "decoder_start_token_id", 2,
					    INT32_MAX);
	unsigned int axis = ids->rank - 1;
	struct value *x, *first;

	x = graph_node(graph, "Cast", INPUTS(ids),
		       ATTRS(attr_int("to", ONNX_FLOAT)));
	first = block_slice(sheet, x, 0, 1, axis);
	first = block_mul(sheet, first, block_number(sheet, 0));
	first = block_add(sheet, first, block_number(sheet, start));
	x = graph_node(graph, "Concat", INPUTS(first, x),
		       ATTRS(attr_int("axis", axis)));
	x = graph_node(graph, "Slice",
		       INPUTS(x, INTS(graph, 0),
			      sequence_length(sheet, ids->sequence),
			      INTS(graph, axis)),
		       NO_ATTRS);
	x = graph_node(graph, "Cast", INPUTS(x),
		       ATTRS(attr_int("to", ONNX_INT64)));
	x->sequence = ids->sequence;
	return x;
}

struct value *bart_model_body(struct emit *emit, const struct bart_kind *kind)
{
	struct bart *model = arena_alloc(&emit->graph->arena, sizeof(*model));
	struct seq2seq seq = {
		.model = model,
		.encode = bart_encode,
		.decode = bart_decode,
		.has_mask = true,
	};

	if (!model)
		return graph_fail(emit->graph, -ENOMEM);
	bart_read(emit, kind, model);
	seq.width = model->encoder.hidden;
	if (emit->task == TASK_TEXT_CLASSIFICATION)
		seq.shift = shifted;
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return seq2seq_body(emit, &seq);
}

void bart_logits(struct emit *emit, struct value *x)
{
	enum seq2seq_words words =
		((const struct bart *)emit->seq2seq->model)->words;
	struct value *head, *bias = NULL;
	struct shape shown;

	head = seq2seq_head(emit, words, x->width, "lm_head");
	shown = SHAPE(head->rows);
	if (bind_has(emit->bind, "final_logits_bias"))
		bias = bind_shaped(emit->bind, SHAPE(1, head->rows), &shown,
				   "final_logits_bias");
	x = emit->sheet.form->linear(&emit->sheet, x, head, bias);
	seq2seq_output(emit, x);
}

/* 1 for the last of a text's tokens that are @id, else 0; shaped as @ids. */
static struct value *last_of(struct emit *emit, struct value *ids, double id)
{
	struct sheet *sheet = &emit->sheet;
	struct graph *graph = emit->graph;
	struct value *is_it, *after;

	is_it = graph_node(graph, "Cast", INPUTS(ids),
			   ATTRS(attr_int("to", ONNX_FLOAT)));
	is_it = block_sub(sheet, is_it, block_number(sheet, id));
	is_it = block_clip(sheet, block_unary(sheet, "Abs", is_it), 0, 1);
	is_it = block_sub(sheet, block_number(sheet, 1), is_it);
	after = graph_node(graph, "ReduceSum",
			   INPUTS(is_it, INTS(graph, (int64_t)ids->rank - 1)),
			   ATTRS(attr_int("keepdims", 1)));
	after = block_sub(sheet, after,
			  block_cumsum(sheet, is_it, ids->rank - 1));
	after = block_clip(sheet, after, 0, 1);
	after = block_sub(sheet, block_number(sheet, 1), after);
	return block_mul(sheet, is_it, after);
}

void bart_classes(struct emit *emit, struct value *x)
{
	double end = (double)config_index(emit, "eos_token_id", 2, INT32_MAX);
	struct sheet *sheet = &emit->sheet;

	x = sheet->form->weigh(sheet, x,
			       last_of(emit, emit->seq2seq->ids, end));
	x = emit_linear(emit, x, x->width, "", "classification_head.dense");
	x = emit_linear(emit, block_tanh(sheet, x), 0, "",
			"classification_head.out_proj");
	sheet->form->output_each(sheet, x, "logits");
}

const char *const bart_leftovers[] = { SEQ2SEQ_WORDS, "final_logits_bias",
				       "classification_head.", "qa_outputs.",
				       NULL };

/* fairseq's, and Marian's and Pegasus's where they can be generated. */
const char *const bart_buffers[] = { "encoder.version", "decoder.version",
				     NULL };

const char *const bart_computes[] = { "is_encoder_decoder", NULL };
