/* SPDX-License-Identifier: MIT */
/*
 * staging/models/towers.h - models of text and image in two towers, which meet
 * in one space: CLIP and SigLIP.
 *
 * Facts: transformers, modeling_clip.py, modeling_siglip.py.  Inputs and axes
 * are named as optimum names them: the text's batch is text_batch_size, the
 * images' image_batch_size.
 */
#ifndef STAGING_MODELS_TOWERS_H
#define STAGING_MODELS_TOWERS_H

#include "staging/models/encoder.h"
#include "staging/models/patches.h"

extern const struct encoder_names tower_names;

/* A tower's tensors begin with .prefix, "text_model."; or "". */
struct tower {
	const char *prefix;
	struct encoder encoder;
	struct patches patches; /* of that of images */
};

/*
 * The tower's part of the configuration, @name ("text_config"); where there
 * is one called @name and "_dict", that one: the library gives it all keys,
 * by default values too, and puts it over the other.
 */
const struct json *tower_config(const struct emit *emit, const char *name);

/* Reads the sizes from @part; @tower holds the defaults. */
void tower_read(struct emit *emit, const struct json *part,
		struct tower *tower);

/* Rows of @ids, words and positions added; sets emit->max_length. */
struct value *tower_words(struct emit *emit, const struct tower *tower,
			  struct value *ids);

/* All layers. */
struct value *tower_layers(struct emit *emit, const struct tower *tower,
			   struct value *x);

/* A norm of the tower. */
struct value *tower_norm(struct emit *emit, const struct tower *tower,
			 struct value *x, const char *name);

/* Begins the inputs of both: input_ids, of which the sheet's sequence is. */
struct value *towers_ids(struct emit *emit);

/*
 * Ends the graph: logits_per_image, logits_per_text, text_embeds and
 * image_embeds of a row for each text and each image.
 */
void towers_output(struct emit *emit, struct value *text, struct value *image);

#endif
