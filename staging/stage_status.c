/* SPDX-License-Identifier: MIT */
#include "staging/stage_status.h"

#include "base/limits.h"
#include "base/str.h"
#include "staging/info.h"
#include "staging/stage_listing.h"

#define STATUS_NAME "staged.status"

int status_add_refusal(struct stage_listing *out, const struct stage_repo *repo,
		       const struct refusal *why)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_refusal(repo, why, NULL, NULL, &text);
	return r < 0 ? r : stage_listing_add_text(out, STATUS_NAME, &text);
}
