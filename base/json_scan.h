/* SPDX-License-Identifier: MIT */
/*
 * base/json_scan.h - is it strict JSON, and what are its numbers?
 *
 * cJSON takes more than RFC 8259 allows and keeps numbers as doubles.  So
 * json.c has the text scanned first: what passes here, cJSON reads too, and
 * the numbers, in the order of the text, are those of its tree.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"

struct json_number {
	uint64_t magnitude;
	bool exact; /* an integer of at most 64 bits, without "-0" */
	bool negative;
};

/*
 * Iterative; bounded by JSON_DEPTH_MAX, JSON_VALUES_MAX and
 * JSON_NUMBER_BYTES_MAX.  On success the caller frees *@numbers, which has
 * one entry for each number.  -EFBIG: too deep, too many values; -EBADMSG;
 * -ENOMEM.
 */
int json_scan(const void *bytes, size_t len,
	      struct json_number **numbers) MUST_CHECK;

#endif
