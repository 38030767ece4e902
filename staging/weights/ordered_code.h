/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/ordered_code.h - numbers and strings in bytes that sort as
 * they do.  Pure.
 *
 * TensorBundle's keys of slices are made of these.  Facts:
 * tensorflow/core/lib/strings/ordered_code.cc, by its rules:
 *
 *   number  a byte: how many follow; the value, big-endian, no zero first
 *   string  the bytes, 00 as "00 ff" and ff as "ff 00", then "00 01"
 *   signed  n bytes for values of 7n - 1 bits: n ones, a zero, the value;
 *           of a negative one all bits of its complement's form are turned
 *
 * Only the shortest form of a value is taken: two keys cannot be the same.
 * After a fault .bad is set and what is returned does not matter.
 */
#ifndef STAGING_WEIGHTS_ORDERED_CODE_H
#define STAGING_WEIGHTS_ORDERED_CODE_H

#include "base/annot.h"
#include "base/bytes.h"
#include "base/str.h"

uint64_t ordered_number(struct cursor *c);
int64_t ordered_signed(struct cursor *c);

/* Appends to @out.  0 also where it is .bad; -ENOMEM, -EFBIG. */
int ordered_string(struct cursor *c, struct str *out) MUST_CHECK;

#endif
