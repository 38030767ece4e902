/* SPDX-License-Identifier: MIT */
/*
 * staging/info.h - info.json and staged.status: what a view says of itself.
 *
 * All append JSON to @out.
 */
#ifndef STAGING_INFO_H
#define STAGING_INFO_H

#include "base/annot.h"
#include "base/str.h"
#include "staging/checkpoint.h"
#include "staging/models.h"
#include "staging/refusal.h"
#include "staging/staging.h"
#include "staging/view_safetensors.h"

/* What is staged of a checkpoint, and how. */
struct stage_view {
	enum model_task task;
	enum model_format format;
	enum stage_form form;
	enum stage_profile profile;
};

/* Of a staged model; @models by part, PART_WHOLE is there. */
int info_of_model(const struct stage_repo *repo,
		  const struct checkpoint *checkpoint,
		  const struct stage_view *view,
		  struct staged_model *const *models,
		  struct str *out) MUST_CHECK;

/*
 * Of a model of a hub whose catalogue gives facts.  @how: what its graph
 * came from, "skeleton torchvision/resnet50"; @form NULL: it has but one.
 */
int info_of_staged(const struct stage_repo *repo, const char *how,
		   const char *form, const struct staged_model *model,
		   struct str *out) MUST_CHECK;

/* Of a model that is shown as its hub has it: facts, files, digests. */
int info_of_files(const struct stage_repo *repo, struct str *out) MUST_CHECK;

/* Of a composed safetensors file. */
int info_of_safetensors(const struct stage_repo *repo,
			const struct safetensors_view *view,
			struct str *out) MUST_CHECK;

/* Why there is none.  @model_type and @task may be NULL. */
int info_of_refusal(const struct refusal *why, const char *model_type,
		    const char *task, struct str *out) MUST_CHECK;

/* Parts of an info.json: whose it is; what turns data into inputs. */
struct json_write;
void info_write_whose(struct json_write *json, const struct stage_repo *repo);
void info_write_preprocessing_files(struct json_write *json,
				    const struct stage_repo *repo);

/* "plain", "dl4j"; "portable", "native"; static. */
const char *form_name(enum stage_form form);
const char *profile_name(enum stage_profile profile);

#endif
