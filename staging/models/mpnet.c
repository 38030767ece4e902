/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/blocks.h"
#include "staging/models/encoder.h"

/*
 * modeling_mpnet.py has these as numbers; the configuration's
 * relative_attention_num_buckets sizes the table only.
 */
#define PAD 1
#define BUCKETS 32
#define DISTANCE_MAX 128

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

/*
 * relative_position_bucket() of a token @distance to the right: half of the
 * buckets for each side, of these half for single distances and half for
 * ranges that grow by the logarithm, computed in floats as torch does.
 */
static int64_t bucket_of(int64_t distance)
{
	const int64_t side = BUCKETS / 2, exact = side / 2;
	int64_t bucket = distance > 0 ? side : 0;
	int64_t far = distance > 0 ? distance : -distance;
	float scaled;

	if (far < exact)
		return bucket + far;
	scaled = logf((float)far / (float)exact) /
		 (float)log((double)DISTANCE_MAX / (double)exact);
	far = exact + (int64_t)(scaled * (float)(side - exact));
	return bucket + (far < side ? far : side - 1);
}

/* The bucket of each distance, from -(span - 1) to span - 1. */
static struct value *bucket_table(struct emit *emit, unsigned int span)
{
	size_t count = 2 * (size_t)span - 1;
	int64_t *buckets = mem_array(count, sizeof(*buckets));
	struct value *table;

	if (!buckets)
		return graph_fail(emit->graph, -ENOMEM);
	for (size_t i = 0; i < count; i++)
		buckets[i] = bucket_of((int64_t)i - (int64_t)span + 1);
	table = graph_table(emit->graph, "buckets", buckets, count);
	free(buckets);
	return table;
}

static struct value **relative_bias(struct emit *emit, unsigned int heads,
				    uint64_t span)
{
	struct sheet *sheet = &emit->sheet;
	struct value *table, *buckets;

	table = bind_matrix(emit->bind, 0, heads,
			    "encoder.relative_attention_bias.weight");
	if (emit->graph->error == 0 &&
	    (table->rows < BUCKETS || span > MODEL_POSITIONS_MAX))
		graph_refuse(emit->graph, "shape-mismatch", table->name,
			     "the table of relative positions has %llu rows "
			     "for %llu positions",
			     (unsigned long long)table->rows,
			     (unsigned long long)span);
	if (emit->graph->error < 0)
		return NULL;
	buckets = block_gather(sheet, bucket_table(emit, (unsigned int)span),
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
