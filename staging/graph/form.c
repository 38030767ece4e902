/* SPDX-License-Identifier: MIT */
#include "staging/graph/form.h"

#include <errno.h>
#include <stdlib.h>

const struct form *form_of(enum stage_form form)
{
	return form == STAGE_FORM_DL4J ? &form_dl4j : &form_plain;
}

static struct sequence *sequence_new(struct sheet *sheet)
{
	struct sequence *made = arena_alloc(&sheet->graph->arena,
					    sizeof(*made));

	if (!made)
		graph_fail(sheet->graph, -ENOMEM);
	return made;
}

struct sequence *sheet_sequence(struct sheet *sheet, const char *batch,
				const char *tokens)
{
	struct sequence *made = sequence_new(sheet);

	if (!made)
		return NULL;
	made->batch = sheet->form->batch;
	if (batch && made->batch.param)
		made->batch.param = batch;
	made->tokens.param = tokens;
	made->axis = 1;
	sheet->sequence = made;
	return made;
}

struct sequence *sheet_sequence_of(struct sheet *sheet, struct value *like,
				   unsigned int axis, struct dim batch,
				   struct dim tokens)
{
	struct sequence *made = sequence_new(sheet);

	if (!made)
		return NULL;
	made->batch = batch;
	made->tokens = tokens;
	made->like = like;
	made->axis = axis;
	like->sequence = made;
	return made;
}

struct sequence *sheet_sequence_more(struct sheet *sheet, struct value *like,
				     unsigned int axis,
				     const struct sequence *from, int more)
{
	struct dim tokens = from->tokens;

	if (!tokens.param)
		tokens.size = (uint64_t)((int64_t)tokens.size + more);
	else
		tokens.param = graph_text(sheet->graph, "%s %c %d",
					  tokens.param, more < 0 ? '-' : '+',
					  abs(more));
	return sheet_sequence_of(sheet, like, axis, from->batch, tokens);
}

struct dim sheet_batch(const struct sheet *sheet)
{
	struct dim batch = sheet->form->batch;

	if (batch.param && sheet->batch)
		batch.param = sheet->batch;
	return batch;
}

struct value *sheet_regroup(struct sheet *sheet, struct value *x,
			    uint64_t tokens)
{
	struct sequence *made = sequence_new(sheet);

	if (!made || !x->sequence)
		return graph_fail(sheet->graph, -EINVAL);
	made->batch = x->sequence->batch;
	made->tokens.size = tokens;
	x->sequence = made;
	return x;
}

struct value *sheet_input(struct sheet *sheet, const char *name,
			  enum onnx_type type, struct dim *dims,
			  unsigned int rank)
{
	dims[0] = sheet_batch(sheet);
	return graph_input(sheet->graph, name, type, dims, rank);
}

void sheet_output(struct sheet *sheet, struct value *x, const char *name,
		  struct dim *dims, unsigned int rank)
{
	dims[0] = x->sequence ? x->sequence->batch : sheet_batch(sheet);
	graph_output(sheet->graph, x, name, dims, rank);
}

static struct value *all_dims(struct sheet *sheet, struct sequence *sequence)
{
	struct graph *graph = sheet->graph;
	struct value *dims;

	if (graph->error < 0 || !sequence || !sequence->like)
		return graph_fail(graph, -EINVAL);
	if (sequence->dims)
		return sequence->dims;
	dims = graph_node(graph, "Shape", INPUTS(sequence->like), NO_ATTRS);
	dims->rank = 1;
	dims->width = sequence->like->rank;
	dims->sequence = NULL;
	sequence->dims = dims;
	return dims;
}

struct value *sequence_shape(struct sheet *sheet, struct sequence *sequence)
{
	struct graph *graph = sheet->graph;
	struct value *shape = all_dims(sheet, sequence);

	if (graph->error < 0 || sequence->axis != 1)
		return graph_fail(graph, -EINVAL);
	if (sequence->shape)
		return sequence->shape;
	if (shape->width > 2) {
		shape = graph_node(graph, "Slice",
				   INPUTS(shape, INTS(graph, 0), INTS(graph, 2),
					  INTS(graph, 0)),
				   NO_ATTRS);
		shape->width = 2;
	}
	sequence->shape = shape;
	return shape;
}

struct value *sequence_length(struct sheet *sheet, struct sequence *sequence)
{
	struct graph *graph = sheet->graph;
	struct value *length;

	if (graph->error < 0 || !sequence)
		return graph_fail(graph, -EINVAL);
	if (!sequence->tokens.param)
		return INTS(graph, (int64_t)sequence->tokens.size);
	length = graph_node(graph, "Gather",
			    INPUTS(all_dims(sheet, sequence),
				   INTS(graph, sequence->axis)),
			    ATTRS(attr_int("axis", 0)));
	length->width = 1;
	return length;
}

struct value *sequence_map_shape(struct sheet *sheet, struct sequence *sequence,
				 uint64_t channels)
{
	struct graph *graph = sheet->graph;
	struct value *shape;

	if (graph->error < 0 || !sequence)
		return graph_fail(graph, -EINVAL);
	if (!sequence->map)
		return INTS(graph, sheet->form->is_batched ? 0 : 1,
			    (int64_t)channels, 1, -1);
	if (sequence->map->channels != channels)
		return graph_fail(graph, -EINVAL);
	if (sequence->map_shape)
		return sequence->map_shape;
	shape = graph_node(graph, "Shape", INPUTS(sequence->map), NO_ATTRS);
	shape->rank = 1;
	sequence->map_shape = shape;
	return shape;
}
