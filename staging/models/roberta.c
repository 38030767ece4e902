/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

/* Without token_type_ids all tokens are of type 0. */
static struct value *embeddings(struct emit *emit,
				const struct encoder *encoder,
				struct value **mask)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = encoder->hidden;
	struct value *ids, *places, *x, *table;
	int64_t pad = (int64_t)config_index(emit, "pad_token_id", 1,
					    MODEL_POSITIONS_MAX);

	ids = sheet->form->ids(sheet, "input_ids");
	*mask = sheet->form->mask(sheet, "attention_mask");
	table = emit_table(emit, width, "embeddings.word_embeddings");
	x = block_gather(sheet, table, ids);
	table = emit_table(emit, width, "embeddings.token_type_embeddings");
	table = graph_straight(emit->graph, table);
	x = block_add(sheet, x, block_slice(sheet, table, 0, 1, 0));
	table = emit_table(emit, width, "embeddings.position_embeddings");
	places = block_counted_positions(sheet, ids, pad);
	emit->max_length = emit_places_after(table->rows, pad);
	x = block_add(sheet, x, block_gather(sheet, table, places));
	x = sheet->form->rows(sheet, x);
	return emit_norm(emit, x, encoder->eps, "", "embeddings.LayerNorm");
}

static struct value *roberta_body(struct emit *emit)
{
	struct encoder encoder = encoder_base;
	struct value *x;

	encoder_read(emit, &encoder);
	x = embeddings(emit, &encoder, &encoder.mask);
	return encoder_layers(emit, &encoder, "encoder.layer.", x);
}

static const char *const leftovers[] = { "pooler.", "lm_head.", "classifier.",
					 "qa_outputs.", NULL };

#define ROBERTA \
	.base = "roberta", .leftovers = leftovers, .body = roberta_body, \
	.features = emit_features,                                       \
	.heads = {                                                       \
		[TASK_FILL_MASK] = {                                     \
			.tensor = "lm_head.dense.weight",                \
			.emit = emit_lm_head,                            \
		},                                                       \
		[TASK_TEXT_CLASSIFICATION] = {                           \
			.tensor = "classifier.out_proj.weight",          \
			.architecture = "ForSequenceClassification",     \
			.emit = emit_classes,                            \
		},                                                       \
		HEADS_OF_TOKENS,                                         \
	}

const struct family family_roberta = {
	.name = "roberta",
	.class = "Roberta",
	ROBERTA,
};

const struct family family_xlm_roberta = {
	.name = "xlm-roberta",
	.class = "XLMRoberta",
	ROBERTA,
};

const struct family family_camembert = {
	.name = "camembert",
	.class = "Camembert",
	ROBERTA,
};
