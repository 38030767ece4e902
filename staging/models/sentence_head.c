/* SPDX-License-Identifier: MIT */
#include "staging/models/sentence_head.h"

#include "staging/graph/blocks.h"
#include "staging/models/encoder.h"

/* Below these torch divides by them instead (clamp, normalize). */
#define COUNT_MIN 1e-9
#define NORM_MIN 1e-12
#define HIDDEN 1e9 /* what a token that is not seen is lowered by */

/* 1 for each token that is seen, else 0; shaped as ids. */
static struct value *seen_tokens(struct sheet *sheet, struct value *x)
{
	struct value *seen;

	if (!sheet->form->is_batched)
		return sheet->seen;
	seen = graph_node(sheet->graph, "Reshape",
			  INPUTS(sheet->seen,
				 sequence_shape(sheet, x->sequence)),
			  NO_ATTRS);
	seen->rank = 2;
	return seen;
}

static struct value *total(struct sheet *sheet, struct value *x)
{
	struct graph *graph = sheet->graph;

	return graph_node(graph, "ReduceSum", INPUTS(x, INTS(graph, 1)),
			  ATTRS(attr_int("keepdims", 1)));
}

static struct value *at_least(struct sheet *sheet, struct value *x, double min)
{
	return graph_node(sheet->graph, "Max",
			  INPUTS(x, block_number(sheet, min)), NO_ATTRS);
}

/* 1 for the last token that is seen. */
static struct value *last_token(struct sheet *sheet, struct value *x,
				struct value *seen)
{
	struct graph *graph = sheet->graph;
	struct value *places = block_places(sheet, x->sequence);
	struct value *last;

	last = graph_node(graph, "ReduceMax",
			  INPUTS(block_mul(sheet, seen, places)),
			  ATTRS(attr_ints("axes", 1), attr_int("keepdims", 1)));
	last = block_unary(sheet, "Abs", block_sub(sheet, last, places));
	last = block_clip(sheet, last, 0, 1);
	return block_sub(sheet, block_number(sheet, 1), last);
}

/* What each token counts in a pooling that is a sum. */
static struct value *shares(struct sheet *sheet, struct value *x,
			    struct value *seen, enum pooling pooling)
{
	struct value *sum, *places;

	switch (pooling) {
	case POOLING_MEAN:
		sum = at_least(sheet, total(sheet, seen), COUNT_MIN);
		return block_div(sheet, seen, sum);
	case POOLING_MEAN_SQRT:
		sum = at_least(sheet, total(sheet, seen), COUNT_MIN);
		return block_div(sheet, seen, block_unary(sheet, "Sqrt", sum));
	case POOLING_WEIGHTED:
		places = block_add(sheet, block_places(sheet, x->sequence),
				   block_number(sheet, 1));
		seen = block_mul(sheet, seen, places);
		sum = at_least(sheet, total(sheet, seen), COUNT_MIN);
		return block_div(sheet, seen, sum);
	default:
		return last_token(sheet, x, seen);
	}
}

static struct value *highest(struct sheet *sheet, struct value *x)
{
	struct value *hidden = block_rows_of(sheet, sheet->seen, 1);

	hidden = block_sub(sheet, hidden, block_number(sheet, 1));
	hidden = block_mul(sheet, hidden, block_number(sheet, HIDDEN));
	return sheet->form->highest(sheet, block_add(sheet, x, hidden));
}

static struct value *pooled(struct sheet *sheet, struct value *x,
			    struct value *seen, enum pooling pooling)
{
	if (pooling == POOLING_CLS)
		return sheet->form->token(sheet, x, 0);
	if (pooling == POOLING_MAX)
		return highest(sheet, x);
	return sheet->form->weigh(sheet, x, shares(sheet, x, seen, pooling));
}

static struct value *pool(struct sheet *sheet, struct value *x,
			  const struct sentence *sentence)
{
	struct value *parts[POOLING_COUNT];
	struct value *seen = seen_tokens(sheet, x);
	size_t count = 0;

	for (unsigned int i = 0; i < POOLING_COUNT; i++)
		if (sentence->poolings[i])
			parts[count++] = pooled(sheet, x, seen,
						(enum pooling)i);
	return count == 1 ? parts[0] : block_columns(sheet, parts, count);
}

static struct value *normalized(struct sheet *sheet, struct value *x)
{
	struct value *length;

	length = graph_node(sheet->graph, "ReduceL2", INPUTS(x),
			    ATTRS(attr_ints("axes", 1),
				  attr_int("keepdims", 1)));
	return block_div(sheet, x, at_least(sheet, length, NORM_MIN));
}

void sentence_emit(struct emit *emit, struct value *x,
		   const struct sentence *sentence)
{
	struct sheet *sheet = &emit->sheet;
	struct value *y;

	if (!sheet->seen) {
		graph_refuse(emit->graph, "unsupported-architecture", NULL,
			     "sentences of models without attention_mask are "
			     "not supported");
		return;
	}
	sheet->form->output_tokens(sheet, x, "token_embeddings");
	y = pool(sheet, x, sentence);
	for (size_t i = 0; i < sentence->step_count; i++) {
		const struct sentence_step *step = &sentence->steps[i];

		if (step->kind == SENTENCE_NORMALIZE) {
			y = normalized(sheet, y);
			continue;
		}
		y = emit_projection(emit, y, 0, step->has_bias, step->prefix,
				    "linear");
		y = block_activation(sheet, step->activation, y);
	}
	sheet->form->output_each(sheet, y, "sentence_embedding");
}
