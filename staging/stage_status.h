/* SPDX-License-Identifier: MIT */
/*
 * staging/stage_status.h - the file staged.status, which stands where a
 * staged file would.
 */
#ifndef STAGING_STAGE_STATUS_H
#define STAGING_STAGE_STATUS_H

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/staging.h"

/* Why there is no staged file. */
int status_add_refusal(struct stage_listing *out, const struct stage_repo *repo,
		       const struct refusal *why) MUST_CHECK;

#endif
