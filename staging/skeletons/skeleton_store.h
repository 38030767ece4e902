/* SPDX-License-Identifier: MIT */
/*
 * staging/skeletons/skeleton_store.h - skeletons by name, from folders.
 *
 * The program's folder has one a set, with a manifest that proves each file;
 * a user's own, which is looked into first, has <name>.onnx or
 * <name>.onnx.gz, and .dl4j before the .onnx for the other form.
 *
 * Manifests are kept in memory, for the life of the process, as long as their
 * file's time and size stay.  Reads small local files: never for a FUSE
 * thread.  Safe from any thread.
 */
#ifndef STAGING_SKELETONS_SKELETON_STORE_H
#define STAGING_SKELETONS_SKELETON_STORE_H

#include "base/annot.h"
#include "staging/models.h"
#include "staging/refusal.h"
#include "staging/skeletons/skeleton.h"
#include "staging/staging.h"

struct skeleton_dirs {
	const char *share; /* holds a folder for each set; or NULL */
	const char *user;  /* or NULL */
};

/*
 * The skeleton of @name in @set ("timm") and @form; the caller frees *@out.
 * -EBADMSG: refused, @why says so: "no-skeleton", where nobody has it, or
 * what the manifest says, or "skeleton", where it is damaged.  Else the
 * -errno of reading, -ENOMEM.
 */
int skeleton_open(const struct skeleton_dirs *dirs, const char *set,
		  const char *name, enum stage_form form, struct skeleton **out,
		  struct refusal *why) MUST_CHECK;

/* As skeleton_open(), then skeleton_bind() to @weights. */
int skeleton_stage(const struct skeleton_dirs *dirs, const char *set,
		   const char *name, const struct weights *weights,
		   enum stage_form form, struct staged_model **out,
		   struct refusal *why) MUST_CHECK;

/* Frees the manifests; for the end of the process. */
void skeleton_store_clear(void);

#endif
