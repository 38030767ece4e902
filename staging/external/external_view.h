/* SPDX-License-Identifier: MIT */
/*
 * staging/external/external_view.h - what a converter changes of listings:
 * where staging refuses a model, that it is convertible, how far it is, or
 * what came of it.
 */
#ifndef STAGING_EXTERNAL_EXTERNAL_VIEW_H
#define STAGING_EXTERNAL_EXTERNAL_VIEW_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/staging.h"

/* A model that was refused, as its staged.status says. */
struct convertible {
	char *task;   /* owned, as all strings here */
	char *code;   /* of the refusal */
	char *reason; /* may be NULL, as those below */
	char *detail;
	char *model_type;
	bool never; /* no converter can help */
};
void convertible_release(struct convertible *what);
DEFINE_AUTO(convertible, struct convertible, convertible_release)
#define auto_convertible auto_of(convertible)

/*
 * What directory @dir of the views refuses.  Also the task that config.json
 * names where the base model is refused: nothing else lists it.  -ENOENT:
 * nothing is refused there; -EINPROGRESS as stage_list().
 */
int convertible_find(const struct stage_repo *repo, const char *dir,
		     struct convertible *out) MUST_CHECK;

/*
 * Given what staging lists of @dir (or that it said -ENOENT, and @listing is
 * empty), changes it as the repository's converter has it.  0; -ENOENT; or
 * as convertible_find().
 */
int external_list(const struct stage_repo *repo, const char *dir, int listed,
		  struct stage_listing *listing) MUST_CHECK;

#endif
