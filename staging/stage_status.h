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
int status_add_refusal(struct stage_listing *out,
		       const struct refusal *why) MUST_CHECK;

/*
 * How far the job is that unpacks file @index; the listing is moving.  It is
 * in state "unpacking", with "done" of "total" bytes read.  -ETIMEDOUT: no
 * job goes on; something else took too long.
 */
int status_add_job(struct stage_listing *out, const struct stage_repo *repo,
		   size_t index) MUST_CHECK;

#endif
