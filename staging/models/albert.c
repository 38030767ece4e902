/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/bert_embeddings.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"

static const struct encoder_names names = {
	.query = "attention.query",
	.key = "attention.key",
	.value = "attention.value",
	.attention = "attention.dense",
	.attention_norm = "attention.LayerNorm",
	.up = "ffn",
	.down = "ffn_output",
	.norm = "full_layer_layer_norm",
};

static const struct encoder albert_defaults = {
	.names = &names,
	.hidden = 4096,
	.intermediate = 16384,
	.layers = 12,
	.heads = 64,
	.eps = 1e-12,
	.activation = "gelu_new",
};

static uint64_t embedding_size(struct emit *emit)
{
	return config_count(emit, "embedding_size", 128, MODEL_WIDTH_MAX);
}

/* Layer i is the group i / (layers / groups), run as a whole. */
static struct value *groups(struct emit *emit, const struct encoder *encoder,
			    struct value *x)
{
	unsigned int count = (unsigned int)config_count(
		emit, "num_hidden_groups", 1, encoder->layers);
	unsigned int inner = (unsigned int)config_count(emit, "inner_group_num",
							1, MODEL_LAYERS_MAX);
	char prefix[TENSOR_NAME_MAX];

	for (unsigned int i = 0; i < encoder->layers; i++) {
		/* albert writes int(i / (layers / groups)) */
		unsigned int group = i * count / encoder->layers;

		for (unsigned int j = 0; j < inner; j++) {
			if (emit->graph->error < 0)
				return x;
			snprintf(prefix, sizeof(prefix),
				 "encoder.albert_layer_groups.%u."
				 "albert_layers.%u.",
				 group, j);
			x = encoder_layer(emit, encoder, prefix, x);
		}
	}
	return x;
}

static struct value *albert_body(struct emit *emit)
{
	struct encoder encoder = albert_defaults;
	struct value *x;

	encoder_read(emit, &encoder);
	x = bert_embeddings(emit, embedding_size(emit), encoder.eps,
			    &encoder.mask);
	x = emit_linear(emit, x, encoder.hidden, "",
			"encoder.embedding_hidden_mapping_in");
	return groups(emit, &encoder, x);
}

static void albert_features(struct emit *emit, struct value *x)
{
	emit_hidden_pooled(emit, x, "pooler");
}

static void albert_words(struct emit *emit, struct value *x)
{
	const struct word_head head = {
		.dense = "predictions.dense",
		.norm = "predictions.LayerNorm",
		.activation = config_text(emit, "hidden_act", "gelu_new"),
		.width = embedding_size(emit),
		.eps = config_epsilon(emit, "layer_norm_eps", 1e-12),
		.decoder = "predictions.decoder",
		.bias = { "predictions.decoder.bias", "predictions.bias" },
	};

	emit_words(emit, x, &head);
}

static void albert_classes(struct emit *emit, struct value *x)
{
	x = emit_pool(emit, x, "pooler");
	x = emit_linear(emit, x, 0, "", "classifier");
	emit->sheet.form->output_each(&emit->sheet, x, "logits");
}

static const char *const leftovers[] = {
	"pooler.",     "predictions.", "sop_classifier.",
	"classifier.", "qa_outputs.",  NULL,
};

const struct family family_albert = {
	.name = "albert",
	.class = "Albert",
	.base = "albert",
	.leftovers = leftovers,
	.body = albert_body,
	.features = albert_features,
	.heads = {
		[TASK_FILL_MASK] = {
			.tensor = "predictions.dense.weight",
			.emit = albert_words,
		},
		[TASK_TEXT_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.architecture = "ForSequenceClassification",
			.emit = albert_classes,
		},
		HEADS_OF_TOKENS,
	},
};
