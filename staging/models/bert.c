/* SPDX-License-Identifier: MIT */
#include "staging/graph/blocks.h"
#include "staging/models/bert_embeddings.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

static struct value *bert_body(struct emit *emit)
{
	struct encoder encoder = encoder_base;
	struct value *x;

	encoder_read(emit, &encoder);
	x = bert_embeddings(emit, encoder.hidden, encoder.eps, &encoder.mask);
	return encoder_layers(emit, &encoder, "encoder.layer.", x);
}

static void bert_words(struct emit *emit, struct value *x)
{
	const struct word_head head = {
		.dense = "cls.predictions.transform.dense",
		.norm = "cls.predictions.transform.LayerNorm",
		.activation = config_text(emit, "hidden_act", "gelu"),
		.width = x->width,
		.eps = config_epsilon(emit, "layer_norm_eps", 1e-12),
		.decoder = "cls.predictions.decoder",
		.bias = { "cls.predictions.decoder.bias",
			  "cls.predictions.bias" },
	};

	emit_words(emit, x, &head);
}

static void bert_classes(struct emit *emit, struct value *x)
{
	x = emit_pool(emit, x, "pooler.dense");
	x = emit_linear(emit, x, 0, "", "classifier");
	emit->sheet.form->output_each(&emit->sheet, x, "logits");
}

static const char *const leftovers[] = { "pooler.", "cls.", "classifier.",
					 "qa_outputs.", NULL };

const struct family family_bert = {
	.name = "bert",
	.class = "Bert",
	.base = "bert",
	.leftovers = leftovers,
	.body = bert_body,
	.features = emit_features,
	.heads = {
		[TASK_FILL_MASK] = {
			.tensor = "cls.predictions.transform.dense.weight",
			.emit = bert_words,
		},
		[TASK_TEXT_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.architecture = "ForSequenceClassification",
			.emit = bert_classes,
		},
		HEADS_OF_TOKENS,
	},
};
