/* SPDX-License-Identifier: MIT */
/* modeling_whisper.py; sound goes in as a map of height 1. */
#include <errno.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/bart_layers.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/seq2seq.h"
#include "staging/models/vision.h"

struct whisper {
	uint64_t bins;	 /* of the spectrogram */
	uint64_t frames; /* that the encoder makes of twice as many */
	struct bart_stack encoder, decoder;
};

static const struct bart_stack defaults = {
	.layers = 4,
	.heads = 6,
	.hidden = 384,
	.intermediate = 1536,
	.activation = "gelu",
	.norm_before = true,
	.has_final_norm = true,
	.no_key_bias = true,
};

static void whisper_read(struct emit *emit, struct whisper *model)
{
	model->encoder = model->decoder = defaults;
	model->encoder.prefix = "encoder.";
	model->decoder.prefix = "decoder.";
	bart_stack_read(emit, &model->encoder);
	bart_stack_read(emit, &model->decoder);
	model->bins = config_count(emit, "num_mel_bins", 80, MODEL_WIDTH_MAX);
	model->frames = config_count(emit, "max_source_positions", 1500,
				     MODEL_POSITIONS_MAX);
}

static struct value *whisper_begin(struct emit *emit, struct seq2seq *seq)
{
	const struct whisper *model = seq->model;
	struct dim dims[] = { { 0 },
			      { .size = model->bins },
			      { .size = 2 * model->frames } };

	return sheet_input(&emit->sheet, "input_features", ONNX_FLOAT, dims, 3);
}

/* A convolution over three frames, of which every @stride-th is kept. */
static struct value *convolve(struct emit *emit, struct value *x, uint64_t in,
			      uint64_t out, uint64_t stride, const char *name)
{
	const struct conv_shape shape = {
		.out = out,
		.in = in,
		.kernel = { 1, 3 },
		.stride = { 1, stride },
		.pad = { 0, 1 },
		.after = { 0, 1 },
	};

	x = emit_conv_row(emit, x, &shape, true, "encoder.", name);
	return block_activation(&emit->sheet, "gelu", x);
}

static struct value *whisper_encode(struct emit *emit, struct seq2seq *seq,
				    struct value *x)
{
	const struct whisper *model = seq->model;
	const struct bart_stack *stack = &model->encoder;
	struct sheet *sheet = &emit->sheet;
	uint64_t hidden = stack->hidden;
	struct value *table;

	x = block_insert_axis(sheet, x, 2);
	x = convolve(emit, x, model->bins, hidden, 1, "conv1");
	x = convolve(emit, x, hidden, hidden, 2, "conv2");
	x = sheet->form->tokens(sheet, x, hidden, NULL, model->frames);
	table = bind_matrix(emit->bind, model->frames, hidden,
			    "encoder.embed_positions.weight");
	x = sheet->form->add_each(sheet, x, graph_straight(emit->graph, table));
	return bart_layers(emit, stack, x);
}

static struct value *whisper_decode(struct emit *emit, struct seq2seq *seq,
				    struct value *ids)
{
	const struct whisper *model = seq->model;
	struct bart_stack stack = model->decoder;
	struct sheet *sheet = &emit->sheet;
	struct value *x, *table;

	stack.mask = seq->causal;
	stack.states = seq->states;
	x = seq2seq_words(emit, WORDS_BY_SIDE, stack.hidden, SIDE_DECODER);
	x = block_gather(sheet, x, ids);
	table = emit_table(emit, stack.hidden, "decoder.embed_positions");
	emit->max_length = table->rows;
	x = block_add(sheet, x, block_positions(sheet, table));
	return bart_layers(emit, &stack, sheet->form->rows(sheet, x));
}

static struct value *whisper_body(struct emit *emit)
{
	struct whisper *model = arena_alloc(&emit->graph->arena,
					    sizeof(*model));
	struct seq2seq seq = {
		.model = model,
		.begin = whisper_begin,
		.encode = whisper_encode,
		.decode = whisper_decode,
	};

	if (!model)
		return graph_fail(emit->graph, -ENOMEM);
	whisper_read(emit, model);
	seq.width = model->encoder.hidden;
	if (emit->graph->error < 0)
		return &emit->graph->nowhere;
	if (emit->task == TASK_AUDIO_CLASSIFICATION)
		return seq2seq_encoder(emit, &seq);
	return seq2seq_body(emit, &seq);
}

static void whisper_logits(struct emit *emit, struct value *x)
{
	struct value *head = seq2seq_head(emit, WORDS_BY_SIDE, x->width,
					  "proj_out");

	x = emit->sheet.form->linear(&emit->sheet, x, head, NULL);
	seq2seq_output(emit, x);
}

/* WhisperForAudioClassification: an encoder alone. */
static void whisper_classes(struct emit *emit, struct value *x)
{
	struct sheet *sheet = &emit->sheet;

	config_only_flag(emit, "use_weighted_layer_sum", false);
	x = emit_linear(emit, x, 0, "", "projector");
	x = sheet->form->mean(sheet, x);
	x = emit_linear(emit, x, 0, "", "classifier");
	sheet->form->output_each(sheet, x, "logits");
}

static const char *const leftovers[] = { "proj_out.", "projector.",
					 "classifier.", "layer_weights", NULL };

static const char *const computes[] = { "is_encoder_decoder", NULL };

const struct family family_whisper = {
	.name = "whisper",
	.class = "Whisper",
	.base = "model",
	.leftovers = leftovers,
	.computes = computes,
	.body = whisper_body,
	.features = seq2seq_features,
	.heads = {
		[TASK_SPEECH_RECOGNITION] = HEAD_OF_SEQ2SEQ(whisper_logits),
		[TASK_AUDIO_CLASSIFICATION] = {
			.tensor = "projector.weight",
			.architecture = "ForAudioClassification",
			.emit = whisper_classes,
		},
	},
};
