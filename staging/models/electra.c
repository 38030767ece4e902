/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/bert_embeddings.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

static const struct encoder electra_defaults = {
	.names = &encoder_names_bert,
	.hidden = 256,
	.intermediate = 1024,
	.layers = 12,
	.heads = 4,
	.eps = 1e-12,
	.activation = "gelu",
};

static uint64_t embedding_size(struct emit *emit)
{
	return config_count(emit, "embedding_size", 128, MODEL_WIDTH_MAX);
}

static struct value *electra_body(struct emit *emit)
{
	struct encoder encoder = electra_defaults;
	uint64_t width = embedding_size(emit);
	struct value *x;

	encoder_read(emit, &encoder);
	x = bert_embeddings(emit, width, encoder.eps, &encoder.mask);
	if (width != encoder.hidden)
		x = emit_linear(emit, x, encoder.hidden, "",
				"embeddings_project");
	return encoder_layers(emit, &encoder, "encoder.layer.", x);
}

/* Its activation is gelu whatever the configuration says. */
static void electra_words(struct emit *emit, struct value *x)
{
	const struct word_head head = {
		.dense = "generator_predictions.dense",
		.norm = "generator_predictions.LayerNorm",
		.activation = "gelu",
		.width = embedding_size(emit),
		.eps = config_epsilon(emit, "layer_norm_eps", 1e-12),
		.decoder = "generator_lm_head",
		.bias = { "generator_lm_head.bias" },
	};

	emit_words(emit, x, &head);
}

static void electra_classes(struct emit *emit, struct value *x)
{
	emit_classes_of_first(emit, x, "gelu");
}

/* Whether each token was replaced. */
static void electra_discriminator(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	const char *activation = config_text(emit, "hidden_act", "gelu");

	x = emit_linear(emit, x, x->width, "",
			"discriminator_predictions.dense");
	x = block_activation(sheet, activation, x);
	x = emit_linear(emit, x, 1, "",
			"discriminator_predictions.dense_prediction");
	sheet->form->output_column(sheet, x, 0, "logits");
}

static const char *const leftovers[] = {
	"discriminator_predictions.",
	"generator_predictions.",
	"generator_lm_head.",
	"classifier.",
	"qa_outputs.",
	NULL,
};

const struct family family_electra = {
	.name = "electra",
	.class = "Electra",
	.base = "electra",
	.leftovers = leftovers,
	.body = electra_body,
	.features = emit_hidden,
	.heads = {
		[TASK_FILL_MASK] = {
			.tensor = "generator_predictions.dense.weight",
			.emit = electra_words,
		},
		[TASK_TEXT_CLASSIFICATION] = {
			.tensor = "classifier.out_proj.weight",
			.architecture = "ForSequenceClassification",
			.emit = electra_classes,
		},
		HEADS_OF_TOKENS,
		[TASK_PRETRAINING] = {
			.tensor = "discriminator_predictions.dense.weight",
			.emit = electra_discriminator,
		},
	},
};
