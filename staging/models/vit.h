/* SPDX-License-Identifier: MIT */
/*
 * staging/models/vit.h - what ViT shares with DeiT and BEiT.
 *
 * Names are those of the hub's files.  transformers 5 calls tensors otherwise
 * in memory, and saves them as they were (conversion_mapping.py, "ViTModel").
 */
#ifndef STAGING_MODELS_VIT_H
#define STAGING_MODELS_VIT_H

#include "staging/models/encoder.h"
#include "staging/models/patches.h"

extern const struct encoder_names vit_names;

/* The sizes of the base model, and those of its images. */
extern const struct encoder vit_base;
extern const struct patches vit_patches;

/* encoder_read(), patches_read(), and what is not computed refused. */
void vit_read(struct emit *emit, struct encoder *encoder,
	      struct patches *patches);

/*
 * Declares the images; rows of patches, before which stand the tokens that
 * @names says, ending with NULL.  @placed: rows of position_embeddings are
 * added to all of them.
 */
struct value *vit_embeddings(struct emit *emit, const struct patches *patches,
			     uint64_t width, const char *const *names,
			     bool placed);

/* The body of ViT with these tokens. */
struct value *vit_body_of(struct emit *emit, const char *const *names);

/* last_hidden_state, and pooler_output where there are weights for it. */
void vit_features(struct emit *emit, struct value *x);

/* logits of the first token by "classifier". */
void vit_classes(struct emit *emit, struct value *x);

#endif
