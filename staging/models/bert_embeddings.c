/* SPDX-License-Identifier: MIT */
#include "staging/models/bert_embeddings.h"

#include "staging/graph/blocks.h"
#include "staging/models/encoder.h"

struct value *bert_embeddings(struct emit *emit, uint64_t width, double eps,
			      struct value **mask)
{
	struct sheet *sheet = &emit->sheet;
	struct value *ids, *types, *x, *table;

	ids = sheet->form->ids(sheet, "input_ids");
	*mask = sheet->form->mask(sheet, "attention_mask");
	types = sheet->form->ids(sheet, "token_type_ids");

	table = emit_table(emit, width, "embeddings.word_embeddings");
	x = block_gather(sheet, table, ids);
	table = emit_table(emit, width, "embeddings.token_type_embeddings");
	x = block_add(sheet, x, block_gather(sheet, table, types));
	table = emit_table(emit, width, "embeddings.position_embeddings");
	emit->max_length = table->rows;
	x = block_add(sheet, x, block_positions(sheet, table));
	x = sheet->form->rows(sheet, x);
	return emit_norm(emit, x, eps, "", "embeddings.LayerNorm");
}
