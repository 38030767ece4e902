/* SPDX-License-Identifier: MIT */
#include "staging/models.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The hub's own names of tasks. */
static const char *const names[TASK_COUNT] = {
	[TASK_FEATURES] = "feature-extraction",
	[TASK_FILL_MASK] = "fill-mask",
	[TASK_TEXT_CLASSIFICATION] = "text-classification",
	[TASK_TOKEN_CLASSIFICATION] = "token-classification",
	[TASK_QUESTION_ANSWERING] = "question-answering",
	[TASK_PRETRAINING] = "pretraining",
	[TASK_SENTENCE_SIMILARITY] = "sentence-similarity",
	[TASK_TEXT_GENERATION] = "text-generation",
	[TASK_TEXT_GENERATION_WITH_PAST] = "text-generation-with-past",
	[TASK_TEXT2TEXT_GENERATION] = "text2text-generation",
	[TASK_TRANSLATION] = "translation",
	[TASK_SUMMARIZATION] = "summarization",
	[TASK_SPEECH_RECOGNITION] = "automatic-speech-recognition",
	[TASK_AUDIO_CLASSIFICATION] = "audio-classification",
	[TASK_IMAGE_CLASSIFICATION] = "image-classification",
	[TASK_IMAGE_SEGMENTATION] = "image-segmentation",
	[TASK_ZERO_SHOT_IMAGE_CLASSIFICATION] =
		"zero-shot-image-classification",
};

static const char *const parts[PART_COUNT] = {
	[PART_WHOLE] = "staged.onnx",
	[PART_ENCODER] = "encoder_model.onnx",
	[PART_DECODER] = "decoder_model.onnx",
};

const char *task_name(enum model_task task)
{
	assert(task < TASK_COUNT);
	return names[task];
}

int task_parse(const char *name, enum model_task *out)
{
	for (unsigned int task = 0; task < TASK_COUNT; task++) {
		if (strcmp(names[task], name) != 0)
			continue;
		*out = task;
		return 0;
	}
	return -ENOENT;
}

const char *part_name(enum model_part part)
{
	assert(part < PART_COUNT);
	return parts[part];
}

const char *model_format_name(enum model_format format)
{
	return format == MODEL_GRAPHDEF ? "graphdef" : "onnx";
}

const char *model_file_name(enum model_format format, enum model_part part)
{
	return format == MODEL_GRAPHDEF ? "staged.pb" : part_name(part);
}
