/* SPDX-License-Identifier: MIT */
/*
 * modeling_dinov2.py, modeling_dinov2_with_registers.py.  Positions are
 * interpolated for images of any size; the dl4j form has the one that the
 * configuration says.
 */
#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/config_read.h"
#include "staging/models/vit.h"

static const struct encoder_names names = {
	.query = "attention.attention.query",
	.key = "attention.attention.key",
	.value = "attention.attention.value",
	.attention = "attention.output.dense",
	.attention_norm = "norm1",
	.attention_scale = "layer_scale1.lambda1",
	.up = "mlp.fc1",
	.down = "mlp.fc2",
	.norm = "norm2",
	.scale = "layer_scale2.lambda1",
};

static const struct encoder_names gated_names = {
	.query = "attention.attention.query",
	.key = "attention.attention.key",
	.value = "attention.attention.value",
	.attention = "attention.output.dense",
	.attention_norm = "norm1",
	.attention_scale = "layer_scale1.lambda1",
	.up = "mlp.weights_in",
	.down = "mlp.weights_out",
	.norm = "norm2",
	.scale = "layer_scale2.lambda1",
};

struct dinov2 {
	struct encoder encoder;
	struct patches patches;
	uint64_t registers;
	bool is_smooth; /* positions are interpolated with antialias=True */
	uint64_t side;	/* of the positions, in patches */
};

/* Dinov2MLP; Dinov2SwiGLUFFN: two thirds of that, a multiple of 8. */
static void inner_read(struct emit *emit, struct encoder *encoder)
{
	double ratio = config_number(emit, "mlp_ratio", 4);

	if (!(ratio > 0 && ratio <= MODEL_WIDTH_MAX)) {
		config_refuse(emit, "mlp_ratio");
		return;
	}
	encoder->intermediate = (uint64_t)((double)encoder->hidden * ratio);
	encoder->is_gated = config_flag(emit, "use_swiglu_ffn", false);
	if (!encoder->is_gated)
		return;
	encoder->names = &gated_names;
	encoder->activation = "silu";
	encoder->intermediate = (encoder->intermediate * 2 / 3 + 7) / 8 * 8;
}

static struct dinov2 dinov2_read(struct emit *emit, uint64_t patch,
				 bool has_registers)
{
	struct dinov2 model = {
		.encoder = vit_base,
		.patches = vit_patches,
	};
	struct patches *patches = &model.patches;

	model.encoder.names = &names;
	model.encoder.eps = 1e-6;
	patches->patch[0] = patches->patch[1] = patch;
	vit_read(emit, &model.encoder, patches);
	inner_read(emit, &model.encoder);
	model.encoder.no_qkv_bias = !config_flag(emit, "qkv_bias", true);
	model.is_smooth = has_registers;
	if (has_registers)
		model.registers = config_count(emit, "num_register_tokens", 4,
					       MODEL_WIDTH_MAX);
	model.side = patches->image[0] / patches->patch[0];
	if (model.side != patches->image[1] / patches->patch[1])
		config_refuse(emit, "image_size");
	patches->any_size = emit->sheet.form->is_batched;
	return model;
}

/* Positions of patches, for the size of the map that these are from. */
static struct value *positions(struct emit *emit, const struct dinov2 *model,
			       struct value *table, struct value *map)
{
	struct sheet *sheet = &emit->sheet;

	table = block_slice(sheet, table, 1, INT32_MAX, 0);
	if (!model->patches.any_size)
		return table;
	if (model->is_smooth)
		return block_resample_rows(sheet, table, model->side, map);
	return block_resize_rows(sheet, table, model->side, map);
}

static struct value *embeddings(struct emit *emit, const struct dinov2 *model)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = model->encoder.hidden;
	struct value *x, *table, *first;

	x = patches_pixels(emit, &model->patches);
	x = patches_rows(emit, &model->patches, x, width, true, "embeddings.",
			 "patch_embeddings.projection");
	table = patches_table(emit, model->side * model->side + 1, width,
			      "embeddings.position_embeddings");
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = sheet->form->add_each(
		sheet, x, positions(emit, model, table, x->sequence->map));
	if (model->registers > 0)
		x = sheet->form->prepend(
			sheet, x,
			patches_table(emit, model->registers, width,
				      "embeddings.register_tokens"));
	first = patches_table(emit, 1, width, "embeddings.cls_token");
	first = block_add(sheet, first, block_slice(sheet, table, 0, 1, 0));
	first->rows = 1;
	return sheet->form->prepend(sheet, x, first);
}

static struct value *body_of(struct emit *emit, uint64_t patch,
			     bool has_registers)
{
	struct dinov2 model = dinov2_read(emit, patch, has_registers);
	struct value *x;

	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	x = embeddings(emit, &model);
	x = encoder_layers(emit, &model.encoder, "encoder.layer.", x);
	return emit_norm(emit, x, model.encoder.eps, "", "layernorm");
}

static struct value *dinov2_body(struct emit *emit)
{
	return body_of(emit, 14, false);
}

static struct value *registers_body(struct emit *emit)
{
	return body_of(emit, 16, true);
}

static void dinov2_features(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;

	emit_hidden(emit, x);
	sheet->form->output_each(sheet, sheet->form->token(sheet, x, 0),
				 "pooler_output");
}

/* Of the first token, and the mean of the patches. */
static void classes_of(struct emit *emit, struct value *x, uint64_t registers)
{
	struct sheet *sheet = &emit->sheet;
	struct value *first = sheet->form->token(sheet, x, 0);

	x = sheet->form->drop(sheet, x, 1 + registers);
	x = sheet->form->mean(sheet, x);
	x = block_columns(sheet, (struct value *[]){ first, x }, 2);
	patches_logits(emit, x);
}

static void dinov2_classes(struct emit *emit, struct value *x)
{
	classes_of(emit, x, 0);
}

static void registers_classes(struct emit *emit, struct value *x)
{
	classes_of(emit, x,
		   config_count(emit, "num_register_tokens", 4,
				MODEL_WIDTH_MAX));
}

static const char *const leftovers[] = { "classifier.", "embeddings.mask_token",
					 NULL };

const struct family family_dinov2 = {
	.name = "dinov2",
	.class = "Dinov2",
	.base = "dinov2",
	.leftovers = leftovers,
	.body = dinov2_body,
	.features = dinov2_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = dinov2_classes,
		},
	},
};

const struct family family_dinov2_with_registers = {
	.name = "dinov2_with_registers",
	.class = "Dinov2WithRegisters",
	.base = "dinov2_with_registers",
	.leftovers = leftovers,
	.body = registers_body,
	.features = dinov2_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.tensor = "classifier.weight",
			.emit = registers_classes,
		},
	},
};
