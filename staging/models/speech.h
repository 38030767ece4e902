/* SPDX-License-Identifier: MIT */
/*
 * staging/models/speech.h - wav2vec 2.0 and HuBERT: convolutions over a
 * waveform, then an encoder.
 *
 * Facts: modeling_wav2vec2.py, modeling_hubert.py.  The input is input_values
 * [batch, samples] alone, as optimum exports it: models of
 * feat_extract_norm "group" are made for that, others are given whole
 * waveforms of one length.
 */
#ifndef STAGING_MODELS_SPEECH_H
#define STAGING_MODELS_SPEECH_H

#include "staging/models/family.h"

/* Where HuBERT can be told to differ from wav2vec 2.0. */
struct speech_projection {
	bool is_normed;	      /* a norm before the projection to hidden_size */
	bool is_batch_normed; /* before the convolution of places, whose
			       * weight is no normed one then */
};

struct value *speech_body(struct emit *emit,
			  const struct speech_projection *projection);

/* logits of every frame by "lm_head". */
void speech_frames(struct emit *emit, struct value *x);

/* logits by "projector", the mean of all frames, "classifier". */
void speech_classes(struct emit *emit, struct value *x);

/* Other heads: of pretraining, frames, speakers. */
extern const char *const speech_leftovers[];

#define HEADS_OF_SPEECH                                                \
	{                                                              \
		[TASK_SPEECH_RECOGNITION] = {                        \
			.tensor = "lm_head.weight",                  \
			.emit = speech_frames,                       \
		},                                                   \
		[TASK_AUDIO_CLASSIFICATION] = {                      \
			.tensor = "projector.weight",                \
			.architecture = "ForSequenceClassification", \
			.emit = speech_classes,                      \
		}, \
	}

#endif
