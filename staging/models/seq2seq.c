/* SPDX-License-Identifier: MIT */
#include "staging/models/seq2seq.h"

#include <errno.h>

#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

#define ENCODER_TOKENS "encoder_sequence_length"
#define DECODER_TOKENS "decoder_sequence_length"

static struct value *begin_text(struct emit *emit, struct seq2seq *seq)
{
	struct sheet *sheet = &emit->sheet;
	struct value *ids = sheet->form->ids(sheet, "input_ids");

	seq->mask = sheet->form->mask(sheet, "attention_mask");
	return ids;
}

static void encode(struct emit *emit, struct seq2seq *seq)
{
	sheet_sequence(&emit->sheet, NULL, ENCODER_TOKENS);
	seq->ids = seq->begin ? seq->begin(emit, seq) : begin_text(emit, seq);
	if (emit->graph->error == 0)
		seq->states = seq->encode(emit, seq, seq->ids);
}

/* The decoder by itself: the encoder's states come from outside. */
static struct value *begin_alone(struct emit *emit, struct seq2seq *seq)
{
	struct sheet *sheet = &emit->sheet;
	struct sequence *own = sheet_sequence(sheet, NULL, DECODER_TOKENS);
	struct value *ids;

	if (!own)
		return &emit->graph->nowhere;
	ids = sheet->form->ids(sheet, "input_ids");
	sheet_sequence(sheet, NULL, ENCODER_TOKENS);
	if (emit->graph->error < 0)
		return ids;
	seq->states = sheet->form->states(sheet, "encoder_hidden_states",
					  seq->width);
	if (seq->has_mask)
		seq->mask = sheet->form->mask(sheet, "encoder_attention_mask");
	sheet->sequence = own;
	return ids;
}

static struct value *begin_decoder(struct emit *emit, struct seq2seq *seq)
{
	struct sheet *sheet = &emit->sheet;

	if (emit->part == PART_DECODER)
		return begin_alone(emit, seq);
	encode(emit, seq);
	if (seq->shift)
		return seq->shift(emit, seq->ids);
	sheet_sequence(sheet, NULL, DECODER_TOKENS);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return sheet->form->ids(sheet, "decoder_input_ids");
}

/* Keeps @seq as the model's; NULL: failed. */
static struct seq2seq *seq_begin(struct emit *emit, const struct seq2seq *seq)
{
	struct seq2seq *kept = arena_alloc(&emit->graph->arena, sizeof(*kept));

	if (!kept) {
		graph_fail(emit->graph, -ENOMEM);
		return NULL;
	}
	*kept = *seq;
	emit->seq2seq = kept;
	return emit->graph->error < 0 ? NULL : kept;
}

struct value *seq2seq_encoder(struct emit *emit, const struct seq2seq *seq)
{
	struct seq2seq *kept = seq_begin(emit, seq);

	if (!kept)
		return &emit->graph->nowhere;
	encode(emit, kept);
	return emit->graph->error < 0 ? &emit->graph->nowhere : kept->states;
}

struct value *seq2seq_body(struct emit *emit, const struct seq2seq *seq)
{
	struct sheet *sheet = &emit->sheet;
	struct seq2seq *kept;
	struct value *ids, *seen;

	if (emit->part == PART_ENCODER) {
		bind_ignore(emit->bind, "decoder.");
		return seq2seq_encoder(emit, seq);
	}
	if (emit->part == PART_DECODER)
		bind_ignore(emit->bind, "encoder.");
	kept = seq_begin(emit, seq);
	if (!kept)
		return &emit->graph->nowhere;
	ids = begin_decoder(emit, kept);
	kept->places = block_places(sheet, sheet->sequence);
	seen = block_causal(sheet, NULL, kept->places, kept->places, 0);
	kept->causal = block_masked(sheet, seen);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return kept->decode(emit, kept, ids);
}

static void output_states(struct emit *emit)
{
	struct sheet *sheet = &emit->sheet;

	if (emit->graph->error == 0 && emit->part == PART_WHOLE)
		sheet->form->output_tokens(sheet, emit->seq2seq->states,
					   "encoder_last_hidden_state");
}

void seq2seq_features(struct emit *emit, struct value *x)
{
	emit_hidden(emit, x);
	output_states(emit);
}

void seq2seq_output(struct emit *emit, struct value *logits)
{
	struct sheet *sheet = &emit->sheet;

	sheet->form->output_tokens(sheet, logits, "logits");
	output_states(emit);
}

static const struct tensor *find(const struct emit *emit, const char *name)
{
	return bind_find(emit->bind->weights, emit->bind->base, name);
}

#define SHARED "shared.weight"
#define HEAD "lm_head.weight"

static bool is_tied(struct emit *emit)
{
	return config_flag(emit, "tie_word_embeddings", true);
}

/* The name under which the file has the words of @side. */
static const char *words_name(struct emit *emit, enum seq2seq_words kind,
			      enum seq2seq_side side)
{
	static const char *const names[] = {
		[SIDE_ENCODER] = "encoder.embed_tokens.weight",
		[SIDE_DECODER] = "decoder.embed_tokens.weight",
	};
	const char *own = names[side], *other = names[!side];
	const struct tensor *mine = find(emit, own);
	const struct tensor *shared = find(emit, SHARED);

	if (kind == WORDS_SHARED && shared &&
	    (!mine || tensor_is_same(mine, shared)))
		return SHARED;
	if (mine || !is_tied(emit))
		return own;
	if (kind == WORDS_SHARED && find(emit, other))
		return other;
	if ((kind == WORDS_SHARED || side == SIDE_DECODER) && find(emit, HEAD))
		return HEAD;
	return kind == WORDS_SHARED ? SHARED : own;
}

struct value *seq2seq_words(struct emit *emit, enum seq2seq_words kind,
			    uint64_t width, enum seq2seq_side side)
{
	return bind_matrix(emit->bind, 0, width, "%s",
			   words_name(emit, kind, side));
}

/* Where the head has no matrix of its own. */
static const char *tied_name(struct emit *emit, enum seq2seq_words kind)
{
	if (kind == WORDS_SHARED && find(emit, SHARED))
		return SHARED;
	return words_name(emit, kind, SIDE_DECODER);
}

struct value *seq2seq_head(struct emit *emit, enum seq2seq_words kind,
			   uint64_t width, const char *head)
{
	const char *own = graph_text(emit->graph, "%s.weight", head);
	const char *tied = tied_name(emit, kind);
	const struct tensor *mine = find(emit, own), *words = find(emit, tied);

	if (mine ? words && tensor_is_same(mine, words) : is_tied(emit))
		own = tied;
	return bind_matrix(emit->bind, 0, width, "%s", own);
}

bool seq2seq_has_head(const struct json *config, const struct weights *weights)
{
	return bind_find(weights, NULL, HEAD) ||
	       family_is_class(config, "ForConditionalGeneration") ||
	       family_is_class(config, "MTModel") ||
	       family_is_class(config, "WithLMHeadModel");
}
