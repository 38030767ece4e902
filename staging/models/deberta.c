/* SPDX-License-Identifier: MIT */
/* modeling_deberta.py */
#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/disentangled.h"

/* A row for each distance. */
static int64_t bucket_of(const struct disentangled *model, int64_t distance)
{
	(void)model;
	return distance;
}

static struct value *with_bias(struct emit *emit, struct value *x,
			       const char *prefix, const char *name)
{
	struct value *bias = bind_vector(emit->bind, x->width,
					 "%sattention.self.%s", prefix, name);

	return block_add(&emit->sheet, x, bias);
}

static void project(struct emit *emit, const struct disentangled *model,
		    const char *prefix, struct value *x,
		    struct projections *out)
{
	uint64_t width = model->encoder.hidden;
	unsigned int heads = model->encoder.heads;
	struct sheet *sheet = &emit->sheet;
	struct value *all;

	all = emit_projection(emit, x, 3 * width, false, prefix,
			      "attention.self.in_proj");
	out->q = with_bias(emit, block_fused_part(sheet, all, heads, 0, 3),
			   prefix, "q_bias");
	out->k = block_fused_part(sheet, all, heads, 1, 3);
	out->v = with_bias(emit, block_fused_part(sheet, all, heads, 2, 3),
			   prefix, "v_bias");
	if (model->is_relative && model->c2p)
		out->position_keys = emit_projection(emit, model->table, width,
						     false, prefix,
						     "attention.self.pos_proj");
	if (model->is_relative && model->p2c)
		out->position_queries =
			emit_linear(emit, model->table, width, prefix,
				    "attention.self.pos_q_proj");
}

static struct value *deberta_body(struct emit *emit)
{
	struct disentangled model = { .encoder = encoder_base };

	model.encoder.eps = 1e-7;
	disentangled_read(emit, &model);
	config_only_flag(emit, "talking_head", false);
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	if (model.is_relative)
		model.table = bind_matrix(emit->bind, 2 * model.span,
					  model.encoder.hidden,
					  "encoder.rel_embeddings.weight");
	return disentangled_body(emit, &model, bucket_of, project);
}

static const char *const leftovers[] = { "pooler.",	    "cls.",
					 "lm_predictions.", "classifier.",
					 "qa_outputs.",	    NULL };

const struct family family_deberta = {
	.name = "deberta",
	.class = "Deberta",
	.base = "deberta",
	.leftovers = leftovers,
	.body = deberta_body,
	.features = emit_hidden,
	.heads = { HEADS_OF_DISENTANGLED },
};
