/* SPDX-License-Identifier: MIT */
/*
 * staging/external/output_tail.h - the end of what a program prints.  Pure.
 */
#ifndef STAGING_EXTERNAL_OUTPUT_TAIL_H
#define STAGING_EXTERNAL_OUTPUT_TAIL_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"

/*
 * Appends to @tail, whose bound is CONVERT_OUTPUT_BYTES, what there is no
 * room for being cut off in front.
 */
int tail_add(struct str *tail, const void *bytes, size_t len) MUST_CHECK;

/*
 * Appends the last lines, CONVERT_LINES_MAX and CONVERT_LINES_BYTES at most,
 * to @out: text for people, without control characters or empty lines; of a
 * line that was written over (progress bars) what stands at its end.
 */
int tail_lines(const struct str *tail, struct str *out) MUST_CHECK;

#endif
