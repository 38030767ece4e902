/* SPDX-License-Identifier: MIT */
/* modeling_deberta_v2.py: DeBERTa-v2 and v3. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/disentangled.h"
#include "staging/models/vision.h"

struct deberta_v2 {
	struct disentangled base; /* first: what the shared code knows */
	uint64_t buckets;	  /* 0: a row for each distance */
	uint64_t reach;		  /* max_relative_positions */
	bool shares_keys;

	/* ConvLayer, beside the first layer; .kernel 0: none. */
	struct {
		uint64_t kernel, groups;
		const char *activation;
	} conv;
};

/*
 * make_log_bucket_position(): the first half of the buckets for single
 * distances, the others for ranges that grow by the logarithm; in floats, as
 * torch computes.
 */
static int64_t bucket_of(const struct disentangled *base, int64_t distance)
{
	const struct deberta_v2 *model = (const struct deberta_v2 *)base;
	int64_t middle = (int64_t)model->buckets / 2;
	int64_t far = distance < 0 ? -distance : distance;
	float ratio, range;

	if (model->buckets == 0 || far <= middle)
		return distance;
	ratio = (float)far / (float)middle;
	range = (float)((double)(model->reach - 1) / (double)middle);
	ratio = logf(ratio) / logf(range) * (float)(middle - 1);
	far = (int64_t)ceilf(ratio) + middle;
	return distance < 0 ? -far : far;
}

static struct value *linear(struct emit *emit, struct value *x,
			    const char *prefix, const char *name)
{
	return emit_linear(emit, x, x->width, prefix, name);
}

static void project(struct emit *emit, const struct disentangled *base,
		    const char *prefix, struct value *x,
		    struct projections *out)
{
	const struct deberta_v2 *model = (const struct deberta_v2 *)base;
	bool shared = model->shares_keys;

	out->q = linear(emit, x, prefix, "attention.self.query_proj");
	out->k = linear(emit, x, prefix, "attention.self.key_proj");
	out->v = linear(emit, x, prefix, "attention.self.value_proj");
	if (base->is_relative && base->c2p)
		out->position_keys =
			linear(emit, base->table, prefix,
			       shared ? "attention.self.key_proj"
				      : "attention.self.pos_key_proj");
	if (base->is_relative && base->p2c)
		out->position_queries =
			linear(emit, base->table, prefix,
			       shared ? "attention.self.query_proj"
				      : "attention.self.pos_query_proj");
}

static void read_table(struct emit *emit, struct deberta_v2 *model)
{
	const char *norm = config_text(emit, "norm_rel_ebd", "none");
	double buckets = config_number(emit, "position_buckets", -1);
	struct disentangled *base = &model->base;
	uint64_t hidden = base->encoder.hidden;

	model->shares_keys = config_flag(emit, "share_att_key", false);
	model->reach = base->span;
	if (buckets > 0)
		model->buckets = config_count(emit, "position_buckets", 1,
					      MODEL_POSITIONS_MAX);
	if (model->buckets > 0)
		base->span = model->buckets;
	if (model->buckets > 0 &&
	    (model->buckets < 4 || model->reach <= model->buckets / 2 + 1))
		config_refuse(emit, "position_buckets");
	base->table = bind_matrix(emit->bind, 2 * base->span, hidden,
				  "encoder.rel_embeddings.weight");
	if (strcmp(norm, "layer_norm") == 0)
		base->table = emit_norm(emit, base->table, base->encoder.eps,
					"", "encoder.LayerNorm");
	else if (strcmp(norm, "none") != 0)
		config_refuse(emit, "norm_rel_ebd");
}

/* ConvLayer: what neighbours say, of tokens that are seen. */
static struct value *convolve(struct emit *emit,
			      const struct disentangled *base, struct value *x,
			      struct value *y, struct value *seen)
{
	const struct deberta_v2 *model = (const struct deberta_v2 *)base;
	uint64_t hidden = base->encoder.hidden, half = model->conv.kernel / 2;
	const struct conv_shape shape = {
		.out = hidden,
		.in = hidden,
		.kernel = { 1, model->conv.kernel },
		.pad = { 0, half },
		.after = { 0, half },
		.groups = model->conv.groups,
	};
	struct sheet *sheet = &emit->sheet;

	x = sheet->form->map(sheet, x);
	x = emit_conv_row(emit, x, &shape, true, "encoder.conv.", "conv");
	x = sheet->form->tokens(sheet, x, hidden, "sequence_length", 0);
	x = block_activation(sheet, model->conv.activation,
			     block_mul(sheet, x, seen));
	x = emit_norm(emit, block_add(sheet, y, x), base->encoder.eps,
		      "encoder.conv.", "LayerNorm");
	return block_mul(sheet, x, seen);
}

static void read_conv(struct emit *emit, struct deberta_v2 *model)
{
	uint64_t hidden = model->base.encoder.hidden;

	model->conv.kernel = config_index(emit, "conv_kernel_size", 0,
					  MODEL_WIDTH_MAX);
	if (model->conv.kernel == 0)
		return;
	if (model->conv.kernel % 2 == 0) /* would be a token short */
		config_refuse(emit, "conv_kernel_size");
	model->conv.groups = config_count(emit, "conv_groups", 1, hidden);
	if (hidden % model->conv.groups != 0)
		config_refuse(emit, "conv_groups");
	model->conv.activation = config_text(emit, "conv_act", "tanh");
	model->base.after_first = convolve;
}

static struct value *deberta_v2_body(struct emit *emit)
{
	struct deberta_v2 model = {
		.base.encoder = { .hidden = 1536,
				  .intermediate = 6144,
				  .layers = 24,
				  .heads = 24,
				  .eps = 1e-7,
				  .activation = "gelu" },
	};
	struct encoder *encoder = &model.base.encoder;

	disentangled_read(emit, &model.base);
	config_only_number(emit, "attention_head_size",
			   (double)(encoder->hidden / encoder->heads));
	read_conv(emit, &model);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	if (model.base.is_relative)
		read_table(emit, &model);
	else
		bind_ignore(emit->bind, "encoder.LayerNorm.");
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	return disentangled_body(emit, &model.base, bucket_of, project);
}

static const char *const leftovers[] = { "pooler.",
					 "cls.",
					 "lm_predictions.",
					 "mask_predictions.",
					 "classifier.",
					 "qa_outputs.",
					 NULL };

const struct family family_deberta_v2 = {
	.name = "deberta-v2",
	.class = "DebertaV2",
	.base = "deberta",
	.leftovers = leftovers,
	.body = deberta_v2_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_DISENTANGLED },
};
