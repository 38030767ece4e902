/* SPDX-License-Identifier: MIT */
#include "staging/models/patches.h"

#include "base/limits.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/vision.h"

void patches_read(struct emit *emit, struct patches *patches)
{
	config_pair(emit, "image_size", patches->image[0], MODEL_IMAGE_MAX,
		    patches->image);
	config_pair(emit, "patch_size", patches->patch[0], MODEL_IMAGE_MAX,
		    patches->patch);
	patches->channels = config_count(emit, "num_channels",
					 patches->channels, MODEL_IMAGE_MAX);
	if (patches_count(patches) == 0)
		config_refuse(emit, "patch_size");
}

uint64_t patches_count(const struct patches *patches)
{
	return patches->image[0] / patches->patch[0] *
	       (patches->image[1] / patches->patch[1]);
}

struct value *patches_pixels(struct emit *emit, const struct patches *patches)
{
	if (patches->any_size)
		return emit_pixels(emit, patches->channels, 0, 0);
	return emit_pixels(emit, patches->channels, patches->image[0],
			   patches->image[1]);
}

struct value *patches_rows(struct emit *emit, const struct patches *patches,
			   struct value *pixels, uint64_t width, bool has_bias,
			   const char *prefix, const char *name)
{
	const struct conv_shape shape = {
		.out = width,
		.in = patches->channels,
		.kernel = { patches->patch[0], patches->patch[1] },
		.stride = { patches->patch[0], patches->patch[1] },
	};
	struct value *map = emit_conv(emit, pixels, &shape, has_bias, prefix,
				      name);

	return emit->sheet.form->tokens(
		&emit->sheet, map, width, "patches",
		patches->any_size ? 0 : patches_count(patches));
}

struct value *patches_table(struct emit *emit, uint64_t rows, uint64_t width,
			    const char *name)
{
	const struct shape shown = SHAPE(rows, width);

	return bind_shaped(emit->bind, SHAPE(1, rows, width), &shown, "%s",
			   name);
}

void patches_logits(struct emit *emit, struct value *row)
{
	row = emit_linear(emit, row, 0, "", "classifier");
	emit->sheet.form->output_each(&emit->sheet, row, "logits");
}
