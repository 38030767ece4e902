/* SPDX-License-Identifier: MIT */
#include "staging/models/causal.h"

#include <errno.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

#define PAST "past_sequence_length"
#define NEW "sequence_length"

static struct value *past_input(struct emit *emit,
				const struct causal_sizes *sizes,
				unsigned int layer, const char *what)
{
	struct dim dims[] = { { 0 },
			      { .size = sizes->kv_heads },
			      { .param = PAST },
			      { .size = sizes->width } };
	const char *name = graph_text(emit->graph, "past_key_values.%u.%s",
				      layer, what);

	return sheet_input(&emit->sheet, name, ONNX_FLOAT, dims, 4);
}

static void declare_pasts(struct emit *emit, struct causal *causal)
{
	unsigned int layers = causal->sizes.layers;

	causal->pasts = arena_alloc(&emit->graph->arena,
				    layers * sizeof(*causal->pasts));
	if (!causal->pasts) {
		graph_fail(emit->graph, -ENOMEM);
		return;
	}
	for (unsigned int i = 0; i < layers; i++) {
		struct past *past = &causal->pasts[i];

		past->key = past_input(emit, &causal->sizes, i, "key");
		past->value = past_input(emit, &causal->sizes, i, "value");
	}
}

/* Where the new tokens stand among all: after so many as there were. */
static struct value *after_past(struct emit *emit, struct sequence *fresh,
				struct sequence *all)
{
	struct sheet *sheet = &emit->sheet;
	struct value *past = block_sub(sheet, sequence_length(sheet, all),
				       sequence_length(sheet, fresh));

	past = graph_node(emit->graph, "Cast", INPUTS(past),
			  ATTRS(attr_int("to", ONNX_FLOAT)));
	return block_add(sheet, block_places(sheet, fresh), past);
}

static void begin_with_past(struct emit *emit, struct causal *causal)
{
	struct sheet *sheet = &emit->sheet;
	struct sequence *fresh = sheet->sequence, *all;

	causal->ids = sheet->form->ids(sheet, "input_ids");
	all = sheet_sequence(sheet, NULL, PAST " + " NEW);
	if (!all)
		return;
	causal->seen = sheet->form->seen(sheet, "attention_mask");
	sheet->sequence = fresh;
	causal->position_ids = sheet->form->ids(sheet, "position_ids");
	declare_pasts(emit, causal);
	causal->places = graph_node(emit->graph, "Cast",
				    INPUTS(causal->position_ids),
				    ATTRS(attr_int("to", ONNX_FLOAT)));
	causal->keys = block_places(sheet, all);
	causal->queries = after_past(emit, fresh, all);
}

static void begin(struct emit *emit, struct causal *causal)
{
	struct sheet *sheet = &emit->sheet;

	causal->ids = sheet->form->ids(sheet, "input_ids");
	causal->seen = sheet->form->seen(sheet, "attention_mask");
	causal->places = block_places(sheet, sheet->sequence);
	causal->keys = causal->queries = causal->places;
}

struct causal *causal_begin(struct emit *emit, const struct causal_sizes *sizes)
{
	struct causal *causal = arena_alloc(&emit->graph->arena,
					    sizeof(*causal));

	if (!causal) {
		graph_fail(emit->graph, -ENOMEM);
		return NULL;
	}
	config_only_flag(emit, "is_causal", true);
	causal->sizes = *sizes;
	if (emit->task == TASK_TEXT_GENERATION_WITH_PAST)
		begin_with_past(emit, causal);
	else
		begin(emit, causal);
	return emit->graph->error < 0 ? NULL : causal;
}

struct value *causal_mask(struct emit *emit, const struct causal *causal,
			  uint64_t window)
{
	struct sheet *sheet = &emit->sheet;

	return block_masked(sheet,
			    block_causal(sheet, causal->seen, causal->queries,
					 causal->keys, window));
}

struct past *causal_past(const struct causal *causal, unsigned int layer)
{
	return causal->pasts ? &causal->pasts[layer] : NULL;
}

struct value *causal_positions(struct emit *emit, const struct causal *causal,
			       struct value *table, uint64_t offset)
{
	struct sheet *sheet = &emit->sheet;

	if (offset > 0)
		table = block_slice(sheet, graph_straight(emit->graph, table),
				    (int64_t)offset, INT32_MAX, 0);
	if (causal->position_ids)
		return block_gather(sheet, table, causal->position_ids);
	return block_positions(sheet, table);
}

struct value *causal_embed(struct emit *emit, uint64_t width, const char *words,
			   const char *positions)
{
	const struct causal *causal = emit->causal;
	struct sheet *sheet = &emit->sheet;
	struct value *x, *table;

	x = block_gather(sheet, emit_table(emit, width, words), causal->ids);
	table = emit_table(emit, width, positions);
	emit->max_length = table->rows;
	x = block_add(sheet, x, causal_positions(emit, causal, table, 0));
	return sheet->form->rows(sheet, x);
}

struct value *causal_places_within(struct emit *emit,
				   const struct causal *causal, uint64_t count)
{
	struct graph *graph = emit->graph;
	struct value *table;
	float *floats;

	if (count > MODEL_POSITIONS_MAX)
		return graph_refuse(graph, "too-large", NULL,
				    "the model has more positions than are "
				    "supported");
	floats = mem_array(count, sizeof(*floats));
	if (!floats)
		return graph_fail(graph, -ENOMEM);
	for (uint64_t i = 0; i < count; i++)
		floats[i] = (float)i;
	table = graph_float_table(graph, "places_within", floats, SHAPE(count));
	free(floats);
	emit->max_length = count;
	return causal_positions(emit, causal, table, 0);
}

static void present_output(struct emit *emit, const struct causal *causal,
			   struct value *x, unsigned int layer,
			   const char *what)
{
	struct dim dims[] = { { 0 },
			      { .size = causal->sizes.kv_heads },
			      { .param = PAST " + " NEW },
			      { .size = causal->sizes.width } };
	const char *name = graph_text(emit->graph, "present.%u.%s", layer,
				      what);

	sheet_output(&emit->sheet, x, name, dims, 4);
}

static void presents(struct emit *emit, const struct causal *causal)
{
	if (emit->graph->error < 0 || !causal->pasts)
		return;
	for (unsigned int i = 0; i < causal->sizes.layers; i++) {
		struct past *past = &causal->pasts[i];

		present_output(emit, causal, past->all_keys, i, "key");
		present_output(emit, causal, past->all_values, i, "value");
	}
}

void causal_logits(struct emit *emit, struct value *x, const char *head,
		   const char *words, bool tied)
{
	struct sheet *sheet = &emit->sheet;
	struct value *weight, *bias = NULL;

	tied = config_flag(emit, "tie_word_embeddings", tied);
	if (tied && !bind_has(emit->bind, "%s.weight", head))
		weight = emit_table(emit, x->width, words);
	else
		weight = emit_table(emit, x->width, head);
	if (bind_has(emit->bind, "%s.bias", head))
		bias = bind_vector(emit->bind, weight->rows, "%s.bias", head);
	x = sheet->form->linear(sheet, x, weight, bias);
	sheet->form->output_tokens(sheet, x, "logits");
	presents(emit, emit->causal);
}

bool causal_has_head(const struct json *config, const struct weights *weights)
{
	return bind_find(weights, NULL, "lm_head.weight") ||
	       family_is_class(config, "ForCausalLM") ||
	       family_is_class(config, "LMHeadModel");
}
