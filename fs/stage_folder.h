/* SPDX-License-Identifier: MIT */
/*
 * fs/stage_folder.h - a folder of model files, staged without a mount.
 *
 * For `omnihub stage`: the same staging as in a mount, on local files.
 */
#ifndef FS_STAGE_FOLDER_H
#define FS_STAGE_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/staging.h"

struct stage_folder {
	char *path;		  /* owned; absolute */
	char *id;		  /* owned; for info.json */
	char *kind;		  /* owned; as struct stage_repo's; or NULL */
	char *facts;		  /* owned; the same */
	struct stage_file *files; /* owned, paths too */
	size_t count;
	size_t cap;
	uint64_t fetches; /* ranges read for headers: requests, in a mount */
	uint64_t fetched_bytes;
};

/*
 * Lists the files below @path, or takes @path alone where it is a file.  On
 * success the caller releases @out.
 */
int stage_folder_open(struct stage_folder *out, const char *path) MUST_CHECK;

/*
 * Says what the folder is where its files do not: weights of the @skeleton
 * "torchvision/resnet50", or of the Keras @application "ResNet50/top"; one
 * of them is NULL.  -ENOENT: it does not hold one file of weights.
 */
int stage_folder_is(struct stage_folder *folder, const char *skeleton,
		    const char *application) MUST_CHECK;
void stage_folder_release(struct stage_folder *folder);
DEFINE_AUTO(stage_folder, struct stage_folder, stage_folder_release)
#define auto_stage_folder auto_of(stage_folder)

/* As staging wants it; good as long as @folder is. */
void stage_folder_repo(struct stage_folder *folder, enum stage_form form,
		       struct stage_repo *out);

#endif
