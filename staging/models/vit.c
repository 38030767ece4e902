/* SPDX-License-Identifier: MIT */
#include "staging/models/vit.h"

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"

const struct encoder_names vit_names = {
	.query = "attention.attention.query",
	.key = "attention.attention.key",
	.value = "attention.attention.value",
	.attention = "attention.output.dense",
	.attention_norm = "layernorm_before",
	.up = "intermediate.dense",
	.down = "output.dense",
	.norm = "layernorm_after",
};

const struct encoder vit_base = {
	.names = &vit_names,
	.hidden = 768,
	.intermediate = 3072,
	.layers = 12,
	.heads = 12,
	.eps = 1e-12,
	.activation = "gelu",
	.norm_first = true,
};

const struct patches vit_patches = {
	.image = { 224, 224 },
	.patch = { 16, 16 },
	.channels = 3,
};

void vit_read(struct emit *emit, struct encoder *encoder,
	      struct patches *patches)
{
	encoder_read(emit, encoder);
	patches_read(emit, patches);
	config_only_number(emit, "head_dim",
			   (double)(encoder->hidden / encoder->heads));
}

struct value *vit_embeddings(struct emit *emit, const struct patches *patches,
			     uint64_t width, const char *const *names,
			     bool placed)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t rows = patches_count(patches);
	struct value *x = patches_pixels(emit, patches);
	size_t count = 0;

	x = patches_rows(emit, patches, x, width, true, "embeddings.",
			 "patch_embeddings.projection");
	while (names[count])
		count++;
	rows += count;
	while (count > 0)
		x = sheet->form->prepend(sheet, x,
					 patches_table(emit, 1, width,
						       names[--count]));
	if (placed)
		x = sheet->form->add_each(
			sheet, x,
			patches_table(emit, rows, width,
				      "embeddings.position_embeddings"));
	return x;
}

struct value *vit_body_of(struct emit *emit, const char *const *names)
{
	struct encoder encoder = vit_base;
	struct patches patches = vit_patches;
	struct value *x;

	vit_read(emit, &encoder, &patches);
	encoder.no_qkv_bias = !config_flag(emit, "qkv_bias", true);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = vit_embeddings(emit, &patches, encoder.hidden, names, true);
	x = encoder_layers(emit, &encoder, "encoder.layer.", x);
	return emit_norm(emit, x, encoder.eps, "", "layernorm");
}

void vit_features(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	const char *activation = config_text(emit, "pooler_act", "tanh");

	emit_hidden(emit, x);
	if (!bind_has(emit->bind, "pooler.dense.weight"))
		return;
	x = sheet->form->token(sheet, x, 0);
	x = emit_linear(emit, x, 0, "", "pooler.dense");
	x = block_activation(sheet, activation, x);
	sheet->form->output_each(sheet, x, "pooler_output");
}

void vit_classes(struct emit *emit, struct value *x)
{
	patches_logits(emit, emit->sheet.form->token(&emit->sheet, x, 0));
}

static struct value *vit_body(struct emit *emit)
{
	static const char *const tokens[] = { "embeddings.cls_token", NULL };

	return vit_body_of(emit, tokens);
}

/* "decoder": of masked image modelling. */
static const char *const leftovers[] = { "pooler.", "classifier.", "decoder.",
					 "embeddings.mask_token", NULL };

const struct family family_vit = {
	.name = "vit",
	.class = "ViT",
	.base = "vit",
	.leftovers = leftovers,
	.body = vit_body,
	.features = vit_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = vit_classes,
		},
	},
};
