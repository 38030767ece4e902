/* SPDX-License-Identifier: MIT */
/*
 * staging/external/external_status.h - staged.status of a model that a
 * converter may help; see converter.h.  JSON is appended to @out.
 */
#ifndef STAGING_EXTERNAL_EXTERNAL_STATUS_H
#define STAGING_EXTERNAL_EXTERNAL_STATUS_H

#include "base/annot.h"
#include "base/str.h"
#include "staging/external/conversion.h"
#include "staging/external/external_view.h"

/* "convertible", or "refused" and what to install. */
int status_of_offer(const struct convertible *what,
		    const struct convert_tool *tool,
		    struct str *out) MUST_CHECK;

/* "converting", or "failed". */
int status_of_conversion(const struct convertible *what,
			 struct conversion *conversion,
			 struct str *out) MUST_CHECK;

#endif
