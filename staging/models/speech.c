/* SPDX-License-Identifier: MIT */
#include "staging/models/speech.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/vision.h"
#include "staging/models/weight_norm.h"

#define EPS 1e-5 /* of norms that no key names one of */
#define PLACES "encoder.pos_conv_embed."

static const struct encoder_names names = {
	.query = "attention.q_proj",
	.key = "attention.k_proj",
	.value = "attention.v_proj",
	.attention = "attention.out_proj",
	.attention_norm = "layer_norm",
	.up = "feed_forward.intermediate_dense",
	.down = "feed_forward.output_dense",
	.norm = "final_layer_norm",
};

struct speech {
	struct encoder encoder;
	struct config_list sizes, kernels, strides;
	bool has_conv_bias;
	bool is_grouped; /* one norm over time, else one of each channel */
	const char *activation;
	uint64_t span, groups;	/* of the convolution of places */
	uint64_t adapter_width; /* of what follows each layer; 0: nothing */
	bool is_weighted;	/* the sum of all layers is classified */
};

static void read_extractor(struct emit *emit, struct speech *model)
{
	const char *norm = config_text(emit, "feat_extract_norm", "group");

	model->sizes = (struct config_list){
		7, { 512, 512, 512, 512, 512, 512, 512 }
	};
	model->kernels = (struct config_list){ 7, { 10, 3, 3, 3, 3, 2, 2 } };
	model->strides = (struct config_list){ 7, { 5, 2, 2, 2, 2, 2, 2 } };
	config_list(emit, "conv_dim", MODEL_WIDTH_MAX, &model->sizes);
	config_list(emit, "conv_kernel", MODEL_WIDTH_MAX, &model->kernels);
	config_list(emit, "conv_stride", MODEL_WIDTH_MAX, &model->strides);
	if (config_count(emit, "num_feat_extract_layers", model->sizes.count,
			 MODEL_STAGES_MAX) != model->sizes.count)
		config_refuse(emit, "num_feat_extract_layers");
	if (model->sizes.count != model->kernels.count)
		config_refuse(emit, "conv_kernel");
	if (model->sizes.count != model->strides.count)
		config_refuse(emit, "conv_stride");
	model->is_grouped = strcmp(norm, "group") == 0;
	if (!model->is_grouped && strcmp(norm, "layer") != 0)
		config_refuse(emit, "feat_extract_norm");
	model->activation = config_text(emit, "feat_extract_activation",
					"gelu");
	model->has_conv_bias = config_flag(emit, "conv_bias", false);
}

static void speech_read(struct emit *emit, struct speech *model)
{
	*model = (struct speech){ .encoder = encoder_base };
	model->encoder.names = &names;
	model->encoder.eps = 1e-5;
	encoder_read(emit, &model->encoder);
	model->encoder.norm_first = config_flag(emit, "do_stable_layer_norm",
						false);
	read_extractor(emit, model);
	model->span = config_count(emit, "num_conv_pos_embeddings", 128,
				   MODEL_WIDTH_MAX);
	model->groups = config_count(emit, "num_conv_pos_embedding_groups", 16,
				     MODEL_WIDTH_MAX);
	if (model->encoder.hidden % model->groups != 0)
		config_refuse(emit, "num_conv_pos_embedding_groups");
	if (model->encoder.norm_first)
		model->adapter_width = config_count(emit, "adapter_attn_dim", 0,
						    MODEL_WIDTH_MAX);
	model->is_weighted = emit->task == TASK_AUDIO_CLASSIFICATION &&
			     config_flag(emit, "use_weighted_layer_sum", false);
	if (model->is_weighted && model->encoder.norm_first)
		graph_refuse(emit->graph, "unsupported-config",
			     "use_weighted_layer_sum",
			     "transformers 4 and 5 differ in whether the last "
			     "of the summed states is normalised");
	config_only_flag(emit, "add_adapter", false);
}

/* Over time, each channel by itself: a group norm of as many groups. */
static struct value *norm_of_time(struct emit *emit, struct value *x,
				  const char *prefix)
{
	uint64_t channels = x->channels;

	return block_map_norm(
		&emit->sheet, x, 3,
		bind_channels(emit, channels, prefix, "layer_norm.weight"),
		bind_channels(emit, channels, prefix, "layer_norm.bias"), EPS);
}

static struct value *convolve(struct emit *emit, const struct speech *model,
			      size_t number, struct value *x)
{
	const struct conv_shape shape = {
		.out = model->sizes.at[number],
		.in = x->channels,
		.kernel = { 1, model->kernels.at[number] },
		.stride = { 1, model->strides.at[number] },
	};
	char prefix[TENSOR_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "feature_extractor.conv_layers.%zu.",
		 number);
	x = emit_conv_row(emit, x, &shape, model->has_conv_bias, prefix,
			  "conv");
	if (!model->is_grouped)
		x = emit_map_norm(emit, x, EPS, prefix, "layer_norm");
	else if (number == 0)
		x = norm_of_time(emit, x, prefix);
	return block_activation(&emit->sheet, model->activation, x);
}

/* A map of height 1, a pixel a frame. */
static struct value *extract(struct emit *emit, const struct speech *model)
{
	struct sheet *sheet = &emit->sheet;
	struct dim dims[] = { { 0 }, { .param = "sequence_length" } };
	struct value *x;

