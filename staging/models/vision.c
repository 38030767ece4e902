/* SPDX-License-Identifier: MIT */
#include "staging/models/vision.h"

#include <stdio.h>

#include "base/limits.h"
#include "staging/graph/blocks_image.h"
#include "staging/models/encoder.h"

struct value *emit_pixels(struct emit *emit, uint64_t channels, uint64_t height,
			  uint64_t width)
{
	struct dim dims[] = {
		{ 0 },
		{ .size = channels },
		{ .param = height ? NULL : "height", .size = height },
		{ .param = width ? NULL : "width", .size = width }
	};

	struct value *input = sheet_input(&emit->sheet, "pixel_values",
					  ONNX_FLOAT, dims, 4);

	input->channels = channels;
	return input;
}

struct conv_shape conv_square(uint64_t out, uint64_t in, uint64_t kernel,
			      uint64_t stride, uint64_t pad)
{
	return (struct conv_shape){
		.out = out,
		.in = in,
		.kernel = { kernel, kernel },
		.stride = { stride, stride },
		.pad = { pad, pad },
		.after = { pad, pad },
	};
}

static uint64_t or_one(uint64_t n)
{
	return n ? n : 1;
}

struct value *emit_conv_of(struct emit *emit, struct value *x,
			   const struct conv_shape *shape, struct value *weight,
			   struct value *bias)
{
	struct conv made = {
		.weight = weight,
		.bias = bias,
		.groups = or_one(shape->groups),
	};

	for (unsigned int i = 0; i < 2; i++) {
		made.kernel[i] = shape->kernel[i];
		made.stride[i] = or_one(shape->stride[i]);
		made.pad[i] = shape->pad[i];
		made.after[i] = shape->after[i];
		made.dilation[i] = or_one(shape->dilation[i]);
	}
	x = block_conv(&emit->sheet, x, &made);
	x->channels = shape->out;
	return x;
}

static struct value *bias_of(struct emit *emit, bool has_bias, uint64_t out,
			     const char *prefix, const char *name)
{
	if (!has_bias)
		return NULL;
	return bind_vector(emit->bind, out, "%s%s.bias", prefix, name);
}

struct value *emit_conv(struct emit *emit, struct value *x,
			const struct conv_shape *shape, bool has_bias,
			const char *prefix, const char *name)
{
	struct shape stored = SHAPE(shape->out,
				    shape->in / or_one(shape->groups),
				    shape->kernel[0], shape->kernel[1]);
	struct value *weight;

	weight = bind_shaped(emit->bind, stored, NULL, "%s%s.weight", prefix,
			     name);
	return emit_conv_of(emit, x, shape, weight,
			    bias_of(emit, has_bias, shape->out, prefix, name));
}

struct value *emit_conv_row(struct emit *emit, struct value *x,
			    const struct conv_shape *shape, bool has_bias,
			    const char *prefix, const char *name)
{
	uint64_t in = shape->in / or_one(shape->groups);
	struct shape stored = SHAPE(shape->out, in, shape->kernel[1]);
	struct shape shown = SHAPE(shape->out, in, 1, shape->kernel[1]);
	struct value *weight;

	weight = bind_shaped(emit->bind, stored, &shown, "%s%s.weight", prefix,
			     name);
	return emit_conv_of(emit, x, shape, weight,
			    bias_of(emit, has_bias, shape->out, prefix, name));
}

struct value *emit_pointwise(struct emit *emit, struct value *x, uint64_t out,
			     bool has_bias, const char *prefix,
			     const char *name)
{
	uint64_t in = x->channels;
	const struct conv_shape shape = conv_square(out, in, 1, 1, 0);
	struct shape shown = SHAPE(out, in, 1, 1);
	struct value *weight;

	weight = bind_shaped(emit->bind, SHAPE(out, in), &shown, "%s%s.weight",
			     prefix, name);
	return emit_conv_of(emit, x, &shape, weight,
			    bias_of(emit, has_bias, out, prefix, name));
}

struct value *bind_channels(struct emit *emit, uint64_t channels,
			    const char *prefix, const char *name)
{
	struct shape shown = SHAPE(channels, 1, 1);

	return bind_shaped(emit->bind, SHAPE(channels), &shown, "%s%s", prefix,
			   name);
}

struct value *emit_map_norm(struct emit *emit, struct value *x, double eps,
			    const char *prefix, const char *name)
{
	uint64_t channels = x->channels;
	char scale[TENSOR_NAME_MAX], bias[TENSOR_NAME_MAX];

	snprintf(scale, sizeof(scale), "%s.weight", name);
	snprintf(bias, sizeof(bias), "%s.bias", name);
	return block_map_norm(&emit->sheet, x, 1,
			      bind_channels(emit, channels, prefix, scale),
			      bind_channels(emit, channels, prefix, bias), eps);
}

struct value *emit_batch_norm(struct emit *emit, struct value *x,
			      uint64_t channels, double eps, const char *prefix,
			      const char *name)
{
	struct bind *bind = emit->bind;
	struct batch_norm norm = {
		.scale = bind_vector(bind, channels, "%s%s.weight", prefix,
				     name),
		.bias = bind_vector(bind, channels, "%s%s.bias", prefix, name),
		.mean = bind_vector(bind, channels, "%s%s.running_mean", prefix,
				    name),
		.variance = bind_vector(bind, channels, "%s%s.running_var",
					prefix, name),
		.eps = eps,
	};

	return block_batch_norm(&emit->sheet, x, &norm);
}

void emit_output_map(struct emit *emit, struct value *x, const char *name,
		     uint64_t height, uint64_t width)
{
	struct dim dims[] = {
		{ 0 },
		{ .size = x->channels },
		{ .param = height ? NULL : "output_height", .size = height },
		{ .param = width ? NULL : "output_width", .size = width }
	};

	sheet_output(&emit->sheet, x, name, dims, 4);
}

void emit_each_logits(struct emit *emit, struct value *x, const char *name)
{
	x = emit_linear(emit, x, 0, "", name);
	emit->sheet.form->output_each(&emit->sheet, x, "logits");
}
