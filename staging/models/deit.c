/* SPDX-License-Identifier: MIT */
/* modeling_deit.py: ViT with a token that a teacher's answer is read from. */
#include "staging/graph/blocks.h"
#include "staging/models/vit.h"

static struct value *deit_body(struct emit *emit)
{
	static const char *const tokens[] = { "embeddings.cls_token",
					      "embeddings.distillation_token",
					      NULL };

	return vit_body_of(emit, tokens);
}

/* DeiTForImageClassificationWithTeacher: the mean of two classifiers. */
static void teacher_classes(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	struct value *own = sheet->form->token(sheet, x, 0);
	struct value *taught = sheet->form->token(sheet, x, 1);

	own = emit_linear(emit, own, 0, "", "cls_classifier");
	taught = emit_linear(emit, taught, own->width, "",
			     "distillation_classifier");
	x = block_mul(sheet, block_add(sheet, own, taught),
		      block_number(sheet, 0.5));
	sheet->form->output_each(sheet, x, "logits");
}

static bool has_classes(const struct json *config,
			const struct weights *weights)
{
	if (family_is_class(config, "ForImageClassificationWithTeacher"))
		return bind_find(weights, "deit", "cls_classifier.weight");
	return family_is_class(config, "ForImageClassification") &&
	       bind_find(weights, "deit", "classifier.weight");
}

static void deit_classes(struct emit *emit, struct value *x)
{
	if (family_is_class(emit->config, "ForImageClassificationWithTeacher"))
		teacher_classes(emit, x);
	else
		vit_classes(emit, x);
}

static const char *const leftovers[] = { "pooler.",
					 "classifier.",
					 "cls_classifier.",
					 "distillation_classifier.",
					 "decoder.",
					 "embeddings.mask_token",
					 NULL };

const struct family family_deit = {
	.name = "deit",
	.class = "DeiT",
	.base = "deit",
	.leftovers = leftovers,
	.body = deit_body,
	.features = vit_features,
	.heads = {
		[TASK_IMAGE_CLASSIFICATION] = {
			.is_there = has_classes,
			.emit = deit_classes,
		},
	},
};
