/* SPDX-License-Identifier: MIT */
/*
 * staging/external/convert_info.h - info.json of a model that an external
 * command converted.
 */
#ifndef STAGING_EXTERNAL_CONVERT_INFO_H
#define STAGING_EXTERNAL_CONVERT_INFO_H

#include "base/annot.h"
#include "base/json.h"
#include "base/str.h"
#include "staging/staging.h"

/* Appends it to @out; @result is what is kept of it (convert_result.c). */
int info_of_converted(const struct stage_repo *repo, const char *task,
		      const struct json *result, struct str *out) MUST_CHECK;

#endif
