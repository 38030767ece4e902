/* SPDX-License-Identifier: MIT */
/*
 * providers/kaggle_old.h - where a model of tfhub.dev is on Kaggle.
 *
 * tfhub.dev sends each to the page of its new place, and those that did not
 * move to the page of all models, with 200 and HTML.  Only the address it
 * names is read; nothing is downloaded there.  The table cannot answer: it
 * does not have the versions of old.
 */
#ifndef PROVIDERS_KAGGLE_OLD_H
#define PROVIDERS_KAGGLE_OLD_H

#include "base/annot.h"
#include "providers/kaggle_hub.h"

/*
 * The target of a link at KAGGLE_OLD "/<old>", relative to its folder.
 * @old is of kaggle_old_path_ok().  Caller frees *@out.  Errors as
 * kaggle_know().
 */
int kaggle_old_target(struct kaggle_hub *hub, const char *old,
		      uint64_t deadline_ns, char **out) MUST_CHECK;

#endif
