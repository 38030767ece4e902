/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/saved_folder.h - a SavedModel among the files of a
 * repository.
 *
 * Fetches saved_model.pb and variables/variables.index whole; of the
 * variables themselves nothing but strings.
 */
#ifndef STAGING_TENSORFLOW_SAVED_FOLDER_H
#define STAGING_TENSORFLOW_SAVED_FOLDER_H

#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/models.h"
#include "staging/refusal.h"
#include "staging/staging.h"
#include "staging/tensorflow/freeze.h"
#include "staging/tensorflow/saved_model.h"
#include "staging/weights/tensor_bundle.h"

struct saved_folder {
	struct saved_model *model;    /* owned */
	struct tensor_bundle *bundle; /* owned; NULL: it has no variables */

	/* Private. */
	const struct stage_repo *holder; /* borrowed */
	char **paths;			 /* of the shards; owned, all */
	uint64_t *sizes;		 /* owned */
	const char *model_path;		 /* borrowed from the holder */
	size_t *indexes;		 /* of the holder's files; owned */
};

/*
 * Opens the one in @folder ("" or "saved_model/") of @holder, into the
 * zeroed @out, which is released after, also on failure.  -EBADMSG:
 * refused, @why says so; else the errno of getting the files.
 */
int saved_folder_open(const struct stage_repo *holder, const char *folder,
		      struct saved_folder *out, struct refusal *why) MUST_CHECK;
void saved_folder_release(struct saved_folder *saved);
DEFINE_AUTO(saved_folder, struct saved_folder, saved_folder_release)
#define auto_saved_folder auto_of(saved_folder)

/* Freezes @signature; .onnx of *@out is the plan of the graph.  As above. */
int saved_folder_freeze(const struct saved_folder *saved, const char *signature,
			struct staged_model **out,
			struct refusal *why) MUST_CHECK;

#endif