	x = sheet_input(sheet, "input_values", ONNX_FLOAT, dims, 2);
	x = sheet->form->waveform(sheet, x);
	for (size_t i = 0; i < model->sizes.count; i++)
		x = convolve(emit, model, i, x);
	return x;
}

/* What a frame's neighbours say of its place. */
static struct value *places(struct emit *emit, const struct speech *model,
			    bool is_batch_normed, struct value *x)
{
	uint64_t hidden = model->encoder.hidden, half = model->span / 2;
	const struct conv_shape shape = {
		.out = hidden,
		.in = hidden,
		.kernel = { 1, model->span },
		.pad = { 0, half },
		.after = { 0, half },
		.groups = model->groups,
	};

	if (is_batch_normed) {
		x = emit_batch_norm(emit, x, hidden, EPS, PLACES, "batch_norm");
		x = emit_conv_row(emit, x, &shape, true, PLACES, "conv");
	} else {
		x = emit_normed_conv_row(emit, x, &shape, PLACES, "conv");
	}
	if (model->span % 2 == 0)
		x = block_slice(&emit->sheet, x, 0, -1, 3);
	return block_activation(&emit->sheet, model->activation, x);
}

static struct value *adapt(struct emit *emit, const struct speech *model,
			   const char *prefix, struct value *x)
{
	struct value *y = emit_norm(emit, x, EPS, prefix, "adapter_layer.norm");

	y = emit_linear(emit, y, model->adapter_width, prefix,
			"adapter_layer.linear_1");
	y = block_activation(&emit->sheet, "relu", y);
	y = emit_linear(emit, y, x->width, prefix, "adapter_layer.linear_2");
	return block_add(&emit->sheet, x, y);
}

/* The sum of all states, @number of layers + 1, as layer_weights has it. */
struct sum {
	struct value *weights; /* [1, number]; NULL: nothing is summed */
	struct value *total;
	int64_t number;
};

static void sum_begin(struct emit *emit, const struct speech *model,
		      struct sum *sum)
{
	struct shape shown = SHAPE(1, model->encoder.layers + 1);
	struct value *weights;

	if (!model->is_weighted)
		return;
	weights = bind_shaped(emit->bind, SHAPE(model->encoder.layers + 1),
			      &shown, "layer_weights");
	sum->weights = graph_node(emit->graph, "Softmax", INPUTS(weights),
				  ATTRS(attr_int("axis", 1)));
}

static void sum_add(struct emit *emit, struct sum *sum, struct value *x)
{
	struct sheet *sheet = &emit->sheet;
	int64_t at = sum->number++;

	if (!sum->weights)
		return;
	x = block_mul(sheet, x,
		      block_slice(sheet, sum->weights, at, at + 1, 1));
	sum->total = sum->total ? block_add(sheet, sum->total, x) : x;
}

static struct value *encode(struct emit *emit, const struct speech *model,
			    struct value *x)
{
	const struct encoder *encoder = &model->encoder;
	char prefix[TENSOR_NAME_MAX];
	struct sum sum = { 0 };

	sum_begin(emit, model, &sum);
	if (!encoder->norm_first)
		x = emit_norm(emit, x, encoder->eps, "", "encoder.layer_norm");
	for (unsigned int i = 0; i < encoder->layers; i++) {
		if (emit->graph->error < 0)
			break;
		sum_add(emit, &sum, x);
		snprintf(prefix, sizeof(prefix), "encoder.layers.%u.", i);
		x = encoder_layer(emit, encoder, prefix, x);
		if (model->adapter_width > 0)
			x = adapt(emit, model, prefix, x);
	}
	if (encoder->norm_first)
		x = emit_norm(emit, x, encoder->eps, "", "encoder.layer_norm");
	sum_add(emit, &sum, x);
	return sum.weights ? sum.total : x;
}

struct value *speech_body(struct emit *emit,
			  const struct speech_projection *projection)
{
	struct sheet *sheet = &emit->sheet;
	struct speech model;
	struct value *x;

	speech_read(emit, &model);
	x = extract(emit, &model);
	if (projection->is_normed)
		x = emit_map_norm(emit, x, model.encoder.eps, "",
				  "feature_projection.layer_norm");
	x = emit_pointwise(emit, x, model.encoder.hidden, true, "",
			   "feature_projection.projection");
	x = block_add(sheet, x,
		      places(emit, &model, projection->is_batch_normed, x));
	x = sheet->form->tokens(sheet, x, model.encoder.hidden, "frames", 0);
	return encode(emit, &model, x);
}

void speech_frames(struct emit *emit, struct value *x)
{
	x = emit_linear(emit, x, 0, "", "lm_head");
	emit->sheet.form->output_tokens(&emit->sheet, x, "logits");
}

void speech_classes(struct emit *emit, struct value *x)
{
	x = emit_linear(emit, x, 0, "", "projector");
	x = emit->sheet.form->mean(&emit->sheet, x);
	emit_each_logits(emit, x, "classifier");
}

const char *const speech_leftovers[] = {
	"masked_spec_embed",
	"lm_head.",
	"projector.",
	"classifier.",
	"layer_weights",
	"quantizer.",
	"project_q.",
	"project_hid.",
	"tdnn.",
	"objective.",
	"feature_extractor.weight", /* a layer of the speakers' head */
	"feature_extractor.bias",
	NULL
};
