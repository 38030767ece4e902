/* SPDX-License-Identifier: MIT */
/* modeling_bart.py */
#include "staging/models/bart_model.h"

static const struct bart_kind kind = {
	.has_embedding_norm = true,
};

static struct value *bart_body(struct emit *emit)
{
	return bart_model_body(emit, &kind);
}

/* BartModel too: the head of the published bases is their words. */
static bool has_head(const struct json *config, const struct weights *weights)
{
	return seq2seq_has_head(config, weights) ||
	       family_is_class(config, "BartModel");
}

/* The tasks' names on the hub; one graph. */
#define HEAD                                                                  \
	{                                                                     \
		.is_there = has_head, .has_parts = true, .emit = bart_logits, \
	}

const struct family family_bart = {
	.name = "bart",
	.class = "Bart",
	.base = "model",
	.leftovers = bart_leftovers,
	.buffers = bart_buffers,
	.computes = bart_computes,
	.body = bart_body,
	.features = seq2seq_features,
	.heads = {
		[TASK_TEXT_CLASSIFICATION] = {
			.tensor = "classification_head.out_proj.weight",
			.architecture = "ForSequenceClassification",
			.emit = bart_classes,
		},
		[TASK_TEXT2TEXT_GENERATION] = HEAD,
		[TASK_SUMMARIZATION] = HEAD,
	},
};
