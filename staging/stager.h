/* SPDX-License-Identifier: MIT */
/*
 * staging/stager.h - how one kind of repository is staged.
 *
 * A hub says of each repository what kind it is (struct stage_repo, .kind);
 * the stager of that kind lists its views.  To add a kind: one file with a
 * struct stager, and its line in stagers.c.
 */
#ifndef STAGING_STAGER_H
#define STAGING_STAGER_H

#include <stdbool.h>

#include "base/annot.h"
#include "staging/plan.h"
#include "staging/staging.h"

struct stager {
	const char *kind;

	/*
	 * True: list() of @dir makes no request beyond what an archive's
	 * table needs, so its answer need not be kept.
	 */
	bool (*is_instant)(const struct stage_repo *repo, const char *dir);

	/* As stage_list(); the entries need not be sorted. */
	int (*list)(const struct stage_repo *repo, const char *dir,
		    struct stage_listing *out);

	/*
	 * Plans the file @path, which list() gave as deferred (deferred.h).
	 * NULL: it gives none.
	 */
	int (*plan)(const struct stage_repo *repo, const char *path,
		    struct plan **out);
};

/* stage_list() without what a converter adds (external/external_view.h). */
int stage_list_native(const struct stage_repo *repo, const char *dir,
		      struct stage_listing *out) MUST_CHECK;

/* The one for @repo; NULL: no such kind. */
const struct stager *stager_of(const struct stage_repo *repo);

extern const struct stager stager_huggingface;
extern const struct stager stager_onnx_zoo;
extern const struct stager stager_saved_model;
extern const struct stager stager_torchvision;
extern const struct stager stager_timm;
extern const struct stager stager_torchserve;
extern const struct stager stager_keras;

#endif
