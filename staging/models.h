/* SPDX-License-Identifier: MIT */
/*
 * staging/models.h - from a model's configuration and weights to its plan.
 *
 * The families that are known, one file each in models/ (how to add one is
 * in models/README.md).  Everything here is pure: it reads a parsed
 * config.json and a weight index and makes graphs; no I/O.
 *
 * Refuse rather than guess: what is not known to be computed exactly is
 * refused, with a reason for people.
 */
#ifndef STAGING_MODELS_H
#define STAGING_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "staging/plan.h"
#include "staging/refusal.h"
#include "staging/sentence.h"
#include "staging/staging.h"
#include "staging/weights/weights.h"

/* By the hub's own names, its pipeline tags; in the order of listings. */
enum model_task {
	TASK_FEATURES, /* "feature-extraction": AutoModel */
	TASK_FILL_MASK,
	TASK_TEXT_CLASSIFICATION,
	TASK_TOKEN_CLASSIFICATION,
	TASK_QUESTION_ANSWERING,
	TASK_PRETRAINING, /* "pretraining": ELECTRA's discriminator */
	TASK_SENTENCE_SIMILARITY,
	TASK_TEXT_GENERATION,
	TASK_TEXT_GENERATION_WITH_PAST, /* optimum's name: a step of it */
	TASK_TEXT2TEXT_GENERATION,
	TASK_TRANSLATION,
	TASK_SUMMARIZATION,
	TASK_SPEECH_RECOGNITION,
	TASK_AUDIO_CLASSIFICATION,
	TASK_IMAGE_CLASSIFICATION,
	TASK_IMAGE_SEGMENTATION,
	TASK_ZERO_SHOT_IMAGE_CLASSIFICATION,
	TASK_COUNT
};

/* "fill-mask"; static. */
const char *task_name(enum model_task task);

/* -ENOENT: no such task. */
int task_parse(const char *name, enum model_task *out) MUST_CHECK;

/* Files of a task: one graph, and for some that graph in two. */
enum model_part { PART_WHOLE, PART_ENCODER, PART_DECODER, PART_COUNT };

/* The file's name as optimum has it, "encoder_model.onnx"; static. */
const char *part_name(enum model_part part);

/* What kind of file. */
enum model_format { MODEL_ONNX, MODEL_GRAPHDEF };

/* "onnx", "graphdef"; static. */
const char *model_format_name(enum model_format format);

/* The file's name: part_name(), or "staged.pb"; static. */
const char *model_file_name(enum model_format format, enum model_part part);

struct model_request {
	const struct json *config;
	const struct weights *weights;
	const struct sentence *sentence; /* or NULL */
	enum model_task task;
	enum model_part part; /* of a GraphDef PART_WHOLE alone */
	enum model_format format;
	enum stage_form form;
	enum stage_profile profile;
};

struct staged_value {
	char *name;	   /* owned */
	const char *dtype; /* "int64", "float32"; static */
	char *shape; /* owned; JSON: ["batch_size","sequence_length",768] */
};

/* A model emitted and bound to its weights. */
struct staged_model {
	const char *family; /* "bert", or "skeleton"; static */
	char *source;	    /* of a skeleton: "torchvision 0.29.2 resnet50" */
	struct plan *onnx;  /* finished; owned; whatever the format */
	struct plan *data;  /* staged.onnx.data, or NULL: all is inline */
	struct staged_value *inputs;
	size_t input_count;
	struct staged_value *outputs;
	size_t output_count;
	size_t node_count;
	uint64_t max_length; /* tokens that have a position; 0: any number */
	char **ignored;	     /* tensors known to be unused by this task */
	size_t ignored_count;
};
void staged_model_free(struct staged_model *model);
DEFINE_AUTO_PTR(staged_model, struct staged_model, staged_model_free)
#define auto_staged_model auto_of(staged_model)

/*
 * The tasks beyond TASK_FEATURES whose heads the weights have: a bit
 * 1 << task each.  0 for an unknown architecture.
 */
unsigned int models_tasks(const struct json *config,
			  const struct weights *weights,
			  const struct sentence *sentence);

/* Whether @task, which the weights have, is staged in parts too. */
bool models_has_parts(const struct json *config, enum model_task task);

/* Whether the model needs no code of its repository. */
bool models_know_code(const struct json *config);

/* -EBADMSG: refused, @why says so.  Else -ENOMEM, -EFBIG. */
int models_stage(const struct model_request *request, struct staged_model **out,
		 struct refusal *why) MUST_CHECK;

#endif
