/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/encoder.h"
#include "staging/models/relative_buckets.h"

#define PAD 1

/*
 * modeling_mpnet.py has these as numbers; the configuration's
 * relative_attention_num_buckets sizes the table only.
 */
static const struct bucket_rule rule = {
	.name = "buckets",
	.buckets = 32,
	.distance_max = 128,
	.both_sides = true,
};

static const struct encoder_names names = {
	.query = "attention.attn.q",
	.key = "attention.attn.k",
	.value = "attention.attn.v",
	.attention = "attention.attn.o",
	.attention_norm = "attention.LayerNorm",
	.up = "intermediate.dense",
	.down = "output.dense",
	.norm = "output.LayerNorm",
};

static struct value **relative_bias(struct emit *emit, unsigned int heads,
				    uint64_t span)
{
	struct sheet *sheet = &emit->sheet;
	struct value *table, *buckets;

	table = bind_matrix(emit->bind, 0, heads,
			    "encoder.relative_attention_bias.weight");
	if (emit->graph->error == 0 &&
	    (table->rows < rule.buckets || span > MODEL_POSITIONS_MAX))
		graph_refuse(emit->graph, "shape-mismatch", table->name,
			     "the table of relative positions has %llu rows "
			     "for %llu positions",
			     (unsigned long long)table->rows,
			     (unsigned long long)span);
	if (emit->graph->error < 0)
		return NULL;
	buckets = block_gather(sheet, bucket_table(emit, &rule, span - 1),
			       block_distances(sheet, (unsigned int)span));
	return sheet->form->relative_bias(sheet, table, buckets);
}

static struct value *embeddings(struct emit *emit, struct encoder *encoder,
				uint64_t *span)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = encoder->hidden;
	struct value *ids, *x, *table;

	ids = sheet->form->ids(sheet, "input_ids");
	encoder->mask = sheet->form->mask(sheet, "attention_mask");
	table = emit_table(emit, width, "embeddings.word_embeddings");
	x = block_gather(sheet, table, ids);
	table = emit_table(emit, width, "embeddings.position_embeddings");
	*span = table->rows;
	emit->max_length = emit_places_after(table->rows, PAD);
	x = block_add(sheet, x,
		      block_gather(sheet, table,
				   block_counted_positions(sheet, ids, PAD)));
	x = sheet->form->rows(sheet, x);
	return emit_norm(emit, x, encoder->eps, "", "embeddings.LayerNorm");
}

static struct value *mpnet_body(struct emit *emit)
{
	struct encoder encoder = encoder_base;
	struct value *x;
	uint64_t span;

	encoder.names = &names;
	encoder_read(emit, &encoder);
	x = embeddings(emit, &encoder, &span);
	encoder.bias = relative_bias(emit, encoder.heads, span);
	return encoder_layers(emit, &encoder, "encoder.layer.", x);
}

static const char *const leftovers[] = { "pooler.", "lm_head.", "classifier.",
					 "qa_outputs.", NULL };

const struct family family_mpnet = {
	.name = "mpnet",
	.class = "MPNet",
	.base = "mpnet",
	.leftovers = leftovers,
	.body = mpnet_body,
	.features = emit_features,
	.heads = {
		[TASK_FILL_MASK] = {
			.tensor = "lm_head.dense.weight",
			.emit = emit_lm_head,
		},
		[TASK_TEXT_CLASSIFICATION] = {
			.tensor = "classifier.out_proj.weight",
			.architecture = "ForSequenceClassification",
			.emit = emit_classes,
		},
		HEADS_OF_TOKENS,
	},
};
