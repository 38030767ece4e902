/* SPDX-License-Identifier: MIT */
#include "staging/models/towers.h"

#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"

const struct encoder_names tower_names = {
	.query = "self_attn.q_proj",
	.key = "self_attn.k_proj",
	.value = "self_attn.v_proj",
	.attention = "self_attn.out_proj",
	.attention_norm = "layer_norm1",
	.up = "mlp.fc1",
	.down = "mlp.fc2",
	.norm = "layer_norm2",
};

const struct json *tower_config(const struct emit *emit, const char *name)
{
	char over[TENSOR_NAME_MAX];
	const struct json *part;

	snprintf(over, sizeof(over), "%s_dict", name);
	part = json_get(emit->config, over);
	if (json_kind(part) == JSON_OBJECT)
		return part;
	return json_get(emit->config, name);
}

void tower_read(struct emit *emit, const struct json *part, struct tower *tower)
{
	const struct json *whole = emit->config;

	emit->config = part;
	config_check(emit, NULL);
	encoder_read(emit, &tower->encoder);
	if (tower->patches.channels > 0)
		patches_read(emit, &tower->patches);
	emit->config = whole;
}

struct value *tower_words(struct emit *emit, const struct tower *tower,
			  struct value *ids)
{
	struct sheet *sheet = &emit->sheet;
	uint64_t width = tower->encoder.hidden;
	struct value *x, *table;

	table = bind_matrix(emit->bind, 0, width,
			    "%sembeddings.token_embedding.weight",
			    tower->prefix);
	x = block_gather(sheet, table, ids);
	table = bind_matrix(emit->bind, 0, width,
			    "%sembeddings.position_embedding.weight",
			    tower->prefix);
	emit->max_length = table->rows;
	x = block_add(sheet, x, block_positions(sheet, table));
	return sheet->form->rows(sheet, x);
}

struct value *tower_layers(struct emit *emit, const struct tower *tower,
			   struct value *x)
{
	char prefix[TENSOR_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "%sencoder.layers.", tower->prefix);
	return encoder_layers(emit, &tower->encoder, prefix, x);
}

struct value *tower_norm(struct emit *emit, const struct tower *tower,
			 struct value *x, const char *name)
{
	return emit_norm(emit, x, tower->encoder.eps, tower->prefix, name);
}

struct value *towers_ids(struct emit *emit)
{
	struct sheet *sheet = &emit->sheet;

	sheet->batch = "image_batch_size";
	sheet_sequence(sheet, "text_batch_size", "sequence_length");
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return sheet->form->ids(sheet, "input_ids");
}

/* A tensor of one number. */
static struct value *number_of(struct emit *emit, const char *name)
{
	const struct shape one = SHAPE(1);

	return bind_shaped(emit->bind, bind_shape(emit->bind, "%s", name), &one,
			   "%s", name);
}

static void output_logits(struct emit *emit, struct value *logits,
			  const char *name, const struct value *rows,
			  const struct value *columns)
{
	if (emit->graph->error < 0)
		return;
	graph_output(emit->graph, logits, name,
		     (const struct dim[]){ rows->sequence->batch,
					   columns->sequence->batch },
		     2);
}

void towers_output(struct emit *emit, struct value *text, struct value *image)
{
	struct sheet *sheet = &emit->sheet;
	struct value *logits, *turned;

	if (text->width != image->width)
		graph_refuse(emit->graph, "shape-mismatch", NULL,
			     "the embeddings of texts and images differ in "
			     "size");
	text = block_unit_rows(sheet, text);
	image = block_unit_rows(sheet, image);
	logits = block_mul(sheet, block_gemm(sheet, text, image, true, 1),
			   block_unary(sheet, "Exp",
				       number_of(emit, "logit_scale")));
	if (bind_has(emit->bind, "logit_bias"))
		logits = block_add(sheet, logits,
				   number_of(emit, "logit_bias"));
	turned = graph_node(emit->graph, "Transpose", INPUTS(logits),
			    ATTRS(attr_ints("perm", 1, 0)));
	output_logits(emit, turned, "logits_per_image", image, text);
	output_logits(emit, logits, "logits_per_text", text, image);
	sheet->form->output_each(sheet, text, "text_embeds");
	sheet->form->output_each(sheet, image, "image_embeds");
}
