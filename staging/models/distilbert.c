/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

/* modeling_distilbert.py has it as a number, not in the configuration. */
#define EPS 1e-12

static const struct encoder_names names = {
	.query = "attention.q_lin",
	.key = "attention.k_lin",
	.value = "attention.v_lin",
	.attention = "attention.out_lin",
	.attention_norm = "sa_layer_norm",
	.up = "ffn.lin1",
	.down = "ffn.lin2",
	.norm = "output_layer_norm",
};

/* DistilBertConfig's attribute_map: a key has two names. */
static uint64_t count_of(struct emit *emit, const char *key, const char *other,
			 uint64_t otherwise, uint64_t max)
{
	otherwise = config_count(emit, other, otherwise, max);
	return config_count(emit, key, otherwise, max);
}

static const char *activation(struct emit *emit)
{
	return config_text(emit, "activation", "gelu");
}

static struct value *embeddings(struct emit *emit, uint64_t width,
				struct value **mask)
{
	struct sheet *sheet = &emit->sheet;
	struct value *ids, *x, *table;

	ids = sheet->form->ids(sheet, "input_ids");
	*mask = sheet->form->mask(sheet, "attention_mask");
	table = emit_table(emit, width, "embeddings.word_embeddings");
	x = block_gather(sheet, table, ids);
	table = emit_table(emit, width, "embeddings.position_embeddings");
	emit->max_length = table->rows;
	x = block_add(sheet, x, block_positions(sheet, table));
	x = sheet->form->rows(sheet, x);
	return emit_norm(emit, x, EPS, "", "embeddings.LayerNorm");
}

static struct value *distilbert_body(struct emit *emit)
{
	struct encoder encoder = {
		.hidden = count_of(emit, "dim", "hidden_size", 768,
				   MODEL_WIDTH_MAX),
		.intermediate = config_count(emit, "hidden_dim", 3072,
					     MODEL_WIDTH_MAX),
		.layers = (unsigned int)count_of(emit, "n_layers",
						 "num_hidden_layers", 6,
						 MODEL_LAYERS_MAX),
		.heads = (unsigned int)count_of(emit, "n_heads",
						"num_attention_heads", 12,
						MODEL_HEADS_MAX),
		.eps = EPS,
		.activation = activation(emit),
	};
	struct value *x;

	encoder.names = &names;
	encoder_check(emit, &encoder);
	x = embeddings(emit, encoder.hidden, &encoder.mask);
	return encoder_layers(emit, &encoder, "transformer.layer.", x);
}

static void distilbert_words(struct emit *emit, struct value *x)
{
	const struct word_head head = {
		.dense = "vocab_transform",
		.norm = "vocab_layer_norm",
		.activation = activation(emit),
		.width = x->width,
		.eps = EPS,
		.decoder = "vocab_projector",
		.bias = { "vocab_projector.bias" },
	};

	emit_words(emit, x, &head);
}

static void distilbert_classes(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;

	x = sheet->form->token(sheet, x, 0);
	x = emit_linear(emit, x, x->width, "", "pre_classifier");
	x = block_activation(sheet, "relu", x);
	x = emit_linear(emit, x, 0, "", "classifier");
	sheet->form->output_each(sheet, x, "logits");
}

static const char *const leftovers[] = {
	"vocab_transform.",
	"vocab_layer_norm.",
	"vocab_projector.",
	"pre_classifier.",
	"classifier.",
	"qa_outputs.",
	NULL,
};

const struct family family_distilbert = {
	.name = "distilbert",
	.class = "DistilBert",
	.base = "distilbert",
	.leftovers = leftovers,
	.body = distilbert_body,
	.features = emit_hidden,
	.heads = {
		[TASK_FILL_MASK] = {
			.tensor = "vocab_transform.weight",
			.emit = distilbert_words,
		},
		[TASK_TEXT_CLASSIFICATION] = {
			.tensor = "pre_classifier.weight",
			.architecture = "ForSequenceClassification",
			.emit = distilbert_classes,
		},
		HEADS_OF_TOKENS,
	},
};
